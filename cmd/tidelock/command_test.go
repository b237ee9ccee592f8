package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/run"
)

var twoProjects = githubtest.Files{
	"a/main.tf": "resource \"terraform_data\" \"a\" {\n  input = 1\n}\n",
	"b/main.tf": "resource \"terraform_data\" \"b\" {\n  input = 1\n}\n",
}

func bothProjects(input string) githubtest.Files {
	return githubtest.Files{
		"a/main.tf": "resource \"terraform_data\" \"a\" {\n  input = " + input + "\n}\n",
		"b/main.tf": "resource \"terraform_data\" \"b\" {\n  input = " + input + "\n}\n",
	}
}

func TestApplyBeforeMergeByTheServersDefault(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: twoProjects, env: []string{"TIDELOCK_DEFAULTS_APPLY_BEFORE_MERGE=true"}})
	p := s.open("feature", bothProjects("2"))
	s.says(p, "### 📋 Plan: 2 to add")
	id := p.Comment("ada", "apply -p a")
	s.until("eyes on the comment", func() bool {
		for _, c := range p.Comments() {
			if c.ID == id {
				return slices.Contains(c.Reactions, "eyes")
			}
		}
		return false
	})
	s.says(p, "| `a` | +1 | no cost | ✅ passed | ✅ applied")
	if !strings.Contains(s.answer(p), "| `b` | +1 | no cost | ✅ passed | 📋 planned") {
		t.Errorf("b is not as it was:\n%s", s.answer(p))
	}
	p.Comment("ada", "/apply -d 'b'")
	s.says(p, "✅ Applied 2 projects")
	s.check(p, "tidelock/apply", "success")

	// The merge then finds nothing left to do.
	s.merge(p)
	other := s.open("other", bothProjects("3"))
	s.says(other, "### 📋 Plan: 0 to add, 2 to change")
	if runs := s.runs(); count(runs, run.Apply) != 2 {
		t.Errorf("%d applies, not 2", count(runs, run.Apply))
	}
}

func TestApplyBeforeMergeByTheRepository(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: githubtest.Files{"tidelock.hcl": "apply_before_merge = true\n", "network/main.tf": oneProject["network/main.tf"]}})
	p := s.open("feature", network("v2"))
	s.says(p, "Comment `apply` to apply")
	p.Comment("ada", "tidelock apply")
	s.says(p, "✅ Applied 1 project")
}

// What a pull request says about the rules it is judged by counts only once it
// is merged.
func TestThreat_PullRequestDoesNotChangeItsOwnRules(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	change := network("v2")
	change["tidelock.hcl"] = "apply_before_merge = true\nautodiscover = false\n"
	p := s.open("feature", change)
	body := s.says(p, "### 📋 Plan: 1 to add")
	if strings.Contains(body, "Comment `apply`") {
		t.Errorf("the head's own configuration was obeyed:\n%s", body)
	}
	p.Comment("ada", "apply")
	s.replied(p, "This repository applies on merge")
	if n := count(s.runs(), run.Apply); n != 0 {
		t.Errorf("%d applies", n)
	}
}

func TestAutoMerge(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: githubtest.Files{"tidelock.hcl": "auto_merge = true\n", "network/main.tf": oneProject["network/main.tf"]}})
	p := s.open("feature", network("v2"))
	s.says(p, "the pull request is then merged")
	p.Comment("ada", "@tidelock apply")
	s.until("the pull request to be merged", func() bool { return p.State().Merged })
	s.says(p, "✅ Applied 1 project")
	other := s.open("other", network("v3"))
	s.says(other, "### 📋 Plan: 0 to add, 1 to change")
	if n := count(s.runs(), run.Apply); n != 1 {
		t.Errorf("%d applies, not 1: the merge must not apply again", n)
	}
}

func TestApprovalsBeforeApply(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_DEFAULTS_APPLY_BEFORE_MERGE=true", "TIDELOCK_DEFAULTS_REQUIRED_APPROVALS=1"}})
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	p.Review("ada", "APPROVED", "mine") // the author's own
	p.Comment("ada", "apply")
	s.replied(p, "It needs 1 approving review of")
	p.Review("grace", "CHANGES_REQUESTED", "no")
	p.Comment("ada", "apply")
	s.replied(p, "`grace` asks for changes")
	p.Review("grace", "APPROVED", "now it is good")
	p.Comment("ada", "apply")
	s.says(p, "✅ Applied 1 project")
}

