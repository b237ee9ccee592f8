package queue

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/tidelock/tidelock/internal/db"
)

// Attempt is one try at a job that this process has ended.
type Attempt struct {
	Kind    string
	Outcome Outcome
	Waited  time.Duration // from when it could have started until it did
	Took    time.Duration
}

// Outcome is how an attempt ended.
type Outcome string

// The outcomes of attempts.
const (
	Done    Outcome = "done"
	Later   Outcome = "later"   // it waits for something and comes back, with no attempt spent
	Failed  Outcome = "failed"  // it is tried again
	Died    Outcome = "dead"    // it is set aside
	Stopped Outcome = "stopped" // the server went down; it is run again
)

// Outcomes are all there are.
func Outcomes() []Outcome { return []Outcome{Done, Later, Failed, Died, Stopped} }

// Observe has f told of every attempt that this process ends. f must be fast,
// and safe for concurrent use. Call it before Start.
func (q *Queue) Observe(f func(Attempt)) { q.observed = f }

// State is where a job stands.
type State string

// The states of jobs that are not done.
const (
	Waiting  State = "waiting"  // it could start now
	Sleeping State = "sleeping" // until a later time
	Retrying State = "retrying" // it failed, and waits for its next attempt
	Running  State = "running"
	Dead     State = "dead"
)

// States are all there are.
func States() []State { return []State{Waiting, Sleeping, Retrying, Running, Dead} }

// Load is how many jobs of a kind are in a state, on all nodes.
type Load struct {
	Kind  string
	State State
	Jobs  int
	// Oldest is for how long the oldest could have started (Waiting), or has
	// been running (Running); 0 for other states.
	Oldest time.Duration
}

// Kinds returns the kinds of jobs that this process has handlers for, in order.
func (q *Queue) Kinds() []string {
	var all []string
	for kind := range q.lanes {
		all = append(all, kind)
	}
	slices.Sort(all)
	return all
}

// Loads returns how many jobs there are of each kind and state, those that are
// done apart; kinds and states without any are left out. It reads as many rows
// as there are such jobs.
func (q *Queue) Loads(ctx context.Context) ([]Load, error) {
	rows, err := q.o.DB.QueryContext(ctx, loadsQuery(q.o.DB.Dialect()))
	if err != nil {
		return nil, fmt.Errorf("count jobs by kind: %w", err)
	}
	defer rows.Close()
	var all []Load
	for rows.Next() {
		var (
			l     Load
			state string
			since float64 // seconds
		)
		if err := rows.Scan(&l.Kind, &state, &l.Jobs, &since); err != nil {
			return nil, fmt.Errorf("count jobs by kind: %w", err)
		}
		switch rivertype.JobState(state) {
		case rivertype.JobStateAvailable:
			l.State = Waiting
		case rivertype.JobStateScheduled, rivertype.JobStatePending:
			l.State = Sleeping
		case rivertype.JobStateRetryable:
			l.State = Retrying
		case rivertype.JobStateRunning:
			l.State = Running
		default:
			l.State = Dead
		}
		if l.State == Waiting || l.State == Running {
			l.Oldest = max(0, time.Duration(since*float64(time.Second))) // a job that was just put off is ready and yet to come
		}
		all = append(all, l)
	}
	return all, rows.Err()
}

// loadsQuery counts by the index that begins with the state. The plus keeps
// SQLite from walking all jobs by the index of kinds instead.
func loadsQuery(dialect db.Dialect) string {
	age := `extract(epoch FROM now() - min(CASE WHEN state = 'running' THEN attempted_at ELSE scheduled_at END))`
	kind := `kind`
	if dialect == db.SQLite {
		age = `(julianday('now') - julianday(min(CASE WHEN state = 'running' THEN attempted_at ELSE scheduled_at END))) * 86400`
		kind = `+kind`
	}
	return strings.NewReplacer("AGE", age, "KIND", kind).Replace(`SELECT kind, CAST(state AS TEXT), count(*), CAST(coalesce(AGE, 0) AS DOUBLE PRECISION) FROM river_job
		WHERE state IN ('available', 'scheduled', 'pending', 'retryable', 'running', 'cancelled', 'discarded') GROUP BY KIND, state`)
}
