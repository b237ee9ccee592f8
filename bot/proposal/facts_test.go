package proposal

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/planner"
)

func sets(t *testing.T) *policyset.Sets {
	t.Helper()
	s, err := policyset.New(policyset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// own is a repository whose own rules have the condition.
func own(t *testing.T, annotation, condition string) policyset.RepoPolicy {
	t.Helper()
	packs, err := policyset.ReadRepoPacks(fstest.MapFS{"p/a.rego": {Data: []byte("package own\n\n" + annotation + "deny contains \"no\" if " + condition + "\n")}}, []string{"p"})
	if err != nil {
		t.Fatal(err)
	}
	return policyset.RepoPolicy{Packs: packs}
}

// TestTold: what a rule can look at is found out and told, and what none looks
// at is neither: a plan stands for the next commit unless a rule could say
// something else of it.
func TestTold(t *testing.T) {
	s := sets(t)
	p := planner.Project{Name: "net", Dir: "net", Workspace: "default"}
	asked := ""
	facts := func(head string, repo policyset.RepoPolicy) Facts {
		f := Facts{Repo: repo, Input: policy.Input{Pull: &policy.Pull{HeadSHA: head}, Change: &policy.Change{ID: "c-" + head, HeadSHA: head}, Actor: &policy.Actor{Kind: "user", Login: "who-" + head}}}
		f.Changed = func(context.Context) ([]string, error) { asked += "changed "; return []string{"f-" + head}, nil }
		f.Approvals = func(context.Context) ([]string, error) { asked += "approvals "; return []string{"a-" + head}, nil }
		f.Files = func(_ context.Context, patterns []string) (map[string]string, error) {
			asked += "files:" + strings.Join(patterns, ",") + " "
			return map[string]string{"x": head}, nil
		}
		return f
	}
	for _, tc := range []struct {
		name, annotation, condition string
		asked                       string // for one look
		same                        bool   // for two heads
	}{
		{"nothing", "", `input.pull.title == "x"`, "", true},
		{"files that changed", "", `"x" in input.change.files`, "changed ", false},
		{"the head", "", `input.change.head_sha == "x"`, "", false},
		{"the pull's head", "", `input.pull.head_sha == "x"`, "", false},
		{"who asks", "", `input.actor.login == "x"`, "", false},
		{"approvals", "", `count(input.pull.approvals) < 2`, "approvals ", false},
		{"a file", "# METADATA\n# custom:\n#   files: [\"CODEOWNERS\"]\n", `input.files["CODEOWNERS"] == "x"`, "files:CODEOWNERS ", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			repo := own(t, tc.annotation, tc.condition)
			asked = ""
			first, err := facts("1", repo).Told(t.Context(), s, p)
			if err != nil {
				t.Fatal(err)
			}
			if asked != tc.asked {
				t.Errorf("found out %q, want %q", asked, tc.asked)
			}
			second, err := facts("2", repo).Told(t.Context(), s, p)
			if err != nil || (first == second) != tc.same {
				t.Errorf("told the same: %v, want %v; %v\n%s\n%s", first == second, tc.same, err, first, second)
			}
		})
	}
	f := facts("1", own(t, "", `"x" in input.change.files`))
	f.Changed = func(context.Context) ([]string, error) { return nil, errors.New("git is away") }
	var later factError
	if _, err := f.Told(t.Context(), s, p); !errors.As(err, &later) {
		t.Errorf("what may be known later: %v", err)
	}
	f.Wrong = errs.New(errs.Invalid, "There is no such folder.")
	if _, err := f.Told(t.Context(), s, p); !errs.Is(err, errs.Invalid) {
		t.Errorf("rules that are not there: %v", err)
	}
	if notes := PolicyNotes(t.Context(), s, f, []planner.Project{p}); len(notes) != 1 || !strings.Contains(notes[0].Message, "nothing applied, until that is mended") {
		t.Errorf("notes %+v", notes)
	}
}

func TestReadFiles(t *testing.T) {
	tree := fstest.MapFS{
		"CODEOWNERS": {Data: []byte("* @a")}, "live/a.tf": {Data: []byte("a")}, "live/x/b.tf": {Data: []byte("b")}, "live/big": {Data: make([]byte, maxBytes+1)},
	}
	got, err := ReadFiles(t.Context(), tree, []string{"**/*.tf", "CODEOWNERS", "live/a.tf", "none/**"})
	if err != nil || len(got) != 3 || got["live/x/b.tf"] != "b" || got["CODEOWNERS"] != "* @a" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := ReadFiles(t.Context(), tree, []string{"live/big"}); !errs.Is(err, errs.TooLarge) {
		t.Errorf("a large one: %v", err)
	}
	if _, err := ReadFiles(t.Context(), tree, []string{"live/[a"}); !errs.Is(err, errs.Invalid) {
		t.Errorf("no pattern: %v", err)
	}
	many := fstest.MapFS{}
	for i := range maxFiles + 1 {
		many[strings.Repeat("d/", i/26)+string(rune('a'+i%26))+".tf"] = &fstest.MapFile{Data: []byte("x")}
	}
	if _, err := ReadFiles(t.Context(), many, []string{"**"}); !errs.Is(err, errs.TooLarge) {
		t.Errorf("many: %v", err)
	}
}

func TestCostOf(t *testing.T) {
	ten, twelve := decimal.RequireFromString("10.5"), decimal.RequireFromString("12")
	c := costOf(cost.Estimate{Currency: "USD", Before: ten, After: twelve, Delta: twelve.Sub(ten), AtLeast: true, Resources: []cost.ResourceCost{
		{Address: "a.b", Type: "a", After: &twelve}, {Address: "a.unpriced", Type: "a"},
	}})
	if c.Before != "10.5" || c.After != "12" || c.Delta != "1.5" || c.Known || len(c.Resources) != 1 || c.Resources[0].Before != "0" || c.Resources[0].After != "12" {
		t.Errorf("%+v", c)
	}
}
