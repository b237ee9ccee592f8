package tfrun

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// operate carries out a state operation. Terraform itself checks, under its
// lock, whether it can be done.
func (e *execution) operate(ctx context.Context) error {
	e.step = "state"
	release, err := e.ownState(ctx)
	if err != nil {
		return err
	}
	defer release()
	before, err := e.pullState(ctx)
	if err != nil {
		return err
	}
	r := &e.result
	r.PriorSerial, r.StateLineage, r.StateSerial = before.Serial, before.Lineage, before.Serial
	e.tf.SetStdout(e.out)
	err = e.change(ctx)
	e.out.flush()
	e.keepErroredState()
	// The state tells what was done, also when the operation was stopped.
	look, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(e.spec.Grace, time.Minute))
	defer cancel()
	after, perr := e.pullState(look)
	if perr == nil {
		r.StateLineage, r.StateSerial = after.Lineage, after.Serial
		if err != nil && !killed(err) && after == before {
			r.Started = false
		}
	}
	if err != nil {
		return err
	}
	if perr != nil {
		r.Warning = "The state could not be read again afterwards: " + e.out.clean(tail(perr.Error(), 1000))
	}
	r.Outcome = OutcomeApplied
	return nil
}

// change runs what the operation asks for.
func (e *execution) change(ctx context.Context) error {
	s, op := e.spec, e.spec.Operation
	started := func() { e.result.Started = true }
	switch op.Kind {
	case planner.Import:
		files, err := e.varFiles()
		if err != nil {
			return err
		}
		opts := []tfexec.ImportOption{}
		for _, f := range files {
			opts = append(opts, tfexec.VarFile(f))
		}
		for _, v := range s.Options.Vars {
			opts = append(opts, tfexec.Var(v))
		}
		if s.LockTimeout != "" {
			opts = append(opts, tfexec.LockTimeout(s.LockTimeout))
		}
		started()
		return e.command(func() error { return e.tf.Import(ctx, op.Args[0], op.Args[1], opts...) })
	case planner.StateMove:
		opts := []tfexec.StateMvCmdOption{}
		if s.LockTimeout != "" {
			opts = append(opts, tfexec.LockTimeout(s.LockTimeout))
		}
		if s.ManagedBackend != "" {
			opts = append(opts, tfexec.Backup(e.backupPath()))
		}
		started()
		return e.command(func() error { return e.tf.StateMv(ctx, op.Args[0], op.Args[1], opts...) })
	}
	remove := func(address string, dry bool) error {
		opts := []tfexec.StateRmCmdOption{tfexec.DryRun(dry)}
		if s.LockTimeout != "" {
			opts = append(opts, tfexec.LockTimeout(s.LockTimeout))
		}
		if s.ManagedBackend != "" {
			opts = append(opts, tfexec.Backup(e.backupPath()))
		}
		return e.command(func() error { return e.tf.StateRm(ctx, address, opts...) })
	}
	// terraform-exec removes one at a time. Where there are several, all are
	// tried first, so that one that is not there leaves the others in place.
	if len(op.Args) > 1 {
		for _, a := range op.Args {
			var said bytes.Buffer
			e.tf.SetStdout(&said)
			err := remove(a, true)
			e.tf.SetStdout(e.out)
			if err == nil && strings.Contains(said.String(), "Would have removed nothing") {
				err = errs.New(errs.NotFound, "The state has no %s. Nothing was removed.", a)
			}
			if err != nil {
				return err
			}
		}
	}
	for i, a := range op.Args {
		started()
		if err := remove(a, false); err != nil {
			if i > 0 {
				e.result.Warning = "Removed before that: " + some(op.Args[:i]) + "."
			}
			return err
		}
	}
	return nil
}

// backupPath is where the state commands put the state as it was before: they
// insist on a copy, and would leave it in the work tree.
func (e *execution) backupPath() string { return filepath.Join(e.spec.Home, "state.backup") }

// command runs a command of Terraform's that has no machine-readable output,
// and reads what it says of its errors.
func (e *execution) command(run func() error) error {
	var said bytes.Buffer
	e.tf.SetStderr(&said)
	err := e.confined(true, run)
	e.tf.SetStderr(io.Discard)
	diagnostics := plainDiagnostics(e.out.clean(said.String()))
	for _, d := range diagnostics {
		e.out.say(d.String() + "\n")
		if len(e.out.diagnostics) < maxDiagnostics {
			e.out.diagnostics = append(e.out.diagnostics, d)
		}
	}
	if err == nil || killed(err) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	for _, d := range diagnostics {
		if known := explain(e.spec.Operation, d); known != nil {
			return known
		}
	}
	return err
}

// plainDiagnostics takes apart the errors and warnings that Terraform writes
// for people: "Error: summary", an empty line, the detail.
func plainDiagnostics(text string) []Diagnostic {
	var out []Diagnostic
	for _, line := range strings.Split(text, "\n") {
		kind, summary, ok := strings.Cut(line, ": ")
		switch {
		case ok && (kind == "Error" || kind == "Warning"):
			out = append(out, Diagnostic{Severity: strings.ToLower(kind), Summary: summary})
		case len(out) > 0:
			out[len(out)-1].Detail += line + "\n"
		}
	}
	for i := range out {
		out[i].Detail = strings.TrimSpace(out[i].Detail)
	}
	return out
}

// explain says in plain words why Terraform refused the operation; nil where
// its own words have to do.
func explain(o planner.Operation, d Diagnostic) error {
	text := strings.Join(strings.Fields(d.Summary+" "+d.Detail), " ")
	has := func(part string) bool { return strings.Contains(text, part) }
	last := o.Args[len(o.Args)-1]
	switch o.Kind {
	case planner.Import:
		address := o.Args[0]
		switch {
		case has("does not exist in the configuration"), has("Configuration for import target does not exist"):
			return errs.New(errs.NotFound, "The code has no %s. An object is imported for a resource that is written already: add its block, then import.", address)
		case has("Resource already managed by"):
			return errs.New(errs.Conflict, "The state has a %s already. Nothing was imported.", address)
		case has("Cannot import non-existent remote object"):
			return errs.New(errs.NotFound, "There is no object with the ID %s that could be imported as %s.", last, address)
		}
	case planner.StateRemove:
		if has("No matching objects found") {
			return errs.New(errs.NotFound, "The state has no such object. Nothing was removed.")
		}
	case planner.StateMove:
		switch {
		case has("does not match anything in the current state"), has("The current state does not contain"):
			return errs.New(errs.NotFound, "The state has no %s. Nothing was moved.", o.Args[0])
		case has("there is already a"):
			return errs.New(errs.Conflict, "The state has a %s already. Nothing was moved.", last)
		}
	}
	return nil
}
