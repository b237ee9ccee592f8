package tfrun

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A run works on its own copy of the state, to which a path leads that plan and
// apply have in common; a plan of another place is not applied there.
func TestRunHasItsOwnCopyOfTheState(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"live/main.tf": resource})
		common := filepath.Join(s.dir, "data.state", "terraform.tfstate")
		copyOf := func(spec Spec) Spec {
			spec.ManagedBackend, spec.StateDir = common, filepath.Join(s.dir, spec.RunID, "state-1")
			return spec
		}
		plan := copyOf(s.spec("live"))
		s.must(plan, OutcomePlanned)
		if _, err := os.Stat(filepath.Join(plan.StateDir, "terraform.tfstate")); err == nil {
			t.Error("a plan wrote a state")
		}
		apply := applyOf(copyOf(s.spec("live")))
		apply.PlanFile = plan.PlanFile
		done := s.must(apply, OutcomeApplied)
		lineage, serial, err := StateHead(filepath.Join(apply.StateDir, "terraform.tfstate"))
		if err != nil || lineage != done.StateLineage || serial != done.StateSerial || serial == 0 {
			t.Errorf("its copy has %q %d (%v), and the result tells of %q %d", lineage, serial, err, done.StateLineage, done.StateSerial)
		}
		// The next run's copy is as it is given; another run's is not seen.
		if again := s.must(copyOf(s.spec("live")), OutcomePlanned); again.StateSerial != 0 {
			t.Errorf("it saw another run's copy: %+v", again)
		}

		elsewhere := s.spec("live") // a plan of an earlier server, at another path
		elsewhere.ManagedBackend = filepath.Join(s.dir, "elsewhere", "terraform.tfstate")
		s.must(elsewhere, OutcomePlanned)
		stale := applyOf(copyOf(s.spec("live")))
		stale.PlanFile = elsewhere.PlanFile
		r, _ := s.execute(stale)
		if !r.Stale || r.Started || r.Outcome != OutcomeFailed {
			t.Errorf("a plan of another place: %+v", r)
		}
		if _, err := os.Stat(elsewhere.ManagedBackend); err == nil {
			t.Error("it was applied there")
		}
	})
}

// The environment of a run can't say where the state is.
func TestThreat_EnvironmentMovesNoState(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"live/main.tf": resource})
		spec := s.spec("live")
		other := filepath.Join(s.dir, "other.tfstate")
		spec.ManagedBackend, spec.StateDir = filepath.Join(s.dir, "data.state", "terraform.tfstate"), filepath.Join(s.dir, spec.RunID, "state-1")
		for name, value := range map[string]string{"TF_HTTP_ADDRESS": "http://127.0.0.1:1/", "TF_HTTP_PASSWORD": "x", "TF_CLI_ARGS_init": "-backend-config=path=" + other, "TF_DATA_DIR": s.dir} {
			spec.Env = map[string]string{name: value}
			if r, _ := s.execute(spec); r.Outcome != OutcomeFailed || !strings.Contains(r.Error, name) {
				t.Errorf("%s: %+v", name, r)
			}
		}
		if _, err := os.Stat(other); err == nil {
			t.Error("the state is elsewhere")
		}
	})
}
