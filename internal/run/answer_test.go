package run_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/run"
)

// A pull has one comment, so one worker at a time writes it, whichever of the
// pull's changes that is for; and a closed change says no more once another
// lives.
func TestOneWorkerWritesThePullsComment(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		first := w.open(1, "a").Change
		p, err := w.store.Pull(ctx, d, first.Repo, 1)
		if err != nil {
			t.Fatal(err)
		}
		w.tx(func(tx *db.Tx) error {
			_, _, err := w.store.ClosePull(ctx, tx, p, access.Actor{})
			return err
		})
		replaced := func(want bool) {
			t.Helper()
			if got, err := w.store.Replaced(ctx, d, first); err != nil || got != want {
				t.Errorf("replaced: %v, %v", got, err)
			}
		}
		replaced(false)
		second := w.open(1, "b").Change
		other := w.open(2, "c").Change
		replaced(true)

		if _, err := w.store.BeginAnswer(ctx, second.ID, "node", time.Minute); err != nil {
			t.Fatal(err)
		}
		if _, err := w.store.BeginAnswer(ctx, first.ID, "node", time.Minute); !errors.Is(err, run.ErrBusy) {
			t.Errorf("another change of the pull: %v", err)
		}
		if _, err := w.store.BeginAnswer(ctx, other.ID, "node", time.Minute); err != nil {
			t.Errorf("another pull: %v", err)
		}
		if err := w.store.FinishAnswer(ctx, second.ID, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := w.store.BeginAnswer(ctx, first.ID, "node", time.Minute); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}
