package runner

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tidelock/tidelock/planner/tfrun"
)

// TestFault10_RunnerKilledAfterTheApply: an apply that is done has its result on
// the disk before the backend is asked for the serial. A runner that is killed
// while it waits for the answer has not interrupted it, and leaves nothing.
func TestFault10_RunnerKilledAfterTheApply(t *testing.T) {
	var mu sync.Mutex
	var state []byte
	asked, over := make(chan struct{}, 8), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.Method == http.MethodPost:
			state = body
		case state == nil:
			w.WriteHeader(http.StatusNotFound)
		default: // nothing but the look asks after the write
			asked <- struct{}{}
			<-over
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(over) })
	s := newSite(t, "terraform {\n  backend \"http\" {\n    address = \""+server.URL+"\"\n  }\n}\n"+plain)
	plan := s.spec("plan", tfrun.KindPlan)
	plan.ManagedBackend = ""
	if r := s.run(plan); r.Outcome != tfrun.OutcomePlanned {
		t.Fatalf("plan: %+v", r)
	}
	apply := s.spec("apply", tfrun.KindApply)
	apply.ManagedBackend, apply.PlanFile = "", s.runner.PlanPath("plan")
	if err := s.runner.Start(t.Context(), apply); err != nil {
		t.Fatal(err)
	}
	select {
	case <-asked:
	case <-time.After(time.Minute):
		t.Fatalf("the backend is not asked:\n%s", gate{t: t, told: s.path("told")}.records())
	}
	runner := s.runnerOf("apply")
	pids := []int{runner.pid, s.terraformOf(runner).pid}
	if err := syscall.Kill(runner.pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r, err := s.runner.Wait(t.Context(), "apply", nil)
	if err != nil || r.Outcome != tfrun.OutcomeApplied || !r.Started || r.StateSerial != 0 {
		t.Fatalf("%+v, %v; want applied", r, err)
	}
	if left := alive(pids); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
	if got := s.state("apply"); got != StateFinished {
		t.Errorf("state %s, want finished", got)
	}
}
