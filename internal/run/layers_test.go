package run_test

import (
	"context"
	"testing"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
)

func project(name string, order int, on ...string) planner.Project {
	return planner.Project{Name: name, Dir: name, Workspace: "default", Order: order, DependsOn: on}
}

func (w *world) wanted(c run.Change, projects ...planner.Project) []run.Run {
	w.t.Helper()
	var wanted []run.Wanted
	for _, p := range projects {
		wanted = append(wanted, run.Wanted{Project: p, Commit: c.HeadSHA})
	}
	var out []run.Run
	w.tx(func(tx *db.Tx) (err error) {
		out, _, err = w.store.AddPlans(context.Background(), tx, c, wanted, "", ada)
		return err
	})
	return out
}

// due calls Due and returns the names of what it queued.
func (w *world) due(c run.Change) []string {
	w.t.Helper()
	var names []string
	w.tx(func(tx *db.Tx) error {
		names = nil
		ready, err := w.store.Due(context.Background(), tx, c.ID, "merged", ada)
		for _, r := range ready {
			names = append(names, string(r.Kind)+" "+r.Project.Name)
		}
		return err
	})
	return names
}

func (w *world) addApply(plan run.Run) run.Run {
	w.t.Helper()
	var r run.Run
	w.tx(func(tx *db.Tx) (err error) {
		r, _, err = w.store.AddApply(context.Background(), tx, w.reread(plan), "head", `{"act":"apply"}`, ada)
		return err
	})
	return r
}

// apply takes a queued apply to its end.
func (w *world) apply(r run.Run, final run.Status) { w.t.Helper(); w.applyTo(r, final, run.Serial{}) }

// applyTo does so, and it tells the state that it has left.
func (w *world) applyTo(r run.Run, final run.Status, left run.Serial) {
	w.t.Helper()
	w.tx(func(tx *db.Tx) error {
		ctx := context.Background()
		l, _, err := w.store.Acquire(ctx, tx, r)
		if err != nil {
			return err
		}
		if r, err = w.store.Begin(ctx, tx, w.reread(r), "node"); err != nil {
			return err
		}
		r.Gates = `{"act":"apply","at":"now"}`
		if r, err = w.store.Intend(ctx, tx, r, l.Fence); err != nil {
			return err
		}
		r.StateLineage, r.StateSerial = left.Lineage, left.Serial
		return w.store.Finish(ctx, tx, r, final)
	})
}

func same(got []string, want ...string) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if got[i] != want[i] {
			return false
		}
	}
	return true
}

func TestLayersArePlannedOneAfterAnother(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.open(1, "a").Change
		plans := w.wanted(c, project("net", 0), project("app", 0, "net"), project("dns", 0, "app", "elsewhere"))
		for i, want := range []struct {
			status run.Status
			layer  int
		}{{run.Queued, 0}, {run.Deferred, 1}, {run.Deferred, 2}} {
			if r := w.reread(plans[i]); r.Status != want.status || r.Layer != want.layer {
				t.Errorf("%s is %s in layer %d", r.Project.Name, r.Status, r.Layer)
			}
		}
		w.planned(plans[0])
		if got := w.due(c); len(got) != 0 {
			t.Errorf("planned alone lets %v go on", got)
		}
		w.apply(w.addApply(plans[0]), run.Applied)
		if got := w.due(c); !same(got, "plan app") {
			t.Errorf("net applied lets %v go on, not app", got)
		}
		if r := w.reread(plans[1]); r.Commit != "merged" {
			t.Errorf("app is planned at %s", r.Commit)
		}
		// A layer that changes nothing holds nobody up.
		w.tx(func(tx *db.Tx) error {
			r, err := w.store.Begin(t.Context(), tx, w.reread(plans[1]), "node")
			if err != nil {
				return err
			}
			return w.store.Finish(t.Context(), tx, r, run.Planned)
		})
		if got := w.due(c); !same(got, "plan dns") {
			t.Errorf("a plan that changes nothing lets %v go on, not dns", got)
		}
	})
}

func TestCircleOfProjectsIsRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.open(1, "a").Change
		err := w.db.Tx(t.Context(), func(tx *db.Tx) error {
			_, _, err := w.store.AddPlans(t.Context(), tx, c, []run.Wanted{{Project: project("a", 0, "b")}, {Project: project("b", 0, "a")}}, "", ada)
			return err
		})
		if !errs.Is(err, errs.Invalid) {
			t.Errorf("%v", err)
		}
	})
}

