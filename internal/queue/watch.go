package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"

	"github.com/tidelock/tidelock/internal/db"
)

// watch remembers when each node's heartbeat was last seen to change, by this
// process's monotonic clock. Nobody's wall clock has a say.
type watch struct {
	seen map[string]sighting
	lost map[int64]int // jobs marked as running here that no handler runs, and how often seen so
}

type sighting struct {
	beats int64
	at    time.Duration
}

func newWatch() watch { return watch{seen: map[string]sighting{}, lost: map[int64]int{}} }

// look takes the nodes' heartbeats as they stand at now and returns who lives:
// whose heartbeat has changed within after, or who was first seen less than
// after ago.
func (w *watch) look(beats map[string]int64, now, after time.Duration) (alive map[string]bool) {
	alive = map[string]bool{}
	for id, n := range beats {
		s, ok := w.seen[id]
		if !ok || s.beats != n {
			s = sighting{n, now}
			w.seen[id] = s
		}
		if now-s.at < after {
			alive[id] = true
		}
	}
	for id := range w.seen {
		if _, ok := beats[id]; !ok {
			delete(w.seen, id)
		}
	}
	return alive
}

// nodeOf returns the node of a process's mark.
func nodeOf(owner string) string {
	node, _, _ := strings.Cut(owner, "@")
	return node
}

// watchNodes beats this node's heart and looks after the others until ctx
// ends. Looking is more frequent than beating, so that a death is noticed
// within DeadAfter plus one and a half beats: 27.5 s with the defaults.
func (q *Queue) watchNodes(ctx context.Context) {
	defer q.watched.Done()
	beat := time.NewTicker(q.o.Beat)
	defer beat.Stop()
	look := time.NewTicker(q.o.Beat / 2)
	defer look.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			err = q.beat(ctx)
		case <-look.C:
			err = q.sweep(ctx)
		}
		if err != nil && ctx.Err() == nil {
			q.o.Log.Error("heartbeat failed", "node", q.o.Node, "error", err)
		}
	}
}

// beat tells the others that this node lives.
func (q *Queue) beat(ctx context.Context) error {
	now := db.Millis(q.o.Clock.Now())
	_, err := q.o.DB.ExecContext(ctx, `
		INSERT INTO nodes (id, name, started_ms, beat_ms, beats) VALUES ($1, $2, $3, $3, 1)
		ON CONFLICT (id) DO UPDATE SET name = $2, beat_ms = $3, beats = nodes.beats + 1`,
		q.o.Node, q.o.Name, now)
	return err
}

// sweep returns the jobs of dead nodes to the queue, and those of this process
// that are marked as running while nothing runs them: their end could not be
// written. Every node sweeps; there is no leader to wait for.
func (q *Queue) sweep(ctx context.Context) error {
	beats, err := q.beats(ctx)
	if err != nil {
		return err
	}
	alive := q.watch.look(beats, q.o.Clock.Elapsed(), q.o.DeadAfter)
	alive[q.o.Node] = true
	if err := q.reclaim(ctx, func(owner string) bool { return !alive[nodeOf(owner)] }); err != nil {
		return fmt.Errorf("take over dead nodes' jobs: %w", err)
	}
	return q.healSchedule(ctx)
}

func (q *Queue) beats(ctx context.Context) (map[string]int64, error) {
	rows, err := q.o.DB.QueryContext(ctx, `SELECT id, beats FROM nodes`)
	if err != nil {
		return nil, fmt.Errorf("read nodes: %w", err)
	}
	defer rows.Close()
	beats := map[string]int64{}
	for rows.Next() {
		var id string
		var n int64
		if err := rows.Scan(&id, &n); err != nil {
			return nil, fmt.Errorf("read nodes: %w", err)
		}
		beats[id] = n
	}
	return beats, rows.Err()
}

