package bot

import (
	"context"

	"github.com/tidelock/tidelock/bot/comment"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/run"
)

// planGroup plans what a merge queue built of the base branch, the pulls ahead
// and this one. It takes no lock and has no comment: all that the queue wants
// to know is whether merging would do what was reviewed.
func (b *Bot) planGroup(ctx context.Context, tx *db.Tx, in PlanGroup, actor access.Actor) error {
	if err := b.Runs.SavePull(ctx, tx, in.Pull); err != nil {
		return err
	}
	opened, err := b.Runs.OpenGroup(ctx, tx, in.Pull, in.Ref, in.Head, in.Base, actor)
	if err != nil || !opened.Created {
		return err
	}
	if err := b.Queue.Enqueue(ctx, tx, planJob{Change: opened.Change.ID, Actor: actor}, queue.For(in.Pull.Client)); err != nil {
		return err
	}
	return b.tell(ctx, tx, opened.Change.ID, true)
}

// postGroup tells the queue, by the check that it waits for.
func (b *Bot) postGroup(ctx context.Context, c run.Change) error {
	v, err := b.view(ctx, c)
	if err != nil {
		return err
	}
	own, reviewed, err := b.reviewedPairs(ctx, v.Pull)
	if err != nil {
		return err
	}
	// The ledger has the plans that were reviewed, not what the queue makes of
	// them: once they are the same, budgets say the same of both.
	if v.Budgets, err = b.Budget.Judge(ctx, b.DB, own); err != nil {
		return err
	}
	gh, err := b.installation(ctx, c.Client)
	if err != nil {
		return err
	}
	shown, err := b.Runs.Checks(ctx, b.DB, c.ID)
	if err != nil {
		return err
	}
	k := comment.GroupCheck(v, reviewed)
	return b.postCheck(ctx, gh, c, k, shown)
}

// reviewedPairs returns what was offered for review of the pull itself, and
// the change that it is of; "" where there is none.
func (b *Bot) reviewedPairs(ctx context.Context, p run.Pull) (string, []run.Pair, error) {
	c, err := b.Runs.ChangeAt(ctx, b.DB, p.Repo, p.Number, p.HeadSHA)
	if errs.Is(err, errs.NotFound) {
		return "", nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	runs, err := b.Runs.Runs(ctx, b.DB, c.ID)
	return c.ID, run.Pairs(runs), err
}
