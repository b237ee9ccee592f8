package state

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// A state is shared by its name, as tokens open states by theirs: with a project
// of the client's, or with all of a repository's. Sharing opens no address: the
// runs of those projects are given a copy of the state's outputs. See
// ReadOutputs.

// Share lets the project read the outputs of the client's state; with.Project ""
// is all projects of the repository. Doing it again is no error. A state that is
// not there and has no project, and a repository of another client, are
// errs.NotFound; the latter stands in the audit trail.
func (s *Store) Share(ctx context.Context, client, name string, with Owner, who Who) error {
	if err := CheckName(name); err != nil {
		return err
	}
	ours := false
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		var repos, known int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM repos WHERE id = $1 AND client_id = $2`, with.Repo, client).Scan(&repos); err != nil {
			return err
		}
		if ours = repos == 1 && with.Client == client; !ours {
			return s.record(ctx, tx, State{Client: client, Name: name}, who, "state.refused", map[string]any{"share_with": with.Repo, "reason": "the repository is another client's, or nobody's"})
		}
		if err := tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM states WHERE client_id = $1 AND name = $2) + (SELECT count(*) FROM state_projects WHERE client_id = $1 AND name = $2)`, client, name).Scan(&known); err != nil {
			return err
		}
		if known == 0 {
			return errs.New(errs.NotFound, "There is no such state.")
		}
		actor, err := json.Marshal(who.Actor)
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO state_shares (client_id, name, repo_id, project, actor, shared_ms) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (client_id, name, repo_id, project) DO NOTHING`,
			client, name, with.Repo, with.Project, string(actor), db.Millis(s.Now()))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return s.record(ctx, tx, State{Client: client, Name: name}, who, "state.shared", map[string]any{"repo": with.Repo, "project": with.Project})
	})
	if err == nil && !ours {
		err = errs.New(errs.NotFound, "There is no such repository of the client's.")
	}
	if err != nil {
		return fmt.Errorf("share state %s: %w", name, err)
	}
	return nil
}

// Unshare takes back what Share gave, for the very project or repository that it
// was given to; errs.NotFound where it was not.
func (s *Store) Unshare(ctx context.Context, client, name string, with Owner, who Who) error {
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM state_shares WHERE client_id = $1 AND name = $2 AND repo_id = $3 AND project = $4`, client, name, with.Repo, with.Project)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return errs.New(errs.NotFound, "The state %s is not shared with that.", name)
		}
		return s.record(ctx, tx, State{Client: client, Name: name}, who, "state.unshared", map[string]any{"repo": with.Repo, "project": with.Project})
	})
	if err != nil {
		return fmt.Errorf("unshare state %s: %w", name, err)
	}
	return nil
}

// Shared is one project, or with Project "" one repository, that a state is
// shared with.
type Shared struct {
	Owner
	By access.Actor
}

// Shares returns what the client's states are shared with, by name.
func (s *Store) Shares(ctx context.Context, client string) (map[string][]Shared, error) {
	rows, err := s.DB.QueryContext(ctx, `SELECT name, repo_id, project, actor FROM state_shares WHERE client_id = $1 ORDER BY name, repo_id, project`, client)
	if err != nil {
		return nil, fmt.Errorf("list what states are shared with: %w", err)
	}
	defer rows.Close()
	all := map[string][]Shared{}
	for rows.Next() {
		var name, actor string
		with := Shared{Owner: Owner{Client: client}}
		if err := rows.Scan(&name, &with.Repo, &with.Project, &actor); err != nil {
			return nil, fmt.Errorf("list what states are shared with: %w", err)
		}
		if err := json.Unmarshal([]byte(actor), &with.By); err != nil {
			return nil, fmt.Errorf("who shared state %s: %w", name, err)
		}
		all[name] = append(all[name], with)
	}
	return all, rows.Err()
}

// SharedWith returns the names of the states that are shared with the project,
// or with all of its repository, sorted.
func (s *Store) SharedWith(ctx context.Context, o Owner) ([]string, error) {
	rows, err := s.DB.QueryContext(ctx, `SELECT DISTINCT name FROM state_shares WHERE client_id = $1 AND repo_id = $2 AND (project = $3 OR project = '') ORDER BY name`, o.Client, o.Repo, o.Project)
	if err != nil {
		return nil, fmt.Errorf("list what is shared with project %s: %w", o.Project, err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("list what is shared with project %s: %w", o.Project, err)
		}
		all = append(all, name)
	}
	return all, rows.Err()
}
