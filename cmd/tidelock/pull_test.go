package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/run"
)

func network(input string) githubtest.Files {
	return githubtest.Files{"network/main.tf": "resource \"terraform_data\" \"net\" {\n  input = \"" + input + "\"\n}\n"}
}

// merge merges as grace does by the button.
func (s *stage) merge(p *githubtest.Pull) {
	s.t.Helper()
	if _, err := p.Merge("grace", "merge"); err != nil {
		s.t.Fatal(err)
	}
}

// count counts the runs of a kind.
func count(runs []run.Run, kind run.Kind) int {
	n := 0
	for _, r := range runs {
		if r.Kind == kind {
			n++
		}
	}
	return n
}

func TestPullRequestAllTheWay(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{detect: true})
	p := s.open("feature", network("v2"))
	body := s.says(p, "📋 Plan: 1 to add, 0 to change, 0 to destroy")
	for _, want := range []string{"`network`", "terraform_data.net", "```diff", "**Merge** this pull request"} {
		if !strings.Contains(body, want) {
			t.Errorf("the comment lacks %q:\n%s", want, body)
		}
	}
	s.check(p, "tidelock/plan", "success")
	if c := p.Checks(); len(c) != 1 {
		t.Errorf("a plan that waits for its merge has the checks %+v, not tidelock/plan alone", c)
	}

	s.merge(p)
	s.says(p, "✅ Applied 1 project")
	s.check(p, "tidelock/apply", "success")

	runs := s.runs()
	if len(runs) != 2 || runs[0].Kind != run.Apply || runs[0].Status != run.Applied || runs[1].Status != run.Planned {
		t.Errorf("history: %+v", runs)
	}
}

// A plan that depends on the time is never the same twice, so that what was
// applied without a question can only have been the saved plan.
func TestMergeAppliesTheSavedPlan(t *testing.T) {
	for _, method := range []string{"merge", "squash", "rebase"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, stageOptions{})
			p := s.open("feature", githubtest.Files{"network/main.tf": "resource \"terraform_data\" \"net\" {\n  input = plantimestamp()\n}\n"})
			s.says(p, "Plan: 1 to add")
			if _, err := p.Merge("grace", method); err != nil {
				t.Fatal(err)
			}
			s.says(p, "✅ Applied 1 project")
			s.check(p, "tidelock/apply", "success")
		})
	}
}

func TestMergedCodeThatDoesTheSameIsApplied(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	p := s.open("feature", network("v2"))
	s.says(p, "Plan: 1 to add")
	s.repo.Commit("grace", "main", "A word on it", githubtest.Files{"network/about.tf": "# Where everything begins.\n"})
	s.merge(p)
	s.says(p, "✅ Applied 1 project")
}

func TestMergedCodeThatDoesSomethingElseIsHeld(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	p := s.open("feature", network("v2"))
	s.says(p, "Plan: 1 to add")
	s.repo.Commit("grace", "main", "One more", githubtest.Files{"network/more.tf": "resource \"terraform_data\" \"more\" {}\n"})
	s.merge(p)
	body := s.says(p, "✋")
	for _, want := range []string{"not what was planned", "Nothing was applied", "`plan`", "`apply`", "terraform_data.more"} {
		if !strings.Contains(body, want) {
			t.Errorf("the comment lacks %q:\n%s", want, body)
		}
	}
	s.check(p, "tidelock/apply", "action_required")

	p.Comment("ada", "plan")
	s.says(p, "### 📋 Plan: 2 to add")
	p.Comment("ada", "apply")
	s.says(p, "✅ Applied 1 project")
	s.check(p, "tidelock/apply", "success")
}

// The state moves behind everybody's back: Terraform refuses the saved plan,
// and a new one that does the same is applied in its place.
func TestFault29_StaleStateIsPlannedAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	first := s.open("first", network("v2"))
	s.says(first, "Plan: 1 to add")
	s.merge(first)
	s.says(first, "✅ Applied 1 project")

	p := s.open("second", network("v3"))
	s.says(p, "Plan: 0 to add, 1 to change")
	moveState(t, s)
	s.merge(p)
	s.says(p, "✅ Applied 1 project")
}

