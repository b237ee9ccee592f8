package queue

import "context"

// Beat and Sweep let a test with its own clock be the watcher.
func (q *Queue) Beat(ctx context.Context) error  { return q.beat(ctx) }
func (q *Queue) Sweep(ctx context.Context) error { return q.sweep(ctx) }
