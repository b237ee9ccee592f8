package main

import (
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/run"
)

// gated is a repository whose own configuration asks for more.
func gated(gates string) githubtest.Files {
	return githubtest.Files{"tidelock.hcl": "apply_before_merge = true\n" + gates, "network/main.tf": oneProject["network/main.tf"]}
}

// Each gate is told with what is missing, opens when that is there, and lets
// the apply through then.
func TestGatesBeforeApply(t *testing.T) {
	t.Parallel()
	files := gated(`
gate "apply" {
  code_owners    = true
  checks         = ["ci/*"]
  up_to_date     = true
  mergeable      = true
  labels         = ["go"]
  without_labels = ["stop"]
  rule "small" {
    when    = "plan.create <= 1"
    message = "Not more than one thing at a time."
  }
}
`)
	files["CODEOWNERS"] = "network/ @grace\n"
	s := newStage(t, stageOptions{files: files})
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	head := p.State().HeadSHA
	p.Label("ada", "stop")
	p.Comment("ada", "apply")
	for _, want := range []string{"grace", "`ci/*`", "`go`", "`stop`"} {
		s.replied(p, want)
	}
	p.Unlabel("ada", "stop") // which a policy may have asked for, so it is planned again
	s.until("the plan without the label", func() bool {
		st := statuses(s.runs(), "network", run.Plan)
		return st[run.Superseded] == 1 && st[run.Planned] == 1
	})
	p.Label("ada", "go")
	s.repo.SetStatus("ci-bot", head, "ci/test", "success")
	p.Review("grace", "APPROVED", "good")

	s.repo.Commit("grace", "main", "Something else", githubtest.Files{"README.md": "# other\n"})
	p.Comment("ada", "apply")
	s.replied(p, "`main`") // the base branch is ahead
	if n := count(s.runs(), run.Apply); n != 0 {
		t.Fatalf("%d applies before the gates were open", n)
	}
	s.repo.CommitOn("ada", "feature", s.repo.Tip("main"), "On top of main", network("v2"))
	s.until("the new head to be planned", func() bool { return strings.Contains(s.answer(p), p.State().HeadSHA[:7]) && p.State().HeadSHA != head })
	s.repo.SetStatus("ci-bot", p.State().HeadSHA, "ci/test", "success")
	p.Comment("ada", "apply")
	s.until("the approval of the old head to have fallen", func() bool { return strings.Count(conversation(p), "Nothing was applied") >= 3 })
	p.Review("grace", "APPROVED", "still good")
	p.Comment("ada", "apply")
	s.says(p, "✅ Applied 1 project")
}

// A repository can't open what the server closes, and is told.
func TestThreat_RepositoryOnlyTightensGates(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: gated("gate \"apply\" {\n  approvals = 1\n}\n"), env: []string{"TIDELOCK_DEFAULTS_REQUIRED_APPROVALS=2"}})
	s.repo.Collaborator("alan", "write")
	p := s.open("feature", network("v2"))
	s.says(p, "asks for fewer reviews than the server")
	p.Review("grace", "APPROVED", "")
	p.Comment("ada", "apply")
	s.replied(p, "**Nothing was applied.**")
	p.Review("alan", "APPROVED", "")
	p.Comment("ada", "apply")
	s.says(p, "✅ Applied 1 project")
}

// What opened a gate may be gone when the lock is held at last: the gate is
// asked again then.
func TestThreat_GateIsAskedAgainUnderTheLock(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	files := gated("lock = \"apply\"\ngate \"apply\" {\n  approvals = 1\n}\n")
	s := newStage(t, stageOptions{files: files})
	first := s.open("first", githubtest.Files{"network/main.tf": g.apply("v2")})
	second := s.open("second", network("v3"))
	s.says(first, "### 📋 Plan")
	s.says(second, "### 📋 Plan")
	first.Review("grace", "APPROVED", "")
	first.Comment("ada", "apply")
	g.reached()
	review := second.Review("grace", "APPROVED", "")
	second.Comment("ada", "apply")
	s.says(second, "waits for")
	second.Dismiss("grace", review)
	g.open()
	s.says(first, "✅ Applied 1 project")
	s.says(second, "A gate is closed")
	if n := statuses(s.runs(), "network", run.Apply)[run.Applied]; n != 1 {
		t.Errorf("%d applies, not the first alone", n)
	}
}

func TestGateBeforeThePlan(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: gated("gate \"plan\" {\n  labels = [\"plan-me\"]\n}\n")})
	p := s.open("feature", network("v2"))
	s.says(p, "plan-me")
	if n := len(s.runs()); n != 0 {
		t.Fatalf("%d runs behind a closed gate", n)
	}
	p.Comment("ada", "plan")
	s.replied(p, "**Nothing was planned.**")
	p.Label("grace", "plan-me")
	s.says(p, "### 📋 Plan: 1 to add")
}

