package desk

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// TestWorkflowAtADesk: secrets come from the environment of who sits there, by
// the name of the variable, and are masked; who lacks one, or Terragrunt, is told.
func TestWorkflowAtADesk(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	project := planner.Project{Name: "shop", SourceDir: "cdk", Env: map[string]string{"REGION": "eu"}, Secrets: planner.Secrets{Both: map[string]string{"TF_VAR_p": "prod-db"}, Apply: map[string]string{"WRITE": "w"}}}
	p := &planning{desk: &desk{}}
	spec := tfrun.Spec{Env: map[string]string{"TF_VAR_p": "hunter2-hunter2"}}
	p.workflow(t.Context(), &spec, run.Run{Project: project})
	if spec.Refused != "" || !slices.Equal(spec.Secrets, []string{"TF_VAR_p"}) || spec.SourceDir != "cdk" || !slices.Equal(spec.StepEnv, []string{"REGION"}) {
		t.Errorf("%+v", spec)
	}
	spec = tfrun.Spec{}
	p.workflow(t.Context(), &spec, run.Run{Project: project})
	if !strings.Contains(spec.Refused, `asks the server for the secret "prod-db" as TF_VAR_p. Here, set TF_VAR_p in the environment.`) {
		t.Error(spec.Refused)
	}
	project.Kind, spec = planner.KindTerragrunt, tfrun.Spec{}
	p.workflow(t.Context(), &spec, run.Run{Project: project})
	if spec.Terragrunt != nil || !strings.Contains(spec.Refused, "shop is a Terragrunt unit. There is no Terragrunt") {
		t.Error(spec.Refused)
	}
	p.Runs.Terragrunt, spec = filepath.Join(t.TempDir(), "tg"), tfrun.Spec{Env: map[string]string{"TF_VAR_p": "hunter2-hunter2"}}
	if err := os.WriteFile(p.Runs.Terragrunt, []byte("#!/bin/sh\necho terragrunt version v0.81.2\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.workflow(t.Context(), &spec, run.Run{Project: project})
	if spec.Terragrunt == nil || spec.Terragrunt.Path != p.Runs.Terragrunt || spec.Refused != "" {
		t.Errorf("the configured Terragrunt is not taken: %+v", spec)
	}
}
