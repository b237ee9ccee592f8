package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReportOfRealRuns writes small modules and lets go test run them.
func TestReportOfRealRuns(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		code  int
		says  []string
		not   []string
	}{
		"all well, one skipped": {
			files: map[string]string{
				"a/a_test.go": "package a\nimport \"testing\"\nfunc TestGood(t *testing.T) { t.Run(\"sub\", func(*testing.T) {}) }\nfunc TestSkip(t *testing.T) { t.Log(\"hello\"); t.Skip(\"skipped: no moon tonight\") }\n",
				"b/b.go":      "package b\n",
			},
			code: 0,
			says: []string{"ok  \tm/a", "skipped: no moon tonight\n    m/a TestSkip\n", "Note: without the race detector", "\n2 passed, 0 failed, 1 skipped\n"},
			not:  []string{"hello", "=== RUN"},
		},
		"a test fails": {
			files: map[string]string{"a/a_test.go": "package a\nimport \"testing\"\nfunc TestGood(*testing.T) {}\nfunc TestBad(t *testing.T) { t.Error(\"two is not three\") }\n"},
			code:  1,
			says:  []string{"--- FAIL: m/a TestBad", "two is not three", "FAIL\tm/a", "No test was skipped.", "\n1 passed, 1 failed, 0 skipped\n"},
		},
		"a package does not compile": {
			files: map[string]string{
				"a/a_test.go": "package a\nimport \"testing\"\nfunc TestGood(*testing.T) {}\n",
				"b/b_test.go": "package b\nfunc broken() { return 1 }\n",
			},
			code: 1,
			says: []string{"too many return values", "FAIL\tm/b", "\n1 passed, 1 failed, 0 skipped\n"},
		},
		"a panic takes a test along": {
			files: map[string]string{"a/a_test.go": "package a\nimport \"testing\"\nfunc TestPanic(*testing.T) { done := make(chan int); go func() { panic(\"out of the blue\") }(); <-done }\n"},
			code:  1,
			says:  []string{"out of the blue", "TestPanic", "\n0 passed, 1 failed, 0 skipped\n"},
		},
		"no test at all": {
			files: map[string]string{"a/a.go": "package a\n"},
			code:  1,
			says:  []string{"No test ran.", "\n0 passed, 0 failed, 0 skipped\n"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			c.files["go.mod"] = "module m\n\ngo 1.26.0\n"
			for p, text := range c.files {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, p)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, p), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command("go", "test", "-json", "./...")
			cmd.Dir = dir
			events, _ := cmd.Output() // what failed is in the events
			var out bytes.Buffer
			r := newReport(&out)
			for line := range bytes.Lines(events) {
				r.line(line)
			}
			code := r.close([]string{"without the race detector"})
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for _, s := range c.says {
				if !strings.Contains(out.String(), s) {
					t.Errorf("does not say %q", s)
				}
			}
			for _, s := range c.not {
				if strings.Contains(out.String(), s) {
					t.Errorf("says %q", s)
				}
			}
			if t.Failed() {
				t.Logf("the report:\n%s", &out)
			}
		})
	}
}

func TestSignOfLife(t *testing.T) {
	var out bytes.Buffer
	r := newReport(&out)
	r.stillRunning()
	r.line([]byte(`{"Action":"run","Package":"github.com/tidelock/tidelock/bot","Test":"TestLong"}` + "\n"))
	r.line([]byte(`{"Action":"run","Package":"github.com/tidelock/tidelock/bot","Test":"TestLong/sub"}` + "\n"))
	for _, action := range []string{"run", "pause"} {
		r.line([]byte(`{"Action":"` + action + `","Package":"github.com/tidelock/tidelock/bot","Test":"TestWaits"}` + "\n"))
	}
	r.stillRunning()
	r.line([]byte("not an event\n"))
	if want := "… building\n… running bot TestLong\nnot an event\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
