package run

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/db"
)

// Ended is a run that came to its end by a move of this process's.
type Ended struct {
	Kind    Kind
	Outcome Status
	Waited  time.Duration // from when it was asked for until it began, or until it ended without
	Took    time.Duration // since it began; 0 where it never did
}

// Observe has f told of every run that this store ends, once that is
// committed. f must be fast, and safe for concurrent use. Call it before the
// store is used.
func (s *Store) Observe(f func(Ended)) { s.observed = f }

// tell has the end of r told once tx is committed.
func (s *Store) tell(tx *db.Tx, r Run, final Status) {
	if s.observed == nil || r.Status.Finished() || !final.Finished() {
		return // it had ended before, or has not
	}
	now := s.now()
	e := Ended{Kind: r.Kind, Outcome: final}
	if r.Started.IsZero() {
		e.Waited = max(0, now.Sub(r.Created))
	} else {
		e.Waited, e.Took = max(0, r.Started.Sub(r.Created)), max(0, now.Sub(r.Started))
	}
	tx.AfterCommit(func() { s.observed(e) })
}

// Kinds are all kinds of runs.
func Kinds() []Kind { return []Kind{Plan, Apply, StateChange, Drift} }

// Outcomes are the statuses that a run may end in.
func Outcomes() []Status {
	return []Status{Planned, Applied, Failed, Held, Interrupted, Canceled, Superseded}
}

// open are the statuses in which somebody has something to do with a run: the
// server, or a person.
var open = []Status{Queued, Blocked, Deferred, Checking, Running, Held, Interrupted}

// OpenStatuses are the statuses that Loads counts.
func OpenStatuses() []Status { return slices.Clone(open) }

// Load is how many runs of a kind stand in a status.
type Load struct {
	Kind   Kind
	Status Status
	Runs   int
	Oldest time.Duration // since the oldest of them was asked for
}

// Loads returns how many runs are open, those left out of which there are none.
// It reads as many rows as there are such runs, however many have ended.
func (s *Store) Loads(ctx context.Context, q db.Querier) ([]Load, error) {
	now := s.now()
	all, err := collect(ctx, q, func(row scanner) (l Load, err error) {
		var created int64
		err = row.Scan(&l.Kind, &l.Status, &l.Runs, &created)
		l.Oldest = max(0, now.Sub(db.FromMillis(created)))
		return l, err
	}, loadsQuery())
	if err != nil {
		return nil, fmt.Errorf("count open runs: %w", err)
	}
	return all, nil
}

func loadsQuery() string {
	words := make([]string, len(open))
	for i, s := range open {
		words[i] = "'" + string(s) + "'"
	}
	return `SELECT kind, status, count(*), min(created_ms) FROM runs WHERE status IN (` + strings.Join(words, ", ") + `) GROUP BY kind, status`
}

// LockLoad is how many projects are locked.
type LockLoad struct {
	Locks  int
	Oldest time.Duration // since the oldest of them was taken; 0 where there is none
}

const lockLoadQuery = `SELECT count(*), coalesce(min(taken_ms), 0) FROM locks`

// LockLoad returns how many projects are locked. It reads a row for each.
func (s *Store) LockLoad(ctx context.Context, q db.Querier) (h LockLoad, err error) {
	var taken int64
	if err := q.QueryRowContext(ctx, lockLoadQuery).Scan(&h.Locks, &taken); err != nil {
		return h, fmt.Errorf("count locks: %w", err)
	}
	if taken > 0 {
		h.Oldest = max(0, s.now().Sub(db.FromMillis(taken)))
	}
	return h, nil
}
