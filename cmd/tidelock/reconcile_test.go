package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/run"
)

// often has the server compare itself with GitHub every second, rather than
// every four minutes. The list of deliveries is not asked: what these tests
// lose stands in none.
var often = []string{"TIDELOCK_GITHUB_RECONCILE_INTERVAL=1s", "TIDELOCK_GITHUB_SWEEP_INTERVAL=1h"}

// unheard makes GitHub forget every webhook about what f does: they are neither
// delivered nor in its list.
func (s *stage) unheard(f func()) {
	s.t.Helper()
	if err := s.gh.Quiet(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	s.gh.Faults().Omit(1 << 20)
	before := s.webhooks()
	f()
	s.gh.Faults().Omit(0)
	if n := s.webhooks() - before; n != 0 {
		s.t.Fatalf("%d webhooks were sent after all", n)
	}
}

// webhooks counts what GitHub has sent, second attempts aside.
func (s *stage) webhooks() int {
	n := 0
	for _, d := range s.gh.Deliveries() {
		if !d.Redelivery {
			n++
		}
	}
	return n
}

// Every webhook of a pull request's life is lost for good, each is caught up
// with, and each only once.
func TestFault13_LostForGoodAndFoundByLooking(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{env: often, detect: true})
	var p *githubtest.Pull
	s.unheard(func() { p = s.open("feature", network("v2")) })
	s.says(p, "### 📋 Plan: 1 to add")

	s.unheard(func() {
		s.repo.Commit("ada", "feature", "More", githubtest.Files{"network/more.tf": "resource \"terraform_data\" \"more\" {}\n"})
	})
	s.says(p, "### 📋 Plan: 2 to add")
	plans := func() int { return count(s.runs(), run.Plan) }
	if n := plans(); n != 2 {
		t.Errorf("%d plans for two heads", n)
	}

	s.unheard(func() { p.Comment("ada", "help") })
	s.replied(p, "Commands stand on a line of their own")

	s.unheard(func() { s.merge(p) })
	s.says(p, "✅ Applied 1 project")
	if n := count(s.runs(), run.Apply); n != 1 {
		t.Errorf("%d applies", n)
	}

	// The comment is heard once, however often it is seen, and the bot's answers
	// are no commands.
	replies := 0
	for _, c := range p.Comments() {
		if c.ByApp {
			replies++
		}
	}
	if replies != 2 {
		t.Errorf("%d comments of the bot's, not its own and one reply:\n%s", replies, conversation(p))
	}
	if n := s.query("SELECT COUNT(*) FROM river_job WHERE kind='missed_comment'"); n != 1 {
		t.Errorf("%d jobs for one lost comment", n)
	}
}

// A command is given, and its webhook as well as the look at the comments find
// it: it is obeyed once.
func TestFault13_HeardTwiceObeyedOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{env: often})
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	s.gh.Faults().Omit(1)
	p.Comment("ada", "help")
	s.replied(p, "Commands stand on a line of their own")
	// The webhook comes after all, minutes later.
	id := 0
	for _, c := range p.Comments() {
		if c.Body == "help" {
			id = int(c.ID)
		}
	}
	body := fmt.Sprintf(`{"action":"created","issue":{"number":%d,"pull_request":{}},"comment":{"id":%d,"body":"help","user":{"login":"ada","id":%d,"type":"User"}},
		"repository":{"id":%d,"name":"infra","full_name":"acme/infra","owner":{"login":"acme"},"default_branch":"main"},
		"sender":{"login":"ada","id":%d,"type":"User"},"installation":{"id":%d}}`,
		p.State().Number, id, s.gh.Person("ada").ID, s.repo.ID(), s.gh.Person("ada").ID, s.repo.Installation())
	s.post("issue_comment", "late-0001", []byte(body))
	eventually(t, "the late webhook to be worked off", func() bool {
		return s.query("SELECT COUNT(*) FROM deliveries WHERE guid='late-0001' AND status='ignored' AND error LIKE '%obeyed already%'") == 1
	})
}

// An edit puts a command into a comment that its author wrote as something
// else, and no webhook tells of either.
func TestFault13_EditedCommentIsNoLostCommand(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{env: often})
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	s.unheard(func() {
		id := p.Comment("ada", "looks fine")
		written := time.Now()
		eventually(t, "GitHub's clock, which has seconds, to move on", func() bool { return time.Since(written) > 1100*time.Millisecond })
		p.EditComment("grace", id, "help")
		p.Comment("ada", "which one?\n\nhelp")
	})
	s.replied(p, "Commands stand on a line of their own")
	if n := s.query("SELECT COUNT(*) FROM heard"); n != 1 {
		t.Errorf("%d comments were heard, not the one that nobody edited", n)
	}
}

// Downtime: while nobody listened and GitHub gave up, the App was suspended and
// woken again, a repository was renamed, one came and one went.
func TestFault13_InstallationsAfterDowntime(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{env: often})
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	s.kill()
	in := s.repo.Installation()
	s.unheard(func() { s.gh.Suspend(in) })
	s.start()
	eventually(t, "the suspension to be seen", func() bool { return s.query("SELECT COUNT(*) FROM clients WHERE status='suspended'") == 1 })
	s.kill()
	var second *githubtest.Repo
	var q *githubtest.Pull
	s.unheard(func() {
		s.gh.Unsuspend(in)
		s.repo.Rename("infra-renamed")
		second = s.gh.CreateRepo("acme", "second", githubtest.RepoOptions{Files: oneProject})
		second.Collaborator("ada", "write")
		second.Commit("ada", "feature", "Change", network("v3"))
		q = second.Open("ada", githubtest.PullRequest{Title: "Change", Head: "feature"})
	})
	s.start()
	s.says(q, "### 📋 Plan: 1 to add")
	eventually(t, "the client to be active and the new name to be known", func() bool {
		return s.query("SELECT COUNT(*) FROM clients WHERE status='active'") == 1 &&
			s.query("SELECT COUNT(*) FROM repos WHERE name='infra-renamed'") == 1 && s.query("SELECT COUNT(*) FROM repos") == 2
	})
	s.repo.Commit("ada", "feature", "Again", githubtest.Files{"network/more.tf": "resource \"terraform_data\" \"more\" {}\n"})
	s.says(p, "### 📋 Plan: 2 to add")
}

// GitHub sends no webhook whose payload is above 25 MB, nor for a push of more
// than three tags: what they would have told is found by looking.
func TestGitHubRule06_WhatIsNeverSentIsFound(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{env: often})
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	s.unheard(func() {
		s.repo.Commit("ada", "feature", "More", githubtest.Files{"network/more.tf": "resource \"terraform_data\" \"more\" {}\n"})
		p.Close("ada")
		p.Reopen("ada")
	})
	s.says(p, "### 📋 Plan: 2 to add")
	s.unheard(func() { p.Close("ada") })
	s.says(p, "Closed: nothing was applied")
	s.unheard(func() { p.Reopen("ada") })
	s.says(p, "### 📋 Plan: 2 to add")
	s.oneComment(p)
}
