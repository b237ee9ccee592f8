package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// The states of a restore.
const (
	RestoreAsked   = "asked"
	RestoreDone    = "done"
	RestoreDropped = "dropped" // another one was asked for instead
)

// restoreTime is how long an approval may be waited for.
const restoreTime = 24 * time.Hour

// Restore is somebody's wish that an older version count again.
type Restore struct {
	ID      string
	State   string // ID
	Client  string // ID
	Version string // ID of the version that is to come back
	Over    string // ID of the version that counted then
	Reason  string
	Status  string
	AskedBy access.Actor
	Asked   time.Time
	EndedBy access.Actor
	Ended   time.Time
	Result  string // ID of the version that came of it
}

// Waits reports whether somebody may still approve it.
func (r Restore) Waits(now time.Time) bool {
	return r.Status == RestoreAsked && now.Sub(r.Asked) <= restoreTime
}

// AskRestore asks that a version count again. Somebody else must approve. It
// is refused while the state is locked, and for a version of another lineage.
func (s *Store) AskRestore(ctx context.Context, client, name string, seq int64, who Who, reason string) (r Restore, err error) {
	if strings.TrimSpace(reason) == "" {
		return r, errs.New(errs.Invalid, "A restore needs a reason: the one who approves reads it.")
	}
	id, err := uuid.NewV7()
	if err != nil {
		return r, err
	}
	by, err := json.Marshal(who.Actor)
	if err != nil {
		return r, err
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		st, err := s.hold(ctx, tx, client, name)
		if err != nil {
			return err
		}
		v, err := s.versionOf(ctx, tx, client, name, seq)
		if err != nil {
			return err
		}
		if err := mayRestore(st, v); err != nil {
			return err
		}
		r = Restore{ID: id.String(), State: st.ID, Client: client, Version: v.ID, Over: st.Current, Reason: reason, Status: RestoreAsked, AskedBy: who.Actor, Asked: db.FromMillis(db.Millis(s.Now()))}
		if _, err := tx.ExecContext(ctx, `UPDATE state_restores SET status = $1, ended_ms = $2, ended_by = $3 WHERE state_id = $4 AND status = $5`,
			RestoreDropped, db.Millis(r.Asked), string(by), st.ID, RestoreAsked); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO state_restores (id, state_id, client_id, version_id, over_id, reason, status, asked_by, asked_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			r.ID, r.State, r.Client, r.Version, r.Over, r.Reason, r.Status, string(by), db.Millis(r.Asked)); err != nil {
			return err
		}
		return s.record(ctx, tx, st, who, "state.restore_asked", map[string]any{"restore": r.ID, "version": v.Seq, "serial": v.Serial, "reason": reason, "proven_by": who.proof()})
	})
	if err != nil {
		return Restore{}, fmt.Errorf("ask to restore state %s: %w", name, err)
	}
	return r, nil
}

func mayRestore(st State, v Version) error {
	switch {
	case st.Lock != nil:
		return held(*st.Lock, "The state %s is locked by %s; nothing is restored while it is.", st.Name, st.Lock.Holder())
	case st.Frozen != "":
		return errs.New(errs.Conflict, "The state %s is frozen: %s", st.Name, st.Frozen)
	case v.ID == st.Current:
		return errs.New(errs.Conflict, "Version %d of the state %s counts already.", v.Seq, st.Name)
	case v.Kind == KindErrored:
		return errs.New(errs.Conflict, "Version %d of the state %s was kept of a run that could not write it, and never counted. Push it instead.", v.Seq, st.Name)
	case st.Exists() && v.Lineage != st.Lineage:
		return errs.New(errs.Conflict, "Version %d of the state %s has another lineage: it is another state's. Delete the state first, or push it by force.", v.Seq, st.Name)
	}
	return nil
}

const restoreColumns = `SELECT id, state_id, client_id, version_id, over_id, reason, status, asked_by, asked_ms, ended_by, ended_ms, result_id FROM state_restores`

