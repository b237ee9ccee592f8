package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/run"
)

// resource is a project of one object.
func resource(name, input string) string {
	return fmt.Sprintf("resource \"terraform_data\" %q {\n  input = %q\n}\n", name, input)
}

const netThenApp = `
project "net" {
  dir = "net"
}
project "app" {
  dir        = "app"
  depends_on = ["net"]
}
`

func layered(settings string) githubtest.Files {
	return githubtest.Files{"tidelock.hcl": settings + netThenApp, "net/main.tf": resource("net", "v1"), "app/main.tf": resource("app", "v1")}
}

func bothLayers(input string) githubtest.Files {
	return githubtest.Files{"net/main.tf": resource("net", input), "app/main.tf": resource("app", input)}
}

// A project is planned when what it depends on has been applied, and by itself.
func TestLayersBeforeTheMerge(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: layered("apply_before_merge = true\n"), detect: true})
	p := s.open("feature", bothLayers("v2"))
	s.says(p, "after `net`")
	if n := statuses(s.runs(), "app", run.Plan)[run.Deferred]; n != 1 {
		t.Fatalf("the plan of app does not wait for net: %v", statuses(s.runs(), "app", run.Plan))
	}
	p.Comment("ada", "apply -p app")
	s.replied(p, "`app` is planned once `net` is applied.")
	p.Comment("ada", "apply")
	s.says(p, "| `app` | layer 2: after `net` | +1 |")
	p.Comment("ada", "apply")
	s.says(p, "✅ Applied 2 projects")
}

func TestLayersAfterTheMerge(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: layered("")})
	p := s.open("feature", bothLayers("v2"))
	s.says(p, "after `net`")
	s.merge(p)
	// Nobody can have reviewed a plan that was made after the merge.
	s.says(p, "Comment `apply` to apply these plans")
	if n := count(s.runs(), run.Apply); n != 1 {
		t.Fatalf("%d applies, not the one of net", n)
	}
	p.Comment("ada", "apply")
	s.says(p, "✅ Applied 2 projects")
}

// A layer below that changes nothing leaves nothing to wait for.
func TestLayersWithNothingToWaitFor(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: layered("")})
	first := s.open("first", bothLayers("v2"))
	s.says(first, "after `net`")
	s.merge(first)
	s.says(first, "Comment `apply` to apply these plans")
	first.Comment("ada", "apply")
	s.says(first, "✅ Applied 2 projects")
	p := s.open("second", githubtest.Files{"net/README.txt": "shapes nothing", "net/main.tf": resource("net", "v2") + "# a comment\n", "app/main.tf": resource("app", "v3")})
	s.says(p, "| `app` | layer 2: after `net` | ~1 |")
}

func TestOrderGroups(t *testing.T) {
	t.Parallel()
	const order = "apply_before_merge = true\nproject \"a\" {\n  dir = \"a\"\n  order = 1\n}\nproject \"b\" {\n  dir = \"b\"\n  order = 2\n}\n"
	g := newGate(t)
	s := newStage(t, stageOptions{files: githubtest.Files{"tidelock.hcl": order, "a/main.tf": resource("a", "v1"), "b/main.tf": resource("b", "v1")}})
	p := s.open("feature", githubtest.Files{"a/main.tf": g.apply("v2"), "b/main.tf": resource("b", "v2")})
	s.says(p, "### 📋 Plan: 2 to add")
	p.Comment("ada", "apply")
	g.reached()
	if st := statuses(s.runs(), "b", run.Apply); st[run.Deferred] != 1 {
		t.Errorf("b does not wait for the group before it: %v", st)
	}
	g.open()
	s.says(p, "✅ Applied 2 projects")
}

