package main

import (
	"fmt"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/run"
)

// One client opens a dozen pull requests at once, on a server that makes one
// plan at a time. Then another client opens one: its plan is made next, not
// after the dozen.
func TestFloodOfOneClientDoesNotStarveAnother(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_TERRAFORM_PARALLEL=1", "TIDELOCK_DEFAULTS_LOCK=off"}})
	other := s.gh.CreateRepo("bolt", "infra", githubtest.RepoOptions{Files: oneProject})
	other.Collaborator("eve", "write")

	s.open("first", githubtest.Files{"network/main.tf": g.plan()})
	g.reached()
	const flood = 12
	for i := range flood {
		s.open(fmt.Sprintf("flood-%d", i), network(fmt.Sprintf("v%d", i+2)))
	}
	eventually(t, "the flood to stand in line", func() bool { return count(s.runs(), run.Plan) == flood+1 })
	other.Commit("eve", "feature", "Change", network("v2"))
	p := other.Open("eve", githubtest.PullRequest{Title: "Change", Head: "feature"})
	eventually(t, "the other client's plan to stand in line", func() bool { return count(s.runs(), run.Plan) == flood+2 })
	g.open()
	s.says(p, "### 📋 Plan: 1 to add")
	before := s.query(fmt.Sprintf(`SELECT COUNT(*) FROM runs WHERE repo_id=%d AND started_ms>0
		AND started_ms<=(SELECT started_ms FROM runs WHERE repo_id=%d)`, s.repo.ID(), other.ID()))
	if before > 2 {
		t.Errorf("%d plans of the flood were begun before the other client's", before)
	}
}
