package run_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// world is a store with one client and one repository, and a clock that the
// test turns.
type world struct {
	t     *testing.T
	db    *db.DB
	store *run.Store
	trail *access.Trail
	repo  clients.Repo
	now   time.Time
}

var ada = access.Actor{Kind: "user", Name: "ada", ID: 1}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	w := &world{t: t, db: d, trail: access.NewTrail(d), now: time.UnixMilli(1_800_000_000_000)}
	w.store = run.NewStore(d, w.trail, func() time.Time { return w.now })
	w.tx(func(tx *db.Tx) error {
		store := clients.NewStore(d)
		c, err := store.Ensure(context.Background(), tx, clients.Installation{ID: 41, Account: "acme"})
		if err != nil {
			return err
		}
		w.repo, err = store.EnsureRepo(context.Background(), tx, c, clients.Repo{ID: 7, Owner: "acme", Name: "infra", DefaultBranch: "main", CloneURL: "https://example.com/acme/infra.git"})
		return err
	})
	return w
}

func (w *world) tx(f func(tx *db.Tx) error) {
	w.t.Helper()
	if err := w.db.Tx(context.Background(), f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) pull(number int, head string) run.Pull {
	return run.Pull{Repo: w.repo.ID, Number: number, Client: w.repo.ClientID, HeadSHA: head, HeadRepo: w.repo.ID, HeadRef: "f", BaseSHA: "b", BaseRef: "main", Open: true, Author: "ada"}
}

func (w *world) open(number int, head string) run.Opened {
	w.t.Helper()
	var out run.Opened
	w.tx(func(tx *db.Tx) (err error) {
		p := w.pull(number, head)
		if err := w.store.SavePull(context.Background(), tx, p); err != nil {
			return err
		}
		out, err = w.store.OpenChange(context.Background(), tx, p, ada)
		return err
	})
	return out
}

func (w *world) plans(c run.Change, dirs ...string) []run.Run {
	w.t.Helper()
	var wanted []run.Wanted
	for _, d := range dirs {
		wanted = append(wanted, run.Wanted{Project: planner.Project{Name: d, Dir: d, Workspace: "default"}, InputsDigest: "in-" + d})
	}
	var out []run.Run
	w.tx(func(tx *db.Tx) (err error) {
		out, _, err = w.store.AddPlans(context.Background(), tx, c, wanted, "", ada)
		return err
	})
	return out
}

// planned takes a queued plan to its end under a lock.
func (w *world) planned(r run.Run) run.Run {
	w.t.Helper()
	w.tx(func(tx *db.Tx) (err error) {
		if _, _, err := w.store.Acquire(context.Background(), tx, r); err != nil {
			return err
		}
		if r, err = w.store.Begin(context.Background(), tx, r, "node"); err != nil {
			return err
		}
		r.PlanDigest, r.Summary = "digest", tfplan.Summary{Create: 2}
		r.Report = &policy.Report{Verdict: policy.Pass}
		return w.store.Finish(context.Background(), tx, r, run.Planned)
	})
	return w.reread(r)
}

func (w *world) reread(r run.Run) run.Run {
	w.t.Helper()
	got, err := w.store.Run(context.Background(), w.db, r.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

// applying brings an apply of the plan to the point where Terraform may run.
func (w *world) applying(plan run.Run) (run.Run, run.Lock) {
	w.t.Helper()
	var (
		r run.Run
		l run.Lock
	)
	w.tx(func(tx *db.Tx) (err error) {
		ctx := context.Background()
		if r, _, err = w.store.AddApply(ctx, tx, plan, plan.Commit, "", ada); err != nil {
			return err
		}
		if l, _, err = w.store.Acquire(ctx, tx, r); err != nil {
			return err
		}
		if r, err = w.store.Begin(ctx, tx, r, "node"); err != nil {
			return err
		}
		r, err = w.store.Intend(ctx, tx, r, l.Fence)
		return err
	})
	return r, l
}

func TestSettled(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		want := func(c run.Change, want bool, when string) {
			t.Helper()
			if got, err := w.store.Settled(t.Context(), w.db, c.ID); err != nil || got != want {
				t.Errorf("%s: settled %v, %v, want %v", when, got, err, want)
			}
		}
		first, second := w.open(1, "a").Change, w.open(2, "b").Change
		plans := w.plans(first, "net", "app")
		want(first, false, "two plans wait")
		net := w.planned(plans[0])
		want(first, false, "one of two has ended")
		w.planned(plans[1])
		want(first, true, "both have ended")

		waits := w.plans(second, "net")[0]
		w.tx(func(tx *db.Tx) error {
			lock, _, err := w.store.Acquire(t.Context(), tx, waits)
			if err != nil {
				return err
			}
			return w.store.Block(t.Context(), tx, waits, lock)
		})
		want(second, true, "it waits for the other pull's lock")

		apply, _ := w.applying(net)
		want(first, false, "an apply runs")
		w.tx(func(tx *db.Tx) error { return w.store.Finish(context.Background(), tx, apply, run.Applied) })
		want(first, true, "it has ended")
	})
}

func TestPlanAndApplyFromEndToEnd(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.open(1, "a").Change
		plan := w.planned(w.plans(c, "net")[0])
		if plan.Status != run.Planned || plan.Summary.Create != 2 || plan.Report == nil || plan.Finished.IsZero() {
			t.Fatalf("plan came back as %+v", plan)
		}
		apply, _ := w.applying(plan)
		w.now = w.now.Add(time.Minute)
		w.tx(func(tx *db.Tx) error { return w.store.Finish(context.Background(), tx, apply, run.Applied) })
		apply = w.reread(apply)
		if apply.Status != run.Applied || apply.Finished.Sub(apply.Started) != time.Minute || apply.PlanRun != plan.ID {
			t.Errorf("apply came back as %+v", apply)
		}
		history, err := w.store.History(context.Background(), d, w.repo.ClientID, 10)
		if err != nil || len(history) != 2 {
			t.Errorf("history has %d runs, %v", len(history), err)
		}
		if err := w.trail.Verify(context.Background()); err != nil {
			t.Errorf("audit trail: %v", err)
		}
	})
}

