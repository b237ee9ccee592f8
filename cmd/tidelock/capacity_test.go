package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/run"
)

// On a machine with memory for one run the second waits, and its page says so.
// A push ends both at once: the one that Terraform works on, and the one that
// never began. What runs took is known afterwards, and their logs can be had.
func TestRunsWaitForTheMachine(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	s := newStage(t, stageOptions{files: twoProjects, env: []string{
		"TIDELOCK_TERRAFORM_MEMORY=600", "TIDELOCK_TERRAFORM_PARALLEL=4", "TIDELOCK_TERRAFORM_GRACE=1s",
	}})
	p := s.open("feature", githubtest.Files{"a/main.tf": g.plan(), "b/main.tf": g.plan()})
	g.reached()
	s.until("one to wait for memory", func() bool {
		return s.query(`SELECT COUNT(*) FROM runs WHERE status='running' AND progress LIKE '%"waits":"memory"%'`) == 1
	})
	began := time.Now()
	s.repo.Commit("ada", "feature", "Without the gate", bothProjects("2"))
	s.until("both to be superseded", func() bool { return s.query("SELECT COUNT(*) FROM runs WHERE status='superseded'") == 2 })
	s.says(p, "### 📋 Plan: 2 to add")
	t.Logf("from the push to the new plans: %s", time.Since(began))
	s.merge(p)
	s.says(p, "✅ Applied 2 projects")
	if n := s.query("SELECT COUNT(*) FROM runs WHERE status IN ('planned','applied') AND peak_memory > 1000000"); n != 4 {
		t.Errorf("of %d runs is known what they took, not of 4", n)
	}
	for _, r := range s.runs() {
		if r.Status != run.Applied {
			continue
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.listen+"/api/v1/runs/"+r.ID+"/log?download", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || !strings.Contains(string(text), "Creation complete") || !strings.Contains(res.Header.Get("Content-Disposition"), r.ID) {
			t.Errorf("the log of %s: %v\n%s", r.Project.Name, err, text)
		}
	}
}
