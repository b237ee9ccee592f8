package bot

import (
	"context"
	"testing"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/capacity"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfplan"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// push opens the change of another head of the pull.
func (b *bench) push(head string) {
	b.t.Helper()
	b.pull.HeadSHA = head
	b.tx(func(ctx context.Context, tx *db.Tx) error {
		if err := b.Runs.SavePull(ctx, tx, b.pull); err != nil {
			return err
		}
		opened, err := b.Runs.OpenChange(ctx, tx, b.pull, b.actor)
		b.change = opened.Change
		return err
	})
}

// finished ends a plan with so many creations.
func (b *bench) finished(r run.Run, creates int) run.Run {
	b.t.Helper()
	r.Summary = tfplan.Summary{Create: creates}
	b.tx(func(ctx context.Context, tx *db.Tx) (err error) {
		if err := b.Runs.Finish(ctx, tx, r, run.Planned); err != nil {
			return err
		}
		r, err = b.Runs.Run(ctx, tx, r.ID)
		return err
	})
	return r
}

// A push that takes back what the one before it wanted leaves a plan that
// changes nothing, and with that no lock, though that one's plan took it.
func TestStandingPlanWithoutChangesFreesTheLock(t *testing.T) {
	for name, creates := range map[string]int{"changes nothing": 0, "changes something": 1} {
		b := newBench(t, capacity.Limits{})
		earlier := b.finished(b.begun("net")[0], creates)
		b.push("h2")
		between := b.begun("net")[0] // and is superseded before its end
		b.tx(func(ctx context.Context, tx *db.Tx) error {
			_, _, err := b.Runs.Acquire(ctx, tx, between)
			return err
		})
		b.push("h3")
		var standing run.Run
		b.tx(func(ctx context.Context, tx *db.Tx) error {
			created, _, err := b.Runs.AddPlans(ctx, tx, b.change, []run.Wanted{{Project: earlier.Project, Commit: "h3"}}, "", b.actor)
			if err != nil {
				return err
			}
			if left, err := b.stand(ctx, tx, created, map[run.Key]run.Run{earlier.Key(): earlier}, true); err != nil || len(left) != 0 {
				t.Errorf("%s: left %v, %v", name, left, err)
			}
			standing, err = b.Runs.Run(ctx, tx, created[0].ID)
			return err
		})
		_, err := b.Runs.Lock(t.Context(), b.DB, standing.Key())
		if standing.Status != run.Planned || errs.Is(err, errs.NotFound) != (creates == 0) {
			t.Errorf("%s: it is %s, its lock: %v", name, standing.Status, err)
		}
	}
}

// applying returns an apply whose intent is stored.
func (b *bench) applying(plan run.Run) *application {
	b.t.Helper()
	a := &application{Bot: b.Bot, plan: plan, change: b.change}
	b.tx(func(ctx context.Context, tx *db.Tx) (err error) {
		if a.run, _, err = b.Runs.AddApply(ctx, tx, plan, plan.Commit, "", b.actor); err != nil {
			return err
		}
		if a.lock, _, err = b.Runs.Acquire(ctx, tx, a.run); err != nil {
			return err
		}
		if a.run, err = b.Runs.Begin(ctx, tx, a.run, b.Node); err != nil {
			return err
		}
		a.run, err = b.Runs.Intend(ctx, tx, a.run, a.lock.Fence)
		return err
	})
	return a
}

// An apply that somebody stopped while Terraform waited for the state does not
// begin again once the state is free.
func TestStoppedApplyDoesNotBeginAgain(t *testing.T) {
	b := newBench(t, capacity.Limits{})
	a := b.applying(b.finished(b.begun("net")[0], 1))
	b.tx(func(ctx context.Context, tx *db.Tx) error {
		return b.Runs.AskStop(ctx, tx, a.run, access.Actor{Kind: "user", Name: "ada"})
	})
	if err := a.recheck(t.Context(), tfrun.Result{Locked: true, LockHolder: "bob"}); err != nil {
		t.Fatal(err)
	}
	r, err := b.Runs.Run(t.Context(), b.DB, a.run.ID)
	if err != nil || r.Status != run.Canceled || r.Error != "Stopped by @ada." {
		t.Errorf("it is %s, %q, %v", r.Status, r.Error, err)
	}
	if l, err := b.Runs.Lock(t.Context(), b.DB, r.Key()); err != nil || l.Run != "" {
		t.Errorf("its lock: %+v, %v", l, err)
	}
}

// What a killed attempt has found out of the plan's tool holds for the next
// one: it never hands a saved plan to another version than the plan's.
func TestPlanOfALostToolIsMadeAgainAfterAKill(t *testing.T) {
	a := &application{
		run:  run.Run{Kind: run.Apply, Tool: run.ToolWord("terraform", "1.12.0")}, // which the attempt before took
		plan: run.Run{Kind: run.Plan, Tool: run.ToolWord("terraform", "1.11.4")},
	}
	why, err := a.otherTool(t.Context())
	if err != nil || why != "The plan was made with Terraform 1.11.4, which the server has no longer" || a.run.Tool != "" {
		t.Errorf("%q, %v; the tool is %q", why, err, a.run.Tool)
	}
}

// An apply whose second plan finds nothing left to do has ended well, and gives
// its lock back: somebody else did it meanwhile.
func TestNothingLeftToApplyIsApplied(t *testing.T) {
	b := newBench(t, capacity.Limits{})
	a := b.applying(b.finished(b.begun("net")[0], 1))
	b.tx(func(ctx context.Context, tx *db.Tx) (err error) { // Terraform found another state
		a.run, err = b.Runs.Recheck(ctx, tx, a.run, "")
		return err
	})
	made := run.Run{PlanDigest: "another"}
	if goOn, err := a.compare(t.Context(), &planOutcome{plan: &tfplan.Plan{}, run: made}, "The state has moved"); err != nil || goOn {
		t.Fatalf("goes on: %v, %v", goOn, err)
	}
	r, err := b.Runs.Run(t.Context(), b.DB, a.run.ID)
	if err != nil || r.Status != run.Applied {
		t.Errorf("it is %s, %q, %v", r.Status, r.Error, err)
	}
	if l, err := b.Runs.Lock(t.Context(), b.DB, r.Key()); !errs.Is(err, errs.NotFound) {
		t.Errorf("its lock: %+v, %v", l, err)
	}
}