func TestOrderGroupsStopOnFailure(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.open(1, "a").Change
		plans := w.wanted(c, project("one", 1), project("two", 1), project("three", 2), project("four", 3))
		var applies []run.Run
		for _, p := range plans {
			w.planned(p)
		}
		for _, p := range plans {
			applies = append(applies, w.addApply(p))
		}
		for i, want := range []run.Status{run.Queued, run.Queued, run.Deferred, run.Deferred} {
			if applies[i].Status != want {
				t.Errorf("%s is %s, not %s", applies[i].Project.Name, applies[i].Status, want)
			}
		}
		w.apply(applies[0], run.Applied)
		if got := w.due(c); len(got) != 0 {
			t.Errorf("half a group lets %v go on", got)
		}
		w.apply(applies[1], run.Failed)
		if got := w.due(c); len(got) != 0 {
			t.Errorf("a failure lets %v go on", got)
		}
		for _, r := range applies[2:] {
			if got := w.reread(r); got.Status != run.Canceled || got.Error == "" {
				t.Errorf("%s is %s: %s", got.Project.Name, got.Status, got.Error)
			}
		}
		// What was never begun can be asked for again.
		if r := w.addApply(plans[2]); r.ID == applies[2].ID || r.Status != run.Deferred {
			t.Errorf("asked again: %+v", r)
		}
		if got := w.reread(applies[0]).Gates; got != `{"act":"apply","at":"now"}` {
			t.Errorf("what the gates said last is %q", got)
		}
	})
}

func TestRetryTakesThePlaceOfWhatFailed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.open(1, "a").Change
		plan := w.planned(w.wanted(c, project("net", 0))[0])
		for _, end := range []run.Status{run.Failed, run.Interrupted} {
			first := w.addApply(plan)
			if end == run.Interrupted { // the retry of the first
				runs, err := w.store.Runs(t.Context(), w.db, c.ID)
				if err != nil {
					t.Fatal(err)
				}
				first = *run.Pairs(runs)[0].Apply
			}
			w.apply(first, end)
			var again run.Run
			w.tx(func(tx *db.Tx) (err error) {
				again, err = w.store.RetryApply(t.Context(), tx, w.reread(first), "head", "", ada)
				return err
			})
			if old := w.reread(first); old.Status != run.Superseded || !again.Retry || again.PlanRun != plan.ID {
				t.Errorf("after %s: the old one is %s, the new one %+v", end, old.Status, again)
			}
			lock, err := w.store.Lock(t.Context(), w.db, plan.Key())
			if err != nil || lock.Run != "" {
				t.Errorf("after %s the lock is %+v, %v", end, lock, err)
			}
		}
		err := w.db.Tx(t.Context(), func(tx *db.Tx) error {
			_, err := w.store.RetryApply(t.Context(), tx, plan, "head", "", ada)
			return err
		})
		if !errs.Is(err, errs.Conflict) {
			t.Errorf("a plan tried again: %v", err)
		}
	})
}

func TestWaiverIsOfOnePlan(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.open(1, "a").Change
		forbidden := func(digest string) run.Run {
			r := w.wanted(c, project("net", 0))[0]
			w.tx(func(tx *db.Tx) (err error) {
				if r, err = w.store.Begin(t.Context(), tx, r, "node"); err != nil {
					return err
				}
				r.PlanDigest, r.Summary, r.Report = digest, tfplan.Summary{Create: 1}, &policy.Report{Verdict: policy.Fail}
				return w.store.Finish(t.Context(), tx, r, run.Planned)
			})
			return w.reread(r)
		}
		plan := forbidden("one")
		if !plan.Forbidden() {
			t.Fatal("nobody has accepted it")
		}
		grace := access.Actor{Kind: "user", Name: "grace", ID: 2}
		for range 2 { // said twice, it counts once
			w.tx(func(tx *db.Tx) error {
				_, err := w.store.Waive(t.Context(), tx, run.Word{Plan: plan, All: true, Actor: grace})
				return err
			})
		}
		if got := w.reread(plan); got.Forbidden() || len(got.Waivers) != 1 || got.Waivers[0].Actor.Name != "grace" {
			t.Errorf("waivers %v", got.Waivers)
		}
		if other := forbidden("two"); !other.Forbidden() {
			t.Error("another plan passes by that word")
		}
		if again := forbidden("one"); again.Forbidden() {
			t.Error("the same plan made again needs another word")
		}
	})
}

