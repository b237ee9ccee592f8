package state

import (
	"context"
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// movedAway begins the reason why a state that was moved out is frozen.
const movedAway = "It was moved to "

// MoveAway takes a state away that is elsewhere now. Its versions stay. Until
// it comes back nobody may write it, so that a project whose code does not
// name the new place is not run with an empty state. lockID is the caller's.
func (s *Store) MoveAway(ctx context.Context, client, name string, who Who, lockID, to string) error {
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		st, err := s.hold(ctx, tx, client, name)
		if err != nil {
			return err
		}
		if err := mayWrite(st, lockID); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE states SET version_id = '', md5 = '', written_ms = $1, frozen = $2 WHERE id = $3`,
			db.Millis(s.Now()), movedAway+to+". Declare that place in the code, or move it in again.", st.ID)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, st, who, "state.deleted", map[string]any{"serial": st.Serial, "lineage": st.Lineage, "version": st.Seq, "moved_to": to})
	})
	if err != nil {
		return fmt.Errorf("move state %s away: %w", name, err)
	}
	return nil
}

// ComeBack lets a state that was moved away be written again. For any other it
// does nothing.
func (s *Store) ComeBack(ctx context.Context, client, name string, who Who) error {
	st, err := s.State(ctx, client, name)
	if errs.Is(err, errs.NotFound) || err == nil && !st.MovedAway() {
		return nil
	}
	if err != nil {
		return err
	}
	return s.Thaw(ctx, client, name, st.Serial, who, "moved in again")
}

// MovedAway reports whether the state is elsewhere now.
func (s State) MovedAway() bool { return !s.Exists() && strings.HasPrefix(s.Frozen, movedAway) }

// NoteMoved says in the audit trail that the state was moved, and what of it
// was compared.
func (s *Store) NoteMoved(ctx context.Context, client, name string, who Who, action, place string, w Weight) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		return s.record(ctx, tx, State{Client: client, Name: name}, who, action, map[string]any{
			"place": place, "serial": w.Serial, "lineage": w.Lineage, "resources": w.Resources, "instances": w.Instances, "sha256": w.SHA256,
		})
	})
}
