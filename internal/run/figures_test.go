package run_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/run"
)

// A run's end is told once it is committed, with how long the run waited and
// took; what is open is counted, and what has ended is not.
func TestEndsAreToldAndOpenRunsCounted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var told []run.Ended
		w.store.Observe(func(e run.Ended) { told = append(told, e) })
		plans := w.plans(w.open(1, "a").Change, "net", "app")
		w.now = w.now.Add(5 * time.Second)
		plan := w.planned(plans[0])
		if want := (run.Ended{Kind: run.Plan, Outcome: run.Planned, Waited: 5 * time.Second}); len(told) != 1 || told[0] != want {
			t.Fatalf("told %+v, not %+v", told, want)
		}
		apply, _ := w.applying(plan)
		w.now = w.now.Add(time.Minute)
		failed := errors.New("no commit")
		err := d.Tx(context.Background(), func(tx *db.Tx) error {
			if err := w.store.Finish(context.Background(), tx, apply, run.Applied); err != nil {
				t.Fatal(err)
			}
			return failed
		})
		if !errors.Is(err, failed) || len(told) != 1 {
			t.Errorf("an end that was not committed: %v, told %+v", err, told)
		}
		w.tx(func(tx *db.Tx) error { return w.store.Finish(context.Background(), tx, apply, run.Interrupted) })
		if want := (run.Ended{Kind: run.Apply, Outcome: run.Interrupted, Took: time.Minute}); len(told) != 2 || told[1] != want {
			t.Fatalf("told %+v, not %+v", told[1:], want)
		}

		loads, err := w.store.Loads(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(loads, func(a, b run.Load) int { return int(a.Oldest - b.Oldest) })
		if diff := cmp.Diff([]run.Load{
			{Kind: run.Apply, Status: run.Interrupted, Runs: 1, Oldest: time.Minute},
			{Kind: run.Plan, Status: run.Queued, Runs: 1, Oldest: time.Minute + 5*time.Second},
		}, loads); diff != "" {
			t.Error(diff)
		}
		locks, err := w.store.LockLoad(t.Context(), d)
		if want := (run.LockLoad{Locks: 1, Oldest: time.Minute}); err != nil || locks != want {
			t.Errorf("locks %+v, %v", locks, err)
		}
		// The person's word for an apply that had ended is no second end.
		w.tx(func(tx *db.Tx) error {
			l, err := w.store.Lock(context.Background(), tx, apply.Key())
			if err != nil {
				return err
			}
			return w.store.Unlock(context.Background(), tx, l, ada)
		})
		if got := w.reread(apply).Status; got != run.Superseded || len(told) != 2 {
			t.Errorf("after the unlock the apply is %s, and told were %+v", got, told)
		}
		if locks, err := w.store.LockLoad(t.Context(), d); err != nil || locks != (run.LockLoad{}) {
			t.Errorf("after the unlock: %+v, %v", locks, err)
		}
	})
}

// Open runs are counted by an index, however many have ended.
func TestLoadsReadAnIndex(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		plans := w.plans(w.open(1, "a").Change, "net")
		if _, err := d.ExecContext(t.Context(), `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
			INSERT INTO runs (id, client_id, change_id, repo_id, pull, kind, project, dir, workspace, status, created_ms)
			SELECT 'r' || i, client_id, change_id, repo_id, pull, 'apply', project, dir, workspace, 'applied', 1 FROM runs, n WHERE id = $1`, plans[0].ID); err != nil {
			t.Fatal(err)
		}
		if _, err := d.ExecContext(t.Context(), `ANALYZE runs`); err != nil { // as PostgreSQL does by itself, a minute later
			t.Fatal(err)
		}
		plan := strings.Join(dbtest.Plan(t, d, run.LoadsQuery()), "\n")
		if !strings.Contains(plan, "runs_status") || strings.Contains(strings.ToLower(plan), "scan runs") || strings.Contains(plan, "Seq Scan") {
			t.Errorf("the plan does not go by the index of statuses:\n%s", plan)
		}
	})
}

func TestEveryStatusIsOpenOrAnEnd(t *testing.T) {
	for _, s := range []run.Status{run.Queued, run.Blocked, run.Deferred, run.Checking, run.Running, run.Planned, run.Applied, run.Failed, run.Held, run.Interrupted, run.Canceled, run.Superseded} {
		if s.Finished() != slices.Contains(run.Outcomes(), s) {
			t.Errorf("%s: finished %v, an outcome %v", s, s.Finished(), slices.Contains(run.Outcomes(), s))
		}
		if !s.Finished() && !slices.Contains(run.OpenStatuses(), s) {
			t.Errorf("%s is not counted as open", s)
		}
	}
}
