package run

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// Store reads and writes changes, runs and locks.
type Store struct {
	db    *db.DB
	trail *access.Trail
	now   func() time.Time

	observed func(Ended) // nil where nobody wants to know
}

// NewStore returns a store on a migrated database. now is the clock; nil
// means time.Now.
func NewStore(d *db.DB, trail *access.Trail, now func() time.Time) *Store {
	if now == nil {
		now = time.Now
	}
	return &Store{db: d, trail: trail, now: now}
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// audit writes an event about a run, change or lock in the caller's
// transaction.
func (s *Store) audit(ctx context.Context, tx *db.Tx, client, action, subject string, actor access.Actor, detail any) error {
	return s.trail.Record(ctx, tx, access.Event{
		Client: client, Action: action, Subject: subject, Actor: actor, Detail: detail, At: s.now(),
	})
}

// scanner is what *sql.Row and *sql.Rows have in common.
type scanner interface{ Scan(dest ...any) error }

// collect reads every row of a query with scan.
func collect[T any](ctx context.Context, q db.Querier, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// one reads a single row; no row is errs.NotFound with the sentence.
func one[T any](ctx context.Context, q db.Querier, scan func(scanner) (T, error), missing, query string, args ...any) (T, error) {
	v, err := scan(q.QueryRowContext(ctx, query, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return v, errs.Wrap(errs.NotFound, err, "%s", missing)
	}
	return v, err
}

// exec runs a statement and returns how many rows it changed.
func exec(ctx context.Context, tx *db.Tx, query string, args ...any) (int64, error) {
	res, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// toJSON marshals a value of our own types, which cannot fail but for a
// programming error; that error is returned, not hidden.
func toJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

func fromJSON(text string, into any) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), into)
}

// SavePull stores what GitHub says of a pull now. An older answer never
// overwrites a newer one.
func (s *Store) SavePull(ctx context.Context, tx *db.Tx, p Pull) error {
	labels, err := toJSON(p.Labels)
	if err != nil {
		return err
	}
	state := "closed"
	if p.Open {
		state = "open"
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO pulls (repo_id, number, client_id, title, author, author_id,
			head_sha, head_ref, head_repo_id, base_sha, base_ref, state, merged, merge_sha, draft, labels, updated_ms)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17)
		ON CONFLICT (repo_id, number) DO UPDATE SET title=excluded.title, head_sha=excluded.head_sha,
			head_ref=excluded.head_ref, head_repo_id=excluded.head_repo_id, base_sha=excluded.base_sha,
			base_ref=excluded.base_ref, state=excluded.state, merged=excluded.merged, merge_sha=excluded.merge_sha,
			draft=excluded.draft, labels=excluded.labels, updated_ms=excluded.updated_ms
		WHERE pulls.updated_ms <= excluded.updated_ms`,
		p.Repo, p.Number, p.Client, p.Title, p.Author, p.AuthorID, p.HeadSHA, p.HeadRef, p.HeadRepo,
		p.BaseSHA, p.BaseRef, state, flag(p.Merged), p.MergeSHA, flag(p.Draft), labels, db.Millis(s.now()))
	if err != nil {
		return fmt.Errorf("save pull %d#%d: %w", p.Repo, p.Number, err)
	}
	return nil
}

const pullColumns = `repo_id, number, client_id, title, author, author_id, head_sha, head_ref, head_repo_id,
	base_sha, base_ref, state, merged, merge_sha, draft, labels, updated_ms`

func scanPull(row scanner) (Pull, error) {
	var (
		p             Pull
		state, labels string
		merged, draft int64
		updated       int64
	)
	err := row.Scan(&p.Repo, &p.Number, &p.Client, &p.Title, &p.Author, &p.AuthorID, &p.HeadSHA, &p.HeadRef, &p.HeadRepo,
		&p.BaseSHA, &p.BaseRef, &state, &merged, &p.MergeSHA, &draft, &labels, &updated)
	if err != nil {
		return Pull{}, err
	}
	p.Open, p.Merged, p.Draft, p.Updated = state == "open", merged != 0, draft != 0, db.FromMillis(updated)
	return p, fromJSON(labels, &p.Labels)
}

// Pull returns what was last stored of a pull; errs.NotFound if nothing was.
func (s *Store) Pull(ctx context.Context, q db.Querier, repo int64, number int) (Pull, error) {
	return one(ctx, q, scanPull, fmt.Sprintf("Pull request #%d is not known here.", number),
		`SELECT `+pullColumns+` FROM pulls WHERE repo_id=$1 AND number=$2`, repo, number)
}

// PullsBehind returns the open pulls of a branch of the repository itself
// whose stored head is another commit than head.
func (s *Store) PullsBehind(ctx context.Context, q db.Querier, repo int64, branch, head string) ([]Pull, error) {
	return collect(ctx, q, scanPull, `SELECT `+pullColumns+` FROM pulls WHERE repo_id=$1 AND head_repo_id=$1 AND head_ref=$2 AND state='open' AND head_sha<>$3`,
		repo, branch, head)
}

// PullAt returns the number of the pull whose head, or whose merge queue's
// branch, is at the commit; the newest where there are several, 0 where there
// is none.
func (s *Store) PullAt(ctx context.Context, q db.Querier, repo int64, sha string) (int, error) {
	numbers, err := collect(ctx, q, func(row scanner) (n int, err error) {
		err = row.Scan(&n)
		return n, err
	}, `SELECT pull FROM changes WHERE repo_id=$1 AND head_sha=$2 AND branch='' ORDER BY created_ms DESC LIMIT 1`, repo, sha)
	if err != nil || len(numbers) == 0 {
		return 0, err
	}
	return numbers[0], nil
}