func scanRestore(row interface{ Scan(...any) error }) (r Restore, err error) {
	var by, ended string
	var askedMS, endedMS int64
	if err := row.Scan(&r.ID, &r.State, &r.Client, &r.Version, &r.Over, &r.Reason, &r.Status, &by, &askedMS, &ended, &endedMS, &r.Result); err != nil {
		return r, err
	}
	r.Asked, r.Ended = db.FromMillis(askedMS), db.FromMillis(endedMS)
	if err := json.Unmarshal([]byte(by), &r.AskedBy); err != nil {
		return r, fmt.Errorf("restore %s: %w", r.ID, err)
	}
	if ended != "" {
		if err := json.Unmarshal([]byte(ended), &r.EndedBy); err != nil {
			return r, fmt.Errorf("restore %s: %w", r.ID, err)
		}
	}
	return r, nil
}

func restoreByID(ctx context.Context, q db.Querier, id string) (Restore, error) {
	r, err := scanRestore(q.QueryRowContext(ctx, restoreColumns+` WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return r, errs.Wrap(errs.NotFound, err, "Nobody has asked for such a restore.")
	}
	return r, err
}

// RestoreOf returns a restore that was asked for of the client's state, or
// errs.NotFound: also where it is another's.
func (s *Store) RestoreOf(ctx context.Context, st State, id string) (Restore, error) {
	r, err := restoreByID(ctx, s.DB, id)
	if err == nil && r.State != st.ID {
		err = errs.New(errs.NotFound, "Nobody has asked for such a restore.")
	}
	return r, err
}

// RestoreState returns whose state a restore is of, and its name.
func (s *Store) RestoreState(ctx context.Context, id string) (client, name string, err error) {
	r, err := restoreByID(ctx, s.DB, id)
	if err != nil {
		return "", "", err
	}
	err = s.DB.QueryRowContext(ctx, `SELECT client_id, name FROM states WHERE id = $1`, r.State).Scan(&client, &name)
	if err != nil {
		return "", "", fmt.Errorf("find the state of restore %s: %w", id, err)
	}
	return client, name, nil
}

// Restores returns what was asked for, the newest first: of the client, or
// everybody's where client is empty.
func (s *Store) Restores(ctx context.Context, client string, limit int) ([]Restore, error) {
	rows, err := s.DB.QueryContext(ctx, restoreColumns+` WHERE client_id = $1 OR $1 = '' ORDER BY asked_ms DESC, id DESC LIMIT $2`, client, limit)
	if err != nil {
		return nil, fmt.Errorf("list restores: %w", err)
	}
	defer rows.Close()
	var all []Restore
	for rows.Next() {
		r, err := scanRestore(rows)
		if err != nil {
			return nil, fmt.Errorf("list restores: %w", err)
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

func samePerson(a, b access.Actor) bool {
	if a.ID != 0 || b.ID != 0 {
		return a.Kind == b.Kind && a.ID == b.ID
	}
	return a.Kind == b.Kind && strings.EqualFold(a.Name, b.Name)
}

// ApproveRestore has the version that was asked for count again, as a new
// version with the next serial and the same lineage. Whoever asked can't
// approve (errs.Forbidden), and nothing may have been written since.
//
// A state that OpenTofu encrypted holds its serial where nobody here can change
// it; it comes back with the serial that it had.
func (s *Store) ApproveRestore(ctx context.Context, id string, who Who) (Version, error) {
	r, err := restoreByID(ctx, s.DB, id)
	if err != nil {
		return Version{}, err
	}
	if err := s.mayApprove(r, who); err != nil {
		return Version{}, err
	}
	st, err := scanState(s.DB.QueryRowContext(ctx, stateColumns+` WHERE s.id = $1`, r.State))
	if err != nil {
		return Version{}, noState(err)
	}
	old, err := version(ctx, s.DB, st.ID, r.Version)
	if err != nil {
		return Version{}, err
	}
	serial := max(st.maxSerial, old.Serial) + 1
	body, err := s.renumbered(ctx, st.Name, old, serial)
	if err != nil {
		return Version{}, fmt.Errorf("restore state %s: %w", st.Name, err)
	}
	defer body.Close()
	w := Write{Client: st.Client, Name: st.Name, Who: who, Body: body, Reason: fmt.Sprintf("version %d restored: %s", old.Seq, r.Reason), kind: KindRestore}
	t, err := s.take(ctx, w)
	if err != nil {
		return Version{}, fmt.Errorf("restore state %s: %w", st.Name, err)
	}
	v, err := s.restore(ctx, r, st, old, w, t)
	if err != nil {
		if t.blob != "" && !errs.Is(err, errs.Unavailable) {
			_ = s.Blobs.Delete(context.WithoutCancel(ctx), st.Client, t.blob)
		}
		return Version{}, fmt.Errorf("restore state %s: %w", st.Name, err)
	}
	return v, nil
}

func (s *Store) mayApprove(r Restore, who Who) error {
	switch {
	case r.Status != RestoreAsked:
		return errs.New(errs.Conflict, "The restore is %s already.", r.Status)
	case samePerson(r.AskedBy, who.Actor):
		return errs.New(errs.Forbidden, "%s asked for the restore, so somebody else must approve it.", r.AskedBy)
	case s.Now().Sub(r.Asked) > restoreTime:
		return errs.New(errs.Conflict, "The restore was asked for more than %d hours ago. Ask again.", int(restoreTime.Hours()))
	}
	return nil
}

func (s *Store) restore(ctx context.Context, r Restore, before State, old Version, w Write, t taken) (v Version, err error) {
	by, err := json.Marshal(w.Who.Actor)
	if err != nil {
		return v, err
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		st, err := s.hold(ctx, tx, before.Client, before.Name)
		if err != nil {
			return err
		}
		if r, err = restoreByID(ctx, tx, r.ID); err != nil {
			return err
		}
		if err := s.mayApprove(r, w.Who); err != nil {
			return err
		}
		if st.Current != r.Over || st.maxSerial != before.maxSerial {
			return errs.New(errs.Conflict, "The state %s was written after the restore was asked for. Look at it, and ask again.", st.Name)
		}
		if err := mayRestore(st, old); err != nil {
			return err
		}
		if v, err = s.insert(ctx, tx, st, w, t); err != nil {
			return err
		}
		if err := s.count(ctx, tx, st, v); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE state_restores SET status = $1, ended_by = $2, ended_ms = $3, result_id = $4 WHERE id = $5`,
			RestoreDone, string(by), db.Millis(s.Now()), v.ID, r.ID); err != nil {
			return err
		}
		return s.record(ctx, tx, st, w.Who, "state.restored", map[string]any{
			"restore": r.ID, "from_version": old.Seq, "version": v.Seq, "serial": v.Serial, "asked_by": r.AskedBy, "reason": r.Reason, "proven_by": w.Who.proof(),
		})
	})
	return v, err
}

