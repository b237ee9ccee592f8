package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// KeepErrored keeps a state that a run could not write, its errored.tfstate:
// as a version that does not count. Keeping it again is no error. Neither a
// lock nor a quota is in the way: what was applied must be known.
func (s *Store) KeepErrored(ctx context.Context, client, name string, who Who, body io.Reader, reason string) (v Version, err error) {
	if err := CheckName(name); err != nil {
		return Version{}, err
	}
	w := Write{Client: client, Name: name, Who: who, Body: body, Reason: reason, kind: KindErrored}
	t, err := s.take(ctx, w)
	if err != nil {
		return Version{}, fmt.Errorf("keep the errored state of %s: %w", name, err)
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		st, err := s.ensure(ctx, tx, client, name)
		if err != nil {
			return err
		}
		var id string
		err = tx.QueryRowContext(ctx, `SELECT id FROM state_versions WHERE state_id = $1 AND kind = $2 AND run_id = $3 AND sha256 = $4`, st.ID, KindErrored, who.Run, t.sha256).Scan(&id)
		if err == nil {
			v, err = version(ctx, tx, st.ID, id)
			return err
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if v, err = s.insert(ctx, tx, st, w, t); err != nil {
			return err
		}
		return s.record(ctx, tx, st, who, "state.errored_kept", map[string]any{"version": v.Seq, "serial": v.Serial, "sha256": v.SHA256, "reason": reason})
	})
	s.letGo(ctx, client, t, v, err)
	if err != nil {
		return Version{}, fmt.Errorf("keep the errored state of %s: %w", name, err)
	}
	return v, nil
}

// Captured is a state that a run could not write and that is kept.
type Captured struct {
	Version
	Name  string // of the state that it would be a version of
	Base  Base
	Known bool // somebody noted the base
}

// Errored returns the kept states that could still be pushed: of the lineage
// that counts, with a higher serial, or where nothing counts yet. The newest
// come first.
func (s *Store) Errored(ctx context.Context, client string) ([]Captured, error) {
	return s.captured(ctx, `v.client_id = $2 OR $2 = ''`, client)
}

// ErroredOf is Errored of one state.
func (s *Store) ErroredOf(ctx context.Context, st State) ([]Captured, error) {
	return s.captured(ctx, `v.state_id = $2`, st.ID)
}

// ErroredBy is Errored of one run.
func (s *Store) ErroredBy(ctx context.Context, run string) ([]Captured, error) {
	return s.captured(ctx, `v.run_id = $2`, run)
}

func (s *Store) captured(ctx context.Context, where, arg string) ([]Captured, error) {
	rows, err := s.DB.QueryContext(ctx, `SELECT `+versionFields+`, s.name, coalesce(e.base_serial, -1), coalesce(e.base_lineage, ''), coalesce(e.backend, ''), CASE WHEN e.version_id IS NULL THEN 0 ELSE 1 END
		FROM state_versions v JOIN states s ON s.id = v.state_id LEFT JOIN state_errored e ON e.version_id = v.id
		WHERE v.kind = $1 AND (`+where+`) AND (s.version_id = '' OR v.lineage = s.lineage AND v.serial > s.serial) ORDER BY v.created_ms DESC, v.id DESC`, KindErrored, arg)
	if err != nil {
		return nil, fmt.Errorf("list errored states: %w", err)
	}
	defer rows.Close()
	var all []Captured
	for rows.Next() {
		var c Captured
		var known int
		if c.Version, err = scanVersion(rows, &c.Name, &c.Base.Serial, &c.Base.Lineage, &c.Base.Backend, &known); err != nil {
			return nil, fmt.Errorf("list errored states: %w", err)
		}
		c.Known = known == 1
		all = append(all, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list errored states: %w", err)
	}
	return all, nil
}

// Base is what a run began from whose state could not be written.
type Base struct {
	Serial  int64 // 0 for none; -1 where nobody knows
	Lineage string
	Backend string // where the project keeps its state: "s3"; "" for here
}

// NoteBase stores what the run began from that left an errored state.
func (s *Store) NoteBase(ctx context.Context, v Version, b Base) error {
	_, err := s.DB.ExecContext(ctx, `INSERT INTO state_errored (version_id, base_serial, base_lineage, backend) VALUES ($1, $2, $3, $4)
		ON CONFLICT (version_id) DO UPDATE SET base_serial = $2, base_lineage = $3, backend = $4`, v.ID, b.Serial, b.Lineage, b.Backend)
	if err != nil {
		return fmt.Errorf("keep what version %d began from: %w", v.Seq, err)
	}
	return nil
}

// baseOf returns what the run of an errored state began from; false where
// nobody noted it.
func (s *Store) baseOf(ctx context.Context, q db.Querier, v Version) (b Base, known bool, err error) {
	err = q.QueryRowContext(ctx, `SELECT base_serial, base_lineage, backend FROM state_errored WHERE version_id = $1`, v.ID).Scan(&b.Serial, &b.Lineage, &b.Backend)
	if errors.Is(err, sql.ErrNoRows) {
		return b, false, nil
	}
	if err != nil {
		return b, false, fmt.Errorf("read what version %d began from: %w", v.Seq, err)
	}
	return b, true, nil
}

// PushErrored writes a kept state after all. It is guarded: what counts must
// be what the run began from, with the same lineage, and nobody may hold the
// lock but that run, whose lock ends with it. What is kept of a project whose
// state is elsewhere is not written here. Pushing again is no error. A quota is
// not in the way: what was applied must be known.
func (s *Store) PushErrored(ctx context.Context, client, name string, seq int64, who Who) (done Version, err error) {
	v, content, err := s.ReadVersion(ctx, client, name, seq)
	if err != nil {
		return Version{}, err
	}
	defer content.Close()
	if v.Kind != KindErrored {
		return Version{}, errs.New(errs.Conflict, "Version %d of the state %s is not one that a run could not write.", seq, name)
	}
	st, err := s.State(ctx, client, name)
	if err == nil {
		err = s.mayPush(ctx, s.DB, st, v)
	}
	if err != nil { // before anything is sealed
		return Version{}, err
	}
	w := Write{Client: client, Name: name, Who: who, Body: content, MD5: v.MD5, Reason: fmt.Sprintf("version %d, which could not be written", v.Seq)}
	if v.Run != "" {
		w.Reason += " by run " + v.Run
	}
	t, err := s.take(ctx, w)
	if err != nil {
		return Version{}, fmt.Errorf("push version %d of state %s: %w", seq, name, err)
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		done, err = s.push(ctx, tx, v, w, t)
		return err
	})
	s.letGo(ctx, client, t, done, err)
	if err != nil {
		return Version{}, fmt.Errorf("push version %d of state %s: %w", seq, name, err)
	}
	return done, nil
}

