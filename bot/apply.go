package bot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/runner"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// applyRun applies one reviewed plan, or does one state operation. Its promise:
// Terraform is started for applying at most once, unless the journal proves
// that nothing started or Terraform itself refused before doing anything. Each
// attempt begins by looking at what the row and the run folder say.
func (b *Bot) applyRun(ctx context.Context, job queue.Job[applyRunJob]) error {
	defer b.Capacity.Leave(job.Args.Run)
	r, err := b.Runs.Run(ctx, b.DB, job.Args.Run)
	if err != nil || (r.Kind != run.Apply && r.Kind != run.StateChange) || r.Status.Finished() || r.Status == run.Blocked || r.Status == run.Deferred {
		return err
	}
	a := &application{Bot: b, run: r}
	if r.Status == run.Running {
		err = a.resume(ctx)
	} else {
		err = a.begin(ctx)
	}
	if errs.Is(err, errs.Conflict) { // superseded, moved by another worker, or without its lock
		b.Log.Info("apply given up", keyRun, r.ID, "reason", errs.Sentence(err))
		if err := b.giveUp(ctx, r.ID, errs.Sentence(err)); err != nil {
			return err
		}
		return b.freeStates(ctx)
	}
	if err != nil {
		return b.unwatched(ctx, err)
	}
	return b.cleanUp(ctx, a.run, a.run.ID)
}

// giveUp cancels an apply that may not go on, if it has not ended already:
// nothing of it has started.
func (b *Bot) giveUp(ctx context.Context, id, why string) error {
	return b.DB.Tx(ctx, func(tx *db.Tx) error {
		r, err := b.Runs.Run(ctx, tx, id)
		if err != nil || r.Status != run.Checking {
			return err
		}
		if err := b.Runs.Cancel(ctx, tx, r, b.actor, why); err != nil {
			return err
		}
		return b.tellEnd(ctx, tx, r.ID)
	})
}

// application is one attempt at one apply.
type application struct {
	*Bot
	run    run.Run
	plan   run.Run // what was reviewed; zero for a state operation
	change run.Change
	lock   run.Lock
	tree   string
	data   string
	// touched is set where Terraform may have changed something.
	touched bool
}

// begin takes an apply from the queue to its end.
func (a *application) begin(ctx context.Context) error {
	goOn, err := a.check(ctx)
	if err != nil || !goOn {
		return err
	}
	if goOn, err = a.gates(ctx); err != nil || !goOn {
		return err
	}
	leave, err := a.admit(ctx, a.run, false)
	if errors.Is(err, errStopped) { // nothing of it has begun
		return a.giveUp(ctx, a.run.ID, "It was stopped before it began.")
	}
	if err != nil {
		return err
	}
	defer leave()
	release, err := a.checkOut(ctx, a.adoptable(again(a.run)))
	if err != nil {
		return err
	}
	defer release()
	if goOn, err = a.prepare(ctx); err != nil || !goOn {
		return err
	}
	return a.start(ctx)
}

// prepare puts into the run's folder what is to be applied. It reports false
// where that is not what was reviewed.
func (a *application) prepare(ctx context.Context) (bool, error) {
	other, err := a.otherTool(ctx)
	if err != nil {
		return false, err
	}
	switch {
	case other != "":
		return a.planAgain(ctx, other)
	case a.run.Kind == run.StateChange:
		if err := a.Runner.Remove(a.run.ID); err != nil {
			return false, err
		}
		return true, a.Runner.Prepare(a.run.ID)
	case a.run.Retry:
		return a.planAgain(ctx, "The last apply has left more to do than was reviewed")
	}
	same, err := a.sameInputs()
	if err != nil {
		return false, err
	}
	if same {
		return true, a.fetchPlan(ctx, a.plan)
	}
	return a.planAgain(ctx, "The merged code is not what was planned")
}