// renumbered returns a version's content with another serial, and every other
// byte as it was.
func (s *Store) renumbered(ctx context.Context, name string, v Version, serial int64) (io.ReadCloser, error) {
	if v.Encrypted {
		return s.openByID(ctx, name, v)
	}
	first, err := s.openByID(ctx, name, v)
	if err != nil {
		return nil, err
	}
	scan := newScanner()
	_, err = io.Copy(scan, first)
	_ = first.Close()
	if err != nil {
		return nil, err
	}
	d, err := scan.finish()
	if err != nil {
		return nil, err
	}
	again, err := s.openByID(ctx, name, v)
	if err != nil {
		return nil, err
	}
	digits := strconv.FormatInt(serial, 10)
	r := io.MultiReader(io.LimitReader(again, d.serialFrom), strings.NewReader(digits), &skipping{again, d.serialTo - d.serialFrom})
	return struct {
		io.Reader
		io.Closer
	}{r, again}, nil
}

// skipping reads on behind the first bytes.
type skipping struct {
	r    io.Reader
	skip int64
}

func (s *skipping) Read(p []byte) (int, error) {
	if s.skip > 0 {
		n, err := io.CopyN(io.Discard, s.r, s.skip)
		if s.skip -= n; err != nil {
			return 0, err
		}
	}
	return s.r.Read(p)
}

// openByID opens a version whose row is known.
func (s *Store) openByID(ctx context.Context, name string, v Version) (io.ReadCloser, error) {
	var sealed []byte
	if v.blob == "" {
		err := s.DB.QueryRowContext(ctx, `SELECT sealed FROM state_contents WHERE version_id = $1`, v.ID).Scan(&sealed)
		if err != nil {
			return nil, fmt.Errorf("read the content of version %d: %w", v.Seq, err)
		}
	}
	return s.open(ctx, v, name, sealed)
}
