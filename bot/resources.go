package bot

import (
	"context"

	"github.com/tidelock/tidelock/internal/actuals"
	"github.com/tidelock/tidelock/internal/explorer"
	"github.com/tidelock/tidelock/internal/providers"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// noteResources keeps which of the cloud's resources a project holds, so that
// bills can be matched to it, and what it is made of, for the inventory. A plan
// is as good without it: what goes wrong is logged, and the project's next plan
// tells again.
func (b *Bot) noteResources(ctx context.Context, r run.Run, plan *tfplan.Plan) {
	if plan == nil {
		return
	}
	b.noteInventory(ctx, r, plan)
	if b.Actuals == nil {
		return
	}
	k := actuals.ProjectKey{Client: r.Client, Repo: r.Repo, Dir: r.Project.Dir, Workspace: r.Project.Workspace}
	if err := b.Actuals.Known(ctx, k, r.Project.Name, actuals.Resources(plan)); err != nil {
		b.Log.Warn("resources of a plan not noted, so bills can't be matched to new ones", keyRun, r.ID, keyProject, r.Project.Name, "error", err)
	}
}

func (b *Bot) noteInventory(ctx context.Context, r run.Run, plan *tfplan.Plan) {
	if b.Inventory == nil {
		return
	}
	// One that can't be read leaves the versions that the code asks for.
	lock, _ := providers.LockOfPlan(b.Runner.PlanPath(r.ID))
	err := b.Inventory.Planned(ctx, explorer.Planned{
		Client: r.Client, Repo: r.Repo, Dir: r.Project.Dir, Workspace: r.Project.Workspace, Name: r.Project.Name, Lineage: r.StateLineage, Plan: plan, Pins: providers.Pinned(lock),
	})
	if err != nil {
		b.Log.Warn("a plan not noted in the inventory; the next one is", keyRun, r.ID, keyProject, r.Project.Name, "error", err)
	}
}