func TestNewPushUpdatesTheSameComment(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	p := s.open("feature", network("v2"))
	s.says(p, "Plan: 1 to add")
	old := p.State().HeadSHA
	id := p.Comments()[0].ID

	s.repo.Commit("ada", "feature", "More", githubtest.Files{"network/more.tf": "resource \"terraform_data\" \"more\" {}\n"})
	s.says(p, "Plan: 2 to add")
	s.check(p, "tidelock/plan", "success")
	if c := p.Comments(); len(c) != 1 || c[0].ID != id {
		t.Errorf("comments: %+v", c)
	}
	for _, c := range p.ChecksAt(old) {
		if c.Status != "completed" {
			t.Errorf("check %s of the old head is left %s", c.Name, c.Status)
		}
	}
}

// A push while a plan is made stops it: nobody wants its result any more.
func TestPushSupersedesARunningPlan(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_TERRAFORM_GRACE=1s"}})
	p := s.open("feature", githubtest.Files{"network/main.tf": g.plan()})
	g.reached()
	old := p.State().HeadSHA
	s.until("the check to say that it is planned", func() bool {
		c := p.Checks()
		return len(c) == 1 && c[0].Status == "in_progress"
	})
	if c := p.Comments(); len(c) != 0 {
		t.Errorf("a comment seconds after the plan began: %+v", c)
	}
	s.repo.Commit("ada", "feature", "Never mind", network("v3"))
	s.says(p, "Plan: 1 to add")
	s.until("the old head's check to be closed", func() bool {
		for _, c := range p.ChecksAt(old) {
			if c.Name == "tidelock/plan" {
				return c.Conclusion == "cancelled"
			}
		}
		return false
	})
}

func TestModuleChangePlansItsCallers(t *testing.T) {
	t.Parallel()
	caller := func(name string) string {
		return "module \"m\" {\n  source = \"../modules/m\"\n  name   = \"" + name + "\"\n}\n"
	}
	s := newStage(t, stageOptions{files: githubtest.Files{
		"modules/m/main.tf": "variable \"name\" {\n  type = string\n}\nresource \"terraform_data\" \"x\" {\n  input = var.name\n}\n",
		"a/main.tf":         caller("a"), "b/main.tf": caller("b"),
		"c/main.tf": "resource \"terraform_data\" \"c\" {}\n",
	}})
	p := s.open("module", githubtest.Files{"modules/m/main.tf": "variable \"name\" {\n  type = string\n}\nresource \"terraform_data\" \"x\" {\n  input = upper(var.name)\n}\n"})
	body := s.says(p, "Plan: 2 to add, 0 to change, 0 to destroy in 2 projects")
	if strings.Contains(body, "`c`") || strings.Contains(body, "`modules/m`") {
		t.Errorf("planned what was not touched:\n%s", body)
	}
	s.merge(p)
	s.says(p, "✅ Applied 2 projects")
}

func TestWorkspaces(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: githubtest.Files{
		"tidelock.hcl": `autodiscover = false
project "staging" {
  dir       = "net"
  workspace = "staging"
  var_files = ["staging.tfvars"]
}
project "prod" {
  dir       = "net"
  workspace = "prod"
  var_files = ["prod.tfvars"]
}
`,
		"net/main.tf":        "variable \"size\" {\n  type = number\n}\nresource \"terraform_data\" \"net\" {\n  count = var.size\n  input = terraform.workspace\n}\n",
		"net/staging.tfvars": "size = 0\n", "net/prod.tfvars": "size = 0\n",
	}})
	p := s.open("grow", githubtest.Files{"net/prod.tfvars": "size = 3\n"})
	body := s.says(p, "Plan: 3 to add")
	if strings.Contains(body, "staging") || !strings.Contains(body, `"prod"`) {
		t.Errorf("the wrong workspace:\n%s", body)
	}
	s.merge(p)
	s.says(p, "✅ Applied 1 project")

	p = s.open("both", githubtest.Files{"net/prod.tfvars": "size = 4\n", "net/staging.tfvars": "size = 1\n"})
	s.says(p, "Plan: 2 to add, 0 to change, 0 to destroy in 2 projects")
	s.merge(p)
	s.says(p, "✅ Applied 2 projects")
}

func TestGitHub26_RenamedRepositoryGoesOn(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	p := s.open("feature", network("v2"))
	s.says(p, "Plan: 1 to add")
	s.repo.Rename("platform")
	s.repo.Commit("ada", "feature", "After the rename", githubtest.Files{"network/more.tf": "resource \"terraform_data\" \"more\" {}\n"})
	s.says(p, "Plan: 2 to add")
	s.merge(p)
	s.says(p, "✅ Applied 1 project")
}