func TestStateOperationsDriftAndStops(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.open(1, "a").Change
		op := planner.Operation{Kind: planner.StateRemove, Args: []string{"a.b"}}
		var state run.Run
		var drift []run.Run
		w.tx(func(tx *db.Tx) (err error) {
			if state, err = w.store.AddOperation(t.Context(), tx, c, project("net", 0), op, "head", "", ada); err != nil {
				return err
			}
			drift, err = w.store.AddDrift(t.Context(), tx, c, []planner.Project{project("net", 0), project("app", 0)}, planner.Options{}, "head", "batch", ada)
			return err
		})
		if got := w.reread(state); got.Kind != run.StateChange || got.Operation.String() != "state rm a.b" {
			t.Errorf("%+v", got)
		}
		batch, err := w.store.Batch(t.Context(), w.db, "batch")
		if err != nil || len(batch) != 2 || !batch[0].Options.RefreshOnly || batch[1].ID != drift[1].ID {
			t.Errorf("%+v, %v", batch, err)
		}
		if pairs := run.Pairs(append(batch, state)); len(pairs) != 0 {
			t.Errorf("they count as plans: %+v", pairs)
		}
		w.underway(state)
		w.tx(func(tx *db.Tx) error { return w.store.AskStop(t.Context(), tx, w.reread(state), ada) })
		wish, err := w.store.Wish(t.Context(), w.db, state.ID)
		if err != nil || wish.Stop.Name != "ada" || wish.Status != run.Running {
			t.Errorf("%+v, %v", wish, err)
		}
		err = w.db.Tx(t.Context(), func(tx *db.Tx) error { return w.store.Cancel(t.Context(), tx, w.reread(state), ada, "no") })
		if !errs.Is(err, errs.Conflict) {
			t.Errorf("what is under way was canceled in the books: %v", err)
		}
		w.tx(func(tx *db.Tx) error {
			_, err := w.store.CancelRepo(t.Context(), tx, w.repo.ID, ada, "gone")
			return err
		})
		if got := w.reread(state).Status; got != run.Running {
			t.Errorf("losing the repository made it %s", got)
		}
		if got := w.reread(drift[0]).Status; got != run.Canceled {
			t.Errorf("a drift check that waited is %s", got)
		}
	})
}

// underway brings a state operation to where Terraform may run.
func (w *world) underway(r run.Run) {
	w.t.Helper()
	w.tx(func(tx *db.Tx) error {
		l, _, err := w.store.Acquire(context.Background(), tx, r)
		if err != nil {
			return err
		}
		if r, err = w.store.Begin(context.Background(), tx, r, "node"); err != nil {
			return err
		}
		_, err = w.store.Intend(context.Background(), tx, r, l.Fence)
		return err
	})
}

func TestMergeGroupLeavesThePullAlone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		own := w.open(1, "a").Change
		w.tx(func(tx *db.Tx) error { return w.store.Trust(t.Context(), tx, own, ada) })
		var group run.Opened
		for _, created := range []bool{true, false} {
			w.tx(func(tx *db.Tx) (err error) {
				group, err = w.store.OpenGroup(t.Context(), tx, w.pull(1, "a"), "refs/heads/gh-readonly-queue/main/pr-1-b", "g", "b", ada)
				return err
			})
			if group.Created != created || group.Change.GroupRef == "" {
				t.Errorf("%+v", group)
			}
		}
		w.open(1, "c") // a push while it is in the queue
		if got, err := w.store.Change(t.Context(), w.db, group.Change.ID); err != nil || !got.Status.Live() {
			t.Errorf("the group is %s by a push to the pull, %v", got.Status, err)
		}
		if got, err := w.store.Change(t.Context(), w.db, own.ID); err != nil || got.Status != run.Outdated || got.Trusted.Name != "ada" {
			t.Errorf("the pull's own change: %+v, %v", got, err)
		}
		if n, err := w.store.PullAt(t.Context(), w.db, w.repo.ID, "g"); err != nil || n != 1 {
			t.Errorf("the pull of the group's commit: %d, %v", n, err)
		}
		w.wanted(group.Change, project("net", 0))
		w.tx(func(tx *db.Tx) error {
			_, err := w.store.CloseGroup(t.Context(), tx, w.repo.ID, "g")
			return err
		})
		runs, err := w.store.Runs(t.Context(), w.db, group.Change.ID)
		if err != nil || len(runs) != 1 || runs[0].Status != run.Canceled {
			t.Errorf("%+v, %v", runs, err)
		}
	})
}