// push has a kept state count and ends its run's lock, in one transaction: what
// it is compared with is what it takes the place of.
func (s *Store) push(ctx context.Context, tx *db.Tx, v Version, w Write, t taken) (done Version, err error) {
	st, err := s.hold(ctx, tx, w.Client, w.Name)
	if err != nil {
		return done, err
	}
	if err := s.mayPush(ctx, tx, st, v); err != nil {
		return done, err
	}
	same := v.counts(st)
	if same {
		done, err = version(ctx, tx, st.ID, st.Current)
	} else if done, err = s.insert(ctx, tx, st, w, t); err == nil {
		err = s.count(ctx, tx, st, done)
	}
	if err != nil {
		return done, err
	}
	if v.holds(st) {
		if _, err := tx.ExecContext(ctx, `DELETE FROM state_locks WHERE state_id = $1 AND lock_id = $2`, st.ID, st.Lock.ID); err != nil {
			return done, err
		}
	} else if same {
		return done, nil
	}
	return done, s.record(ctx, tx, st, w.Who, "state.errored_pushed", map[string]any{"from_version": v.Seq, "of_run": v.Run, "version": done.Seq, "serial": done.Serial, "sha256": done.SHA256})
}

// counts reports whether what was kept is what counts by now.
func (v Version) counts(st State) bool {
	return st.Exists() && st.Serial == v.Serial && st.Lineage == v.Lineage && st.MD5 == v.MD5
}

// holds reports whether the version's run has the state's lock.
func (v Version) holds(st State) bool {
	return st.Lock != nil && v.Run != "" && st.Lock.Run == v.Run
}

func (s *Store) mayPush(ctx context.Context, q db.Querier, st State, v Version) error {
	base, known, err := s.baseOf(ctx, q, v)
	if err != nil {
		return err
	}
	lockID := ""
	if known && v.holds(st) {
		lockID = st.Lock.ID
	}
	if err := mayWrite(st, lockID); err != nil {
		return err
	}
	switch {
	case base.Backend != "":
		return errs.New(errs.Conflict, "The project of the state %s keeps it in its backend %s. Take version %d with `tidelock state pull --version %d`, and push it there with `terraform state push`.", st.Name, base.Backend, v.Seq, v.Seq)
	case !known || v.counts(st):
	case base.Serial < 0:
		return errs.New(errs.Conflict, "Nobody knows what the run of version %d began from. Compare it with the state %s, then push it by force if it is right.", v.Seq, st.Name)
	case st.Exists() && (st.Serial != base.Serial || base.Lineage != "" && st.Lineage != base.Lineage), !st.Exists() && base.Serial > 0:
		return errs.New(errs.Conflict, "The run of version %d began from serial %d, and the state %s has %d now: somebody wrote meanwhile. Nothing was changed. Compare the two with `tidelock state diff`, then push the right one by force.", v.Seq, base.Serial, st.Name, st.Serial)
	}
	_, err = follows(st, Document{Serial: v.Serial, Lineage: v.Lineage}, v.MD5)
	return err
}

// RunAccess is what a run may do with a state.
type RunAccess struct {
	Client string // ID
	Name   string // the project's path: the run opens no other
	Run    string // ID
	Commit string
	Actor  access.Actor // as whom the run writes
	Write  bool         // for an apply; a plan reads, and locks
	Until  time.Time    // the longest that the run may take
}

// RunToken makes the credential of a run. It counts until EndRun, and no
// longer than Until.
func (s *Store) RunToken(ctx context.Context, a RunAccess) (redact.Secret, error) {
	if err := CheckName(a.Name); err != nil {
		return redact.Secret{}, err
	}
	if a.Run == "" || a.Until.IsZero() {
		return redact.Secret{}, errors.New("a run's token needs the run and its end")
	}
	n := access.NewToken{Client: a.Client, Name: "run " + a.Run, Projects: []string{a.Name}, Scopes: []access.Scope{access.ScopeRead, access.ScopeLock},
		Actor: a.Actor, By: access.Actor{Kind: access.Bot}, Run: a.Run, Commit: a.Commit, Expires: a.Until}
	if a.Write {
		n.Scopes = append(n.Scopes, access.ScopeWrite)
	}
	t, _, err := s.Tokens.Create(ctx, n)
	return t, err
}

// EndRun ends the credentials of a run, in the transaction that ends the run.
// A lock that the run left stays until somebody takes it away.
func (s *Store) EndRun(ctx context.Context, tx *db.Tx, run string) error {
	return s.Tokens.RevokeRunTx(ctx, tx, run)
}
