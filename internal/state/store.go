package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/keyring"
)

// Limits bound what clients may store. Zero is no limit.
type Limits struct {
	Size   int64 // bytes of one state
	States int   // of one client
	Bytes  int64 // stored, of one client with all versions
}

// Options set a store up. DB, Blobs, Keys, Trail and Tokens are needed.
type Options struct {
	DB     *db.DB
	Blobs  *blob.Store
	Keys   *keyring.Ring
	Trail  *access.Trail
	Tokens *access.Tokens
	Limits Limits
	Keep   Keep         // which versions stay
	Log    *slog.Logger // discards if nil
	Now    func() time.Time
	// Room reports what keeps work from beginning on this machine, such as a
	// full disk; nil where nothing is looked at.
	Room func() error
	// Observed is told of all that is asked of the store, if not nil. It must be
	// fast, and safe for concurrent use.
	Observed func(Act)
}

// Store keeps states. It is safe for concurrent use.
type Store struct{ Options }

// New returns the store.
func New(o Options) *Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Store{o}
}

const stateColumns = `SELECT s.id, s.client_id, s.name, s.version_id, s.seq, s.serial, s.max_serial, s.lineage, s.md5, s.frozen, s.created_ms, s.written_ms,
	coalesce(l.lock_id, ''), coalesce(l.info, ''), coalesce(l.actor, ''), coalesce(l.token_id, ''), coalesce(l.run_id, ''), coalesce(l.created_ms, 0)
	FROM states s LEFT JOIN state_locks l ON l.state_id = s.id`

func scanState(row interface{ Scan(...any) error }) (s State, err error) {
	var l Lock
	var actor string
	var created, written, since int64
	if err := row.Scan(&s.ID, &s.Client, &s.Name, &s.Current, &s.Seq, &s.Serial, &s.maxSerial, &s.Lineage, &s.MD5, &s.Frozen, &created, &written,
		&l.ID, &l.raw, &actor, &l.Token, &l.Run, &since); err != nil {
		return s, err
	}
	s.Created, s.Written = db.FromMillis(created), db.FromMillis(written)
	if l.ID == "" {
		return s, nil
	}
	id := l.ID
	if err := errors.Join(json.Unmarshal([]byte(l.raw), &l.LockInfo), json.Unmarshal([]byte(actor), &l.Actor)); err != nil {
		return s, fmt.Errorf("state %s: lock: %w", s.ID, err)
	}
	l.ID, l.Since = id, db.FromMillis(since)
	s.Lock = &l
	return s, nil
}

func noState(err error) error {
	return errs.Wrap(errs.NotFound, err, "There is no such state.")
}

// state returns the state, or errs.NotFound.
func state(ctx context.Context, q db.Querier, client, name string) (State, error) {
	s, err := scanState(q.QueryRowContext(ctx, stateColumns+` WHERE s.client_id = $1 AND s.name = $2`, client, name))
	if errors.Is(err, sql.ErrNoRows) {
		return s, noState(err)
	}
	if err != nil {
		return s, fmt.Errorf("read state %s: %w", name, err)
	}
	return s, nil
}

// State returns the client's state of the name, or errs.NotFound. It exists
// from its first lock or write on.
func (s *Store) State(ctx context.Context, client, name string) (State, error) {
	if err := CheckName(name); err != nil {
		return State{}, err
	}
	return state(ctx, s.DB, client, name)
}

// States returns the client's states by name, or everybody's where client is
// empty.
func (s *Store) States(ctx context.Context, client string) ([]State, error) {
	rows, err := s.DB.QueryContext(ctx, stateColumns+` WHERE s.client_id = $1 OR $1 = '' ORDER BY s.client_id, s.name`, client)
	if err != nil {
		return nil, fmt.Errorf("list states: %w", err)
	}
	defer rows.Close()
	var all []State
	for rows.Next() {
		st, err := scanState(rows)
		if err != nil {
			return nil, fmt.Errorf("list states: %w", err)
		}
		all = append(all, st)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list states: %w", err)
	}
	return all, nil
}

