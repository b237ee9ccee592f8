package bot

import (
	"context"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/capacity"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/drift"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

// checking returns a check that is under way, and its comparisons.
func (b *bench) checking(dirs ...string) (c drift.Check, runs []run.Run) {
	b.t.Helper()
	b.Drift = drift.NewStore(b.DB, access.NewTrail(b.DB), func() time.Time { return b.Now() })
	queue.Handle(b.Queue, LaneAnswers, func(context.Context, queue.Job[driftTellJob]) error { return nil }, queue.HandlerOptions{MaxAttempts: 1})
	var projects []planner.Project
	for _, d := range dirs {
		projects = append(projects, planner.Project{Name: d, Dir: d, Workspace: "default"})
	}
	b.tx(func(ctx context.Context, tx *db.Tx) (err error) {
		if c, err = b.Drift.Ask(ctx, tx, b.pull.Client, b.pull.Repo, drift.Everything(""), b.actor); err != nil {
			return err
		}
		for _, s := range []drift.CheckStatus{drift.Asked, drift.Queued} {
			next := map[drift.CheckStatus]drift.CheckStatus{drift.Asked: drift.Queued, drift.Queued: drift.Running}[s]
			if ok, err := b.Drift.Move(ctx, tx, c.ID, s, next, "tip", ""); err != nil || !ok {
				b.t.Fatalf("%s to %s: %v, %v", s, next, ok, err)
			}
		}
		change, err := b.Runs.OpenBranch(ctx, tx, b.pull.Client, b.pull.Repo, "main", "tip")
		if err != nil {
			return err
		}
		runs, err = b.Runs.AddDrift(ctx, tx, change, projects, planner.Options{}, "tip", c.ID, b.actor)
		return err
	})
	c.Status = drift.Running
	return c, runs
}

// A check that never ends is given up with its comparisons: they would be tried
// for ever, and the next check's beside them.
func TestCheckThatNeverEndsTakesItsRunsAlong(t *testing.T) {
	b := newBench(t, capacity.Limits{})
	c, runs := b.checking("net", "app")
	if err := b.settleDrift(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Drift.Check(t.Context(), b.DB, c.ID); err != nil || got.Status != drift.Running {
		t.Fatalf("a young check is %s, %v", got.Status, err)
	}
	b.Now = func() time.Time { return time.Now().Add(driftLongest + time.Minute) }
	if err := b.settleDrift(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Drift.Check(t.Context(), b.DB, c.ID); err != nil || got.Status != drift.Broken {
		t.Errorf("an old check is %s, %v", got.Status, err)
	}
	for _, r := range runs {
		if got, err := b.Runs.Run(t.Context(), b.DB, r.ID); err != nil || got.Status != run.Canceled {
			t.Errorf("its comparison of %s is %s, %v", r.Project.Name, got.Status, err)
		}
	}
}

// A comparison makes way for an apply, not for what an interrupted one left:
// that may lie there until Monday.
func TestComparisonWaitsForAppliesThatRun(t *testing.T) {
	b := newBench(t, capacity.Limits{})
	_, runs := b.checking("net")
	a := b.applying(b.finished(b.begun("net")[0], 1))
	if waits, err := b.keepsOthers(t.Context(), runs[0]); err != nil || !waits {
		t.Errorf("while it is applied: %v, %v", waits, err)
	}
	b.tx(func(ctx context.Context, tx *db.Tx) error { return b.Runs.Finish(ctx, tx, a.run, run.Interrupted) })
	if l, err := b.Runs.Lock(t.Context(), b.DB, a.run.Key()); err != nil || l.Run != a.run.ID {
		t.Fatalf("the lock of an interrupted apply: %+v, %v", l, err)
	}
	if waits, err := b.keepsOthers(t.Context(), runs[0]); err != nil || waits {
		t.Errorf("after it was interrupted: %v, %v", waits, err)
	}
}

// Whoever holds a state for days does not keep the check of all other projects
// from its end.
func TestComparisonDoesNotWaitForAStateForEver(t *testing.T) {
	b := newBench(t, capacity.Limits{})
	_, runs := b.checking("net")
	plan := b.begun("net")[0]
	if !b.waitsForState(runs[0]) || !b.waitsForState(plan) {
		t.Error("a state that is in use is not waited for")
	}
	b.Now = func() time.Time { return time.Now().Add(driftStateWait + time.Minute) }
	if b.waitsForState(runs[0]) || !b.waitsForState(plan) {
		t.Error("a comparison waits for ever, or a pull's plan does not")
	}
}
