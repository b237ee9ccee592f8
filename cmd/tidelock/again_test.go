package main

import (
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// `plan` comes while a plan is being made: that one is stopped, and what it
// laid into its work tree is not taken for the repository's.
func TestPlanAgainWhilePlanning(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_TERRAFORM_GRACE=1s"}})
	p := s.open("feature", githubtest.Files{"network/main.tf": g.plan()})
	g.reached()
	p.Comment("ada", "plan")
	eventually(t, "the first plan to be superseded", func() bool {
		return s.query("SELECT COUNT(*) FROM runs WHERE status='superseded'") == 1
	})
	g.open()
	body := s.says(p, "### 📋 Plan: 1 to add")
	if strings.Contains(body, "must not be in the repository") {
		t.Errorf("it takes its own file for the repository's:\n%s", body)
	}
	s.merge(p)
	s.says(p, "✅ Applied 1 project")
	s.oneComment(p)
}
