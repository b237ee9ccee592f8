package bot

import (
	"context"

	"github.com/tidelock/tidelock/bot/command"
	"github.com/tidelock/tidelock/bot/comment"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/run"
)

// A state operation lives as an apply does, but the pull's comment tells of
// plans and applies alone: what becomes of an operation is a reply.

// tellEnd tells where an apply or a state operation stands that waits, or ended
// before it began.
func (b *Bot) tellEnd(ctx context.Context, tx *db.Tx, id string) error {
	r, err := b.Runs.Run(ctx, tx, id)
	if err != nil {
		return err
	}
	if r.Kind != run.StateChange {
		return b.tell(ctx, tx, r.Change, true)
	}
	if r.Status.Finished() {
		if err := b.giveBack(ctx, tx, r); err != nil {
			return err
		}
	}
	return b.replyOperation(ctx, tx, r)
}

// giveBack frees the lock that was taken for an operation which did nothing:
// one that the pull had before stays.
func (b *Bot) giveBack(ctx context.Context, tx *db.Tx, r run.Run) error {
	lock, err := b.Runs.Lock(ctx, tx, r.Key())
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	if err != nil || lock.Pull != r.Pull || lock.Taken.Before(r.Created) {
		return err
	}
	return b.free(ctx, tx, r)
}

func (b *Bot) replyOperation(ctx context.Context, tx *db.Tx, r run.Run) error {
	key := "state-" + r.ID
	if !r.Status.Finished() {
		key += "-" + string(r.Status)
	}
	return b.Queue.Enqueue(ctx, tx, replyJob{r.Client, r.Repo, r.Pull, key, comment.Operation(r)}, queue.Unique(key))
}

// operated ends a state operation that was begun: it tells what was done, and
// has the project planned again, since what its plan was made of is another
// state now.
func (a *application) operated(ctx context.Context, tx *db.Tx, final run.Status) error {
	settings, err := settingsOf(a.change, a.Settings)
	if err != nil {
		return err
	}
	switch {
	case final == run.Interrupted: // a person decides
	case final == run.Applied && settings.Lock != LockAtPlan:
		err = a.free(ctx, tx, a.run)
	default: // the plan that is due again keeps the lock
		err = a.Runs.KeepForPerson(ctx, tx, a.run)
	}
	if err != nil {
		return err
	}
	a.run.Status = final
	if err := a.replyOperation(ctx, tx, a.run); err != nil {
		return err
	}
	only := command.Filter{Dirs: []string{a.run.Project.Dir}, Workspaces: []string{a.run.Project.Workspace}}
	return a.Queue.Enqueue(ctx, tx, planJob{Change: a.change.ID, Filter: only, Actor: a.run.Actor, Asked: true}, queue.For(a.run.Client))
}
