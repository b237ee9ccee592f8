package runner

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// TestStopTellsWhatWasDone stops an apply when one object is made, the second
// is being made and the third is not begun.
func TestStopTellsWhatWasDone(t *testing.T) {
	s := newSite(t, plain)
	g := s.gate()
	s.write("tree/main.tf", "resource \"terraform_data\" \"first\" {}\n"+
		strings.Replace(s.code(g), "input = 1\n", "input = terraform_data.first.id\n", 1)+
		"resource \"terraform_data\" \"last\" {\n  input = terraform_data.a.id\n}\n")
	apply := s.planned()
	apply.PlanJSON = s.runner.PlanJSONPath("apply") // as a server does it, which keeps the plan's JSON elsewhere
	if err := s.runner.Start(t.Context(), apply); err != nil {
		t.Fatal(err)
	}
	g.pids()
	if err := s.runner.Stop(t.Context(), "apply"); err != nil {
		t.Fatal(err)
	}
	var seen []Progress
	r, err := s.runner.Wait(t.Context(), "apply", func(p Progress) { seen = append(seen, p) })
	if err != nil || r.Outcome != tfrun.OutcomeCanceled || !r.Started || r.StateSerial == 0 {
		t.Fatalf("%+v, %v; want canceled with a state", r, err)
	}
	const want = "The apply was stopped before it was done. What had happened by then is in the state, as far as Terraform could write it." +
		" Done: terraform_data.first. Begun but not finished: terraform_data.a. Not begun: terraform_data.last."
	if first, _, _ := strings.Cut(r.Error, "\n"); first != want {
		t.Errorf("the error is\n%s\nwant\n%s", first, want)
	}
	if last := seen[len(seen)-1]; last.Done != 1 || last.Total != 3 {
		t.Errorf("progress %+v, want 1 of 3", last)
	}
	if state, _ := os.ReadFile(s.path("state/s.tfstate")); strings.Contains(string(state), `"last"`) || !strings.Contains(string(state), `"first"`) {
		t.Errorf("the state does not say the same:\n%s", state)
	}
	// What is left of it is within what was reviewed, but for the object that
	// has to be made again: it came out tainted.
	if again := s.run(s.spec("again", tfrun.KindPlan)); again.Outcome != tfrun.OutcomePlanned || again.Summary != (tfplan.Summary{Create: 1, Replace: 1}) {
		t.Errorf("a plan after that: %+v", again)
	}
}

// TestStopWhileItWaitsForALock: nothing has started yet.
func TestStopWhileItWaitsForALock(t *testing.T) {
	var locked atomic.Bool
	waits := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == "LOCK" && locked.Load():
			w.WriteHeader(http.StatusLocked)
			_, _ = io.WriteString(w, `{"ID":"0815","Who":"ann@laptop"}`)
			select {
			case waits <- struct{}{}:
			default:
			}
		case r.Method == http.MethodGet:
			w.WriteHeader(http.StatusNotFound)
		case r.Method == http.MethodPost:
			t.Error("a state was written")
		}
	}))
	defer server.Close()
	s := newSite(t, "terraform {\n  backend \"http\" {\n    address = \""+server.URL+"\"\n    lock_address = \""+server.URL+"\"\n    unlock_address = \""+server.URL+"\"\n    retry_max = 0\n  }\n}\n"+plain)
	plan := s.spec("plan", tfrun.KindPlan)
	plan.ManagedBackend = ""
	if r := s.run(plan); r.Outcome != tfrun.OutcomePlanned {
		t.Fatalf("%+v", r)
	}
	locked.Store(true)
	apply := s.spec("apply", tfrun.KindApply)
	apply.ManagedBackend, apply.PlanFile, apply.LockTimeout = "", s.runner.PlanPath("plan"), "10m"
	if err := s.runner.Start(t.Context(), apply); err != nil {
		t.Fatal(err)
	}
	<-waits
	began := time.Now()
	if err := s.runner.Stop(t.Context(), "apply"); err != nil {
		t.Fatal(err)
	}
	r, err := s.runner.Wait(t.Context(), "apply", nil)
	if err != nil || r.Outcome != tfrun.OutcomeCanceled || r.Started || r.Locked || !strings.HasPrefix(r.Error, "The apply was stopped before it began. Nothing was changed.") {
		t.Errorf("%+v, %v; want canceled and nothing started", r, err)
	}
	if took := time.Since(began); took >= s.runner.opts.Grace {
		t.Errorf("it took %s: Terraform was killed", took)
	}
}

