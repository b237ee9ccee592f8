package bot

import (
	"context"
	"fmt"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/run"
)

// While a change is under way GitHub is told of it rarely: people can't read
// faster, and GitHub counts every write. First comes silence, since most plans
// end before anybody looks; then the check says that work is under way; then
// the comment tells how far it is, at growing intervals.
const (
	firstWord     = 4 * time.Second  // the check
	firstProgress = 30 * time.Second // the comment
	longestPause  = 10 * time.Minute
)

// nextWord returns how long after the work began GitHub is to be told next,
// where so much time has passed: 4 s, 30 s, 1 min 30 s, 3 min 30 s, …
func nextWord(passed time.Duration) time.Duration {
	if passed < firstWord {
		return firstWord
	}
	due := firstProgress
	for pause := time.Minute; due <= passed; pause = min(2*pause, longestPause) {
		due += pause
	}
	return due
}

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
	return b.Queue.Enqueue(ctx, tx, answerJob{change}, queue.At(b.Now().Add(firstWord)), queue.Coalesce("later:"+change))
}

// tellLater has GitHub told of a change that is under way, when that is due.
func (b *Bot) tellLater(ctx context.Context, tx *db.Tx, change string) error {
	began, err := b.Runs.BusySince(ctx, tx, change)
	if err != nil {
		return err
	}
	due := began.Add(nextWord(b.Now().Sub(began)))
	return b.Queue.Enqueue(ctx, tx, answerJob{change}, queue.At(due), queue.Coalesce(fmt.Sprintf("%d:%s", due.UnixMilli(), change)))
}

// pace is what GitHub may be told of the change now.
type pace struct {
	busy    bool // something of it is under way
	check   bool
	comment bool
}

// paceOf says what may be told after so much time. Pure.
func paceOf(v View, began time.Time) pace {
	if !v.busy() {
		return pace{check: true, comment: true}
	}
	if began.IsZero() { // it began this moment
		return pace{busy: true}
	}
	passed := v.Now.Sub(began)
	return pace{busy: true, check: passed >= firstWord, comment: passed >= firstProgress}
}

// busy reports whether anything of the change is being worked on.
func (v View) busy() bool {
	switch v.Phase() {
	case run.PhaseQueued:
		return true
	case run.PhasePlanning, run.PhaseApplying:
		for _, p := range v.Pairs {
			for _, r := range []*run.Run{p.Plan, p.Apply} {
				if r != nil && !r.Status.Finished() && !r.Waits() {
					return true
				}
			}
		}
	}
	return false
}