// reclaim puts back the running jobs whose process gone reports, and this
// process's own lost ones.
func (q *Queue) reclaim(ctx context.Context, gone func(owner string) bool) error {
	c, err := q.engine()
	if err != nil {
		return err
	}
	exec := c.exec()
	const page = 500
	lost := map[int64]int{}
	for after := int64(0); ; {
		jobs, err := exec.JobGetStuck(ctx, &riverdriver.JobGetStuckParams{AfterID: after, Max: page, StuckHorizon: farFuture})
		if err != nil {
			return err
		}
		for _, job := range jobs {
			after = job.ID
			if len(job.AttemptedBy) == 0 || job.AttemptedAt == nil {
				continue // its row can't be read; River fails it by itself
			}
			owner := job.AttemptedBy[len(job.AttemptedBy)-1]
			switch {
			case gone(owner):
			case owner == q.id && q.isLost(job, lost):
			default:
				continue
			}
			if err := q.putBack(ctx, exec, job, owner); err != nil {
				return err
			}
		}
		if len(jobs) < page {
			q.watch.lost = lost
			return nil
		}
	}
}

// farFuture lets JobGetStuck return every running job. It stays within four
// digits of year, which SQLite compares as text.
var farFuture = time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)

// isLost reports whether job, which is marked as running in this process, was
// seen without a handler three times in a row. Once means little: a handler's
// end is noted up to a quarter of a second after it.
func (q *Queue) isLost(job *rivertype.JobRow, lost map[int64]int) bool {
	if _, ok := q.active.Load(job.ID); ok {
		return false
	}
	lost[job.ID] = q.watch.lost[job.ID] + 1
	return lost[job.ID] >= 3
}

// putBack makes a job of a process that is gone available, or sets it aside if
// that was its last attempt: a job that takes every process down with it must
// not do so for ever. It touches nothing if somebody else took the job since.
func (q *Queue) putBack(ctx context.Context, exec riverdriver.Executor, job *rivertype.JobRow, owner string) error {
	now := q.o.Clock.Now().UTC()
	text := fmt.Sprintf("the process that ran this job is gone (%s)", owner)
	detail, err := json.Marshal(rivertype.AttemptError{At: now, Attempt: job.Attempt, Error: text})
	if err != nil {
		return err
	}
	p := &riverdriver.JobRescueManyParams{
		ID: []int64{job.ID}, Error: [][]byte{detail}, FinalizedAt: []*time.Time{nil},
		ScheduledAt: []time.Time{job.ScheduledAt}, State: []string{string(rivertype.JobStateAvailable)},
		StuckHorizon: job.AttemptedAt.Add(time.Millisecond),
	}
	if job.Attempt >= job.MaxAttempts {
		p.State[0], p.FinalizedAt[0] = string(rivertype.JobStateDiscarded), &now
		q.o.Log.Error("job is dead", "job", job.ID, "kind", job.Kind, "attempt", job.Attempt, "error", text)
	} else {
		q.o.Log.Warn("job taken over", "job", job.ID, "kind", job.Kind, "attempt", job.Attempt, "from", owner)
	}
	if _, err := exec.JobRescueMany(ctx, p); err != nil {
		return fmt.Errorf("job %d: %w", job.ID, err)
	}
	q.waker.wake(job.Queue)
	return nil
}

// healSchedule repairs what a clock that jumped back has left behind: jobs
// that are ready, yet stand in a future that no pause of ours reaches to.
// Short pauses, up to 5 s, stand on ready jobs too; long ones on retryable.
func (q *Queue) healSchedule(ctx context.Context) error {
	for state, ahead := range map[rivertype.JobState]time.Duration{
		rivertype.JobStateAvailable: 15 * time.Second,
		rivertype.JobStateRetryable: 2 * retryMost,
	} {
		now, limit := `now()`, `now() + make_interval(secs => $2)`
		if q.o.DB.Dialect() == db.SQLite {
			now, limit = `datetime('now', 'subsec')`, `datetime('now', 'subsec', '+' || $2 || ' seconds')`
		}
		// Looked for first, so that the writer is not kept busy for nothing.
		var n int
		where := ` WHERE state = $1 AND scheduled_at > ` + limit
		if err := q.o.DB.QueryRowContext(ctx, `SELECT count(*) FROM river_job`+where, string(state), int64(ahead.Seconds())).Scan(&n); err != nil {
			return fmt.Errorf("look for jobs in the future: %w", err)
		}
		if n == 0 {
			continue
		}
		if _, err := q.o.DB.ExecContext(ctx, `UPDATE river_job SET scheduled_at = `+now+where, string(state), int64(ahead.Seconds())); err != nil {
			return fmt.Errorf("bring jobs back from the future: %w", err)
		}
		q.o.Log.Warn("the clock jumped back; jobs were brought back from the future", "count", n, "state", string(state))
	}
	return nil
}