func TestFault14_SameHeadOpensOneChange(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		first := w.open(1, "a")
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				err := d.Tx(context.Background(), func(tx *db.Tx) error {
					again, err := w.store.OpenChange(context.Background(), tx, w.pull(1, "a"), ada)
					if err == nil && (again.Created || again.Change.ID != first.Change.ID) {
						return fmt.Errorf("opened again: %+v", again)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func TestFault15_NewerHeadSupersedesOlder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		old := w.open(1, "a").Change
		runs := w.plans(old, "net", "app")
		w.tx(func(tx *db.Tx) error { _, err := w.store.Begin(context.Background(), tx, runs[0], "node"); return err })
		next := w.open(1, "b")
		if !next.Created || len(next.Stop) != 1 || next.Stop[0] != runs[0].ID {
			t.Errorf("opening the new head gave %+v", next)
		}
		for _, r := range runs {
			if got := w.reread(r).Status; got != run.Superseded {
				t.Errorf("run of the old head is %s", got)
			}
		}
		// The worker that still holds the old run can't store its outcome.
		err := d.Tx(context.Background(), func(tx *db.Tx) error {
			stale := runs[0]
			stale.Status = run.Running
			return w.store.Finish(context.Background(), tx, stale, run.Planned)
		})
		if !errs.Is(err, errs.Conflict) {
			t.Errorf("a superseded run was finished: %v", err)
		}
	})
}

func TestFault17_PushDuringApplyLeavesItAlone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		plan := w.planned(w.plans(w.open(1, "a").Change, "net")[0])
		apply, lock := w.applying(plan)
		next := w.open(1, "b")
		if len(next.Stop) != 0 {
			t.Errorf("the running apply is to be stopped: %v", next.Stop)
		}
		if got := w.reread(apply).Status; got != run.Running {
			t.Errorf("the running apply is %s", got)
		}
		w.tx(func(tx *db.Tx) error { return w.store.Finish(context.Background(), tx, apply, run.Applied) })
		// The new head's plan has the same lock, with the same fence.
		fresh := w.plans(next.Change, "net")[0]
		w.tx(func(tx *db.Tx) error {
			l, held, err := w.store.Acquire(context.Background(), tx, fresh)
			if err == nil && (!held || l.Fence != lock.Fence) {
				t.Errorf("lock %+v, held %v", l, held)
			}
			return err
		})
	})
}

