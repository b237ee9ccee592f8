package importtest

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFloors checks every package of the module.
func TestFloors(t *testing.T) {
	graph := load(t)
	if len(graph) < 3 {
		t.Fatalf("only %d packages were found", len(graph))
	}
	for _, b := range check(graph) {
		t.Error(b)
	}
}

// load asks the go command for the imports of every package. Packages that do
// not compile at this moment are there all the same.
func load(t *testing.T) map[string][]string {
	t.Helper()
	mod, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		t.Fatalf("go list -m: %v", err)
	}
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Imports", "./...")
	cmd.Dir = filepath.Clean(strings.TrimSpace(string(mod)))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list ./...: %v", err)
	}
	graph := map[string][]string{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var pkg struct {
			ImportPath string
			Imports    []string
		}
		switch err := dec.Decode(&pkg); {
		case errors.Is(err, io.EOF):
			return graph
		case err != nil:
			t.Fatal(err)
		}
		graph[pkg.ImportPath] = pkg.Imports
	}
}

// TestCheck plays a house with good and bad imports, one at a time.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		from, to string
		broken   string // part of what is said, "" where the import is fine
	}{
		{"internal/run", "internal/db", ""},
		{"internal/run", "planner", ""},
		{"internal/policy", "planner", ""},
		{"internal/runner", "planner", ""},
		{"bot", "internal/github", ""},
		{"bot/render", "internal/run", ""},
		{"bot", "bot/render", ""},
		{"bot/render", "bot", ""},
		{"bot", "bot/comment", ""},
		{"bot", "bot/command", ""},
		{"bot/comment", "bot/command", ""},
		{"bot/comment", "internal/run", ""},
		{"cmd/tidelock", "bot", ""},
		{"cmd/tidelock", "internal/web", ""},
		{"cmd/tidelock", "internal/github/githubtest", ""},
		{"internal/github/githubtest", "internal/github", ""},
		{"internal/github/githubtest", "testing", ""},
		{"internal/bench", "internal/toolchain", ""},
		{"internal/db", "modernc.org/sqlite", ""},
		{"internal/queue", "github.com/riverqueue/river", ""},
		{"internal/queue", "github.com/jackc/pgx/v5", ""},
		{"internal/cost", "net/url", ""},
		{"planner/tfrun", "os/exec", ""},
		{"planner/tfrun", "planner", ""},
		{"internal/runner", "planner/tfrun", ""},
		{"internal/cost", "planner/tfplan", ""},

		{"planner", "os/exec", "few places"},
		{"planner", "planner/tfrun", "only go down"},
		{"planner/tfplan", "planner", "nothing else is asked"},
		{"planner/tfrun", "internal/runner", "holds no secret"},
		{"planner", "internal/gate", ""},
		{"bot", "internal/gate", ""},
		{"internal/gate", "internal/errs", ""},

		{"planner", "internal/db", "holds no secret"},
		{"planner", "internal/db/inner", "holds no secret"},
		{"planner", "internal/github", "holds no secret"},
		{"planner", "internal/runner", "only go down"},
		{"bot", "internal/web", "only go down"},
		{"internal/web", "bot", "only go down"},
		{"internal/web", "bot/render", "only go down"},
		{"internal/run", "bot", "only go down"},
		{"internal/run", "bot/comment", "only go down"},
		{"bot/comment", "bot", "only go down"},
		{"bot/command", "bot", "only go down"},
		{"bot/command", "bot/comment", "only go down"},
		{"bot/comment", "internal/db", "values alone"},
		{"bot/comment", "internal/queue", "values alone"},
		{"bot/command", "internal/db", "values alone"},
		{"bot/command", "internal/queue", "values alone"},
		{"internal/markdown", "internal/errs", "only go down"},
		{"internal/run", "internal/state", "only go down"},
		{"internal/db", "internal/github", "only go down"},
		{"internal/errs", "internal/redact", "only go down"},
		{"internal/run", "internal/github/githubtest", "only go down"},
		{"bot", "internal/toolchain", "only go down"},
		{"internal/run", "cmd/tidelock", "only go down"},
		{"internal/demo", "internal/github/githubtest/contract", "for tests"},
		{"bot", "testing", "testing"},
		{"bot", "github.com/google/go-github/v60/github", "one room"},
		{"cmd/tidelock", "github.com/bradleyfalzon/ghinstallation/v2", "one room"},
		{"internal/run", "github.com/riverqueue/river", "internal/queue"},
		{"internal/run", "github.com/jackc/pgx/v5/pgxpool", "opens databases"},
		{"cmd/tidelock", "modernc.org/sqlite", "opens databases"},
		{"bot", "github.com/go-git/go-git/v5/plumbing", "git is spoken"},
		{"internal/web", "os/exec", "few places"},
		{"internal/cost", "net/http", "pure readers"},
		{"internal/policy", "internal/db", "pure readers"},
		{"internal/gate", "internal/db", "only go down"},
		{"internal/gate", "os", "reads nothing"},
		{"bot", "github.com/google/cel-go/cel", "internal/gate"},
		{"cmd/tidelock", "net/http/pprof", "open a door"},
		{"internal/util", "errors", "on no floor"},
		{"models", "errors", "on no floor"},
	} {
		path := func(p string) string {
			if _, base := floorOf(p); base != "" || p == "models" || p == "internal/util" {
				return module + "/" + p
			}
			return p
		}
		got := check(map[string][]string{path(c.from): {path(c.to)}})
		switch {
		case c.broken == "" && len(got) > 0:
			t.Errorf("%s → %s is refused: %v", c.from, c.to, got)
		case c.broken != "" && !strings.Contains(strings.Join(got, "\n"), c.broken):
			t.Errorf("%s → %s: %q, want %q", c.from, c.to, got, c.broken)
		}
	}
}
