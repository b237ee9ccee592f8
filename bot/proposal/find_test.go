package proposal

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/bot/command"
	"github.com/tidelock/tidelock/planner"
)

type baseTree struct{ fstest.MapFS }

func (baseTree) Close() error { return nil }

// TestFind: what is wanted of a change, and what is said of the rest.
func TestFind(t *testing.T) {
	code := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	resource := "resource \"terraform_data\" \"x\" {}\n"
	head := fstest.MapFS{
		"net/main.tf": code(resource), "app/main.tf": code(resource), "hand/main.tf": code(resource), "left/readme.md": code(""),
		"broken/main.tf": code("resource {\n"), "broken/ok.tf": code(resource), "kept/main.tf": code("# nothing\n"),
		"tidelock.hcl": code("project {\n"),
	}
	cfg := planner.DefaultRepoConfig()
	cfg.Projects = []planner.ProjectConfig{{Name: "hand", Dir: "hand", Workspace: "default", ByHand: true}}
	change := func(paths ...string) Change {
		return Change{
			Head: head, Paths: paths, Commit: "c", Config: cfg,
			Base:     func() (BaseFS, error) { return baseTree{fstest.MapFS{"left/main.tf": code(resource)}}, nil },
			HasState: func(dir string) bool { return dir == "kept" },
		}
	}
	for name, c := range map[string]struct {
		change Change
		ask    Ask
		want   string // the projects
		gone   string // in the order in which it is told
		none   bool
	}{
		"touched":         {change("net/main.tf", "hand/main.tf"), Ask{Touched: true}, "net", "planned by the command", false},
		"by hand":         {change("net/main.tf", "hand/main.tf"), Ask{Touched: true, Asked: true}, "hand net", "", false},
		"all":             {change(), Ask{All: true}, "app broken net", "planned by the command", false},
		"named":           {change("net/main.tf"), Ask{Filter: command.Filter{Projects: []string{"app"}}, Asked: true}, "app", "", false},
		"named nobody":    {change("net/main.tf"), Ask{Filter: command.Filter{Projects: []string{"x"}}, Asked: true}, "", "", true},
		"nothing touched": {change("left/readme.md"), Ask{Touched: true}, "", "", false},
		"removed":         {change("left/main.tf"), Ask{Touched: true}, "", "code of project left is removed", false},
		"with a state":    {change("kept/main.tf"), Ask{Touched: true}, "kept", "", false},
		"configuration":   {change("tidelock.hcl"), Ask{Touched: true}, "", "judged by the one on its base branch|is not valid", false},
	} {
		found, err := Find(c.change, c.ask)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var names, gone []string
		for _, w := range found.Wanted {
			names = append(names, w.Project.Name)
			if w.InputsDigest == "" || w.Commit != "c" {
				t.Errorf("%s: wanted %+v", name, w)
			}
		}
		for _, g := range found.Gone {
			gone = append(gone, g.Message)
		}
		if diff := cmp.Diff(c.want, strings.Join(names, " ")); diff != "" || found.NoMatch != c.none {
			t.Errorf("%s: no match %v, (-want +got)\n%s", name, found.NoMatch, diff)
		}
		told := strings.Join(gone, "\n")
		if (c.gone == "") != (told == "") {
			t.Errorf("%s tells %q", name, told)
		}
		for part := range strings.SplitSeq(c.gone, "|") {
			if !strings.Contains(told, part) {
				t.Errorf("%s tells %q, and not %q", name, told, part)
			}
		}
	}
}

// TestProblemsOfOthersAreNotTold: what was broken before is not the author's to
// mend; who plans everything hears of everything that is not planned.
func TestProblemsOfOthersAreNotTold(t *testing.T) {
	head := fstest.MapFS{
		"net/main.tf": {Data: []byte("resource \"terraform_data\" \"x\" {}\n")},
	}
	cfg := planner.DefaultRepoConfig()
	cfg.Projects = []planner.ProjectConfig{{Name: "gone", Dir: "gone", Workspace: "default", Line: 3}}
	for name, c := range map[string]struct {
		paths []string
		ask   Ask
		want  int
	}{
		"another's":    {[]string{"net/main.tf"}, Ask{Touched: true}, 0},
		"the author's": {[]string{planner.ConfigFile}, Ask{Touched: true}, 1},
		"all":          {nil, Ask{All: true}, 1},
	} {
		found, err := Find(Change{Head: head, Paths: c.paths, Config: cfg}, c.ask)
		if err != nil || len(found.Problems) != c.want {
			t.Errorf("%s: %v, %v", name, found.Problems, err)
		}
	}
}
