package runner

import (
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// TestThreat_SandboxProcessorTime: what spins in a plan is ended, as a
// provider and as a hook, and the result says why. An apply may spin.
func TestThreat_SandboxProcessorTime(t *testing.T) {
	const says = "terraform.cpu_limit"
	spinning := func(t *testing.T, name, script string, limit time.Duration) *prey {
		p := newPrey(t, name, Sandbox{Mode: ModeAuto})
		box := p.box(ModeAuto)
		box.CPU = limit
		p.reopen(box)
		p.arm(script)
		return p
	}
	t.Run("provider", func(t *testing.T) {
		p := spinning(t, "provider", "echo tried everything >found; while :; do :; done", time.Second)
		if r := p.run(p.spec("plan", tfrun.KindPlan)); r.Outcome != tfrun.OutcomeFailed || !strings.HasPrefix(r.Error, "The run was ended") || !strings.Contains(r.Error, says) {
			t.Errorf("%+v; want %q", r, says)
		}
		p.found()
	})
	t.Run("hook", func(t *testing.T) {
		p := spinning(t, "provisioner", "while :; do :; done", time.Second)
		spec := p.spec("plan", tfrun.KindPlan)
		spec.Hooks = []planner.Hook{{When: planner.BeforePlan, Run: []string{"sh", "./attack.sh"}}}
		if r := p.run(spec); r.Outcome != tfrun.OutcomeFailed || !strings.Contains(r.Error, says) {
			t.Errorf("%+v; want %q", r, says)
		}
	})
	// The kernel's limit, where nobody looks: its words are understood.
	t.Run("kernel", func(t *testing.T) {
		g := &guard{cpu: time.Minute}
		r := tfrun.Result{Outcome: tfrun.OutcomeFailed, Error: "The hook failed: signal: CPU time limit exceeded."}
		if g.explain(&r); !strings.Contains(r.Error, says) {
			t.Errorf("%+v; want %q", r, says)
		}
		p := spinning(t, "provisioner", "", 0)
		spec := p.spec("plan", tfrun.KindPlan)
		spec.Limits.CPU = 1
		spec.Hooks = []planner.Hook{{When: planner.BeforePlan, Run: []string{"sh", "-c", "while :; do :; done"}}}
		p.runner.opts.Sandbox = Sandbox{} // it would set its own limits
		if r := p.run(spec); r.Outcome != tfrun.OutcomeFailed || !strings.Contains(r.Error, cpuEnded[1]) && !strings.Contains(r.Error, "killed") {
			t.Errorf("%+v; want %q", r, cpuEnded[1])
		}
	})
	t.Run("apply", func(t *testing.T) {
		p := spinning(t, "provisioner", "./tool spin 1500 && echo got time >>found; echo tried everything >>found", time.Second)
		if r := p.planAndApply(); r.Outcome != tfrun.OutcomeApplied {
			t.Errorf("%+v", r)
		}
		if _, got := p.found(); len(got) != 1 {
			t.Errorf("it got %v", got)
		}
	})
}