func TestFault10_InterruptedApplyKeepsItsLockAndIsNotReplayed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := context.Background()
		plan := w.planned(w.plans(w.open(1, "a").Change, "net")[0])
		apply, _ := w.applying(plan)
		w.tx(func(tx *db.Tx) error { return w.store.Finish(ctx, tx, apply, run.Interrupted) })
		apply = w.reread(apply)

		// Asked again, the same plan gives the interrupted apply, not a new one.
		w.tx(func(tx *db.Tx) error {
			r, created, err := w.store.AddApply(ctx, tx, plan, plan.Commit, "", ada)
			if err == nil && (created || r.ID != apply.ID) {
				t.Errorf("a second apply was created: %+v", r)
			}
			return err
		})
		for _, next := range []run.Status{run.Queued, run.Checking, run.Running, run.Applied} {
			if apply.Status.CanBecome(run.Apply, next) {
				t.Errorf("an interrupted apply can become %s", next)
			}
		}
		// Another pull can't have the project.
		other := w.plans(w.open(2, "z").Change, "net")[0]
		w.tx(func(tx *db.Tx) error {
			_, held, err := w.store.Acquire(ctx, tx, other)
			if held {
				t.Error("the lock of an interrupted apply was given away")
			}
			return err
		})
		// Closing the pull does not release it either; a person's word does.
		w.tx(func(tx *db.Tx) error {
			freed, err := w.store.ReleaseAll(ctx, tx, 7, 1, ada)
			if len(freed) != 0 {
				t.Errorf("released %v", freed)
			}
			return err
		})
		w.tx(func(tx *db.Tx) error {
			l, err := w.store.Lock(ctx, tx, plan.Key())
			if err != nil {
				return err
			}
			return w.store.Unlock(ctx, tx, l, ada)
		})
		if got := w.reread(apply).Status; got != run.Superseded {
			t.Errorf("after the unlock the apply is %s", got)
		}
	})
}

func TestFault33_StaleFenceIsRefused(t *testing.T)            { testStaleFence(t) }
func TestThreat_LockHijack_StaleHolderIsRefused(t *testing.T) { testStaleFence(t) }

func testStaleFence(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := context.Background()
		plan := w.planned(w.plans(w.open(1, "a").Change, "net")[0])
		var apply run.Run
		var stale run.Lock
		w.tx(func(tx *db.Tx) (err error) {
			if apply, _, err = w.store.AddApply(ctx, tx, plan, plan.Commit, "", ada); err != nil {
				return err
			}
			if stale, _, err = w.store.Acquire(ctx, tx, apply); err != nil {
				return err
			}
			apply, err = w.store.Begin(ctx, tx, apply, "node")
			return err
		})
		// The lock changes hands while the worker is cut off.
		w.tx(func(tx *db.Tx) error { return w.store.Unlock(ctx, tx, stale, ada) })
		w.tx(func(tx *db.Tx) error {
			l, held, err := w.store.Acquire(ctx, tx, apply)
			if err == nil && (!held || l.Fence <= stale.Fence) {
				t.Errorf("fence %d after %d", l.Fence, stale.Fence)
			}
			return err
		})
		err := d.Tx(ctx, func(tx *db.Tx) error { _, err := w.store.Intend(ctx, tx, apply, stale.Fence); return err })
		if !errs.Is(err, errs.Conflict) {
			t.Fatalf("an apply may start under a stale fence: %v", err)
		}
		if got := w.reread(apply).Status; got != run.Checking {
			t.Errorf("the refused apply is %s", got)
		}
	})
}

func TestUnlockIsRefusedWhileApplying(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		plan := w.planned(w.plans(w.open(1, "a").Change, "net")[0])
		w.applying(plan)
		err := d.Tx(context.Background(), func(tx *db.Tx) error {
			l, err := w.store.Lock(context.Background(), tx, plan.Key())
			if err != nil {
				return err
			}
			return w.store.Unlock(context.Background(), tx, l, ada)
		})
		if !errs.Is(err, errs.Conflict) {
			t.Errorf("unlocked under a running apply: %v", err)
		}
	})
}

func TestTwoPullsTakeTurns(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := context.Background()
		first := w.planned(w.plans(w.open(1, "a").Change, "net")[0])
		second := w.plans(w.open(2, "b").Change, "net")[0]
		w.tx(func(tx *db.Tx) error {
			l, held, err := w.store.Acquire(ctx, tx, second)
			if err != nil || held {
				t.Errorf("held %v, %v", held, err)
			}
			return w.store.Block(ctx, tx, second, l)
		})
		second = w.reread(second)
		if second.Status != run.Blocked || second.Error == "" {
			t.Errorf("the second pull's plan is %s: %q", second.Status, second.Error)
		}
		w.tx(func(tx *db.Tx) error { _, err := w.store.Release(ctx, tx, first); return err })
		waiting, err := w.store.Waiting(ctx, d, first.Key())
		if err != nil || len(waiting) != 1 || waiting[0].ID != second.ID {
			t.Fatalf("waiting: %v, %v", waiting, err)
		}
		w.tx(func(tx *db.Tx) error { return w.store.Unblock(ctx, tx, waiting[0]) })
		if got := w.planned(w.reread(second)).Status; got != run.Planned {
			t.Errorf("the second pull's plan is %s", got)
		}
	})
}

