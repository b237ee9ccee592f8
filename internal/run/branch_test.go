package run_test

import (
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

// A branch's tip has one change, beside the pulls' at the same commit, and its
// runs look and do nothing else.
func TestBranchHasAChangeOfItsOwn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		pull := w.open(3, "tip").Change
		var c, again run.Change
		w.tx(func(tx *db.Tx) (err error) {
			if c, err = w.store.OpenBranch(ctx, tx, w.repo.ClientID, w.repo.ID, "main", "tip"); err != nil {
				return err
			}
			again, err = w.store.OpenBranch(ctx, tx, w.repo.ClientID, w.repo.ID, "main", "tip")
			return err
		})
		if c.ID != again.ID || c.ID == pull.ID || c.Branch != "main" || c.Pull != 0 || !c.Status.Live() {
			t.Errorf("changes %+v and %+v", c, again)
		}
		// A branch that was renamed is still at that commit.
		w.tx(func(tx *db.Tx) (err error) {
			again, err = w.store.OpenBranch(ctx, tx, w.repo.ClientID, w.repo.ID, "trunk", "tip")
			return err
		})
		if again.ID != c.ID || again.Branch != "trunk" {
			t.Errorf("renamed: %+v", again)
		}
		// A check's button on that commit is the pull's, however new the branch is.
		if n, err := w.store.PullAt(ctx, d, w.repo.ID, "tip"); err != nil || n != 3 {
			t.Errorf("the commit is pull %d's, %v", n, err)
		}

		asks := planner.Options{Vars: []string{"a=b"}, NoRefresh: true, Replace: []string{"x.y"}}
		var runs []run.Run
		w.tx(func(tx *db.Tx) (err error) {
			runs, err = w.store.AddDrift(ctx, tx, c, []planner.Project{{Name: "db", Dir: "db", Workspace: "default", Options: asks}}, planner.Options{}, "tip", "batch", access.Actor{Kind: access.Schedule})
			return err
		})
		if o := runs[0].Options; !o.RefreshOnly || o.NoRefresh || o.Replace != nil || len(o.Vars) != 1 || o.Check() != nil {
			t.Errorf("it looks with %q", o.String())
		}
		if locks, err := w.store.Locks(ctx, d, w.repo.ID); err != nil || len(locks) != 0 {
			t.Errorf("locks %v, %v", locks, err)
		}
		if done, err := w.store.BatchDone(ctx, d, "batch"); err != nil || done {
			t.Errorf("a batch that has not begun is done: %v, %v", done, err)
		}
		w.tx(func(tx *db.Tx) error {
			r, err := w.store.Begin(ctx, tx, runs[0], "node")
			if err != nil {
				return err
			}
			stop, err := w.store.CancelBatch(ctx, tx, "batch", ada, "Enough.")
			if len(stop) != 1 || stop[0] != r.ID {
				t.Errorf("to be stopped: %v", stop)
			}
			return err
		})
		if done, err := w.store.BatchDone(ctx, d, "batch"); err != nil || !done || w.reread(runs[0]).Status != run.Canceled {
			t.Errorf("a batch that was canceled is not done: %v, %v", done, err)
		}
	})
}

func TestOldLooksAreForgotten(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		look := func(tip string) (out run.Run) {
			w.tx(func(tx *db.Tx) error {
				c, err := w.store.OpenBranch(ctx, tx, w.repo.ClientID, w.repo.ID, "main", tip)
				if err != nil {
					return err
				}
				runs, err := w.store.AddDrift(ctx, tx, c, []planner.Project{{Name: "db", Dir: "db", Workspace: "default"}}, planner.Options{}, tip, tip, ada)
				if err != nil {
					return err
				}
				if out, err = w.store.Begin(ctx, tx, runs[0], "node"); err != nil {
					return err
				}
				out.LogBlob = "log of " + tip
				return w.store.Finish(ctx, tx, out, run.Planned)
			})
			return out
		}
		old, kept := look("a"), look("b")
		plan := w.plans(w.open(1, "c").Change, "db")[0]
		w.now = w.now.Add(48 * time.Hour)
		fresh := look("d")
		forget := func() (gone []run.Run) {
			w.tx(func(tx *db.Tx) (err error) {
				gone, err = w.store.ForgetWatchRuns(ctx, tx, w.now.Add(-24*time.Hour), map[string]bool{kept.ID: true}, 1)
				return err
			})
			return gone
		}
		if gone := forget(); len(gone) != 1 || gone[0].ID != old.ID || gone[0].LogBlob != "log of a" {
			t.Errorf("forgotten: %+v", gone)
		}
		if gone := forget(); gone != nil {
			t.Errorf("and then: %+v", gone)
		}
		for id, there := range map[string]bool{old.ID: false, kept.ID: true, fresh.ID: true, plan.ID: true} {
			if _, err := w.store.Run(ctx, d, id); (err == nil) != there {
				t.Errorf("run %s: %v", id, err)
			}
		}
		for id, there := range map[string]bool{old.Change: false, kept.Change: true, plan.Change: true} {
			if _, err := w.store.Change(ctx, d, id); (err == nil) != there {
				t.Errorf("change %s: %v", id, err)
			}
		}
		all, err := w.store.WatchRuns(ctx, d, w.repo.ID, "db", 10)
		if err != nil || len(all) != 2 || all[0].ID != fresh.ID {
			t.Errorf("what is left: %v, %v", all, err)
		}
	})
}
