package state

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// Owner is a project of a repository that declares no backend: its state is
// kept here, under a name that is bound to it.
type Owner struct {
	Client  string // ID
	Repo    int64
	Project string // planner.Project's Key
}

// ProjectName is the name that a project's state gets where it is free: the
// repository's, the directory, and the workspace where that is not "default".
// What no name can have becomes a hyphen.
func ProjectName(repo, dir, workspace string) string {
	parts := []string{repo}
	if dir != "." && dir != "" {
		parts = append(parts, strings.Split(dir, "/")...)
	}
	if workspace != "" && workspace != "default" {
		parts = append(parts, workspace)
	}
	for i, part := range parts {
		part = strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r) {
				return r
			}
			return '-'
		}, part)
		if part == "" || part[0] == '.' {
			part = "-" + part
		}
		parts[i] = part
	}
	name := strings.Join(parts, "/")
	if strings.HasSuffix("/"+name, "/lock") {
		name += "-"
	}
	if len(name) > maxName-16 { // room for what tells it from others
		sum := sha256.Sum256([]byte(name))
		name = strings.TrimRight(name[:maxName-32], "/") + "-" + hex.EncodeToString(sum[:6])
	}
	return name
}

// NameOf returns the name of the project's state, or errs.NotFound where none
// is bound yet.
func (s *Store) NameOf(ctx context.Context, o Owner) (string, error) {
	return nameOf(ctx, s.DB, o)
}

func nameOf(ctx context.Context, q db.Querier, o Owner) (name string, err error) {
	err = q.QueryRowContext(ctx, `SELECT name FROM state_projects WHERE client_id = $1 AND repo_id = $2 AND project = $3`, o.Client, o.Repo, o.Project).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", noState(err)
	}
	if err != nil {
		return "", fmt.Errorf("find the state of project %s: %w", o.Project, err)
	}
	return name, nil
}

// Owners returns who the client's states are bound to, by name.
func (s *Store) Owners(ctx context.Context, client string) (map[string]Owner, error) {
	rows, err := s.DB.QueryContext(ctx, `SELECT name, repo_id, project FROM state_projects WHERE client_id = $1`, client)
	if err != nil {
		return nil, fmt.Errorf("list the projects of states: %w", err)
	}
	defer rows.Close()
	all := map[string]Owner{}
	for rows.Next() {
		var name string
		o := Owner{Client: client}
		if err := rows.Scan(&name, &o.Repo, &o.Project); err != nil {
			return nil, fmt.Errorf("list the projects of states: %w", err)
		}
		all[name] = o
	}
	return all, rows.Err()
}

// Claim returns the name of the project's state, and binds want, or what is
// nearest to it and free, where none is bound. A state that is there already
// and nobody's is not taken: the code of a pull request would open it by
// having a directory of that name. The error is then errs.Conflict.
func (s *Store) Claim(ctx context.Context, o Owner, want string) (name string, err error) {
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		for n := 1; n < 1000; n++ {
			name, err = nameOf(ctx, tx, o)
			if !errs.Is(err, errs.NotFound) {
				return err
			}
			name = want
			if n > 1 {
				name = fmt.Sprintf("%s-%d", want, n)
			}
			done, err := s.bind(ctx, tx, o, name)
			if err != nil {
				return err
			}
			if !done {
				continue // another project's
			}
			if st, err := state(ctx, tx, o.Client, name); err == nil && st.Exists() {
				return unbound(name)
			} else if err != nil && !errs.Is(err, errs.NotFound) {
				return err
			}
			return nil
		}
		return errs.New(errs.Conflict, "No name is free for the state of project %s.", o.Project)
	})
	if err != nil {
		return "", fmt.Errorf("bind the state of project %s: %w", o.Project, err)
	}
	return name, nil
}

// Free returns nil where Claim would not be refused: for who only reads.
func (s *Store) Free(ctx context.Context, o Owner, want string) error {
	owners, err := s.Owners(ctx, o.Client)
	if err != nil {
		return err
	}
	if _, bound := owners[want]; bound {
		return nil
	}
	st, err := s.State(ctx, o.Client, want)
	if errs.Is(err, errs.NotFound) || err == nil && !st.Exists() {
		return nil
	}
	if err != nil {
		return err
	}
	return unbound(want)
}