func TestDocsOnlyIsSilent(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	p := s.open("docs", githubtest.Files{"README.md": "# infra\n\nMore words.\n"})
	s.check(p, "tidelock/plan", "neutral")
	s.merge(p)
	s.repo.Commit("ada", "after", "Something to wait for", network("v2"))
	s.says(s.repo.Open("ada", githubtest.PullRequest{Title: "After", Head: "after"}), "Plan: 1 to add")
	if c := p.Comments(); len(c) != 0 {
		t.Errorf("comments on a pull request that touches only docs: %+v", c)
	}
}

// What the head no longer touches, the pull no longer holds, and the comment
// says so instead of showing a plan that is not wanted any more.
func TestProjectThatIsNoLongerTouched(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	p := s.open("feature", network("v2"))
	s.says(p, "Plan: 1 to add")
	s.repo.Commit("ada", "feature", "Take it back", githubtest.Files{"network/main.tf": oneProject["network/main.tf"], "notes.md": "later\n"})
	s.says(p, "No Terraform project")
	s.check(p, "tidelock/plan", "neutral")

	other := s.open("other", network("v3"))
	s.says(other, "Plan: 1 to add")
}

func TestDraftsAreLeftAlone(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	s.repo.Commit("ada", "feature", "Not yet", network("v2"))
	p := s.repo.Open("ada", githubtest.PullRequest{Title: "Not yet", Head: "feature", Draft: true})
	other := s.open("other", githubtest.Files{"other/main.tf": "resource \"terraform_data\" \"o\" {}\n"})
	s.says(other, "Plan: 1 to add")
	if c := p.Comments(); len(c) != 0 {
		t.Errorf("a draft got comments: %+v", c)
	}
	p.Draft("ada", false)
	s.says(p, "Plan: 1 to add")
}

func TestCloseAndReopen(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	p := s.open("feature", network("v2"))
	s.says(p, "Plan: 1 to add")
	p.Close("ada")
	s.says(p, "Closed: nothing was applied")
	s.check(p, "tidelock/plan", "neutral")
	p.Reopen("ada")
	s.says(p, "Plan: 1 to add")
	s.check(p, "tidelock/plan", "success")
	s.merge(p)
	s.says(p, "✅ Applied 1 project")
}

// Code that is removed together with its project: nothing can plan what is no
// longer there, and the comment says what that means.
func TestRemovedProject(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: githubtest.Files{
		"a/main.tf": "resource \"terraform_data\" \"a\" {}\n", "b/main.tf": "resource \"terraform_data\" \"b\" {}\n",
	}})
	p := s.open("remove", githubtest.Files{"a/main.tf": githubtest.Delete(), "b/main.tf": "resource \"terraform_data\" \"bb\" {}\n"})
	body := s.says(p, "Plan: 1 to add")
	if !strings.Contains(body, "The code of project a is removed") {
		t.Errorf("the comment does not name the project whose code goes:\n%s", body)
	}
}

// A project of which only a comment is left still has what it made: taking that
// away is a plan like any other.
func TestEmptiedProjectIsDestroyed(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	p := s.open("make", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	s.merge(p)
	s.says(p, "✅ Applied 1 project")
	p = s.open("empty", githubtest.Files{"network/main.tf": "# Nothing here any more.\n"})
	s.says(p, "1 to destroy")
}

func TestFiveProjects(t *testing.T) {
	t.Parallel()
	files, change := githubtest.Files{}, githubtest.Files{}
	for i := range 5 {
		path := fmt.Sprintf("live/p%d/main.tf", i)
		files[path] = "resource \"terraform_data\" \"x\" {\n  input = 1\n}\n"
		change[path] = "resource \"terraform_data\" \"x\" {\n  input = 2\n}\n"
	}
	s := newStage(t, stageOptions{files: files})
	p := s.open("all", change)
	s.says(p, "Plan: 5 to add, 0 to change, 0 to destroy in 5 projects")
	s.merge(p)
	s.says(p, "✅ Applied 5 projects")
	if runs := s.runs(); count(runs, run.Plan) != 5 || count(runs, run.Apply) != 5 {
		t.Errorf("%d plans and %d applies, not 5 and 5", count(runs, run.Plan), count(runs, run.Apply))
	}
}
