package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// maxInfo bounds what a client may say of a lock.
const maxInfo = 64 << 10

// ParseLockInfo reads a lock's info. The error is errs.Invalid.
func ParseLockInfo(raw []byte) (LockInfo, error) {
	var info LockInfo
	if err := json.Unmarshal(raw, &info); err != nil {
		return info, errs.Wrap(errs.Invalid, err, "The lock's info is not the JSON that Terraform sends. Nothing was changed.")
	}
	if info.ID == "" {
		return info, errs.New(errs.Invalid, "The lock's info has no ID. Nothing was changed.")
	}
	return info, nil
}

// ErrNoRoom is in what Lock returns where Options.Room lets nothing begin.
var ErrNoRoom = errors.New("nothing may begin here")

// Lock takes the lock that raw, the client's lock info, asks for. Taking it
// again is no error. The error is a *HeldError where somebody else holds it.
func (s *Store) Lock(ctx context.Context, client, name string, who Who, raw []byte) (_ Lock, err error) {
	defer s.tell("lock", time.Now(), &err)
	if err := CheckName(name); err != nil {
		return Lock{}, err
	}
	info, err := ParseLockInfo(raw)
	if err != nil {
		return Lock{}, err
	}
	actor, err := json.Marshal(who.Actor)
	if err != nil {
		return Lock{}, err
	}
	if s.Room != nil {
		if err := s.Room(); err != nil {
			return Lock{}, fmt.Errorf("lock state %s: %w: %w", name, ErrNoRoom, err)
		}
	}
	lock := Lock{LockInfo: info, Actor: who.Actor, Token: who.Token, Run: who.Run, raw: string(raw)}
	err = s.DB.Together(ctx, func(tx *db.Tx) error {
		st, err := s.ensure(ctx, tx, client, name)
		if err != nil {
			return err
		}
		if st.Lock != nil {
			if st.Lock.ID == info.ID && st.Lock.Token == who.Token {
				lock = *st.Lock
				return nil
			}
			return held(*st.Lock, "The state %s is locked by %s.", name, st.Lock.Holder())
		}
		if st.Frozen != "" {
			return errs.New(errs.Conflict, "The state %s is frozen: %s", name, st.Frozen)
		}
		if err := s.room(ctx, tx, client, 0); err != nil {
			return err
		}
		lock.Since = db.FromMillis(db.Millis(s.Now()))
		_, err = tx.ExecContext(ctx, `INSERT INTO state_locks (state_id, client_id, lock_id, info, actor, token_id, run_id, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			st.ID, client, info.ID, string(raw), string(actor), who.Token, who.Run, db.Millis(lock.Since))
		return err
	})
	if err != nil {
		return Lock{}, fmt.Errorf("lock state %s: %w", name, err)
	}
	return lock, nil
}

// Unlock lets go of the lock with the ID, which the same token took. A lock
// that nobody holds any more is no error. Somebody else's, or another one, is
// a *HeldError: that takes a ForceUnlock.
func (s *Store) Unlock(ctx context.Context, client, name string, who Who, id string) (err error) {
	defer s.tell("unlock", time.Now(), &err)
	if err := CheckName(name); err != nil {
		return err
	}
	err = s.DB.Together(ctx, func(tx *db.Tx) error {
		st, err := s.hold(ctx, tx, client, name)
		if errs.Is(err, errs.NotFound) || err == nil && st.Lock == nil {
			return nil
		}
		if err != nil {
			return err
		}
		if st.Lock.ID != id {
			return held(*st.Lock, "The state %s is locked by %s, under another lock than the one to release.", name, st.Lock.Holder())
		}
		if st.Lock.Token != who.Token {
			return held(*st.Lock, "The lock of the state %s was taken by somebody else, %s, and only force-unlock takes it away.", name, st.Lock.Holder())
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM state_locks WHERE state_id = $1`, st.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("unlock state %s: %w", name, err)
	}
	return nil
}

// ForceUnlock takes the lock away from whoever holds it, with an audit event.
// id is the lock that is meant, "" for whichever it is. A lock that a run of
// ours holds stays while the run's credential counts: errs.Conflict.
//
// Whether who may is for the caller to decide.
func (s *Store) ForceUnlock(ctx context.Context, client, name string, who Who, id, reason string) (taken *Lock, err error) {
	defer s.tell("force_unlock", time.Now(), &err)
	if err := CheckName(name); err != nil {
		return nil, err
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		st, err := s.hold(ctx, tx, client, name)
		if errs.Is(err, errs.NotFound) || err == nil && st.Lock == nil {
			return nil
		}
		if err != nil {
			return err
		}
		l := *st.Lock
		if id != "" && l.ID != id {
			return held(l, "The state %s is locked by %s, under another lock than the one to take away.", name, l.Holder())
		}
		if l.Run != "" && l.Run != who.Run {
			c, err := s.Tokens.Token(ctx, tx, l.Token)
			if err != nil && !errs.Is(err, errs.NotFound) {
				return err
			}
			if err == nil && c.Live(s.Now()) {
				return held(l, "The state %s is locked by a run of Tidelock's own that still goes on: %s. Stop the run first.", name, l.Holder())
			}
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM state_locks WHERE state_id = $1`, st.ID); err != nil {
			return err
		}
		taken = &l
		return s.record(ctx, tx, st, who, "state.force_unlocked", map[string]any{
			"lock": l.ID, "operation": l.Operation, "who": l.Who, "holder": l.Actor, "since": l.Since, "reason": reason,
		})
	})
	if err != nil {
		return nil, fmt.Errorf("force-unlock state %s: %w", name, err)
	}
	return taken, nil
}
