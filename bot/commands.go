package bot

import (
	"context"
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/bot/comment"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/run"
)

// What commands do once they are let through: each in the transaction that
// ends the delivery.

func (b *Bot) applyPlans(ctx context.Context, tx *db.Tx, in ApplyPlans, actor access.Actor) error {
	for _, plan := range in.Plans {
		if _, err := b.addApply(ctx, tx, plan, in.Change.Target(), in.Gates[plan.ID], actor); err != nil {
			return err
		}
	}
	if in.AutoMerge {
		if err := b.Runs.SetAutoMerge(ctx, tx, in.Change.ID); err != nil {
			return err
		}
	}
	if err := b.due(ctx, tx, in.Change); err != nil {
		return err
	}
	return b.tell(ctx, tx, in.Change.ID, true)
}

// addApply queues the apply of a plan. One that must wait for others of its
// change is begun by due.
func (b *Bot) addApply(ctx context.Context, tx *db.Tx, plan run.Run, commit, gates string, actor access.Actor) (run.Run, error) {
	r, created, err := b.Runs.AddApply(ctx, tx, plan, commit, gates, actor)
	if err != nil || !created || r.Status != run.Queued {
		return r, err
	}
	return r, b.Queue.Enqueue(ctx, tx, applyRunJob{r.ID})
}

// due begins the runs of the change that waited for others of it and need not
// any more.
func (b *Bot) due(ctx context.Context, tx *db.Tx, c run.Change) error {
	ready, err := b.Runs.Due(ctx, tx, c.ID, c.Target(), b.actor)
	if err != nil {
		return err
	}
	for _, r := range ready {
		if err := b.enqueueRun(ctx, tx, r); err != nil {
			return err
		}
	}
	return nil
}

// enqueueRun queues the job of a queued run.
func (b *Bot) enqueueRun(ctx context.Context, tx *db.Tx, r run.Run) error {
	switch r.Kind {
	case run.Apply, run.StateChange:
		return b.Queue.Enqueue(ctx, tx, applyRunJob{r.ID})
	}
	if watches(r) {
		return b.Queue.Enqueue(ctx, tx, driftRunJob{r.ID}, queue.For(r.Client))
	}
	return b.Queue.Enqueue(ctx, tx, planRunJob{r.ID}, queue.For(r.Client))
}

func (b *Bot) retryApplies(ctx context.Context, tx *db.Tx, in RetryApplies, actor access.Actor) error {
	for _, failed := range in.Failed {
		r, err := b.Runs.RetryApply(ctx, tx, failed, in.Change.Target(), "", actor)
		if err != nil {
			return err
		}
		if err := b.enqueueRun(ctx, tx, r); err != nil {
			return err
		}
	}
	return b.tell(ctx, tx, in.Change.ID, true)
}

func (b *Bot) operate(ctx context.Context, tx *db.Tx, in Operate, actor access.Actor) error {
	r, err := b.Runs.AddOperation(ctx, tx, in.Change, in.Project, in.Operation, in.Change.Target(), in.Gates, actor)
	if err != nil {
		return err
	}
	return b.enqueueRun(ctx, tx, r)
}

func (b *Bot) compareWorld(ctx context.Context, tx *db.Tx, in CompareWorld, batch string, actor access.Actor) error {
	runs, err := b.Runs.AddDrift(ctx, tx, in.Change, in.Projects, in.Options, in.Change.Target(), batch, actor)
	if err != nil {
		return err
	}
	for _, r := range runs {
		if err := b.enqueueRun(ctx, tx, r); err != nil {
			return err
		}
	}
	return nil
}

// cancelRuns ends what has not begun and asks for what is under way to be
// stopped. It returns the plans to be stopped; whoever watches an apply sees
// the wish by itself.
func (b *Bot) cancelRuns(ctx context.Context, tx *db.Tx, in CancelRuns, actor access.Actor) (stop []string, err error) {
	for _, was := range in.Runs {
		r, err := b.Runs.Run(ctx, tx, was.ID)
		if err != nil {
			return nil, err
		}
		switch {
		case r.Status.Finished():
			continue
		case (r.Kind == run.Apply || r.Kind == run.StateChange) && r.Status == run.Running:
			if err := b.Runs.AskStop(ctx, tx, r, actor); err != nil {
				return nil, err
			}
			continue
		case r.Status == run.Running:
			stop = append(stop, r.ID)
		}
		if err := b.Runs.Cancel(ctx, tx, r, actor, "Canceled by "+actor.Name+"."); err != nil {
			return nil, err
		}
		switch r.Kind {
		case run.Drift:
			if err := b.batchDone(ctx, tx, r); err != nil {
				return nil, err
			}
		case run.StateChange:
			if err := b.tellEnd(ctx, tx, r.ID); err != nil {
				return nil, err
			}
		case run.Plan: // nothing is left that its lock could protect
			if err := b.free(ctx, tx, r); err != nil {
				return nil, err
			}
		}
	}
	if err := b.due(ctx, tx, in.Change); err != nil {
		return nil, err
	}
	return stop, b.tell(ctx, tx, in.Change.ID, true)
}

// versions says what runs here.
func (b *Bot) versions() string {
	own := b.Terraform.Tools.Default()
	if own.Empty() {
		return fmt.Sprintf("Tidelock %s.", b.Version)
	}
	return fmt.Sprintf("Tidelock %s, %s.", b.Version, own)
}

// rollback opens the pull request that takes a merged one back. GitHub itself
// makes the commit, so that nobody has to trust ours; its plan shows what will
// be undone.
func (b *Bot) rollback(ctx context.Context, job queue.Job[rollbackJob]) error {
	j := job.Args
	gh, err := b.installation(ctx, j.Client)
	if err != nil {
		return err
	}
	p, err := b.Runs.Pull(ctx, b.DB, j.Repo, j.Pull)
	if err != nil {
		return err
	}
	title := fmt.Sprintf("Roll back #%d: %s", p.Number, p.Title)
	body := fmt.Sprintf("Takes back #%d, as %s asked for there. Its plan shows what will be undone; what a plan can't bring back, such as deleted data, it can't either.", p.Number, markdown.Code(j.Actor.Name))
	made, err := gh.RevertPull(ctx, j.Repo, j.Pull, title, body, false)
	text := ""
	switch {
	case err == nil:
		text = fmt.Sprintf("#%d takes this back. Read its plan there; merging it applies it.", made.Number)
	case errs.Is(err, errs.Conflict), errs.Is(err, errs.Forbidden), errs.Is(err, errs.Invalid), errs.Is(err, errs.NotFound):
		text = "GitHub can't take this pull request back by itself: " + strings.TrimSpace(errs.Sentence(err)) +
			" Revert it by hand: `git revert -m 1 " + comment.Short(p.MergeSHA) + "` (without `-m 1` where it was squashed), push that to a branch, and open a pull request."
	default:
		return wait(err)
	}
	return b.DB.Tx(ctx, func(tx *db.Tx) error {
		return b.Queue.Enqueue(ctx, tx, replyJob{j.Client, j.Repo, j.Pull, j.Key + "-done", text}, queue.Unique("reply:"+j.Key))
	})
}
