package tfe

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state"
)

// workspace is a state with what the cloud block knows besides.
type workspace struct {
	state.State
	known   bool // it was made by a cloud block
	project string
	tags    map[string]string
}

// visible reports whether there is such a workspace: one that was made as one,
// or a state that has or is about to have a version.
func (w workspace) visible() bool { return w.known || w.Exists() || w.Lock != nil }

const workspaceColumns = `SELECT state_id, project_id, tags FROM cloud_workspaces`

func scanWorkspace(row interface{ Scan(...any) error }) (id string, w workspace, err error) {
	var tags string
	if err := row.Scan(&id, &w.project, &tags); err != nil {
		return "", w, err
	}
	w.known = true
	if err := json.Unmarshal([]byte(tags), &w.tags); err != nil {
		return "", w, fmt.Errorf("workspace %s: tags: %w", id, err)
	}
	return id, w, nil
}

func load(ctx context.Context, q db.Querier, st state.State) (workspace, error) {
	_, w, err := scanWorkspace(q.QueryRowContext(ctx, workspaceColumns+` WHERE state_id = $1`, st.ID))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return w, fmt.Errorf("read workspace %s: %w", st.Name, err)
	}
	w.State = st
	return w, nil
}

func (a *API) load(ctx context.Context, st state.State) (workspace, error) {
	return load(ctx, a.States.DB, st)
}

// all returns the client's workspaces by name.
func (a *API) all(ctx context.Context, client string) ([]workspace, error) {
	states, err := a.States.States(ctx, client)
	if err != nil {
		return nil, err
	}
	rows, err := a.States.DB.QueryContext(ctx, workspaceColumns+` WHERE client_id = $1`, client)
	if err != nil {
		return nil, fmt.Errorf("list workspaces: %w", err)
	}
	defer rows.Close()
	known := map[string]workspace{}
	for rows.Next() {
		id, w, err := scanWorkspace(rows)
		if err != nil {
			return nil, fmt.Errorf("list workspaces: %w", err)
		}
		known[id] = w
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list workspaces: %w", err)
	}
	var all []workspace
	for _, st := range states {
		w := known[st.ID]
		if w.State = st; w.visible() {
			all = append(all, w)
		}
	}
	return all, nil
}

// save keeps what the cloud block knows of a workspace.
func save(ctx context.Context, tx *db.Tx, w workspace, now time.Time) error {
	if w.tags == nil {
		w.tags = map[string]string{}
	}
	tags, err := json.Marshal(w.tags)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO cloud_workspaces (state_id, client_id, project_id, tags, created_ms) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (state_id) DO UPDATE SET project_id = $3, tags = $4`, w.ID, w.Client, w.project, string(tags), db.Millis(now))
	if err != nil {
		return fmt.Errorf("save workspace %s: %w", w.Name, err)
	}
	return nil
}

// project is a group of workspaces.
type project struct{ id, name string }

func (a *API) projects(ctx context.Context, client string) ([]project, error) {
	rows, err := a.States.DB.QueryContext(ctx, `SELECT id, name FROM cloud_projects WHERE client_id = $1 ORDER BY name`, client)
	if err != nil {
		return nil, fmt.Errorf("list projects: %w", err)
	}
	defer rows.Close()
	var all []project
	for rows.Next() {
		var p project
		if err := rows.Scan(&p.id, &p.name); err != nil {
			return nil, fmt.Errorf("list projects: %w", err)
		}
		all = append(all, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list projects: %w", err)
	}
	return all, nil
}

// project returns the client's project with the ID, or errForeign.
func (a *API) project(ctx context.Context, client, id string) (project, error) {
	p := project{id: id}
	err := a.States.DB.QueryRowContext(ctx, `SELECT name FROM cloud_projects WHERE client_id = $1 AND id = $2`, client, id).Scan(&p.name)
	if errors.Is(err, sql.ErrNoRows) {
		return p, errForeign
	}
	if err != nil {
		return p, fmt.Errorf("read project: %w", err)
	}
	return p, nil
}

// upload is a version that was announced.
type upload struct {
	id, state, client, token, lock string
	serial                         int64
	lineage, md5                   string
	forced                         bool
	created, expires               time.Time
	version                        string // ID of the version that came of it, "" for none yet
}

// uploadTime is for how long an announced version may come, and an address of a
// state counts.
const uploadTime = 10 * time.Minute

// announce keeps the announcement of a version.
func (a *API) announce(ctx context.Context, u upload) (upload, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return u, err
	}
	now := a.States.Now()
	u.id, u.created, u.expires = id.String(), now, now.Add(uploadTime)
	forced := 0
	if u.forced {
		forced = 1
	}
	err = a.States.DB.Tx(ctx, func(tx *db.Tx) error {
		// An ID is still asked for after its version came; a day later it is not.
		if _, err := tx.ExecContext(ctx, `DELETE FROM cloud_uploads WHERE expires_ms < $1`, db.Millis(now.Add(-24*time.Hour))); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO cloud_uploads (id, state_id, client_id, token_id, lock_id, serial, lineage, md5, forced, created_ms, expires_ms)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			u.id, u.state, u.client, u.token, u.lock, u.serial, u.lineage, u.md5, forced, db.Millis(u.created), db.Millis(u.expires))
		return err
	})
	if err != nil {
		return u, fmt.Errorf("announce a version: %w", err)
	}
	return u, nil
}

// upload returns the client's announcement with the ID, or errForeign.
func (a *API) upload(ctx context.Context, client, id string) (upload, error) {
	u := upload{id: id}
	var forced, created, expires int64
	err := a.States.DB.QueryRowContext(ctx, `SELECT state_id, client_id, token_id, lock_id, serial, lineage, md5, forced, created_ms, expires_ms, version_id
		FROM cloud_uploads WHERE client_id = $1 AND id = $2`, client, id).Scan(&u.state, &u.client, &u.token, &u.lock, &u.serial, &u.lineage, &u.md5, &forced, &created, &expires, &u.version)
	if errors.Is(err, sql.ErrNoRows) {
		return u, errForeign
	}
	if err != nil {
		return u, fmt.Errorf("read announcement: %w", err)
	}
	u.forced, u.created, u.expires = forced == 1, db.FromMillis(created), db.FromMillis(expires)
	return u, nil
}

// came records which version came of an announcement.
func (a *API) came(ctx context.Context, u upload, version string) error {
	if _, err := a.States.DB.ExecContext(ctx, `UPDATE cloud_uploads SET version_id = $1 WHERE id = $2`, version, u.id); err != nil {
		return errs.Wrap(errs.Unavailable, err, "The state was written, and the server could not record it. Ask again.")
	}
	return nil
}
