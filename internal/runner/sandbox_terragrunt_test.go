package runner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/toolchain"
	"github.com/tidelock/tidelock/internal/toolchain/toolchaintest"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// TestThreat_TerragruntIsConfined: the real Terragrunt runs its units under the
// same limits as Terraform does, and neither its functions nor its hooks see
// what is not the run's.
func TestThreat_TerragruntIsConfined(t *testing.T) {
	path := toolchaintest.Terragrunt(t)
	tool, err := toolchain.Terraform(t.Context(), toolchain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tg, err := tfrun.FindTerragrunt(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, plain)
	states := filepath.Join(s.dir, "states")
	if err := os.Mkdir(states, 0o700); err != nil {
		t.Fatal(err)
	}
	box := Sandbox{Mode: ModeStrict, Processes: 500, Disk: 1 << 30, Memory: 8 << 30, Write: []string{states}}
	if lacks := LookAtHost().Lacks(box); len(lacks) > 0 {
		t.Skipf("this machine offers less: %v", lacks)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s.binary = tfrun.Binary{Path: tool.Path, Version: tool.Version}
	if s.runner, err = New(Options{Dir: filepath.Join(s.dir, "runs"), Self: self, Sandbox: box}); err != nil {
		t.Fatal(err)
	}
	s.write("closed", "what-is-closed\n")
	s.write("tree/root.hcl", "remote_state {\n  backend  = \"local\"\n  generate = { path = \"backend.tf\", if_exists = \"overwrite\" }\n  config   = { path = \""+states+"/${path_relative_to_include()}/x.tfstate\" }\n}\n")
	s.write("tree/unit/main.tf", "variable \"told\" {}\nresource \"terraform_data\" \"a\" {\n  input = var.told\n}\n")
	s.write("tree/unit/terragrunt.hcl", `include "root" {
  path = find_in_parent_folders("root.hcl")
}
terraform {
  before_hook "look" {
    commands = ["plan", "apply"]
    execute  = ["sh", "-c", "cat ../../closed `+s.dir+`/closed; touch `+s.dir+`/written; true"]
  }
}
inputs = {
  told = run_cmd("sh", "-c", "cat `+s.dir+`/closed 2>/dev/null || printf shut")
}
`)
	plan := s.spec("plan", tfrun.KindPlan)
	plan.Dir, plan.ManagedBackend, plan.Terragrunt = "unit", "", &tg
	if r := s.run(plan); r.Outcome != tfrun.OutcomePlanned {
		log, _ := os.ReadFile(s.runner.LogPath("plan"))
		t.Fatalf("%+v\n%s", r, log)
	}
	js, err := os.ReadFile(s.runner.PlanJSONPath("plan"))
	if err != nil || !strings.Contains(string(js), `"input":"shut"`) {
		t.Errorf("the plan: %s, %v", js, err)
	}
	apply := s.spec("apply", tfrun.KindApply)
	apply.Dir, apply.ManagedBackend, apply.Terragrunt = "unit", "", &tg
	apply.PlanFile, apply.PlanJSON = s.runner.PlanPath("plan"), s.runner.PlanJSONPath("plan")
	if r := s.run(apply); r.Outcome != tfrun.OutcomeApplied {
		log, _ := os.ReadFile(s.runner.LogPath("apply"))
		t.Fatalf("%+v\n%s", r, log)
	}
	state, err := os.ReadFile(filepath.Join(states, "unit", "x.tfstate"))
	if err != nil || !strings.Contains(string(state), "shut") {
		t.Errorf("the state: %s, %v", state, err)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "written")); err == nil {
		t.Error("a hook of Terragrunt's wrote outside of the run")
	}
	for _, run := range []string{"plan", "apply"} {
		if log, err := os.ReadFile(s.runner.LogPath(run)); err != nil || strings.Contains(string(log), "what-is-closed") {
			t.Errorf("the log of the %s: %v\n%s", run, err, log)
		}
	}
}