// check takes the lock and moves the run to Checking. It reports false when
// the run waits for another pull's lock, or must not go on.
func (a *application) check(ctx context.Context) (goOn bool, err error) {
	err = a.DB.Tx(ctx, func(tx *db.Tx) error {
		goOn = false
		if err := a.load(ctx, tx); err != nil {
			return err
		}
		if a.run.Status != run.Queued && a.run.Status != run.Checking {
			return nil
		}
		lock, held, err := a.Runs.Acquire(ctx, tx, a.run)
		if err != nil {
			return err
		}
		if !held {
			if err := a.Runs.Block(ctx, tx, a.run, lock); err != nil {
				return err
			}
			return a.tellEnd(ctx, tx, a.run.ID)
		}
		a.lock = lock
		if a.run, err = a.Runs.Begin(ctx, tx, a.run, a.Node); err != nil {
			return err
		}
		if why, err := a.Runs.HeldBack(ctx, tx, a.run); err != nil {
			return err
		} else if why != "" {
			return a.hold(ctx, tx, why)
		}
		if a.run.Kind == run.Apply {
			if why := verdictTrouble(a.plan); why != "" {
				return a.hold(ctx, tx, why)
			}
		}
		goOn = true
		return a.tell(ctx, tx, a.change.ID, false)
	})
	return goOn, err
}

func (a *application) load(ctx context.Context, q db.Querier) (err error) {
	if a.run, err = a.Runs.Run(ctx, q, a.run.ID); err != nil {
		return err
	}
	if a.run.Kind == run.Apply {
		if a.plan, err = a.Runs.Run(ctx, q, a.run.PlanRun); err != nil {
			return err
		}
	}
	a.change, err = a.Runs.Change(ctx, q, a.run.Change)
	return err
}

// checkOut gets the work tree. adopt says that a runner may be at work in it.
func (a *application) checkOut(ctx context.Context, adopt bool) (release func(), err error) {
	a.tree, a.data, release, err = a.trees.acquire(ctx, a.change, a.run.Project.Workspace, a.run.Commit, adopt)
	return release, err
}

// sameInputs reports whether the files that shape the plan are those that were
// planned.
func (a *application) sameInputs() (bool, error) {
	root, err := os.OpenRoot(a.tree)
	if err != nil {
		return false, fmt.Errorf("read work tree: %w", err)
	}
	defer root.Close()
	digest, err := planner.InputsDigest(root.FS(), a.run.Project)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return digest == a.plan.InputsDigest, err
}

// fetchPlan puts a saved plan into the run's folder. The folder therefore
// exists before the intent to apply is stored, so that its absence later
// proves nothing and counts as interrupted.
func (a *application) fetchPlan(ctx context.Context, plan run.Run) error {
	if err := a.Runner.Remove(a.run.ID); err != nil {
		return err
	}
	if err := a.Runner.Prepare(a.run.ID); err != nil {
		return err
	}
	if err := a.fetch(ctx, plan.PlanBlob, a.Runner.PlanPath(a.run.ID)); err != nil {
		return err
	}
	if hidden, err := a.masked(ctx, plan); err != nil || plan.PlanJSONBlob == "" || !hidden {
		return err
	}
	return a.fetch(ctx, plan.PlanJSONBlob, a.Runner.PlanJSONPath(a.run.ID))
}

// fetch writes what was stored into a file of the run's folder.
func (a *application) fetch(ctx context.Context, ref, to string) error {
	saved, err := a.Blobs.Get(ctx, a.run.Client, ref)
	if err != nil {
		return err
	}
	defer saved.Close()
	f, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("fetch plan: %w", err)
	}
	if _, err := io.Copy(f, saved); err != nil {
		f.Close()
		return fmt.Errorf("fetch plan: %w", err)
	}
	return f.Close()
}

// hold ends the apply in a way that asks a person.
func (a *application) hold(ctx context.Context, tx *db.Tx, why string) error {
	a.run.Error = why
	if err := a.Runs.Finish(ctx, tx, a.run, run.Held); err != nil {
		return err
	}
	return a.tellEnd(ctx, tx, a.run.ID)
}

// start stores the intent, starts the runner, and sees the apply through.
func (a *application) start(ctx context.Context) error {
	allowed := true
	err := a.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		if allowed, err = a.stillAllowed(ctx, tx); err != nil || !allowed {
			return err
		}
		if a.run, err = a.Runs.Intend(ctx, tx, a.run, a.lock.Fence); err != nil {
			return err
		}
		return a.tell(ctx, tx, a.change.ID, false)
	})
	if err != nil || !allowed {
		return err
	}
	if goOn, err := a.launch(ctx); err != nil || !goOn {
		return err
	}
	return a.see(ctx)
}

