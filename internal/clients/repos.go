package clients

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

const repoColumns = `SELECT id, client_id, owner, name, default_branch, clone_url, status FROM repos`

func scanRepo(s interface{ Scan(...any) error }) (r Repo, err error) {
	err = s.Scan(&r.ID, &r.ClientID, &r.Owner, &r.Name, &r.DefaultBranch, &r.CloneURL, &r.Status)
	return r, err
}

// Repo returns the repo with GitHub's ID, or errs.NotFound.
func (s *Store) Repo(ctx context.Context, q db.Querier, id int64) (Repo, error) {
	r, err := scanRepo(q.QueryRowContext(ctx, repoColumns+` WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return Repo{}, errs.Wrap(errs.NotFound, err, "There is no such repository.")
	}
	if err != nil {
		return Repo{}, fmt.Errorf("read repo %d: %w", id, err)
	}
	return r, nil
}

// Repos returns the client's repos by owner and name, removed ones too.
func (s *Store) Repos(ctx context.Context, q db.Querier, clientID string) ([]Repo, error) {
	rows, err := q.QueryContext(ctx, repoColumns+` WHERE client_id = $1 ORDER BY owner, name, id`, clientID)
	if err != nil {
		return nil, fmt.Errorf("list repos: %w", err)
	}
	defer rows.Close()
	var all []Repo
	for rows.Next() {
		r, err := scanRepo(rows)
		if err != nil {
			return nil, fmt.Errorf("list repos: %w", err)
		}
		all = append(all, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list repos: %w", err)
	}
	return all, nil
}

// EnsureRepo returns the client's repo r.ID and makes it where there is none.
// What r tells anew, a name after a renaming say, replaces what was known; its
// empty fields replace nothing. The status stays as it is.
//
// A repo that is another client's is errs.Conflict.
func (s *Store) EnsureRepo(ctx context.Context, tx *db.Tx, c Client, r Repo) (Repo, error) {
	if r.ID <= 0 || c.ID == "" {
		return Repo{}, errs.New(errs.Invalid, "The event names no repository.")
	}
	got, err := scanRepo(tx.QueryRowContext(ctx, `
		INSERT INTO repos (id, client_id, owner, name, default_branch, clone_url, status, created_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (id) DO UPDATE SET
			owner = CASE WHEN $3 = '' THEN repos.owner ELSE $3 END,
			name = CASE WHEN $4 = '' THEN repos.name ELSE $4 END,
			default_branch = CASE WHEN $5 = '' THEN repos.default_branch ELSE $5 END,
			clone_url = CASE WHEN $6 = '' THEN repos.clone_url ELSE $6 END
		WHERE repos.client_id = $2
		RETURNING id, client_id, owner, name, default_branch, clone_url, status`,
		r.ID, c.ID, r.Owner, r.Name, r.DefaultBranch, r.CloneURL, Active, db.Millis(time.Now())))
	if errors.Is(err, sql.ErrNoRows) {
		return Repo{}, errs.New(errs.Conflict, "The repository %s belongs to another client of this Tidelock. "+
			"Its history and its locks stay there until an administrator moves them.", r.FullName())
	}
	if err != nil {
		return Repo{}, fmt.Errorf("ensure repo %d: %w", r.ID, err)
	}
	return got, nil
}

// SetRepoStatus changes a repo's status: Active or Removed.
func (s *Store) SetRepoStatus(ctx context.Context, q db.Querier, id int64, status string) error {
	switch status {
	case Active, Removed:
	default:
		return fmt.Errorf("repo %d: no status %q", id, status)
	}
	return one(ctx, q, "There is no such repository.", `UPDATE repos SET status = $1 WHERE id = $2`, status, id)
}
