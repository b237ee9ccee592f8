package bot

import (
	"context"
	"errors"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// again names the run folder of the plan that an apply makes for itself.
func again(r run.Run) string { return r.ID + "-again" }

// planAgain plans at the commit that is to be applied and compares what comes
// out with what was reviewed. It reports true, with the new plan in place,
// only if the two do the same. why begins the sentence for the person who must
// decide otherwise.
func (a *application) planAgain(ctx context.Context, why string) (bool, error) {
	folder := again(a.run)
	if !a.adoptable(folder) {
		if err := a.Runner.Remove(folder); err != nil {
			return false, err
		}
		spec, err := a.spec(ctx, &a.run, folder, tfrun.KindPlan, a.tree, a.data)
		if why := toolTrouble(err); why != "" {
			a.run.Error = why
			return false, a.end(ctx, run.Failed)
		}
		if err != nil {
			return false, err
		}
		err = a.startRun(ctx, a.run, spec)
		var held *stateHeld
		if errors.As(err, &held) {
			a.Log.Info("state is locked", keyRun, a.run.ID, keyProject, a.run.Project.Name, "holder", held.holder)
			return false, queue.Snooze(stateLockPause)
		}
		if err != nil {
			return false, err
		}
	}
	result, err := a.follow(ctx, a.run, folder, a.Terraform.PlanTimeout)
	if errors.Is(err, errStopped) {
		return false, a.Runner.Remove(folder)
	}
	if err != nil {
		return false, err
	}
	made, err := a.readPlan(ctx, a.run, folder, result)
	if err != nil {
		return false, err
	}
	if err := a.Runner.Remove(folder); err != nil {
		return false, err
	}
	goOn, err := a.compare(ctx, made, why)
	if err != nil || !goOn {
		return false, err
	}
	return true, a.fetchPlan(ctx, made.run)
}

// compare decides what the second plan means.
func (a *application) compare(ctx context.Context, again *planOutcome, why string) (bool, error) {
	if again.plan == nil {
		a.run.Error, a.run.LogBlob = again.run.Error, again.run.LogBlob
		return false, a.end(ctx, run.Failed)
	}
	if again.run.PlanDigest == a.plan.PlanDigest {
		return true, nil
	}
	if a.run.Retry {
		reviewed, err := a.reviewed(ctx, a.plan)
		if err != nil {
			return false, err
		}
		if reviewed != nil && again.plan.Within(reviewed) {
			return true, nil
		}
	}
	if again.run.Summary.Empty() {
		a.run.Error = "The infrastructure matches the code already: nothing had to be applied."
		a.run.Summary = again.run.Summary
		return false, a.end(ctx, run.Applied)
	}
	a.run.PlanDigest, a.run.Summary, a.run.Diff = again.run.PlanDigest, again.run.Summary, again.run.Diff
	a.run.Report, a.run.Estimate, a.run.LogBlob = again.run.Report, again.run.Estimate, again.run.LogBlob
	return false, a.DB.Tx(ctx, func(tx *db.Tx) error {
		return a.hold(ctx, tx, why+", and a new plan does something else than the one that was reviewed. "+
			"Nothing was applied. Comment `plan` to see what would be done now, then `apply` if that is what you want.")
	})
}
