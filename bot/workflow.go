package bot

import (
	"context"
	"maps"
	"slices"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/secrets"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// workflow adds to a spec how the project's code is made and the secrets that
// the repository asks for. Where it may not have one, the run is refused, which
// its comment then tells; nothing is started of it.
func (b *Bot) workflow(ctx context.Context, s *tfrun.Spec, r run.Run) {
	s.SourceDir, s.StepEnv = r.Project.SourceDir, b.Terraform.ProjectEnv
	if r.Project.Kind == planner.KindTerragrunt {
		if s.Terragrunt = b.Terraform.Terragrunt; s.Terragrunt == nil {
			s.Refused = "The project " + r.Project.Name + " is a Terragrunt unit, and this server has no Terragrunt. " + tfrun.InstallTerragrunt
			return
		}
	}
	phase := planner.PhasePlan
	if s.Kind != tfrun.KindPlan { // a state operation changes the state, and is asked for by who may apply
		phase = planner.PhaseApply
	}
	wants := r.Project.Secrets.Of(phase)
	if len(wants) == 0 {
		return
	}
	values, err := b.secrets(ctx, r, phase, wants)
	if err != nil {
		if errs.KindOf(err) == errs.Unavailable {
			b.Log.Error("a secret can't be read", keyRun, r.ID, keyProject, r.Project.Name, "error", err)
		}
		s.Refused = errs.Sentence(err)
		return
	}
	if s.Env == nil {
		s.Env = map[string]string{}
	}
	for variable, value := range values {
		s.Env[variable] = value.Reveal()
	}
	s.Secrets = slices.Sorted(maps.Keys(values))
}

func (b *Bot) secrets(ctx context.Context, r run.Run, phase string, wants map[string]string) (map[string]redact.Secret, error) {
	repo, err := b.Clients.Repo(ctx, b.DB, r.Repo)
	if err != nil {
		return nil, err
	}
	client, err := b.Clients.Client(ctx, b.DB, r.Client)
	if err != nil {
		return nil, err
	}
	store := b.Terraform.Secrets
	if store == nil {
		store = secrets.New(nil, nil)
	}
	return store.Get(ctx, secrets.Asker{Client: client.Slug, Repo: repo.FullName()}, phase, wants)
}
