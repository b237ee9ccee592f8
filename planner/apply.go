package planner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/hashicorp/terraform-exec/tfexec"
)

func (e *execution) apply(ctx context.Context) error {
	e.step = "apply"
	s := e.spec
	if _, err := os.Stat(s.PlanFile); err != nil {
		return fmt.Errorf("run %s: the plan to apply is not there: %w", s.RunID, err)
	}
	release, err := e.ownState(ctx)
	if err != nil {
		return err
	}
	defer release()
	total := e.applyTotal()
	opts := []tfexec.ApplyOption{tfexec.DirOrPlan(s.PlanFile)}
	if s.LockTimeout != "" {
		opts = append(opts, tfexec.LockTimeout(s.LockTimeout))
	}
	if s.Options.Parallelism > 0 {
		opts = append(opts, tfexec.Parallelism(s.Options.Parallelism))
	}
	done, complete := 0, false
	e.out.event = func(ev event) {
		switch ev.Type {
		case "apply_start":
			e.result.Started = true
		case "apply_complete":
			done++
			e.tell(done, max(total, done), ev)
		case "change_summary":
			complete = complete || ev.Changes != nil && ev.Changes.Operation == "apply"
		}
	}
	e.tell(0, total, event{})
	err = e.tf.ApplyJSON(ctx, e.out, opts...)
	e.out.event = nil
	e.keepErroredState()
	if s.ManagedBackend != "" {
		if lineage, serial, serr := stateOf(ManagedState(s.ManagedBackend, s.Workspace)); serr == nil {
			e.result.StateLineage, e.result.StateSerial = lineage, serial
		}
	}
	if err != nil && !(complete && ctx.Err() != nil && !killed(err)) { // it may have been done when it was asked to stop
		return err
	}
	e.result.Outcome = OutcomeApplied
	return nil
}

// killed reports whether a command was ended by a signal rather than by
// itself.
func killed(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.ExitCode() < 0
}

// applyTotal counts the steps of the apply from the plan's JSON: a
// replacement is two. 0 where there is no JSON.
func (e *execution) applyTotal() int {
	if e.spec.PlanJSON == "" {
		return 0
	}
	f, err := os.Open(e.spec.PlanJSON)
	if err != nil {
		return 0
	}
	defer f.Close()
	p, err := ParsePlan(f)
	if err != nil {
		return 0
	}
	e.result.Summary, e.result.PlanDigest = p.Summary(), p.Digest()
	s := e.result.Summary
	return s.Create + s.Update + s.Delete + 2*s.Replace + s.Read
}

// keepErroredState moves a state that Terraform could not write to its
// backend out of the work tree, beside the plan.
func (e *execution) keepErroredState() {
	from := filepath.Join(e.dir, "errored.tfstate")
	if info, err := os.Lstat(from); err != nil || !info.Mode().IsRegular() {
		return
	}
	to := filepath.Join(filepath.Dir(e.spec.PlanFile), "errored.tfstate")
	if b, err := os.ReadFile(from); err == nil && os.WriteFile(to, b, 0o600) == nil {
		e.result.ErroredState = to
		_ = os.Remove(from) // whoever finds it again finds the same
		return
	}
	e.result.ErroredState = from
}
