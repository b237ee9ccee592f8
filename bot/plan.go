package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/bot/comment"
	"github.com/tidelock/tidelock/bot/proposal"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/gate"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/runner"
	"github.com/tidelock/tidelock/planner/tfplan"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// plan finds the projects that a change touches and queues a plan for each.
func (b *Bot) plan(ctx context.Context, job queue.Job[planJob]) error {
	c, err := b.Runs.Change(ctx, b.DB, job.Args.Change)
	if err != nil || !c.Status.Live() {
		return err
	}
	found, err := b.discover(ctx, c, job.Args)
	if err == nil {
		found.gated, err = b.planGate(ctx, c, found.settings, job.Args)
	}
	if err == nil {
		found.standing, err = b.standing(ctx, c, found, job.Args)
	}
	switch {
	case errs.Is(err, errs.Invalid), errs.Is(err, errs.TooLarge), errs.Is(err, errs.NotFound):
		return b.unplannable(ctx, c, errs.Sentence(err))
	case err != nil:
		return wait(err)
	}
	var stop []string
	err = b.DB.Tx(ctx, func(tx *db.Tx) error {
		stop = nil
		now, err := b.Runs.Change(ctx, tx, c.ID)
		if err != nil || !now.Status.Live() {
			return err
		}
		if found.NoMatch {
			if err := b.nothingMatches(ctx, tx, c, job); err != nil || now.Status != run.Pending {
				return err
			}
		}
		if found.touched {
			if err := b.freeUntouched(ctx, tx, c, found.Wanted, job.Args.Actor); err != nil {
				return err
			}
		}
		settings, err := json.Marshal(found.settings)
		if err != nil {
			return err
		}
		if err := b.Runs.SetSettings(ctx, tx, c.ID, string(settings)); err != nil {
			return err
		}
		switch {
		case found.gated != "" && len(found.Wanted) > 0:
			err = b.Runs.SetGated(ctx, tx, c.ID, found.gated)
		case len(found.Wanted) > 0:
			stop, err = b.queuePlans(ctx, tx, c, found, job.Args.Actor)
		case len(found.Problems) > 0:
			err = b.Runs.SetUnplannable(ctx, tx, c.ID, proposal.Notes(found.Problems))
		default:
			err = b.Runs.SetEmpty(ctx, tx, c.ID, proposal.Notes(found.Gone))
		}
		if err != nil {
			return err
		}
		return b.tell(ctx, tx, c.ID, true)
	})
	b.stop(ctx, stop)
	if errs.Is(err, errs.Invalid) { // the projects depend on each other in a circle
		return b.unplannable(ctx, c, errs.Sentence(err))
	}
	return err
}

// planGate says why the change is not planned now, "" when it is: nobody asked
// for it where plans are made by command, or a gate is closed. What is merged
// is planned, since only the plan tells what is left to do.
func (b *Bot) planGate(ctx context.Context, c run.Change, settings Settings, job planJob) (string, error) {
	if c.MergeSHA != "" || c.GroupRef != "" {
		return "", nil
	}
	if !job.Asked && !settings.AutoPlan {
		return comment.ByCommand, nil
	}
	rules := settings.rules(gate.ActPlan, false)
	p, err := b.Runs.Pull(ctx, b.DB, c.Repo, c.Pull)
	if err != nil {
		return "", err
	}
	repo, err := b.Clients.Repo(ctx, b.DB, c.Repo)
	if err != nil {
		return "", err
	}
	gh, err := b.installation(ctx, repo.ClientID)
	if err != nil {
		return "", err
	}
	facts, err := b.gateFacts(ctx, gh, repo, p, job.Actor, rules.Needs())
	if err != nil {
		return "", err
	}
	rules.Policies = false // there is no plan yet that they could judge
	closed := gate.Closed(gate.Evaluate(rules, facts))
	if len(closed) == 0 {
		return "", nil
	}
	lines := make([]string, len(closed))
	for i, v := range closed {
		lines[i] = gate.Sentence(v)
	}
	return strings.Join(lines, "\n"), nil
}

