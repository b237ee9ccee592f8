package bot

import (
	"context"
	"fmt"

	"github.com/tidelock/tidelock/bot/comment"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/run"
)

// tell has GitHub told of the change's present state, by a job in the caller's
// transaction: at once where nothing of the change is under way any more and
// soon asks for it, else with the next update that is due. Answers read
// everything anew, so one that waits stands for all.
func (b *Bot) tell(ctx context.Context, tx *db.Tx, change string, soon bool) error {
	if err := b.Runs.Touch(ctx, tx, change); err != nil {
		return err
	}
	c, err := b.Runs.Change(ctx, tx, change)
	if err != nil {
		return err
	}
	if c.Branch != "" {
		return nil // it has no comment: what it found is told when the check is through
	}
	busy, err := b.Runs.UnderWay(ctx, tx, change)
	if err != nil {
		return err
	}
	if c.Status == run.Pending || busy {
		return b.tellLater(ctx, tx, change)
	}
	if err := b.Runs.AtRest(ctx, tx, change); err != nil {
		return err
	}
	if soon {
		return b.Queue.Enqueue(ctx, tx, answerJob{change}, queue.Coalesce("now:"+change), queue.Priority(1))
	}
	return b.Queue.Enqueue(ctx, tx, answerJob{change}, queue.At(b.Now().Add(comment.FirstWord)), queue.Coalesce("later:"+change))
}

// tellLater has GitHub told of a change that is under way, when that is due.
func (b *Bot) tellLater(ctx context.Context, tx *db.Tx, change string) error {
	began, err := b.Runs.BusySince(ctx, tx, change)
	if err != nil {
		return err
	}
	due := began.Add(comment.NextWord(b.Now().Sub(began)))
	return b.Queue.Enqueue(ctx, tx, answerJob{change}, queue.At(due), queue.Coalesce(fmt.Sprintf("%d:%s", due.UnixMilli(), change)))
}
