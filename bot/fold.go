package bot

import (
	"context"
	"time"

	"github.com/tidelock/tidelock/bot/comment"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/run"
)

// foldJob folds away the comments of a pull that its newest plan has made old.
type foldJob struct {
	Change string `json:"change"`
}

func (foldJob) Kind() string { return "fold" }

// foldOld has the comments folded away that are older than the change's
// newest plan, once that has settled and is told.
func (b *Bot) foldOld(ctx context.Context, v comment.View) error {
	planned := newestPlan(v)
	if planned.IsZero() {
		return nil
	}
	old, err := b.Runs.Unfolded(ctx, b.DB, v.Change.Repo, v.Change.Pull, planned)
	if err != nil || len(old) == 0 {
		return err
	}
	return b.DB.Tx(ctx, func(tx *db.Tx) error {
		return b.Queue.Enqueue(ctx, tx, foldJob{v.Change.ID}, queue.Coalesce(v.Change.ID), queue.Priority(4))
	})
}

// newestPlan returns when the newest plan of the change was asked for; the
// zero time while there is none that is worth more than what was said before.
func newestPlan(v comment.View) time.Time {
	var newest time.Time
	switch v.Phase() {
	case run.PhaseQueued, run.PhasePlanning, run.PhaseApplying, run.PhaseSuperseded, run.PhaseClosed:
		return newest
	}
	if v.Change.GroupRef != "" {
		return newest
	}
	for _, p := range v.Pairs {
		if p.Plan.Created.After(newest) {
			newest = p.Plan.Created
		}
	}
	if newest.IsZero() { // nothing to plan, which is news too
		newest = v.Change.Created
	}
	return newest
}

// fold folds old comments away. It is not worth a fuss: one that can't be
// folded stays as it is.
func (b *Bot) fold(ctx context.Context, job queue.Job[foldJob]) error {
	c, err := b.Runs.Change(ctx, b.DB, job.Args.Change)
	if err != nil || c.Status == run.Outdated {
		return err // the newer head's answer folds
	}
	v, err := b.view(ctx, c)
	if err != nil {
		return err
	}
	planned := newestPlan(v)
	if planned.IsZero() {
		return nil
	}
	old, err := b.Runs.Unfolded(ctx, b.DB, c.Repo, c.Pull, planned)
	if err != nil {
		return err
	}
	gh, err := b.installation(ctx, c.Client)
	if err != nil {
		return err
	}
	kept := b.kept(v)
	for _, r := range old {
		if kept[r.Comment] {
			continue
		}
		switch err := gh.Minimize(ctx, r.Repo, r.Node, github.Outdated); {
		case err == nil:
		case errs.Is(err, errs.NotFound), errs.Is(err, errs.Forbidden), errs.Is(err, errs.Invalid):
			b.Log.Info("comment not folded away", keyPull, r.Pull, "comment", r.Comment, "error", err)
		default:
			return wait(err)
		}
		if err := b.Runs.SetFolded(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// kept returns the comments that show the change itself.
func (b *Bot) kept(v comment.View) map[int64]bool {
	ids := map[int64]bool{}
	if !v.Settings.CommentPerCommit {
		ids[v.Change.CommentID] = true
	}
	for name, row := range v.Posted {
		if isCommentRow(name) {
			ids[row.ID] = true
		}
	}
	return ids
}
