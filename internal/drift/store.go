package drift

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// Store keeps watches, checks and what they found.
type Store struct {
	db    *db.DB
	trail *access.Trail
	now   func() time.Time
}

// NewStore returns the store of a migrated database. now is the clock; nil
// means time.Now.
func NewStore(d *db.DB, trail *access.Trail, now func() time.Time) *Store {
	if now == nil {
		now = time.Now
	}
	return &Store{d, trail, now}
}

// CheckStatus says how far a check is.
type CheckStatus string

// What becomes of a check.
const (
	Asked   CheckStatus = "asked"   // by the command line: a server picks it up
	Queued  CheckStatus = "queued"  // its job waits
	Running CheckStatus = "running" // its runs exist
	Done    CheckStatus = "done"    // each of its runs has ended
	Broken  CheckStatus = "failed"  // it came to no runs; Error says why
)

// Finished reports whether the check has come to an end.
func (s CheckStatus) Finished() bool { return s == Done || s == Broken }

// Check is one look at several projects of a repository.
type Check struct {
	ID       string
	Client   string
	Repo     int64
	Tick     time.Time // what it was due at, or when it was asked for
	Actor    access.Actor
	Wanted   Wanted
	Status   CheckStatus
	Error    string // for people
	Commit   string // the tip of the default branch
	Created  time.Time
	Finished time.Time // zero until then
}

// BySchedule is who acts where a schedule does.
var BySchedule = access.Actor{Kind: access.Schedule, Name: "drift"}