// What comes after a failed apply is not begun; retry goes on from there.
func TestStopOnFailureThenRetry(t *testing.T) {
	t.Parallel()
	const order = "apply_before_merge = true\nproject \"a\" {\n  dir = \"a\"\n  order = 1\n}\nproject \"b\" {\n  dir = \"b\"\n  order = 2\n}\n"
	s := newStage(t, stageOptions{files: githubtest.Files{"tidelock.hcl": order, "a/main.tf": resource("a", "v1"), "b/main.tf": resource("b", "v1")}})
	dir := t.TempDir()
	broken := resource("first", "v2") + fmt.Sprintf(`
resource "terraform_data" "second" {
  input = terraform_data.first.output
  lifecycle {
    precondition { # known only once the first is there
      condition     = fileexists("%s/${terraform_data.first.output}")
      error_message = "The door is shut."
    }
  }
}
`, dir)
	p := s.open("feature", githubtest.Files{"a/main.tf": broken, "b/main.tf": resource("b", "v2")})
	s.says(p, "### 📋 Plan: 3 to add")
	p.Comment("ada", "apply")
	body := s.says(p, "❌ The apply of `a` failed")
	if !strings.Contains(body, "`retry`") {
		t.Errorf("the comment does not name retry:\n%s", body)
	}
	if st := statuses(s.runs(), "b", run.Apply); st[run.Canceled] != 1 || st[run.Applied] != 0 {
		t.Fatalf("b was not left alone: %v", st)
	}
	if s.query("SELECT COUNT(*) FROM locks WHERE dir='a'") != 1 {
		t.Error("the failed project gave its lock up")
	}
	if err := os.WriteFile(filepath.Join(dir, "v2"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p.Comment("ada", "retry")
	s.until("a to be tried again", func() bool { return statuses(s.runs(), "a", run.Apply)[run.Superseded] == 1 })
	s.until("a to be applied", func() bool { return statuses(s.runs(), "a", run.Apply)[run.Applied] == 1 })
	p.Comment("ada", "apply")
	s.says(p, "✅ Applied 2 projects")
}

// What a retry would do beyond what was reviewed is not done.
func TestThreat_RetryDoesNothingThatWasNotReviewed(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: githubtest.Files{"tidelock.hcl": "apply_before_merge = true\n", "a/main.tf": resource("a", "v1")}})
	dir := t.TempDir()
	code := fmt.Sprintf(`
resource "terraform_data" "a" {
  input = fileexists("%s/moved") ? "something else" : "v2"
  provisioner "local-exec" {
    command = "touch %s/moved; exit 1"
  }
}
`, dir, dir)
	p := s.open("feature", githubtest.Files{"a/main.tf": code})
	s.says(p, "### 📋 Plan: 1 to add")
	p.Comment("ada", "apply")
	s.says(p, "❌ The apply of `a` failed")
	p.Comment("ada", "retry")
	s.says(p, "✋ held")
}

func TestCancelAPlan(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_TERRAFORM_GRACE=1s"}})
	p := s.open("feature", githubtest.Files{"network/main.tf": g.plan()})
	g.reached()
	runner := s.runnerOf()
	p.Comment("ada", "cancel")
	s.until("the plan to be canceled", func() bool { return statuses(s.runs(), "network", run.Plan)[run.Canceled] == 1 })
	eventually(t, "its runner to end", func() bool { return syscall.Kill(runner, 0) != nil })
	if s.query("SELECT COUNT(*) FROM locks") != 0 {
		t.Error("a plan that was canceled keeps its lock")
	}
	g.open()
	p.Comment("ada", "plan")
	s.says(p, "### 📋 Plan: 1 to add")
}

// An apply that is stopped in its midst has done a part: it counts as failed,
// keeps its lock, and says who stopped it.
func TestCancelAnApply(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_DEFAULTS_APPLY_BEFORE_MERGE=true", "TIDELOCK_TERRAFORM_GRACE=2s"}})
	p := s.open("feature", githubtest.Files{"network/main.tf": g.apply("v2")})
	s.says(p, "### 📋 Plan: 1 to add")
	p.Comment("ada", "apply")
	g.reached()
	p.Comment("grace", "cancel")
	s.says(p, "Stopped by @grace")
	st := statuses(s.runs(), "network", run.Apply)
	if st[run.Applied] != 0 || st[run.Failed]+st[run.Interrupted] != 1 {
		t.Errorf("the apply that was stopped is %v", st)
	}
	if s.query("SELECT COUNT(*) FROM locks") != 1 {
		t.Error("its lock is gone")
	}
}

func TestDestroyOnlyWhatIsNamed(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: twoProjects, env: []string{"TIDELOCK_DEFAULTS_APPLY_BEFORE_MERGE=true"}})
	p := s.open("feature", bothProjects("2"))
	s.says(p, "### 📋 Plan: 2 to add")
	p.Comment("ada", "apply")
	s.says(p, "✅ Applied 2 projects")
	p.Comment("ada", "destroy -p a")
	s.says(p, "1 to destroy")
	p.Comment("ada", "apply")
	s.says(p, "✅ Applied 2 projects")
	if got := s.stateOf("a"); strings.Contains(got, `"terraform_data"`) {
		t.Errorf("a still holds its object: %s", got)
	}
	if got := s.stateOf("b"); !strings.Contains(got, `"terraform_data"`) {
		t.Errorf("b, which nobody named, was destroyed: %s", got)
	}
}

