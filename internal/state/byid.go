package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// ByID returns the client's state with the ID, or errs.NotFound: also where it
// is another client's.
func (s *Store) ByID(ctx context.Context, client, id string) (State, error) {
	st, err := scanState(s.DB.QueryRowContext(ctx, stateColumns+` WHERE s.client_id = $1 AND s.id = $2`, client, id))
	if errors.Is(err, sql.ErrNoRows) {
		return st, noState(err)
	}
	if err != nil {
		return st, fmt.Errorf("read state %s: %w", id, err)
	}
	return st, nil
}

// VersionByID returns the client's version with the ID, or errs.NotFound: also
// where it is another client's.
func (s *Store) VersionByID(ctx context.Context, client, id string) (Version, error) {
	v, err := scanVersion(s.DB.QueryRowContext(ctx, `SELECT `+versionFields+` FROM state_versions v WHERE v.client_id = $1 AND v.id = $2`, client, id))
	if errors.Is(err, sql.ErrNoRows) {
		return v, errs.Wrap(errs.NotFound, err, "There is no such version.")
	}
	if err != nil {
		return v, fmt.Errorf("read version %s: %w", id, err)
	}
	return v, nil
}

// EnsureTx returns the client's state of the name, and makes an empty one where
// there is none. Nobody else changes it before the transaction ends.
func (s *Store) EnsureTx(ctx context.Context, tx *db.Tx, client, name string) (State, error) {
	if err := CheckName(name); err != nil {
		return State{}, err
	}
	return s.ensure(ctx, tx, client, name)
}

// Follows says of a write that is announced with serial, lineage and MD5 (hex)
// whether it would be refused: for the lock, as with Write, and unless it is
// forced for what does not follow from the version that counts.
func (s *Store) Follows(ctx context.Context, w Write, doc Document, md5 string) error {
	st, err := s.State(ctx, w.Client, w.Name)
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := w.may(st); err != nil || w.Force {
		return err
	}
	_, err = follows(st, doc, md5)
	return err
}
