package queue

import (
	"context"

	"github.com/riverqueue/river/riverdriver"
)

// Beat and Sweep let a test with its own clock be the watcher.
func (q *Queue) Beat(ctx context.Context) error  { return q.beat(ctx) }
func (q *Queue) Sweep(ctx context.Context) error { return q.sweep(ctx) }

// Choose chooses whose turn it is in a fair lane with room for n.
func (q *Queue) Choose(ctx context.Context, lane string, n int) error {
	_, err := q.choose(ctx, q.turns.lanes[lane], &riverdriver.JobGetAvailableParams{Queue: lane, MaxToLock: n})
	return err
}

// LoadsQuery is what Loads asks.
var LoadsQuery = loadsQuery
