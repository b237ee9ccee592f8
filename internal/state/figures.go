package state

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/db"
)

// Act is something that was asked of a Store, by whichever way.
type Act struct {
	Kind string // read | write | lock | unlock | force_unlock | delete
	Took time.Duration
	Err  error
}

// Acts are all kinds of acts.
func Acts() []string { return []string{"read", "write", "lock", "unlock", "force_unlock", "delete"} }

// tell is deferred with the time at which an act began and where its error will
// stand.
func (s *Store) tell(kind string, start time.Time, err *error) {
	if s.Observed != nil {
		s.Observed(Act{kind, time.Since(start), *err})
	}
}

// Load is how many states there are, and what they and their locks amount to.
type Load struct {
	States     int
	Bytes      int64 // stored, of all versions
	Locks      int
	OldestLock time.Duration // since it was taken; 0 where there is none
}

const (
	usageQuery    = `SELECT coalesce(sum(states), 0), coalesce(sum(bytes), 0) FROM state_usage`
	lockLoadQuery = `SELECT count(*), coalesce(min(created_ms), 0) FROM state_locks`
)

// Load returns how many states there are. It reads a row for each client and
// each lock, however many states and versions there are.
func (s *Store) Load(ctx context.Context) (l Load, err error) {
	if err := s.DB.QueryRowContext(ctx, usageQuery).Scan(&l.States, &l.Bytes); err != nil {
		return l, fmt.Errorf("count states: %w", err)
	}
	var taken int64
	if err := s.DB.QueryRowContext(ctx, lockLoadQuery).Scan(&l.Locks, &taken); err != nil {
		return l, fmt.Errorf("count locks of states: %w", err)
	}
	if taken > 0 {
		l.OldestLock = max(0, s.Now().Sub(db.FromMillis(taken)))
	}
	return l, nil
}

// Usages returns what each client has here that has anything, by its slug.
func (s *Store) Usages(ctx context.Context) (map[string]Usage, error) {
	rows, err := s.DB.QueryContext(ctx, `SELECT c.slug, u.states, u.bytes FROM state_usage u JOIN clients c ON c.id = u.client_id`)
	if err != nil {
		return nil, fmt.Errorf("read usage: %w", err)
	}
	defer rows.Close()
	all := map[string]Usage{}
	for rows.Next() {
		var slug string
		var u Usage
		if err := rows.Scan(&slug, &u.States, &u.Bytes); err != nil {
			return nil, fmt.Errorf("read usage: %w", err)
		}
		all[slug] = u
	}
	return all, rows.Err()
}

// Route returns what kind of address the HTTP backend is asked at, which names
// nobody.
func Route(r *http.Request) string {
	if strings.HasSuffix(r.URL.Path, "/lock") {
		return Prefix + "{client}/{project}/lock"
	}
	return Prefix + "{client}/{project}"
}
