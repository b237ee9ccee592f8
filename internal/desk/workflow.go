package desk

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// workflow adds to a spec how the project's code is made and what runs it. The
// server's secrets are not to be had at a desk: whoever sits there gives their
// variables in the environment, and they are masked all the same.
func (p *planning) workflow(ctx context.Context, s *tfrun.Spec, r run.Run) {
	s.SourceDir, s.StepEnv = r.Project.SourceDir, slices.Sorted(maps.Keys(r.Project.Env))
	if r.Project.Kind == planner.KindTerragrunt {
		found, err := tfrun.FindTerragrunt(ctx, p.Runs.Terragrunt)
		if err != nil {
			s.Refused = "The project " + r.Project.Name + " is a Terragrunt unit. " + errs.Sentence(err)
			return
		}
		s.Terragrunt = &found
	}
	wants := r.Project.Secrets.Of(planner.PhasePlan)
	for _, variable := range slices.Sorted(maps.Keys(wants)) {
		if s.Env[variable] == "" {
			s.Refused = fmt.Sprintf("The project %s asks the server for the secret %q as %s. Here, set %s in the environment.", r.Project.Name, wants[variable], variable, variable)
			return
		}
		s.Secrets = append(s.Secrets, variable)
	}
}
