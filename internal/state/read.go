package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

const versionFields = `v.id, v.state_id, v.client_id, v.seq, v.kind, v.serial, v.lineage, v.size, v.stored, v.md5, v.sha256, v.terraform_version, v.encrypted, v.resources, v.instances,
	v.actor, v.run_id, v.commit_sha, v.reason, v.created_ms, v.blob_ref, v.key_id, v.wrapped`

func scanVersion(row interface{ Scan(...any) error }, more ...any) (v Version, err error) {
	var actor string
	var encrypted, created int64
	err = row.Scan(append([]any{&v.ID, &v.State, &v.Client, &v.Seq, &v.Kind, &v.Serial, &v.Lineage, &v.Size, &v.Stored, &v.MD5, &v.SHA256, &v.TerraformVersion, &encrypted, &v.Resources, &v.Instances,
		&actor, &v.Run, &v.Commit, &v.Reason, &created, &v.blob, &v.Key, &v.wrapped}, more...)...)
	if err != nil {
		return v, err
	}
	v.Encrypted, v.Created = encrypted == 1, db.FromMillis(created)
	if err := json.Unmarshal([]byte(actor), &v.Actor); err != nil {
		return v, fmt.Errorf("version %s: actor: %w", v.ID, err)
	}
	return v, nil
}

// version returns a version of the state by its ID, or errs.NotFound.
func version(ctx context.Context, q db.Querier, state, id string) (Version, error) {
	v, err := scanVersion(q.QueryRowContext(ctx, `SELECT `+versionFields+` FROM state_versions v WHERE v.state_id = $1 AND v.id = $2`, state, id))
	if errors.Is(err, sql.ErrNoRows) {
		return v, errs.Wrap(errs.NotFound, err, "The state has no such version.")
	}
	return v, err
}

const readQuery = `SELECT ` + versionFields + `, c.sealed FROM state_versions v LEFT JOIN state_contents c ON c.version_id = v.id JOIN states s ON s.id = v.state_id
	WHERE s.client_id = $1 AND s.name = $2 AND `

// Read returns the version that counts, and its content. Whoever reads it
// closes it, and uses nothing of it unless the reading ended in io.EOF. The
// error is errs.NotFound where there is no state yet.
func (s *Store) Read(ctx context.Context, client, name string) (_ Version, _ io.ReadCloser, err error) {
	defer s.tell("read", time.Now(), &err)
	return s.read(ctx, client, name, `v.id = s.version_id`)
}

// ReadVersion is Read for any version, by its number.
func (s *Store) ReadVersion(ctx context.Context, client, name string, seq int64) (Version, io.ReadCloser, error) {
	return s.read(ctx, client, name, `v.seq = $3`, seq)
}

func (s *Store) read(ctx context.Context, client, name, where string, args ...any) (Version, io.ReadCloser, error) {
	if err := CheckName(name); err != nil {
		return Version{}, nil, err
	}
	var sealed []byte
	v, err := scanVersion(s.DB.QueryRowContext(ctx, readQuery+where, append([]any{client, name}, args...)...), &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return Version{}, nil, noState(err)
	}
	if err != nil {
		return Version{}, nil, fmt.Errorf("read state %s: %w", name, err)
	}
	r, err := s.open(ctx, v, name, sealed)
	return v, r, err
}

// Current returns the version that counts, without its content.
func (s *Store) Current(ctx context.Context, client, name string) (Version, error) {
	if err := CheckName(name); err != nil {
		return Version{}, err
	}
	v, err := scanVersion(s.DB.QueryRowContext(ctx, `SELECT `+versionFields+` FROM state_versions v JOIN states s ON s.id = v.state_id WHERE s.client_id = $1 AND s.name = $2 AND v.id = s.version_id`, client, name))
	if errors.Is(err, sql.ErrNoRows) {
		return v, noState(err)
	}
	return v, err
}

// Version returns a version by its number, or errs.NotFound.
func (s *Store) Version(ctx context.Context, client, name string, seq int64) (Version, error) {
	return s.versionOf(ctx, s.DB, client, name, seq)
}

func (s *Store) versionOf(ctx context.Context, q db.Querier, client, name string, seq int64) (Version, error) {
	v, err := scanVersion(q.QueryRowContext(ctx, `SELECT `+versionFields+` FROM state_versions v JOIN states s ON s.id = v.state_id WHERE s.client_id = $1 AND s.name = $2 AND v.seq = $3`, client, name, seq))
	if errors.Is(err, sql.ErrNoRows) {
		return v, errs.Wrap(errs.NotFound, err, "The state %s has no version %d.", name, seq)
	}
	return v, err
}

// Versions returns the state's versions, the newest first, at most limit.
func (s *Store) Versions(ctx context.Context, client, name string, limit int) ([]Version, error) {
	rows, err := s.DB.QueryContext(ctx, `SELECT `+versionFields+` FROM state_versions v JOIN states s ON s.id = v.state_id WHERE s.client_id = $1 AND s.name = $2 ORDER BY v.seq DESC LIMIT $3`, client, name, limit)
	if err != nil {
		return nil, fmt.Errorf("list versions of %s: %w", name, err)
	}
	defer rows.Close()
	var all []Version
	for rows.Next() {
		v, err := scanVersion(rows)
		if err != nil {
			return nil, fmt.Errorf("list versions of %s: %w", name, err)
		}
		all = append(all, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list versions of %s: %w", name, err)
	}
	return all, nil
}