func TestPlansByCommandOnly(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: gated("auto_plan = false\n")})
	p := s.open("feature", network("v2"))
	s.until("the check to wait", func() bool {
		for _, c := range p.Checks() {
			if c.Name == "tidelock/plan" && c.Status == "queued" {
				return true
			}
		}
		return false
	})
	if c := s.answer(p); c != "" {
		t.Errorf("a comment where nobody asked for anything:\n%s", c)
	}
	p.Comment("ada", "plan")
	s.says(p, "### 📋 Plan: 1 to add")
}

func TestDraftsArePlannedWhereThatIsWanted(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: gated("plan_drafts = true\n")})
	s.repo.Commit("ada", "feature", "Change", network("v2"))
	p := s.repo.Open("ada", githubtest.PullRequest{Title: "Change", Head: "feature", Draft: true})
	s.says(p, "### 📋 Plan: 1 to add")
	p.Comment("ada", "apply")
	s.replied(p, "This pull request is a draft.")
}

// Findings of a mandatory policy are accepted by who may do that, for exactly
// the plan that was shown.
func TestPoliciesAreAcceptedForOnePlan(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: folder(t, "repos", "acme-infra"), providers: true, env: []string{"TIDELOCK_DEFAULTS_APPLY_BEFORE_MERGE=true"}})
	p := s.open("ssh", folder(t, "pulls", "acme-infra", "open-ssh"))
	s.says(p, "⛔ A policy forbids this plan")
	p.Comment("ada", "apply")
	s.replied(p, "with `approve-policies`")
	p.Comment("ada", "approve-policies")
	s.replied(p, "Who opened the pull request can't accept its policy findings.")
	p.Comment("grace", "approve-policies")
	s.says(p, "### 📋 Plan:")
	if n := s.query("SELECT COUNT(*) FROM events WHERE action='policy.waive'"); n != 1 {
		t.Errorf("the word is audited %d times", n)
	}

	// Another plan needs another word.
	again := folder(t, "pulls", "acme-infra", "open-ssh")
	for name, code := range again {
		again[name] = strings.ReplaceAll(code, "0.0.0.0/0", "::/0")
	}
	s.repo.Commit("ada", "ssh", "To more of the world", again)
	s.until("the new plan to be forbidden", func() bool {
		return strings.Contains(s.answer(p), p.State().HeadSHA[:7]) && strings.Contains(s.answer(p), "⛔ A policy forbids")
	})
	s.repo.Commit("ada", "ssh", "Back", folder(t, "pulls", "acme-infra", "open-ssh"))
	s.until("the plan that was accepted", func() bool {
		return strings.Contains(s.answer(p), p.State().HeadSHA[:7]) && strings.Contains(s.answer(p), "### 📋 Plan:")
	})
	p.Comment("ada", "apply")
	s.says(p, "✅ Applied 1 project")
}

// The queue merges what was reviewed, and nothing that its own commit would
// do beyond that.
func TestGitHub18_MergeQueue(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	s.repo.AddRuleset(githubtest.Ruleset{Name: "queue", MergeQueue: true, Protection: githubtest.Protection{Checks: []string{"tidelock/plan"}}})
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	group, err := s.repo.QueueMerge("ada", p)
	if err != nil {
		t.Fatal(err)
	}
	concluded := func(conclusion string) func() bool {
		return func() bool {
			for _, c := range group.Checks() {
				if c.Name == "tidelock/plan" && c.Conclusion == conclusion {
					return true
				}
			}
			return false
		}
	}
	s.until("the queue's check", concluded("success"))
	if err := group.Merge(); err != nil {
		t.Fatal(err)
	}
	s.says(p, "✅ Applied 1 project")

	other := s.open("other", network("v3"))
	s.says(other, "### 📋 Plan: 0 to add, 1 to change")
	s.repo.Commit("grace", "main", "By the side", githubtest.Files{"network/more.tf": "resource \"terraform_data\" \"more\" {}\n"})
	if group, err = s.repo.QueueMerge("ada", other); err != nil {
		t.Fatal(err)
	}
	s.until("the queue's check to fail", concluded("failure"))
	group.Destroy("dequeued")
	s.until("the group to be given up", func() bool {
		return s.query("SELECT COUNT(*) FROM changes WHERE status='closed' AND head_sha='"+group.SHA+"'") == 1
	})
}

func TestButtonsOnTheCheck(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: gated("")})
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	check := s.check(p, "tidelock/plan", "success")
	before := len(s.runs())
	p.Press("ada", check.ID, "plan")
	s.until("another plan", func() bool { return len(s.runs()) == before+1 })
	s.says(p, "### 📋 Plan: 1 to add")
	s.until("the new plan's end", func() bool { return statuses(s.runs(), "network", run.Plan)[run.Planned] == 1 })
	p.Press("ada", s.check(p, "tidelock/plan", "success").ID, "apply")
	s.says(p, "✅ Applied 1 project")
}