// launch starts the runner. One that is under way already is as good: whoever
// calls looks at what it does. It reports false where the run ended without:
// there was no tool for it.
func (a *application) launch(ctx context.Context) (bool, error) {
	kind := tfrun.KindApply
	if a.run.Kind == run.StateChange {
		kind = tfrun.KindState
	}
	spec, err := a.spec(ctx, &a.run, a.run.ID, kind, a.tree, a.data)
	if why := toolTrouble(err); why != "" {
		a.run.Error = why
		return false, a.end(ctx, run.Failed)
	}
	if err != nil {
		return false, err
	}
	err = a.startRun(ctx, a.run, spec)
	var held *stateHeld
	if errors.As(err, &held) {
		return false, a.recheck(ctx, tfrun.Result{Locked: true, LockHolder: held.holder})
	}
	if errs.Is(err, errs.Conflict) {
		err = nil
	}
	return err == nil, err
}

// resume goes on with an apply whose intent is stored. It starts Terraform only
// if the journal in the folder proves that nothing was started.
func (a *application) resume(ctx context.Context) error {
	if err := a.load(ctx, a.DB); err != nil {
		return err
	}
	lock, err := a.Runs.Lock(ctx, a.DB, a.run.Key())
	if err != nil && !errs.Is(err, errs.NotFound) {
		return err
	}
	a.lock = lock
	if a.run.Node != a.Node {
		return a.interrupted(ctx, "The machine that applied it is gone.")
	}
	state, err := a.Runner.State(a.run.ID)
	if err != nil {
		return err
	}
	leave, err := a.admit(ctx, a.run, true)
	if err != nil {
		return err
	}
	defer leave()
	release, err := a.checkOut(ctx, true)
	if err != nil {
		return err
	}
	defer release()
	switch state {
	case runner.StatePrepared:
		if goOn, err := a.launch(ctx); err != nil || !goOn {
			return err
		}
	case runner.StateRunning, runner.StateFinished:
	default:
		if err := a.Runner.Stop(ctx, a.run.ID); err != nil { // what it started may have outlived it
			return err
		}
		return a.interrupted(ctx, "Its process ended without leaving a result.")
	}
	return a.see(ctx)
}

// see waits for the runner and stores what came of it.
func (a *application) see(ctx context.Context) error {
	result, err := a.follow(ctx, a.run, a.run.ID, a.Terraform.ApplyTimeout)
	if errors.Is(err, runner.ErrInterrupted) {
		return a.interrupted(ctx, "Its process ended without leaving a result.")
	}
	if err != nil {
		return err
	}
	trouble, err := a.bringBack(ctx, a.run, result)
	if err != nil {
		return err
	}
	if (result.Stale || result.Locked) && !result.Started && trouble == "" {
		return a.recheck(ctx, result)
	}
	if err := a.keepLog(ctx); err != nil {
		return err
	}
	a.touched = result.Started
	a.run.StateLineage, a.run.StateSerial, a.run.PeakMemory = result.StateLineage, result.StateSerial, result.PeakMemory
	a.run.Error = a.Masker.String(result.Error)
	if trouble != "" {
		a.run.Error = strings.TrimSpace(a.run.Error + "\n\n" + trouble)
		if result.Outcome == tfrun.OutcomeApplied {
			return a.end(ctx, run.Failed)
		}
	}
	switch {
	case result.Outcome == tfrun.OutcomeApplied:
		return a.end(ctx, run.Applied)
	case result.Outcome == tfrun.OutcomeCanceled && !result.Started:
		return a.end(ctx, run.Canceled)
	case result.Outcome == tfrun.OutcomeInterrupted: // Terraform was killed, and the runner lived to tell
		a.run.Error += " " + lookFirst
		return a.end(ctx, run.Interrupted)
	}
	if a.run.Error == "" {
		a.run.Error = "The apply ended without saying why. Its log has what Terraform printed."
	}
	return a.end(ctx, run.Failed)
}

