package bot

import (
	"context"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/run"
)

// merged applies what a merge brought: it waits until every plan of the change
// has come to an end, then queues an apply for each plan that changes
// something. A plan that may not be applied as it is gets an apply that is
// held at once, so that the comment asks a person instead of saying nothing.
func (b *Bot) merged(ctx context.Context, job queue.Job[mergedJob]) error {
	var pause time.Duration
	err := b.DB.Tx(ctx, func(tx *db.Tx) error {
		pause = 0
		c, err := b.Runs.Change(ctx, tx, job.Args.Change)
		if err != nil || !c.Status.Live() {
			return err
		}
		runs, err := b.Runs.Runs(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		pairs := run.Pairs(runs)
		if c.Status == run.Pending || planning(pairs) {
			pause = time.Second
			return nil
		}
		settings, err := settingsOf(c, b.Settings)
		if err != nil {
			return err
		}
		if err := b.applyPairs(ctx, tx, pairs, c, settings, job.Args); err != nil {
			return err
		}
		if err := b.due(ctx, tx, c); err != nil {
			return err
		}
		return b.tell(ctx, tx, c.ID, true)
	})
	if err == nil && pause > 0 {
		return queue.Snooze(pause)
	}
	return err
}

func planning(pairs []run.Pair) bool {
	for _, p := range pairs {
		if !p.Plan.Status.Finished() && p.Plan.Status != run.Deferred {
			return true
		}
	}
	return false
}

// applyPairs queues or holds an apply for each pair that needs one, and frees
// the locks of the others. What waits for others to be applied is planned when
// they are; nobody can have reviewed that plan, so a person says `apply`.
func (b *Bot) applyPairs(ctx context.Context, tx *db.Tx, pairs []run.Pair, c run.Change, settings Settings, job mergedJob) error {
	for _, p := range pairs {
		switch {
		case p.Plan.Status == run.Deferred:
			continue
		case p.Apply != nil && p.Apply.Status != run.Applied && p.Apply.Status != run.Superseded:
			// It is under way, or it ended so that a person must decide: the lock is
			// theirs, however often GitHub tells of the merge.
			continue
		case !appliable(p):
			if err := b.free(ctx, tx, *p.Plan); err != nil {
				return err
			}
		case !settings.ApplyOnMerge:
			if err := b.free(ctx, tx, *p.Plan); err != nil {
				return err
			}
		default:
			hold := verdictTrouble(*p.Plan)
			if job.Unseen {
				hold = "The pull request was merged before it was planned, so nobody can have reviewed this plan. Read it, then comment `plan` and `apply`."
			}
			if err := b.applyOrHold(ctx, tx, *p.Plan, c.Target(), job.Actor, hold); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *Bot) applyOrHold(ctx context.Context, tx *db.Tx, plan run.Run, commit string, actor access.Actor, hold string) error {
	if hold == "" {
		_, err := b.addApply(ctx, tx, plan, commit, "", actor)
		return err
	}
	r, created, err := b.Runs.AddApply(ctx, tx, plan, commit, "", actor)
	if err != nil || !created {
		return err
	}
	if r.Status == run.Deferred {
		if err := b.Runs.Unblock(ctx, tx, r); err != nil {
			return err
		}
		r.Status = run.Queued
	}
	if r, err = b.Runs.Begin(ctx, tx, r, b.Node); err != nil {
		return err
	}
	r.Error = hold
	return b.Runs.Finish(ctx, tx, r, run.Held)
}

// free releases the run's lock and wakes who waits for it.
func (b *Bot) free(ctx context.Context, tx *db.Tx, r run.Run) error {
	freed, err := b.Runs.Release(ctx, tx, r)
	if err != nil || !freed {
		return err
	}
	return b.wakeNext(ctx, tx, r.Key())
}

// mergeIfDone has the pull merged once everything of it is applied, where that
// was asked for.
func (a *application) mergeIfDone(ctx context.Context, tx *db.Tx) error {
	c, err := a.Runs.Change(ctx, tx, a.change.ID)
	if err != nil || !c.AutoMerge || c.MergeSHA != "" || !c.Status.Live() {
		return err
	}
	runs, err := a.Runs.Runs(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	for _, p := range run.Pairs(runs) {
		if !p.Done() {
			return nil
		}
	}
	return a.Queue.Enqueue(ctx, tx, autoMergeJob{c.ID}, queue.Unique(c.ID))
}

// autoMerge merges the pull at the head that was applied, or puts it into the
// merge queue where the branch has one, and deletes its branch where that is
// wanted.
func (b *Bot) autoMerge(ctx context.Context, job queue.Job[autoMergeJob]) error {
	c, err := b.Runs.Change(ctx, b.DB, job.Args.Change)
	if err != nil || !c.Status.Live() {
		return err
	}
	settings, err := settingsOf(c, b.Settings)
	if err != nil {
		return err
	}
	p, err := b.Runs.Pull(ctx, b.DB, c.Repo, c.Pull)
	if err != nil {
		return err
	}
	gh, err := b.installation(ctx, c.Client)
	if err != nil {
		return err
	}
	now, err := gh.Pull(ctx, c.Repo, c.Pull)
	if err != nil {
		return wait(err)
	}
	switch {
	case now.Merged: // by an earlier attempt, or by somebody
	case now.State != "open":
		return nil
	default:
		_, err = gh.Merge(ctx, c.Repo, c.Pull, c.HeadSHA, settings.MergeMethod)
		if github.NeedsQueue(err) {
			err = gh.Enqueue(ctx, c.Repo, c.Pull, c.HeadSHA)
			settings.DeleteBranch = false // the queue still reads it
		}
	}
	if errs.Is(err, errs.Conflict) || errs.Is(err, errs.Forbidden) {
		text := "Everything is applied, but GitHub did not merge the pull request: " + strings.TrimSpace(errs.Sentence(err)) + " Merge it by hand."
		return b.DB.Tx(ctx, func(tx *db.Tx) error {
			return b.Queue.Enqueue(ctx, tx, replyJob{c.Client, c.Repo, c.Pull, "merge-" + c.ID, text})
		})
	}
	if err != nil || !settings.DeleteBranch || p.Fork() {
		return wait(err)
	}
	if err := gh.DeleteBranch(ctx, c.Repo, p.HeadRef); errs.Is(err, errs.Forbidden) || errs.Is(err, errs.Conflict) {
		b.Log.Warn("branch not deleted", keyRepo, c.Repo, keyPull, c.Pull, "error", err)
		return nil
	} else if err != nil {
		return wait(err)
	}
	return nil
}
