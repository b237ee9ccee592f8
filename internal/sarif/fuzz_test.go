package sarif_test

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/sarif"
)

// FuzzRead: whatever the file holds, what is made of it is bounded, its paths
// are clean, its links are those of pages, and it can be written again.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.sarif")
	if err != nil || len(files) == 0 {
		f.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"version":"2.1.0","runs":[{"results":[{"locations":[null],"rule":null,"message":{"text":"{0}{","arguments":[null]}}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		log, err := sarif.Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		for _, r := range log.Results {
			if r.Path != "" && r.Path != path.Clean(r.Path) || len(r.Message) > 20_000 || r.Tool == "" || strings.ContainsAny(r.Tool, ".\n /") || strings.ContainsAny(r.Rule, "\n `|<>") {
				t.Fatalf("%+v", r)
			}
			if r.URL != "" && !strings.HasPrefix(r.URL, "http") || r.EndLine < r.Line || r.Line < 0 {
				t.Fatalf("%+v", r)
			}
		}
		var report policy.Report
		found := sarif.Findings(log, sarif.Reading{Levels: sarif.Levels{sarif.LevelNote: policy.Advisory}, Place: func(r sarif.Result) sarif.Place { return sarif.Place{File: r.Path} }})
		report.Add(nil, policy.Project{}, found, nil)
		var out bytes.Buffer
		if err := sarif.Write(&out, sarif.Report{Report: report}); err != nil {
			t.Fatal(err)
		}
		if _, err := sarif.Read(&out); err != nil {
			t.Fatal(err)
		}
	})
}