func TestClosingCancelsAndReleases(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := context.Background()
		c := w.open(1, "a").Change
		runs := w.plans(c, "net", "app")
		w.planned(runs[0])
		w.tx(func(tx *db.Tx) error {
			stop, freed, err := w.store.ClosePull(ctx, tx, w.pull(1, "a"), ada)
			if err == nil && (len(stop) != 0 || len(freed) != 1) {
				t.Errorf("stop %v, freed %v", stop, freed)
			}
			return err
		})
		if got := w.reread(runs[1]).Status; got != run.Canceled {
			t.Errorf("the waiting plan is %s", got)
		}
		again := w.open(1, "a") // reopened
		if !again.Created || again.Change.ID != c.ID || again.Change.Status != run.Pending {
			t.Errorf("reopening gave %+v", again)
		}
	})
}

func TestStatusTable(t *testing.T) {
	for _, tt := range []struct {
		kind     run.Kind
		from, to run.Status
		want     bool
	}{
		{run.Plan, run.Queued, run.Running, true},
		{run.Plan, run.Running, run.Queued, true}, // a plan may be repeated
		{run.Plan, run.Planned, run.Running, false},
		{run.Apply, run.Queued, run.Running, false}, // never without the check
		{run.Apply, run.Running, run.Queued, false}, // never by itself
		{run.Apply, run.Running, run.Interrupted, true},
		{run.Apply, run.Applied, run.Superseded, false},
		{run.Apply, run.Failed, run.Running, false},
		{run.Apply, run.Checking, run.Held, true},
	} {
		if got := tt.from.CanBecome(tt.kind, tt.to); got != tt.want {
			t.Errorf("%s: %s → %s: %v, want %v", tt.kind, tt.from, tt.to, got, tt.want)
		}
	}
}

func TestThreat_AuditRowPerAct(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		plan := w.planned(w.plans(w.open(1, "a").Change, "net")[0])
		apply, _ := w.applying(plan)
		w.tx(func(tx *db.Tx) error { return w.store.Finish(context.Background(), tx, apply, run.Failed) })
		entries, err := w.trail.List(context.Background(), w.repo.ClientID, 100)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]int{}
		for _, e := range entries {
			seen[e.Action]++
		}
		for _, action := range []string{"change.open", "plan.queue", "plan.planned", "lock.take", "apply.queue", "apply.start", "apply.failed"} {
			if seen[action] != 1 {
				t.Errorf("%d audit events %q, want 1 (have %v)", seen[action], action, seen)
			}
		}
	})
}

func TestOneWorkerAnswersAtATime(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.open(1, "a").Change
		ctx := context.Background()
		if _, err := w.store.BeginAnswer(ctx, c.ID, "node", time.Minute); err != nil {
			t.Fatal(err)
		}
		if _, err := w.store.BeginAnswer(ctx, c.ID, "node", time.Minute); !errors.Is(err, run.ErrBusy) {
			t.Errorf("a second worker got %v", err)
		}
		w.now = w.now.Add(2 * time.Minute) // the first one died
		if _, err := w.store.BeginAnswer(ctx, c.ID, "node", time.Minute); err != nil {
			t.Errorf("after the claim ended: %v", err)
		}
		if err := w.store.FinishAnswer(ctx, c.ID, 3); err != nil {
			t.Fatal(err)
		}
		got, err := w.store.BeginAnswer(ctx, c.ID, "node", time.Minute)
		if err != nil || got.AnsweredRev != 3 {
			t.Errorf("answered rev %d, %v", got.AnsweredRev, err)
		}

		// A node that starts anew gives up what it claimed before, and nothing of another's.
		for _, drop := range []struct {
			node string
			want error
		}{{"other", run.ErrBusy}, {"node", nil}} {
			w.tx(func(tx *db.Tx) error { return w.store.DropAnswers(ctx, tx, drop.node) })
			if _, err := w.store.BeginAnswer(ctx, c.ID, "node", time.Minute); !errors.Is(err, drop.want) {
				t.Errorf("after %s started anew: %v, not %v", drop.node, err, drop.want)
			}
		}
	})
}