// ensure returns the state for a change of it, and makes it where there is
// none. From here to the transaction's end nobody else changes it.
func (s *Store) ensure(ctx context.Context, tx *db.Tx, client, name string) (State, error) {
	st, err := s.hold(ctx, tx, client, name)
	if !errs.Is(err, errs.NotFound) {
		return st, err
	}
	// One that was made after the backup that came back looks like none at all.
	var recovering int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM recoveries WHERE ended_ms = 0`).Scan(&recovering); err != nil {
		return State{}, err
	}
	if recovering > 0 {
		return State{}, errs.New(errs.Conflict, "There is no state %s since the database came back from a backup, and it may have been made after that. Until an administrator has ended this with `tidelock restore finish`, no new one is made.", name)
	}
	use, err := usage(ctx, tx, client)
	if err != nil {
		return State{}, err
	}
	if s.Limits.States > 0 && use.States >= s.Limits.States {
		return State{}, quota("This client has %d states, which is as many as it may have.", use.States)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return State{}, err
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO states (id, client_id, name, created_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (client_id, name) DO NOTHING`,
		id.String(), client, name, db.Millis(s.Now()))
	if err != nil {
		return State{}, fmt.Errorf("make state %s: %w", name, err)
	}
	if n, err := res.RowsAffected(); err != nil {
		return State{}, err
	} else if n == 1 {
		if err := addUsage(ctx, tx, client, 1, 0); err != nil {
			return State{}, err
		}
	}
	return s.hold(ctx, tx, client, name)
}

// hold is state for whoever is about to change it: others wait.
func (s *Store) hold(ctx context.Context, tx *db.Tx, client, name string) (State, error) {
	// The write of a row is its lock, on either database.
	if _, err := tx.ExecContext(ctx, `UPDATE states SET seq = seq WHERE client_id = $1 AND name = $2`, client, name); err != nil {
		return State{}, fmt.Errorf("lock the row of state %s: %w", name, err)
	}
	return state(ctx, tx, client, name)
}

// Usage is what a client has here.
type Usage struct {
	States int
	Bytes  int64 // stored, of all versions
}

func usage(ctx context.Context, q db.Querier, client string) (u Usage, err error) {
	err = q.QueryRowContext(ctx, `SELECT states, bytes FROM state_usage WHERE client_id = $1`, client).Scan(&u.States, &u.Bytes)
	if errors.Is(err, sql.ErrNoRows) {
		return Usage{}, nil
	}
	if err != nil {
		return u, fmt.Errorf("read usage: %w", err)
	}
	return u, nil
}

// Usage returns what the client has here.
func (s *Store) Usage(ctx context.Context, client string) (Usage, error) {
	return usage(ctx, s.DB, client)
}

func addUsage(ctx context.Context, tx *db.Tx, client string, states int, bytes int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO state_usage (client_id, states, bytes) VALUES ($1, $2, $3)
		ON CONFLICT (client_id) DO UPDATE SET states = state_usage.states + $2, bytes = state_usage.bytes + $3`, client, states, bytes)
	if err != nil {
		return fmt.Errorf("count usage: %w", err)
	}
	return nil
}

// errQuota marks a refusal for want of quota.
var errQuota = errors.New("quota")

func quota(format string, args ...any) error {
	return errs.Wrap(errs.TooLarge, errQuota, format+" Delete versions or states, or have an administrator raise the limits in the block state of the server's configuration.", args...)
}

func (s *Store) record(ctx context.Context, tx *db.Tx, st State, who Who, action string, detail map[string]any) error {
	if detail == nil {
		detail = map[string]any{}
	}
	if who.Run != "" {
		detail["run"] = who.Run
	}
	return s.Trail.Record(ctx, tx, access.Event{Client: st.Client, Action: action, Subject: "state " + st.Name, Actor: who.Actor, Detail: detail, At: s.Now()})
}