func unbound(name string) error {
	return errs.New(errs.Conflict, "There is a state %s already, and it is not this project's. An administrator says that it is with `tidelock state bind`, or moves it away; Tidelock never opens a state because of a directory's name.", name)
}

// Elsewhere says that a project's state is kept under another name than the one
// that its code has. It is an errs.Conflict.
type Elsewhere struct {
	Name string // that it is kept under
	err  error
}

func (e *Elsewhere) Error() string { return e.err.Error() }

// Unwrap gives the classified error.
func (e *Elsewhere) Unwrap() error { return e.err }

// Named returns nil where the project's code may name the state: it is bound to
// the project, or is nobody's and does not exist yet. Then claim binds it. The
// error is an *Elsewhere for a project that has another state, and
// errs.Forbidden for a state that is another project's or that somebody made:
// whoever changes the code must not choose among those.
func (s *Store) Named(ctx context.Context, o Owner, name string, claim bool) error {
	if err := CheckName(name); err != nil {
		return err
	}
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		now, err := nameOf(ctx, tx, o)
		switch {
		case err == nil && now == name:
			return nil
		case err == nil:
			return &Elsewhere{now, errs.New(errs.Conflict, "The project's state is kept as %s, not as %s.", now, name)}
		case !errs.Is(err, errs.NotFound):
			return err
		}
		var theirs int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM state_projects WHERE client_id = $1 AND name = $2`, o.Client, name).Scan(&theirs); err != nil {
			return err
		}
		st, err := state(ctx, tx, o.Client, name)
		if err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
		if theirs > 0 || err == nil && st.Exists() {
			return errs.New(errs.Forbidden, "There is no state %s that is this project's.", name)
		}
		if !claim {
			return nil
		}
		done, err := s.bind(ctx, tx, o, name)
		if err == nil && !done { // another project's since a moment ago
			err = errs.New(errs.Forbidden, "There is no state %s that is this project's.", name)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("use the state %s for project %s: %w", name, o.Project, err)
	}
	return nil
}

// bind reports false where the name is another project's.
func (s *Store) bind(ctx context.Context, tx *db.Tx, o Owner, name string) (bool, error) {
	if err := CheckName(name); err != nil {
		return false, err
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO state_projects (client_id, repo_id, project, name, bound_ms) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (client_id, name) DO NOTHING`,
		o.Client, o.Repo, o.Project, name, db.Millis(s.Now()))
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// Bind gives the project the state of that name, whether or not it exists:
// somebody who may says so. It is refused where the name is another project's,
// and where the project's present state exists or is locked.
func (s *Store) Bind(ctx context.Context, o Owner, name string, who Who) error {
	if err := CheckName(name); err != nil {
		return err
	}
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		now, err := nameOf(ctx, tx, o)
		if err == nil && now == name {
			return nil
		}
		if err == nil {
			st, err := s.hold(ctx, tx, o.Client, now)
			if err != nil && !errs.Is(err, errs.NotFound) {
				return err
			}
			if err == nil && (st.Exists() || st.Lock != nil) {
				return errs.New(errs.Conflict, "The project has the state %s, which exists or is locked. Move it away first.", now)
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM state_projects WHERE client_id = $1 AND repo_id = $2 AND project = $3`, o.Client, o.Repo, o.Project); err != nil {
				return err
			}
		} else if !errs.Is(err, errs.NotFound) {
			return err
		}
		done, err := s.bind(ctx, tx, o, name)
		if err != nil {
			return err
		}
		if !done {
			return errs.New(errs.Conflict, "The state %s is another project's.", name)
		}
		return s.record(ctx, tx, State{Client: o.Client, Name: name}, who, "state.bound", map[string]any{"repo": o.Repo, "project": o.Project, "before": now})
	})
	if err != nil {
		return fmt.Errorf("bind state %s: %w", name, err)
	}
	return nil
}