func TestPlanOptionsAreShownAndApplied(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_DEFAULTS_APPLY_BEFORE_MERGE=true"}})
	p := s.open("feature", githubtest.Files{"network/main.tf": resource("a", "v2") + resource("b", "v2")})
	s.says(p, "### 📋 Plan: 2 to add")
	p.Comment("ada", "plan -- -target=terraform_data.a")
	body := s.says(p, "### 📋 Plan: 1 to add")
	if !strings.Contains(body, "-target=terraform_data.a") {
		t.Errorf("the comment does not show what was asked for:\n%s", body)
	}
	p.Comment("ada", "apply")
	s.says(p, "✅ Applied 1 project")
	if got := s.stateOf("network"); !strings.Contains(got, `"name": "a"`) || strings.Contains(got, `"name": "b"`) {
		t.Errorf("not exactly the target was applied: %s", got)
	}
	p.Comment("ada", "plan -- -destroy")
	s.replied(p, "-destroy")
}

func TestStateOperations(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_DEFAULTS_APPLY_BEFORE_MERGE=true"}})
	p := s.open("feature", githubtest.Files{"network/main.tf": resource("a", "v2")})
	s.says(p, "### 📋 Plan: 1 to add")
	p.Comment("ada", "apply")
	s.says(p, "✅ Applied 1 project")
	p.Comment("ada", "state mv terraform_data.a terraform_data.b")
	s.replied(p, "`state mv` needs the role **maintain**")
	p.Comment("grace", "state mv terraform_data.a terraform_data.b")
	s.says(p, "1 to add, 0 to change, 1 to destroy")
	p.Comment("grace", "state rm terraform_data.b")
	s.says(p, "### 📋 Plan: 1 to add, 0 to change, 0 to destroy")
	p.Comment("grace", "import terraform_data.a an-id")
	// The state has the object before the run that put it there has ended.
	s.until("the object to be imported", func() bool { return statuses(s.runs(), "network", run.StateChange)[run.Applied] == 3 })
	if !strings.Contains(s.stateOf("network"), "an-id") {
		t.Error("the state does not have it")
	}
	if n := s.query("SELECT COUNT(*) FROM events WHERE action='state.applied'"); n != 3 {
		t.Errorf("%d of them are audited", n)
	}
}

// An operation that must wait for another pull's lock says so, and is done when
// that is given up.
func TestStateOperationSaysThatItWaits(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	first := s.open("first", githubtest.Files{"network/main.tf": resource("a", "v2")})
	s.says(first, "### 📋 Plan: 1 to add")
	second := s.open("second", githubtest.Files{"network/main.tf": resource("b", "v2")})
	s.says(second, "waits for")
	second.Comment("grace", "import terraform_data.b an-id")
	s.replied(second, "has not begun. Waits for #")
	first.Comment("grace", "unlock")
	s.replied(second, "was done in `network`")
}

func TestDriftCostAndVersionReply(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	p.Comment("ada", "drift")
	s.replied(p, "drift")
	p.Comment("ada", "cost")
	s.replied(p, "no cost")
	p.Comment("ada", "version")
	s.replied(p, "Terraform 1.")
}

func TestRollbackOpensTheRevert(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	s.merge(p)
	s.says(p, "✅ Applied 1 project")
	change := s.open("second", network("v3"))
	s.says(change, "### 📋 Plan: 0 to add, 1 to change")
	s.merge(change)
	s.says(change, "✅ Applied 1 project")
	change.Comment("ada", "tidelock rollback")
	s.replied(change, "takes this back")
	pulls := s.repo.Pulls()
	back := pulls[len(pulls)-1]
	s.says(back, "### 📋 Plan: 0 to add, 1 to change")
	s.merge(back)
	s.says(back, "✅ Applied 1 project")
	if got := s.stateOf("network"); !strings.Contains(got, `"v2"`) || strings.Contains(got, `"v3"`) {
		t.Errorf("the state is not as it was before: %s", got)
	}
}

// statuses counts the runs of a project and kind by how they stand.
func statuses(runs []run.Run, project string, kind run.Kind) map[run.Status]int {
	out := map[run.Status]int{}
	for _, r := range runs {
		if r.Project.Name == project && r.Kind == kind {
			out[r.Status]++
		}
	}
	return out
}
