package tfrun

import (
	"testing"

	"github.com/tidelock/tidelock/planner"
)

// A comparison of state and world needs no lock of a state that is kept
// elsewhere, where a plan does: it keeps nobody from it, and nobody keeps it.
func TestComparingTakesNoLock(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		server := &stateServer{}
		s := newSite(t, b, map[string]string{"main.tf": server.start(t) + "resource \"terraform_data\" \"a\" {\n  input = 1\n}\n"})
		spec := s.spec(".")
		spec.ManagedBackend = ""
		s.must(spec, OutcomePlanned)
		s.must(applyOf(spec), OutcomeApplied)
		server.mu.Lock()
		server.lock = `{"ID":"0815","Operation":"OperationTypeApply","Who":"somebody"}`
		server.mu.Unlock()
		plan := s.spec(".")
		plan.ManagedBackend, plan.LockTimeout = "", "1s"
		if r := s.must(plan, OutcomeFailed); !r.Locked {
			t.Fatalf("the state is not locked: %+v", r)
		}
		look := s.spec(".")
		look.ManagedBackend, look.LockTimeout, look.Options = "", "1s", planner.Options{RefreshOnly: true}
		s.must(look, OutcomeNoChange)
	})
}
