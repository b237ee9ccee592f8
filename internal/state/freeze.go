package state

import (
	"context"
	"fmt"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// Freeze keeps every state that there is from being locked and written, until
// somebody has looked at it: after a restore from an older backup, say, when
// what is really there may be newer than what is known. reason is a sentence.
func (s *Store) Freeze(ctx context.Context, who Who, reason string) (n int64, err error) {
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		n, err = s.FreezeTx(ctx, tx, who, reason)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("freeze states: %w", err)
	}
	return n, nil
}

// FreezeTx is Freeze in a transaction of the caller's.
func (s *Store) FreezeTx(ctx context.Context, tx *db.Tx, who Who, reason string) (n int64, err error) {
	if reason == "" {
		return 0, errs.New(errs.Invalid, "A freeze needs a reason: everybody who is refused reads it.")
	}
	res, err := tx.ExecContext(ctx, `UPDATE states SET frozen = $1 WHERE frozen = ''`, reason)
	if err != nil {
		return 0, err
	}
	if n, err = res.RowsAffected(); err != nil || n == 0 {
		return n, err
	}
	return n, s.record(ctx, tx, State{Name: "*"}, who, "state.frozen", map[string]any{"states": n, "reason": reason})
}

// Thaw lets a state be written again. serial is the one that whoever looked at
// it found: the one that counts, or nothing is done.
func (s *Store) Thaw(ctx context.Context, client, name string, serial int64, who Who, reason string) error {
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		st, err := s.hold(ctx, tx, client, name)
		if err != nil {
			return err
		}
		if st.Frozen == "" {
			return nil
		}
		if st.Exists() && st.Serial != serial {
			return errs.New(errs.Conflict, "The state %s has the serial %d here, not %d. Where %d is the true one, push that state by force first.", name, st.Serial, serial, serial)
		}
		if _, err := tx.ExecContext(ctx, `UPDATE states SET frozen = '' WHERE id = $1`, st.ID); err != nil {
			return err
		}
		return s.record(ctx, tx, st, who, "state.thawed", map[string]any{"serial": st.Serial, "reason": reason, "was": st.Frozen})
	})
	if err != nil {
		return fmt.Errorf("thaw state %s: %w", name, err)
	}
	return nil
}
