package tfrun

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
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
	if _, e.result.PriorSerial, err = planState(s.PlanFile); err != nil {
		return err
	}
	if err := e.sameBackend(); err != nil {
		return err
	}
	if err := e.learnSecrets(ctx); err != nil {
		return err
	}
	if err := e.holdRoom(); err != nil {
		return err
	}
	e.applying = &tracker{expected: e.applyTotal()}
	opts := []tfexec.ApplyOption{tfexec.DirOrPlan(s.PlanFile)}
	if s.LockTimeout != "" {
		opts = append(opts, tfexec.LockTimeout(s.LockTimeout))
	}
	if s.Options.Parallelism > 0 {
		opts = append(opts, tfexec.Parallelism(s.Options.Parallelism))
	}
	e.out.event = func(ev event) {
		if e.applying.take(ev) {
			e.tell(e.applying.progress())
		}
		e.result.Started = e.result.Started || ev.Type == "apply_start"
	}
	e.tell(e.applying.progress())
	err = e.confined(true, func() error { return e.tf.ApplyJSON(ctx, e.out, opts...) })
	e.out.event = nil
	e.keepErroredState()
	if s.ManagedBackend != "" {
		e.readHead(ManagedState(s.ManagedBackend, s.Workspace))
	}
	if err != nil && !(e.applying.complete && ctx.Err() != nil && !killed(err)) { // it may have been done when it was asked to stop
		return err
	}
	e.result.Outcome = OutcomeApplied
	if err := e.hooks(ctx, planner.AfterApply); err != nil {
		e.result.Warning = e.hookWarning(ctx, err)
	}
	return nil
}

// sameBackend refuses a plan of another place than the run's copy of the state:
// Terraform applies to the backend that the plan file names, whatever the code
// says now, and would read and write there.
func (e *execution) sameBackend() error {
	s := e.spec
	if s.StateDir == "" || s.ManagedBackend == "" {
		return nil
	}
	plan, err := planMember(s.PlanFile, "tfplan")
	if err != nil {
		return err
	}
	if plan != nil && !bytes.Contains(plan, []byte(s.ManagedBackend)) { // nil: nobody can look into it
		e.result.Stale = true
		return errs.New(errs.Conflict, "The plan was made for another place of the state. It has to be made again.")
	}
	return nil
}

// applyTotal counts the steps of the apply from the plan's JSON, where that is
// at hand; 0 where it is not, and Terraform tells as it begins.
func (e *execution) applyTotal() int {
	if e.spec.PlanJSON == "" {
		return 0
	}
	f, err := os.Open(e.spec.PlanJSON)
	if err != nil {
		return 0
	}
	defer f.Close()
	p, err := tfplan.ParsePlan(f)
	if err != nil {
		return 0
	}
	e.result.Summary, e.result.PlanDigest = p.Summary(), p.Digest()
	s := e.result.Summary
	return s.Create + s.Update + s.Delete + 2*s.Replace + s.Read
}

// erroredName is the file in the project's directory into which Terraform
// writes a state that it could not write to its backend.
const erroredName = "errored.tfstate"

// roomForState is what is kept free for that file, in bytes: at least the
// first, and so many times the state as it was before.
const (
	roomForState      = 8 << 20
	roomTimesOldState = 3
)

// holdRoom makes the file for an errored state beforehand: empty, but with
// room on the disk, which Terraform finds there when nothing else is free any
// more. One that is there already is not this run's; it is set aside, since
// it may be all that is known of an apply whose runner was killed.
func (e *execution) holdRoom() error {
	path := filepath.Join(e.workDir(), erroredName)
	if info, err := os.Lstat(path); err == nil && (!info.Mode().IsRegular() || info.Size() > 0) {
		if err := os.Rename(path, filepath.Join(filepath.Dir(e.spec.PlanFile), "earlier-"+erroredName)); err != nil {
			return fmt.Errorf("set aside an earlier %s: %w", erroredName, err)
		}
	}
	old, err := planMember(e.spec.PlanFile, "tfstate")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return fmt.Errorf("make room for an errored state: %w", err)
	}
	defer f.Close()
	const keepSize = 1 // FALLOC_FL_KEEP_SIZE: the file stays empty
	size := max(roomForState, roomTimesOldState*int64(len(old)))
	switch err := syscall.Fallocate(int(f.Fd()), keepSize, 0, size); {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		_ = os.Remove(path)
		return errs.Wrap(errs.Unavailable, err, "The disk of the server has no room for %d MB, in which a state could be kept that can't be written elsewhere. Nothing was started.", size>>20)
	default:
		return nil // a file system that can't reserve has to do without
	}
}

// keepErroredState moves a state that Terraform could not write to its
// backend out of the work tree, beside the plan.
func (e *execution) keepErroredState() {
	from := filepath.Join(e.workDir(), erroredName)
	info, err := os.Lstat(from)
	if err != nil || !info.Mode().IsRegular() {
		return
	}
	if info.Size() == 0 {
		_ = os.Remove(from) // it was not needed
		return
	}
	to := filepath.Join(filepath.Dir(e.spec.PlanFile), erroredName)
	_ = os.Chmod(from, 0o600)
	if os.Rename(from, to) == nil { // needs no room
		e.result.ErroredState = to
		return
	}
	if b, err := os.ReadFile(from); err == nil && os.WriteFile(to, b, 0o600) == nil {
		e.result.ErroredState = to
		_ = os.Remove(from) // whoever finds it again finds the same
		return
	}
	_ = os.Remove(to) // half of it
	e.result.ErroredState = from
}
