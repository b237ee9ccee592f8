package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// LockForRun takes the state's lock for a run that is about to write, with a
// credential that lives as long as the run and opens this state alone. For a
// run that holds it already, before a restart perhaps, it is no error. The
// error is a *HeldError where somebody else holds it.
//
// What the lock keeps is that the state which counts is the one that the run
// began from, until WriteForRun and LeaveRun.
func (s *Store) LockForRun(ctx context.Context, a RunAccess, operation string) (State, error) {
	st, err := s.State(ctx, a.Client, a.Name)
	if err == nil && st.Lock != nil {
		if st.Lock.Run == a.Run {
			return st, nil
		}
		return st, held(*st.Lock, "The state %s is locked by %s.", a.Name, st.Lock.Holder())
	}
	if err != nil && !errs.Is(err, errs.NotFound) {
		return st, err
	}
	secret, err := s.RunToken(ctx, a)
	if err != nil {
		return st, err
	}
	cred, err := s.Tokens.Authenticate(ctx, secret.Reveal())
	if err != nil {
		return st, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return st, err
	}
	raw, err := json.Marshal(LockInfo{ID: id.String(), Operation: operation, Who: "Tidelock", Created: s.Now().UTC(), Path: a.Name})
	if err != nil {
		return st, err
	}
	if _, err := s.Lock(ctx, a.Client, a.Name, By(cred), raw); err != nil {
		return st, errors.Join(err, s.DB.Tx(context.WithoutCancel(ctx), func(tx *db.Tx) error { return s.EndRun(ctx, tx, a.Run) }))
	}
	return s.State(ctx, a.Client, a.Name)
}

// WriteForRun writes what a run has made of the state, under the lock that it
// took with LockForRun. Where the run wrote it already, that version comes
// back: the server may have died in between. The error is errs.Conflict where
// the lock was taken away, or the state does not follow from what counts.
func (s *Store) WriteForRun(ctx context.Context, client, name, run, commit string, serial int64, body io.Reader) (Version, error) {
	st, err := s.State(ctx, client, name)
	if err != nil {
		return Version{}, err
	}
	var id string
	err = s.DB.QueryRowContext(ctx, `SELECT coalesce(max(id), '') FROM state_versions WHERE state_id = $1 AND run_id = $2 AND kind = $3 AND serial = $4`, st.ID, run, KindWrite, serial).Scan(&id)
	if err != nil {
		return Version{}, fmt.Errorf("look for what run %s wrote: %w", run, err)
	}
	if id != "" {
		return version(ctx, s.DB, st.ID, id)
	}
	w := Write{Client: client, Name: name, Who: Who{Run: run, Commit: commit}, LockID: "run " + run, Body: body}
	if l := st.Lock; l != nil && l.Run == run {
		w.LockID, w.Who.Actor, w.Who.Token = l.ID, l.Actor, l.Token
	}
	return s.Write(ctx, w)
}

// LeaveRun lets go of the lock that the run took, if it did, and ends its
// credentials. Doing it again is no error.
func (s *Store) LeaveRun(ctx context.Context, client, name, run string) error {
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM state_locks WHERE run_id = $1 AND state_id IN (SELECT id FROM states WHERE client_id = $2 AND name = $3)`, run, client, name); err != nil {
			return err
		}
		return s.EndRun(ctx, tx, run)
	})
	if err != nil {
		return fmt.Errorf("leave state %s: %w", name, err)
	}
	return nil
}

// HeldByRuns returns the states that runs hold, everybody's.
func (s *Store) HeldByRuns(ctx context.Context) ([]State, error) {
	all, err := s.States(ctx, "")
	if err != nil {
		return nil, err
	}
	var out []State
	for _, st := range all {
		if st.Lock != nil && st.Lock.Run != "" {
			out = append(out, st)
		}
	}
	return out, nil
}

// EndRunNow is EndRun in a transaction of its own.
func (s *Store) EndRunNow(ctx context.Context, run string) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error { return s.EndRun(ctx, tx, run) })
}