// keepLog stores the apply's log, masked by what its plan marks as sensitive.
func (a *application) keepLog(ctx context.Context) error {
	plan, err := a.reviewed(ctx, a.plan) // nil for a state operation
	if err != nil {
		return err
	}
	a.run.LogBlob, err = a.storeLog(ctx, a.run, a.run.ID, plan)
	return err
}

// recheck handles an apply that Terraform refused before doing anything: the
// state moved since the plan, or somebody else holds its lock.
func (a *application) recheck(ctx context.Context, result tfrun.Result) error {
	wish, err := a.Runs.Wish(ctx, a.DB, a.run.ID)
	if err != nil {
		return err
	}
	if wish.Stop.Name != "" { // what stands still already does not begin again
		a.run.Error = stoppedBy(wish.Stop)
		return a.end(ctx, run.Canceled)
	}
	err = a.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		why := ""
		if result.Locked {
			why = stateLocked(result.LockHolder)
		}
		if a.run, err = a.Runs.Recheck(ctx, tx, a.run, why); err != nil {
			return err
		}
		return a.tell(ctx, tx, a.change.ID, false)
	})
	if err != nil {
		return err
	}
	if result.Locked {
		a.Log.Info("state is locked", keyRun, a.run.ID, keyProject, a.run.Project.Name, "holder", result.LockHolder)
		return queue.Snooze(stateLockPause)
	}
	goOn, err := a.planAgain(ctx, "The state has moved since the plan was made")
	if err != nil || !goOn {
		return err
	}
	return a.start(ctx)
}

// stateLocked says that a run waits for whoever holds the state's lock.
func stateLocked(holder string) string {
	if holder != "" {
		holder = " (" + markdown.Code(holder) + ")"
	}
	return "Somebody else holds the lock of the state" + holder + ". It is tried again until that is released."
}

// stateLockPause is how long a run waits before it tries a locked state
// again. It never breaks the lock.
const stateLockPause = 15 * time.Second

// noteErrored says in the audit trail where a state is that could not be
// written, and that is no version of it.
func (b *Bot) noteErrored(ctx context.Context, r run.Run, ref string) error {
	return b.DB.Tx(ctx, func(tx *db.Tx) error {
		return b.Runs.Note(ctx, tx, r, "state.errored", map[string]any{"project": r.Project.Name, "blob": ref})
	})
}

// lookFirst is what to do about an apply whose end nobody saw.
const lookFirst = "Look at the log and the infrastructure; `plan` shows what is left, `unlock` gives the project up."

// interrupted ends an apply whose end nobody saw. Its lock stays and nothing
// is started again: only a person can know what exists now.
func (a *application) interrupted(ctx context.Context, what string) error {
	a.touched = true
	a.run.Error = what + " Part of it may have been done. " + lookFirst
	if a.run.Node == a.Node { // else what it left is on the machine that is gone
		trouble, err := a.bringBack(ctx, a.run, tfrun.Result{})
		if err != nil {
			return err
		}
		if trouble != "" {
			a.run.Error += "\n\n" + trouble
		}
	}
	if err := a.keepLog(ctx); err != nil {
		a.Log.Warn("log of an interrupted apply not kept", keyRun, a.run.ID, "error", err)
	}
	return a.end(ctx, run.Interrupted)
}

// end stores how the apply ended, with its lock, its audit event and the
// answer, in one transaction.
func (a *application) end(ctx context.Context, final run.Status) error {
	return a.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := a.Runs.Finish(ctx, tx, a.run, final); err != nil {
			return err
		}
		if a.run.Kind == run.StateChange {
			return a.operated(ctx, tx, final)
		}
		if err := a.ledgerEnd(ctx, tx, final); err != nil {
			return err
		}
		switch final {
		case run.Applied:
			if err := a.free(ctx, tx, a.run); err != nil {
				return err
			}
		case run.Failed, run.Canceled:
			if err := a.Runs.KeepForPerson(ctx, tx, a.run); err != nil {
				return err
			}
		}
		if err := a.due(ctx, tx, a.change); err != nil {
			return err
		}
		if err := a.mergeIfDone(ctx, tx); err != nil {
			return err
		}
		return a.tell(ctx, tx, a.change.ID, true)
	})
}
