package run_test

import (
	"context"
	"testing"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/run"
)

// An apply that Terraform refused as stale, and that then ended without having
// begun, leaves its pull the lock, and no mark on it that would keep the pull's
// next apply out.
func TestRecheckedApplyLeavesTheLockToItsPull(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		for name, end := range map[string]func(w *world, tx *db.Tx, r run.Run) error{
			"held":     func(w *world, tx *db.Tx, r run.Run) error { return w.store.Finish(ctx, tx, r, run.Held) },
			"failed":   func(w *world, tx *db.Tx, r run.Run) error { return w.store.Finish(ctx, tx, r, run.Failed) },
			"applied":  func(w *world, tx *db.Tx, r run.Run) error { return w.store.Finish(ctx, tx, r, run.Applied) },
			"canceled": func(w *world, tx *db.Tx, r run.Run) error { return w.store.Cancel(ctx, tx, r, ada, "") },
			"planned again": func(w *world, tx *db.Tx, r run.Run) error {
				c, err := w.store.Change(ctx, tx, r.Change)
				if err != nil {
					return err
				}
				_, _, err = w.store.AddPlans(ctx, tx, c, []run.Wanted{{Project: r.Project, Commit: r.Commit}}, "", ada)
				return err
			},
		} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, d)
				c := w.open(9, "head-"+name).Change
				r, lock := w.applying(w.planned(w.plans(c, name)[0]))
				w.tx(func(tx *db.Tx) (err error) {
					if r, err = w.store.Recheck(ctx, tx, r, ""); err != nil {
						return err
					}
					return end(w, tx, r)
				})
				if l, err := w.store.Lock(ctx, d, r.Key()); err != nil || l.Run != "" || l.Pull != 9 || l.Fence != lock.Fence {
					t.Fatalf("lock %+v, %v", l, err)
				}
				next, _ := w.applying(w.planned(w.plans(c, name)[0]))
				if next.Status != run.Running {
					t.Errorf("the next apply is %s", next.Status)
				}
			})
		}
	})
}
