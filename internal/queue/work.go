package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/tidelock/tidelock/internal/errs"
)

// raw holds a job's arguments undecoded until the handler's turn, so that what
// can't be decoded is set aside at once rather than tried ten times.
type raw[T Args] struct{ body json.RawMessage }

func (raw[T]) Kind() string {
	var zero T
	return zero.Kind()
}
func (r raw[T]) MarshalJSON() ([]byte, error) { return r.body, nil }
func (r *raw[T]) UnmarshalJSON(b []byte) error {
	r.body = append(r.body[:0], b...)
	return nil
}

// worker runs one kind's jobs.
type worker[T Args] struct {
	river.WorkerDefaults[raw[T]]
	q      *Queue
	handle func(context.Context, Job[T]) error
	opts   HandlerOptions
}

// Timeout implements river.Worker.
func (w *worker[T]) Timeout(*river.Job[raw[T]]) time.Duration { return w.opts.Timeout }

// Work implements river.Worker: it runs the handler and turns its error into
// what River does next.
func (w *worker[T]) Work(ctx context.Context, job *river.Job[raw[T]]) error {
	w.q.active.Store(job.ID, true)
	defer w.q.active.Delete(job.ID)
	start := time.Now()
	how, err := w.q.outcome(ctx, job.JobRow, w.attempt(ctx, job))
	if w.q.observed != nil {
		a := Attempt{Kind: job.Kind, Outcome: how, Took: time.Since(start)}
		if job.AttemptedAt != nil {
			a.Waited = max(0, job.AttemptedAt.Sub(job.ScheduledAt))
		}
		w.q.observed(a)
	}
	return err
}

// attempt reads the arguments and runs the handler.
func (w *worker[T]) attempt(ctx context.Context, job *river.Job[raw[T]]) error {
	j := Job[T]{ID: job.ID, Attempt: job.Attempt, MaxAttempts: job.MaxAttempts, Created: job.CreatedAt}
	if err := json.Unmarshal(job.Args.body, &j.Args); err != nil {
		return Discard(fmt.Errorf("the arguments can't be read: %w", err))
	}
	if err := w.q.giveKeyUp(ctx, job.JobRow); err != nil {
		return err
	}
	return w.call(ctx, j)
}

// call runs the handler. Its panic becomes an error with the stack.
func (w *worker[T]) call(ctx context.Context, j Job[T]) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return w.handle(ctx, j)
}

// giveKeyUp lets the next job with this one's key in, before the handler reads
// anything: what changes from now on is the next job's to see.
func (q *Queue) giveKeyUp(ctx context.Context, row *rivertype.JobRow) error {
	var meta struct{ Coalesce bool }
	if err := json.Unmarshal(row.Metadata, &meta); err != nil || !meta.Coalesce || row.UniqueKey == nil {
		return nil // River's metadata is always an object; ours is there or not
	}
	_, err := q.o.DB.ExecContext(ctx, `UPDATE river_job SET unique_key = NULL WHERE id = $1`, row.ID)
	return err
}

// unavailableFor is how long a job may wait for something unavailable before
// its failures count as attempts.
const unavailableFor = 24 * time.Hour

// outcome logs how a job went, and says it in our word and as River wants it.
func (q *Queue) outcome(ctx context.Context, row *rivertype.JobRow, err error) (Outcome, error) {
	if err == nil {
		return Done, nil
	}
	log := q.o.Log.With("job", row.ID, "kind", row.Kind, "attempt", row.Attempt)
	var zz *snooze
	if errors.As(err, &zz) {
		return Later, river.JobSnooze(max(zz.d, 0))
	}
	var dead *discard
	if errors.As(err, &dead) {
		log.Error("job is dead", "error", dead.err)
		return Died, river.JobCancel(dead.err)
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return Stopped, err // River runs it again without an attempt spent
	}
	if errs.Is(err, errs.Unavailable) && q.o.Clock.Now().Sub(row.CreatedAt) < unavailableFor {
		pause := unavailablePause(row, err)
		log.Warn("job waits", "pause", pause, "error", err)
		return Later, river.JobSnooze(pause)
	}
	if row.Attempt >= row.MaxAttempts {
		log.Error("job is dead", "error", err)
		return Died, err
	}
	log.Warn("job failed", "error", err)
	return Failed, err
}

// unavailablePause is how long a job waits for something unavailable: what the
// error itself says (RetryAfter() time.Duration), else 1 s, 2 s, 4 s … up to a
// minute, so that work resumes soon after a long outage.
func unavailablePause(row *rivertype.JobRow, err error) time.Duration {
	var told interface{ RetryAfter() time.Duration }
	if errors.As(err, &told) && told.RetryAfter() > 0 {
		return told.RetryAfter()
	}
	var meta struct{ Snoozes int }
	_ = json.Unmarshal(row.Metadata, &meta) // 0 where there is none
	return backoff(meta.Snoozes, time.Minute)
}

// backoff returns 1 s · 2ⁿ, at most most, give or take a fifth, so that what
// failed together does not come back together.
func backoff(n int, most time.Duration) time.Duration {
	d := most
	if n < 16 {
		d = min(time.Second<<max(n, 0), most)
	}
	return d*4/5 + rand.N(d*2/5)
}

// retryPolicy spaces failed attempts out: 1 s, 2 s, 4 s … up to 10 minutes.
type retryPolicy struct{ clock Clock }

const retryMost = 10 * time.Minute

// NextRetry implements river.ClientRetryPolicy.
func (p retryPolicy) NextRetry(row *rivertype.JobRow) time.Time {
	return p.clock.Now().UTC().Add(backoff(row.Attempt-1, retryMost))
}
