package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/run"
)

// The receiver answers before any work is done: GitHub not answering us keeps
// no webhook waiting.
func TestGitHub02_AnswersBeforeItWorks(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	up := s.gh.Faults().Down()
	p := s.open("feature", network("v2"))
	s.until("the webhook of the opened pull request to be acknowledged", func() bool {
		for _, d := range s.gh.Deliveries() {
			if d.Event == "pull_request" && d.StatusCode == http.StatusAccepted {
				return true
			}
		}
		return false
	})
	if n := len(s.runs()); n != 0 {
		t.Fatalf("%d runs while GitHub can't be asked", n)
	}
	up()
	s.says(p, "### 📋 Plan: 1 to add")
}

// What a webhook says is never taken for what is: the pull is read again.
func TestGitHub05_StateIsReadAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	s.gh.Faults().Reorder(2)
	p := s.open("feature", network("v2"))
	s.repo.Commit("ada", "feature", "Newer", network("v3"))
	body := s.says(p, "### 📋 Plan: 1 to add")
	if !strings.Contains(body, p.State().HeadSHA[:7]) {
		t.Errorf("an older head was planned:\n%s", body)
	}
}

// Nothing that the bot does makes a deployment, which would start other
// people's workflows.
func TestGitHub27_NoDeployments(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	s.merge(p)
	s.says(p, "✅ Applied 1 project")
	for _, c := range s.gh.Calls() {
		if strings.Contains(c.Path, "deployment") {
			t.Errorf("%s %s", c.Method, c.Path)
		}
	}
}

func TestGitHub23_RetargetPlansAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	s.repo.Branch("grace", "release", s.repo.Tip("main"))
	s.repo.Commit("grace", "release", "Ahead", network("v2"))
	p := s.open("feature", githubtest.Files{"network/more.tf": "resource \"terraform_data\" \"more\" {}\n"})
	s.says(p, "### 📋 Plan: 2 to add")
	before := count(s.runs(), run.Plan)
	p.Retarget("ada", "release")
	s.until("a plan against the new base", func() bool { return count(s.runs(), run.Plan) > before })
}

func TestAutoMergeSquashesAndDeletesTheBranch(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: gated("auto_merge = true\nmerge_method = \"squash\"\ndelete_branch = true\n")})
	tip := s.repo.Tip("main")
	p := s.open("feature", network("v2"))
	s.repo.Commit("ada", "feature", "Second", githubtest.Files{"network/more.tf": "resource \"terraform_data\" \"more\" {}\n"})
	s.says(p, "### 📋 Plan: 2 to add")
	// GitHub fails between the two: what is merged is not merged again.
	up := s.gh.Faults().Refuse(githubtest.Refusal{Status: http.StatusBadGateway, Match: func(method, path string) bool {
		return method == http.MethodDelete && strings.Contains(path, "/git/refs/")
	}})
	p.Comment("ada", "apply")
	s.until("the branch to be asked to go", func() bool {
		return slices.ContainsFunc(s.gh.Calls(), func(c githubtest.Call) bool {
			return c.Method == http.MethodDelete && c.Status == http.StatusBadGateway
		})
	})
	up()
	s.until("the merge", func() bool { return p.State().Merged })
	s.until("the branch to go", func() bool { return s.repo.Tip("feature") == "" })
	for _, c := range p.Comments() {
		if strings.Contains(c.Body, "did not merge") {
			t.Errorf("what was merged is said not to be:\n%s", c.Body)
		}
	}
	if parent := s.repo.Ref("refs/heads/main^"); parent != "" && parent != tip {
		t.Errorf("the merge is no squash: its parent is %s, not %s", parent, tip)
	}
}

// Where the branch has a merge queue, everything applied means into the queue.
func TestAutoMergeGoesThroughTheQueue(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: gated("auto_merge = true\n")})
	s.repo.AddRuleset(githubtest.Ruleset{Name: "queue", MergeQueue: true, Protection: githubtest.Protection{Checks: []string{"tidelock/plan"}}})
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	p.Comment("ada", "apply")
	s.says(p, "✅ Applied 1 project")
	s.until("the pull request to be in the queue", func() bool { return p.State().Queued })
	group, err := s.repo.QueueMerge("ada", p)
	if err != nil {
		t.Fatal(err)
	}
	s.until("the queue's check", func() bool { return len(group.Missing()) == 0 })
	if err := group.Merge(); err != nil {
		t.Fatal(err)
	}
	s.until("the merge", func() bool { return p.State().Merged })
	if n := count(s.runs(), run.Apply); n != 1 {
		t.Errorf("%d applies, not the one before the merge", n)
	}
}

// Another name for a project in the configuration is no way around its lock.
func TestThreat_RenamedProjectKeepsItsLock(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: githubtest.Files{"tidelock.hcl": "project \"net\" {\n  dir = \"network\"\n}\n", "network/main.tf": oneProject["network/main.tf"]}})
	first := s.open("first", network("v2"))
	s.says(first, "### 📋 Plan: 1 to add")
	s.repo.Commit("grace", "main", "Another name", githubtest.Files{"tidelock.hcl": "project \"other\" {\n  dir = \"network\"\n}\n"})
	second := s.open("second", githubtest.Files{"network/more.tf": "resource \"terraform_data\" \"more\" {}\n"})
	body := s.says(second, "waits for #1")
	if !strings.Contains(body, "`other`") {
		t.Errorf("the project is not called what it is called now:\n%s", body)
	}
}

// A deleted or archived repository is left alone, and the others go on.
func TestRepositoryThatIsDeleted(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_TERRAFORM_GRACE=1s"}})
	s.open("feature", githubtest.Files{"network/main.tf": g.plan()})
	g.reached()
	s.repo.Delete("grace")
	eventually(t, "its plan to be canceled", func() bool { return statuses(s.runs(), "network", run.Plan)[run.Canceled] == 1 })
	if n := s.query("SELECT COUNT(*) FROM repos WHERE status='removed'"); n != 1 {
		t.Error("the repository still counts as there")
	}
	g.open()
}

// Nothing crosses from one client to another: a repository that changes hands
// is set aside until somebody who runs the server decides.
func TestGitHub26_TransferToAnotherClient(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	other := s.gh.CreateRepo("globex", "theirs", githubtest.RepoOptions{Files: oneProject})
	other.Collaborator("ada", "write")
	other.Commit("ada", "x", "x", network("v9"))
	theirs := other.Open("ada", githubtest.PullRequest{Title: "x", Head: "x"})
	s.says(theirs, "### 📋 Plan: 1 to add")

	s.repo.Transfer("grace", "globex", true)
	eventually(t, "what speaks of it to be set aside", func() bool {
		return s.query("SELECT COUNT(*) FROM deliveries WHERE status='failed' AND error LIKE '%another client%'") > 0
	})
	if n := s.query("SELECT COUNT(DISTINCT client_id) FROM repos"); n != 2 {
		t.Errorf("the repositories are of %d clients", n)
	}
}