// TestStopWhileItWaitsForThePlans: our own lock of a managed state.
func TestStopWhileItWaitsForThePlans(t *testing.T) {
	s := newSite(t, plain)
	apply := s.planned()
	// A run that uses the state for as long as the test wants: its hook waits.
	g := s.gate()
	other := s.spec("other", tfrun.KindState)
	other.Operation = planner.Operation{Kind: planner.StateRemove, Args: []string{"terraform_data.a"}}
	s.write("tree/main.tf", s.code(g))
	slow := s.spec("slow", tfrun.KindPlan)
	if r := s.run(slow); r.Outcome != tfrun.OutcomePlanned {
		t.Fatalf("%+v", r)
	}
	holder := s.spec("holder", tfrun.KindApply)
	holder.PlanFile = s.runner.PlanPath("slow")
	if err := s.runner.Start(t.Context(), holder); err != nil {
		t.Fatal(err)
	}
	g.pids()
	for _, spec := range []tfrun.Spec{apply, other} {
		spec.LockTimeout = "10m"
		if err := s.runner.Start(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
		if err := s.runner.Stop(t.Context(), spec.RunID); err != nil {
			t.Fatal(err)
		}
		r, err := s.runner.Wait(t.Context(), spec.RunID, nil)
		if err != nil || r.Outcome != tfrun.OutcomeCanceled || r.Started || r.Locked || !strings.Contains(r.Error, "was stopped before it began. Nothing was changed.") {
			t.Errorf("%s: %+v, %v; want canceled and nothing started", spec.RunID, r, err)
		}
	}
	g.open()
	if r, err := s.runner.Wait(t.Context(), "holder", nil); err != nil || r.Outcome != tfrun.OutcomeApplied {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestProgressOfALongApply: what it is at, and for how long.
func TestProgressOfALongApply(t *testing.T) {
	s := newSite(t, plain)
	g := s.gate()
	s.write("tree/main.tf", s.code(g)+plain[strings.Index(plain, "resource \"terraform_data\" \"b\""):])
	apply := s.planned()
	apply.PlanJSON = s.runner.PlanJSONPath("apply")
	if err := s.runner.Start(t.Context(), apply); err != nil {
		t.Fatal(err)
	}
	g.pids()
	now := make(chan Progress, 1000)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if r, err := s.runner.Wait(t.Context(), "apply", func(p Progress) { now <- p }); err != nil || r.Outcome != tfrun.OutcomeApplied {
			t.Errorf("%+v, %v", r, err)
		}
		close(now)
	}()
	for p := range now {
		// Before Terraform has begun nobody has counted.
		if p.Total != 2 && (p.Done > 0 || p.Address != "" || len(p.Doing) > 0) {
			t.Errorf("%+v: of how many?", p)
		}
		// b is done beside it; the first is what it is at.
		if p.Done == 1 && p.Address == "terraform_data.a" && p.Now() == "creating terraform_data.a" {
			break
		}
	}
	g.open()
	<-ended
	var last Progress
	for p := range now {
		last = p
	}
	if last.Done != 2 || last.Total != 2 || last.Now() != "" {
		t.Errorf("at the end: %+v", last)
	}
}

// TestFault10_TerraformKilledInAStateOperation: whether the state was written,
// only the backend knows.
func TestFault10_TerraformKilledInAStateOperation(t *testing.T) {
	const state = `{"version":4,"terraform_version":"1.5.0","serial":3,"lineage":"l","outputs":{},"resources":[{"mode":"managed","type":"terraform_data","name":"a","provider":"provider[\"terraform.io/builtin/terraform\"]","instances":[{"schema_version":0,"attributes":{"id":"x"}}]}]}`
	writes, never := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet:
			_, _ = io.WriteString(w, state)
		case http.MethodPost:
			close(writes)
			<-never
		}
	}))
	defer server.Close()
	defer close(never)
	s := newSite(t, "terraform {\n  backend \"http\" {\n    address = \""+server.URL+"\"\n    retry_max = 0\n  }\n}\n"+plain)
	remove := s.spec("remove", tfrun.KindState)
	remove.ManagedBackend, remove.Operation = "", planner.Operation{Kind: planner.StateRemove, Args: []string{"terraform_data.a"}}
	if err := s.runner.Start(t.Context(), remove); err != nil {
		t.Fatal(err)
	}
	<-writes
	if err := syscall.Kill(s.terraformOf(s.runnerOf("remove")).pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r, err := s.runner.Wait(t.Context(), "remove", nil)
	if err != nil || r.Outcome != tfrun.OutcomeInterrupted || !r.Started || r.PriorSerial != 3 || !strings.HasPrefix(r.Error, "Terraform was killed in the middle of the state rm.") {
		t.Errorf("%+v, %v; want interrupted", r, err)
	}
}
