package bot

import (
	"context"

	"github.com/tidelock/tidelock/internal/actuals"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// noteResources keeps which of the cloud's resources a project holds, so that
// bills can be matched to it. A plan is as good without it: what goes wrong is
// logged, and the project's next plan tells again.
func (b *Bot) noteResources(ctx context.Context, r run.Run, plan *tfplan.Plan) {
	if b.Actuals == nil || plan == nil {
		return
	}
	k := actuals.ProjectKey{Client: r.Client, Repo: r.Repo, Dir: r.Project.Dir, Workspace: r.Project.Workspace}
	if err := b.Actuals.Known(ctx, k, r.Project.Name, actuals.Resources(plan)); err != nil {
		b.Log.Warn("resources of a plan not noted, so bills can't be matched to new ones", keyRun, r.ID, keyProject, r.Project.Name, "error", err)
	}
}