func rows[T any](ctx context.Context, q db.Querier, scan func(func(...any) error) (T, error), query string, args ...any) ([]T, error) {
	rs, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rs.Close()
	var all []T
	for rs.Next() {
		one, err := scan(rs.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rs.Err()
}

func number(scan func(...any) error) (n int64, err error) {
	err = scan(&n)
	return n, err
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return db.FromMillis(ms)
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return db.Millis(t)
}

// Unread returns repositories of active clients whose watches were not read
// since then, or with other defaults, at most so many.
func (s *Store) Unread(ctx context.Context, q db.Querier, since time.Time, defaults string, limit int) ([]int64, error) {
	all, err := rows(ctx, q, number, `SELECT r.id FROM repos r JOIN clients c ON c.id = r.client_id LEFT JOIN drift_repos d ON d.repo_id = r.id
		WHERE c.status = 'active' AND r.status = 'active' AND r.default_branch <> '' AND (d.repo_id IS NULL OR d.read_ms < $1 OR d.defaults <> $2)
		ORDER BY r.id LIMIT $3`, db.Millis(since), defaults, limit)
	if err != nil {
		return nil, fmt.Errorf("repositories whose drift schedules are to be read: %w", err)
	}
	return all, nil
}

// Stale has a repository's watches read again: its default branch has moved.
func (s *Store) Stale(ctx context.Context, tx *db.Tx, repo int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE drift_repos SET read_ms = 0 WHERE repo_id = $1`, repo)
	return err
}

// Watches returns the watches of a repository.
func (s *Store) Watches(ctx context.Context, q db.Querier, repo int64) ([]Watch, error) {
	all, err := rows(ctx, q, func(scan func(...any) error) (Watch, error) {
		var w Watch
		var next int64
		err := scan(&w.Dir, &w.Workspace, &w.Cron, &w.Timezone, &w.Remediate, &next)
		w.Next = moment(next)
		return w, err
	}, `SELECT dir, workspace, cron, timezone, remediate, next_ms FROM drift_schedules WHERE repo_id = $1 ORDER BY dir, workspace`, repo)
	if err != nil {
		return nil, fmt.Errorf("drift schedules of repository %d: %w", repo, err)
	}
	return all, nil
}

// SaveWatches stores what was read of a repository; problem says why it could
// not be, and then the watches stay what they were.
func (s *Store) SaveWatches(ctx context.Context, tx *db.Tx, client string, repo int64, read []Watch, defaults, problem string) error {
	now := s.now()
	if _, err := tx.ExecContext(ctx, `INSERT INTO drift_repos (repo_id, client_id, read_ms, defaults, problem) VALUES ($1,$2,$3,$4,$5)
		ON CONFLICT (repo_id) DO UPDATE SET client_id=excluded.client_id, read_ms=excluded.read_ms, defaults=excluded.defaults, problem=excluded.problem`,
		repo, client, db.Millis(now), defaults, problem); err != nil {
		return fmt.Errorf("drift schedules of repository %d: %w", repo, err)
	}
	if problem != "" {
		return nil
	}
	stored, err := s.Watches(ctx, tx, repo)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM drift_schedules WHERE repo_id = $1`, repo); err != nil {
		return err
	}
	for _, w := range Renew(repo, stored, read, now) {
		if _, err := tx.ExecContext(ctx, `INSERT INTO drift_schedules (repo_id, dir, workspace, client_id, cron, timezone, remediate, next_ms)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$8)`, repo, w.Dir, w.Workspace, client, w.Cron, w.Timezone, w.Remediate, millis(w.Next)); err != nil {
			return fmt.Errorf("drift schedules of repository %d: %w", repo, err)
		}
	}
	return nil
}

// DueRepos returns the repositories with a watch that is due.
func (s *Store) DueRepos(ctx context.Context, q db.Querier) ([]int64, error) {
	all, err := rows(ctx, q, number, `SELECT DISTINCT s.repo_id FROM drift_schedules s JOIN repos r ON r.id = s.repo_id JOIN clients c ON c.id = r.client_id
		WHERE s.next_ms > 0 AND s.next_ms <= $1 AND r.status = 'active' AND c.status = 'active' ORDER BY s.repo_id`, db.Millis(s.now()))
	if err != nil {
		return nil, fmt.Errorf("drift schedules that are due: %w", err)
	}
	return all, nil
}

// Tick begins the check of a repository whose watches are due, and returns
// false where there is nothing to begin: another server was first, or a check
// that is not through yet is of these projects too and stands for this one.
func (s *Store) Tick(ctx context.Context, tx *db.Tx, repo int64) (Check, bool, error) {
	now := s.now()
	all, err := s.Watches(ctx, tx, repo)
	if err != nil {
		return Check{}, false, err
	}
	due, wanted := Due(repo, all, now)
	moved := 0
	for _, w := range due {
		var was time.Time
		for _, old := range all {
			if old.Key() == w.Key() {
				was = old.Next
			}
		}
		res, err := tx.ExecContext(ctx, `UPDATE drift_schedules SET next_ms = $4 WHERE repo_id = $1 AND dir = $2 AND workspace = $3 AND next_ms = $5`,
			repo, w.Dir, w.Workspace, millis(w.Next), millis(was))
		if err != nil {
			return Check{}, false, fmt.Errorf("tick of repository %d: %w", repo, err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return Check{}, false, err
		}
		moved += int(n)
	}
	if moved < len(due) || moved == 0 {
		if moved > 0 { // another server moves them at this moment: let it
			return Check{}, false, errs.New(errs.Conflict, "Another server begins this check.")
		}
		return Check{}, false, nil
	}
	open, err := rows(ctx, tx, scanCheck, `SELECT `+checkColumns+` FROM drift_checks WHERE repo_id = $1 AND status IN ($2,$3,$4)`, repo, Asked, Queued, Running)
	if err != nil {
		return Check{}, false, err
	}
	if slices.ContainsFunc(open, func(c Check) bool { return c.Wanted.Covers(wanted) }) {
		return Check{}, false, nil
	}
	owner := ""
	if err := tx.QueryRowContext(ctx, `SELECT client_id FROM repos WHERE id = $1`, repo).Scan(&owner); err != nil {
		return Check{}, false, err
	}
	c := Check{ID: newID(), Client: owner, Repo: repo, Tick: now, Actor: BySchedule, Wanted: wanted, Status: Queued, Created: now}
	return c, true, s.insert(ctx, tx, c)
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// Ask stores that somebody wants a check now; a server picks it up.
func (s *Store) Ask(ctx context.Context, tx *db.Tx, client string, repo int64, wanted Wanted, actor access.Actor) (Check, error) {
	now := s.now()
	c := Check{ID: newID(), Client: client, Repo: repo, Tick: now, Actor: actor, Wanted: wanted, Status: Asked, Created: now}
	return c, s.insert(ctx, tx, c)
}

func (s *Store) insert(ctx context.Context, tx *db.Tx, c Check) error {
	actor, err := json.Marshal(c.Actor)
	if err != nil {
		return err
	}
	wanted, err := json.Marshal(c.Wanted)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO drift_checks (id, client_id, repo_id, tick_ms, actor, wanted, status, created_ms)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8)`, c.ID, c.Client, c.Repo, db.Millis(c.Tick), string(actor), string(wanted), c.Status, db.Millis(c.Created)); err != nil {
		return fmt.Errorf("drift check of repository %d: %w", c.Repo, err)
	}
	return s.trail.Record(ctx, tx, access.Event{Client: c.Client, Action: "drift.check", Subject: c.ID, Actor: c.Actor, At: c.Created,
		Detail: map[string]any{"repo": c.Repo, "wanted": c.Wanted}})
}

const checkColumns = `id, client_id, repo_id, tick_ms, actor, wanted, status, error, commit_sha, created_ms, finished_ms`

func scanCheck(scan func(...any) error) (Check, error) {
	var (
		c                       Check
		tick, created, finished int64
		actor, wanted           string
	)
	if err := scan(&c.ID, &c.Client, &c.Repo, &tick, &actor, &wanted, &c.Status, &c.Error, &c.Commit, &created, &finished); err != nil {
		return c, err
	}
	c.Tick, c.Created, c.Finished = moment(tick), moment(created), moment(finished)
	return c, errors.Join(json.Unmarshal([]byte(actor), &c.Actor), json.Unmarshal([]byte(wanted), &c.Wanted))
}

// Check returns a check by its ID; errs.NotFound if there is none.
func (s *Store) Check(ctx context.Context, q db.Querier, id string) (Check, error) {
	c, err := scanCheck(q.QueryRowContext(ctx, `SELECT `+checkColumns+` FROM drift_checks WHERE id = $1`, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return c, errs.Wrap(errs.NotFound, err, "That drift check is not known here.")
	}
	return c, err
}

// Unfinished returns the checks that have not come to their end, of one status
// or ("") of any, the oldest first.
func (s *Store) Unfinished(ctx context.Context, q db.Querier, status CheckStatus) ([]Check, error) {
	return rows(ctx, q, scanCheck, `SELECT `+checkColumns+` FROM drift_checks WHERE status IN ($1,$2,$3) AND ($4 = '' OR status = $4) ORDER BY created_ms, id LIMIT 1000`,
		Asked, Queued, Running, status)
}

// Checks returns the newest checks of a repository, or (0) of all.
func (s *Store) Checks(ctx context.Context, q db.Querier, repo int64, limit int) ([]Check, error) {
	return rows(ctx, q, scanCheck, `SELECT `+checkColumns+` FROM drift_checks WHERE (CAST($1 AS BIGINT) = 0 OR repo_id = $1) ORDER BY id DESC LIMIT $2`, repo, limit)
}

// Move takes a check from one status to another and reports whether it was
// there. commit and why replace what is stored where they are not empty.
func (s *Store) Move(ctx context.Context, tx *db.Tx, id string, from, to CheckStatus, commit, why string) (bool, error) {
	var finished int64
	if to.Finished() {
		finished = db.Millis(s.now())
	}
	res, err := tx.ExecContext(ctx, `UPDATE drift_checks SET status = $3, finished_ms = $4,
			commit_sha = CASE WHEN $5 = '' THEN commit_sha ELSE $5 END, error = CASE WHEN $6 = '' THEN error ELSE $6 END
		WHERE id = $1 AND status = $2`, id, from, to, finished, commit, why)
	if err != nil {
		return false, fmt.Errorf("drift check %s: %w", id, err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// ForgetChecks deletes checks that ended before then.
func (s *Store) ForgetChecks(ctx context.Context, tx *db.Tx, before time.Time) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM drift_checks WHERE finished_ms > 0 AND finished_ms < $1`, db.Millis(before))
	return err
}
