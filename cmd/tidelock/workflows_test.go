package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/planner"
)

var hclExample = regexp.MustCompile("(?s)```hcl\n(.*?)```")

// TestWorkflowExamples reads every example of docs/workflows.md as what its
// first line says that it is.
func TestWorkflowExamples(t *testing.T) {
	examples := hclExample.FindAllStringSubmatch(read(t, filepath.Join("..", "..", "docs", "workflows.md")), -1)
	if len(examples) < 6 {
		t.Fatalf("%d examples", len(examples))
	}
	for _, m := range examples {
		switch text := m[1]; {
		case strings.HasPrefix(text, "# tidelock.hcl\n"):
			if _, err := planner.ParseConfig([]byte(text), planner.ConfigFile); err != nil {
				t.Errorf("%v\n%s", err, text)
			}
		case strings.HasPrefix(text, "# tidelock-server.hcl\n"):
			path := filepath.Join(t.TempDir(), "tidelock-server.hcl")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if l := config.Read(path, nil, config.NeedNothing); l.Problems.Err() != nil || len(l.Config.Secrets) == 0 {
				t.Errorf("%v\n%s", l.Problems, text)
			}
		default:
			t.Errorf("no file is named:\n%s", text)
		}
	}
}
