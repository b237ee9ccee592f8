package run_test

import (
	"context"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// A plan stands for later commits of its pull, as often as nothing changes, and
// stays what it was: when and of which commit it was made.
func TestPlanStandsForLaterCommits(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := context.Background()
		last := func() map[run.Key]run.Run {
			t.Helper()
			all, err := w.store.LastPlans(ctx, w.db, w.repo.ID, 1)
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		plans := func(c run.Change) (created []run.Run) {
			t.Helper()
			var wanted []run.Wanted
			for _, dir := range []string{"a", "b"} {
				wanted = append(wanted, run.Wanted{Project: planner.Project{Name: dir, Dir: dir, Workspace: "default"}, Commit: c.HeadSHA, InputsDigest: "in-" + dir})
			}
			w.tx(func(tx *db.Tx) (err error) {
				created, _, err = w.store.AddPlans(ctx, tx, c, wanted, "", ada)
				return err
			})
			return created
		}
		first := w.open(1, "one").Change
		for _, r := range plans(first) {
			w.tx(func(tx *db.Tx) error {
				r, err := w.store.Begin(ctx, tx, r, "node")
				if err != nil {
					return err
				}
				r.PlanDigest, r.PlanBlob, r.Diff = "d-"+r.Project.Dir, "blob", "+ x"
				r.Summary, r.StateSerial = tfplan.Summary{Create: 1}, 7
				r.Report = &policy.Report{Verdict: policy.Pass, Policies: "p"}
				if err := w.store.Finish(ctx, tx, r, run.Planned); err != nil {
					return err
				}
				return w.store.SetMadeWith(ctx, tx, r.ID, "m")
			})
		}
		made := w.now
		if all := last(); len(all) != 2 || all[run.Key{Repo: w.repo.ID, Dir: "a", Workspace: "default"}].MadeWith != "m" {
			t.Fatalf("the plans of the first commit: %+v", all)
		}
		for _, head := range []string{"two", "three"} {
			w.now = w.now.Add(time.Minute)
			c := w.open(1, head).Change
			created := plans(c)
			from := last()[created[0].Key()]
			w.tx(func(tx *db.Tx) error { return w.store.Reuse(ctx, tx, created[0], from) })
			got, err := w.store.Run(ctx, w.db, created[0].ID)
			if err != nil {
				t.Fatal(err)
			}
			if got.Status != run.Planned || got.Change != c.ID || got.PlanDigest != "d-a" || got.PlanBlob != "blob" || got.Diff != "+ x" || got.StateSerial != 7 ||
				got.Summary.Create != 1 || got.Report == nil || got.Report.Policies != "p" || got.MadeWith != "m" {
				t.Errorf("at %s: %+v", head, got)
			}
			if got.Since != "one" || got.Commit != head {
				t.Errorf("at %s: unchanged since %q", head, got.Since)
			}
			if !got.Made.Equal(made) || !got.Finished.Equal(w.now) || got.Started.IsZero() {
				t.Errorf("at %s: made %s, ended %s, want %s and %s", head, got.Made, got.Finished, made, w.now)
			}
			// b waits: what was made of it before is still its last plan.
			if b := last()[created[1].Key()]; b.Change != first.ID {
				t.Errorf("at %s: the last plan of b is %+v", head, b)
			}
		}
		// It can be applied as any other.
		r := last()[run.Key{Repo: w.repo.ID, Dir: "a", Workspace: "default"}]
		w.tx(func(tx *db.Tx) error {
			_, fresh, err := w.store.AddApply(ctx, tx, r, "three", "", access.Actor{Kind: "user", Name: "ada"})
			if !fresh {
				t.Error("no apply was made for it")
			}
			return err
		})
		// What runs already is not ended so.
		if err := w.db.Tx(ctx, func(tx *db.Tx) error { return w.store.Reuse(ctx, tx, r, r) }); err == nil {
			t.Error("a finished plan was ended again")
		}
	})
}