func (b *Bot) queuePlans(ctx context.Context, tx *db.Tx, c run.Change, found discovered, actor access.Actor) (stop []string, err error) {
	created, stop, err := b.Runs.AddPlans(ctx, tx, c, found.Wanted, proposal.Notes(append(found.Problems, found.Gone...)), actor)
	if err != nil {
		return nil, err
	}
	left, err := b.stand(ctx, tx, created, found.standing, found.settings.Lock == LockAtPlan)
	if err != nil {
		return nil, err
	}
	for _, r := range left {
		if r.Status != run.Queued {
			continue
		}
		if err := b.enqueueRun(ctx, tx, r); err != nil {
			return nil, err
		}
	}
	return stop, b.due(ctx, tx, c)
}

func (b *Bot) unplannable(ctx context.Context, c run.Change, reason string) error {
	return b.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := b.Runs.SetUnplannable(ctx, tx, c.ID, reason); err != nil {
			return err
		}
		return b.tell(ctx, tx, c.ID, true)
	})
}

// nothingMatches answers a `plan` whose flags name no project.
func (b *Bot) nothingMatches(ctx context.Context, tx *db.Tx, c run.Change, job queue.Job[planJob]) error {
	return b.Queue.Enqueue(ctx, tx, replyJob{c.Client, c.Repo, c.Pull, fmt.Sprintf("plan-%d", job.ID),
		fmt.Sprintf("No project of this repository matches `%s`.", markdown.Word(strings.TrimSpace(job.Args.Filter.String())))})
}

// freeUntouched gives up the locks that earlier heads of the pull took on
// projects that the present one does not touch, and wakes who waits for them.
func (b *Bot) freeUntouched(ctx context.Context, tx *db.Tx, c run.Change, wanted []run.Wanted, actor access.Actor) error {
	freed, err := b.Runs.ReleaseOthers(ctx, tx, c, wanted, actor)
	if err != nil {
		return err
	}
	for _, k := range freed {
		if err := b.wakeNext(ctx, tx, k); err != nil {
			return err
		}
	}
	return nil
}

// planRun makes one project's plan: it takes the lock where that is due,
// watches the runner, judges and prices the plan, and stores the outcome with
// the answer's job. Whatever attempt this is, it first looks at what earlier
// ones left.
func (b *Bot) planRun(ctx context.Context, job queue.Job[planRunJob]) error {
	defer b.Capacity.Leave(job.Args.Run)
	r, c, err := b.startPlan(ctx, job.Args.Run)
	if err != nil || r.Status != run.Running {
		return wait(err)
	}
	outcome, err := b.execPlan(ctx, r, c)
	if errors.Is(err, runner.ErrInterrupted) && ctx.Err() == nil && job.Attempt >= maxKilled {
		r.Error = fmt.Sprintf("The process that planned was killed, %d times. Perhaps the machine has too little memory for it.", maxKilled)
		outcome, err = &planOutcome{run: r}, nil
	}
	if err != nil {
		return b.unwatched(ctx, err)
	}
	if outcome == nil { // superseded or canceled meanwhile
		return b.cleanUp(ctx, r, r.ID)
	}
	if outcome.result.Locked && b.waitsForState(r) {
		return b.planLater(ctx, r, outcome.result.LockHolder)
	}
	err = b.DB.Tx(ctx, func(tx *db.Tx) error { return b.finishPlan(ctx, tx, r, c, outcome) })
	if errs.Is(err, errs.Conflict) {
		err = nil // superseded at the last moment
	}
	if err != nil {
		return err
	}
	b.noteResources(ctx, r, outcome.plan)
	return b.cleanUp(ctx, r, r.ID)
}

// maxKilled is how often a plan whose runner dies without a word is tried.
const maxKilled = 3