func TestPlanSomeProjects(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: twoProjects})
	p := s.open("feature", bothProjects("2"))
	s.says(p, "### 📋 Plan: 2 to add")
	before := s.runs()
	p.Comment("ada", "plan -p a")
	s.until("one more plan", func() bool { return count(s.runs(), run.Plan) == 3 })
	s.says(p, "### 📋 Plan: 2 to add")
	for _, r := range s.runs() {
		if r.Project.Name == "b" && r.ID != before[0].ID && r.ID != before[1].ID {
			t.Errorf("b was planned again")
		}
	}
	p.Comment("ada", "plan -d 'nowhere/*'")
	s.replied(p, "No project of this repository matches `-d nowhere/*`.")
}

func TestCommandsThatAreAnswered(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_DEFAULTS_APPLY_BEFORE_MERGE=true"}})
	s.repo.Collaborator("eve", "read")
	s.repo.Collaborator("tom", "triage")
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	for _, c := range []struct{ by, says, answer string }{
		{"ada", "tidelock help", "| command | what it does |"},
		{"ada", "tidelock aply", "I don't know the command `aply`. Did you mean `apply`?"},
		{"ada", "tidelock plan -x", "I don't know the flag `-x`"},
		{"ada", "/plan -d ../secrets", "`-d` takes a directory inside the repository"},
		{"eve", "plan", "`plan` needs the role **triage** in this repository; @eve has **read**"},
		{"tom", "apply", "`apply` needs the role **write** in this repository; @tom has **triage**"},
		{"tom", "unlock", "`unlock` needs the role **write**"},
	} {
		p.Comment(c.by, c.says)
		s.replied(p, c.answer)
	}
	if runs := s.runs(); len(runs) != 1 {
		t.Errorf("%d runs, not 1: %+v", len(runs), runs)
	}
}

func TestSentencesAreNoCommands(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_DEFAULTS_APPLY_BEFORE_MERGE=true"}})
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	for _, text := range []string{
		"plan looks good to me", "I would not apply this yet", "> apply", "```\napply\n```", "    apply", "please apply", "apply.",
	} {
		p.Comment("ada", text)
	}
	p.Comment("ada", "tidelock help") // comes last: what it waits behind has been read
	s.replied(p, "| command | what it does |")
	if n := count(s.runs(), run.Apply); n != 0 {
		t.Errorf("%d applies", n)
	}
	for _, c := range p.Comments() {
		if !c.ByApp && c.Body != "tidelock help" && len(c.Reactions) != 0 {
			t.Errorf("%q got %v", c.Body, c.Reactions)
		}
	}
}

func TestThreat_EditedCommentRunsNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_DEFAULTS_APPLY_BEFORE_MERGE=true"}})
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	id := p.Comment("ada", "Looks good.")
	p.EditComment("eve", id, "apply")
	p.Comment("ada", "tidelock help")
	s.replied(p, "| command | what it does |")
	if n := count(s.runs(), run.Apply); n != 0 {
		t.Errorf("an edited comment applied")
	}
}

func TestThreat_ForkRunsNothing(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	s := newStage(t, stageOptions{})
	fork := s.repo.Fork("mallory")
	fork.Commit("mallory", "feature", "Let me in", githubtest.Files{"network/main.tf": g.plan()})
	p := s.repo.Open("mallory", githubtest.PullRequest{Title: "Let me in", Head: "feature", From: fork})
	s.replied(p, "This pull request comes from a fork, so nothing was run")
	for _, by := range []string{"mallory", "ada"} {
		p.Comment(by, "plan")
	}
	s.replied(p, "`plan` needs the role **triage** in this repository; @mallory has")
	p.Comment("ada", "apply")
	s.replied(p, "Nothing of a fork's is applied before it is merged")
	p.Comment("ada", "plan --head 1234567")
	s.replied(p, "by now, not `1234567`")
	if runs := s.runs(); len(runs) != 0 {
		t.Errorf("a fork's code ran: %+v", runs)
	}

	// Somebody who has read this very commit lets it be planned: it, and no
	// later one.
	p.Comment("ada", "plan --head "+p.State().HeadSHA[:10])
	g.reached()
	g.open()
	s.says(p, "### 📋 Plan: 1 to add")
	fork.Commit("mallory", "feature", "Something else", network("v3"))
	s.until("the new head to be refused", func() bool {
		n := 0
		for _, c := range p.Comments() {
			if c.ByApp && strings.Contains(c.Body, "so nothing was run: a plan executes code from the commit `"+p.State().HeadSHA[:7]) {
				n++
			}
		}
		return n == 1
	})
	if n := count(s.runs(), run.Plan); n != 1 {
		t.Errorf("%d plans of a fork's heads, where one was let through", n)
	}
}