// planLater sends a plan back to the queue because somebody else holds the
// lock of its state, and says who. It never breaks that lock.
func (b *Bot) planLater(ctx context.Context, r run.Run, holder string) error {
	if err := b.Runner.Remove(r.ID); err != nil { // or the next attempt would find this one's result
		return err
	}
	err := b.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := b.Runs.Requeue(ctx, tx, r, stateLocked(holder)); err != nil {
			return err
		}
		return b.tell(ctx, tx, r.Change, true)
	})
	if errs.Is(err, errs.Conflict) { // superseded at the last moment
		return b.cleanUp(ctx, r, r.ID)
	}
	if err != nil {
		return err
	}
	return queue.Snooze(stateLockPause)
}

// unwatched turns the end of a watch into what the queue should do: a server
// that is going down leaves the run to whoever comes next.
func (b *Bot) unwatched(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return queue.Snooze(0)
	}
	return wait(err)
}

// startPlan brings a queued plan to Running, or to Blocked when another pull
// holds the lock. A plan that was left running by a dead process is adopted if
// its runner lives, and begun again if not: a plan may be repeated.
func (b *Bot) startPlan(ctx context.Context, id string) (r run.Run, c run.Change, err error) {
	err = b.DB.Tx(ctx, func(tx *db.Tx) error {
		if r, err = b.Runs.Run(ctx, tx, id); err != nil {
			return err
		}
		if c, err = b.Runs.Change(ctx, tx, r.Change); err != nil {
			return err
		}
		if r.Status == run.Running && r.Node == b.Node && b.adoptable(r.ID) {
			return nil
		}
		if r.Status == run.Running {
			if r, err = b.Runs.Requeue(ctx, tx, r, ""); err != nil {
				return err
			}
		}
		if r.Status != run.Queued {
			return nil
		}
		settings, err := settingsOf(c, b.Settings)
		if err != nil {
			return err
		}
		locks := settings.Lock == LockAtPlan || c.MergeSHA != ""
		if locks && r.Kind == run.Plan && c.GroupRef == "" {
			lock, held, err := b.Runs.Acquire(ctx, tx, r)
			if err != nil {
				return err
			}
			if !held {
				r.Status = run.Queued
				if err := b.Runs.Block(ctx, tx, r, lock); err != nil {
					return err
				}
				r.Status = run.Blocked
				return b.tell(ctx, tx, c.ID, true)
			}
		}
		r, err = b.Runs.Begin(ctx, tx, r, b.Node)
		return err
	})
	return r, c, err
}

// planOutcome is what a plan came to, ready to be stored.
type planOutcome struct {
	result   tfrun.Result
	plan     *tfplan.Plan // nil when planning failed, or an earlier plan stands
	standing *run.Run     // the earlier plan that stands; else nil
	run      run.Run      // with everything filled in
}

// execPlan runs, or goes on watching, the run's Terraform and reads what it
// made. It returns nil when the run was stopped on purpose.
func (b *Bot) execPlan(ctx context.Context, r run.Run, c run.Change) (*planOutcome, error) {
	adopt := b.adoptable(r.ID)
	if !adopt { // before the tree is touched: what an earlier attempt left may still be ending in it
		if err := b.Runner.Remove(r.ID); err != nil {
			return nil, err
		}
	}
	leave, err := b.admit(ctx, r, adopt)
	if errors.Is(err, errStopped) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer leave()
	tree, data, release, err := b.trees.acquire(ctx, c, r.Project.Workspace, r.Commit, adopt)
	if err != nil {
		return nil, err
	}
	defer release()
	if !adopt {
		spec, err := b.spec(ctx, &r, r.ID, tfrun.KindPlan, tree, data)
		if why := toolTrouble(err); why != "" {
			r.Error = why
			return &planOutcome{run: r}, nil
		}
		if err != nil {
			return nil, err
		}
		err = b.startRun(ctx, r, spec)
		var held *stateHeld
		if errors.As(err, &held) {
			r.Error = stateLocked(held.holder)
			return &planOutcome{run: r, result: tfrun.Result{Locked: true, LockHolder: held.holder}}, nil
		}
		if err != nil {
			return nil, err
		}
	}
	result, err := b.follow(ctx, r, r.ID, b.Terraform.PlanTimeout)
	if errors.Is(err, errStopped) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if result.Killed { // as good as its runner killed: the next attempt begins anew
		if err := b.Runner.Remove(r.ID); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("run %s: terraform was killed: %w", r.ID, runner.ErrInterrupted)
	}
	if r.Kind == run.Plan && !adopt { // an adopted one was begun under settings that nobody knows now
		facts, err := b.facts(ctx, r)
		if err != nil {
			return nil, err
		}
		read, err := b.readBy(r)
		if err != nil {
			return nil, err
		}
		if r.MadeWith, err = b.madeWith(ctx, c, facts, r.Project, read); err != nil {
			return nil, err
		}
	}
	return b.readPlan(ctx, r, r.ID, result)
}

// storePlan stores what a plan came to.
func (b *Bot) storePlan(ctx context.Context, tx *db.Tx, o *planOutcome, final run.Status) error {
	if o.standing != nil {
		return b.Runs.Reuse(ctx, tx, o.run, *o.standing)
	}
	if err := b.Runs.Finish(ctx, tx, o.run, final); err != nil {
		return err
	}
	return b.Runs.SetMadeWith(ctx, tx, o.run.ID, o.run.MadeWith)
}

// finishPlan stores a plan's outcome, gives the lock back where nothing is to
// be protected, and has the answer told.
func (b *Bot) finishPlan(ctx context.Context, tx *db.Tx, r run.Run, c run.Change, o *planOutcome) error {
	final := run.Planned
	if o.plan == nil && o.standing == nil {
		final = run.Failed
	}
	if err := b.storePlan(ctx, tx, o, final); err != nil {
		return err
	}
	if final == run.Planned {
		of := o.run
		if o.standing != nil {
			of = *o.standing
		}
		if err := b.ledgerPlanned(ctx, tx, o.run, of, c); err != nil {
			return err
		}
	}
	if watches(r) {
		return b.noteDrift(ctx, tx, r.ID)
	}
	if r.Kind == run.Drift {
		return b.batchDone(ctx, tx, r)
	}
	if final == run.Planned && o.run.Summary.Empty() {
		freed, err := b.Runs.Release(ctx, tx, r)
		if err != nil {
			return err
		}
		if freed {
			if err := b.wakeNext(ctx, tx, r.Key()); err != nil {
				return err
			}
		}
	}
	if err := b.due(ctx, tx, c); err != nil {
		return err
	}
	settled, err := b.Runs.Settled(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	return b.tell(ctx, tx, c.ID, settled)
}

// batchDone replies once every run of the batch has come to an end.
func (b *Bot) batchDone(ctx context.Context, tx *db.Tx, r run.Run) error {
	if done, err := b.Runs.BatchDone(ctx, tx, r.Batch); err != nil || !done {
		return err
	}
	runs, err := b.Runs.Batch(ctx, tx, r.Batch)
	if err != nil {
		return err
	}
	return b.Queue.Enqueue(ctx, tx, replyJob{r.Client, r.Repo, r.Pull, r.Batch, comment.Drift(runs)}, queue.Unique("reply:"+r.Batch))
}

// cleanUp removes the runner's folder and, once nothing of the change is
// under way and its pull is closed, the work trees of that.
func (b *Bot) cleanUp(ctx context.Context, r run.Run, folder string) error {
	if err := b.Runner.Remove(folder); err != nil {
		b.Log.Warn("run folder not removed", keyRun, folder, "error", err)
	}
	settled, err := b.Runs.Settled(ctx, b.DB, r.Change)
	if err != nil || !settled {
		return err
	}
	c, err := b.Runs.Change(ctx, b.DB, r.Change)
	if err != nil {
		return err
	}
	at := home(c)
	keep, err := b.keepTrees(ctx, at, b.Now())
	if err != nil || keep {
		return err
	}
	if err := b.trees.drop(at); err != nil {
		b.Log.Warn("work tree not removed", keyChange, r.Change, "error", err)
	}
	return nil
}
