package runner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/toolchain"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// TestRunsInAStrictSandbox: plans, applies, hooks and state operations need
// nothing beyond what the sandbox leaves, with either tool, in the default
// workspace and another.
func TestRunsInAStrictSandbox(t *testing.T) {
	box := Sandbox{Mode: ModeStrict, Processes: 500, Disk: 1 << 30, Memory: 4 << 30}
	if lacks := LookAtHost().Lacks(box); len(lacks) > 0 {
		t.Skipf("this machine offers less: %v", lacks)
	}
	tools := map[string]func() (toolchain.Binary, error){
		"terraform": func() (toolchain.Binary, error) { return toolchain.Terraform(t.Context(), toolchain.Options{}) },
		"tofu":      func() (toolchain.Binary, error) { return toolchain.FindOpenTofu(t.Context(), toolchain.Options{}) },
	}
	for name, find := range tools {
		for _, workspace := range []string{"", "prod"} {
			t.Run(name+"/"+workspace, func(t *testing.T) {
				tool, err := find()
				if err != nil {
					t.Skipf("no %s: %v", name, err)
				}
				s := newSite(t, plain)
				s.binary = tfrun.Binary{Path: tool.Path, Version: tool.Version}
				self, err := os.Executable()
				if err != nil {
					t.Fatal(err)
				}
				if s.runner, err = New(Options{Dir: filepath.Join(s.dir, "runs"), Self: self, Sandbox: box}); err != nil {
					t.Fatal(err)
				}
				hook := func(when string) planner.Hook {
					return planner.Hook{When: when, Run: []string{"sh", "-c", "echo \"hook $0 $1\"; test -z \"$PLANFILE\" || test -s \"$PLANFILE\"; ! cat ../cli.tfrc.secret", when, "one word"}}
				}
				s.write("cli.tfrc.secret", "closed\n")
				plan := s.spec("plan", tfrun.KindPlan)
				plan.Workspace, plan.Hooks = workspace, []planner.Hook{hook(planner.BeforePlan), hook(planner.AfterPlan)}
				if r := s.run(plan); r.Outcome != tfrun.OutcomePlanned {
					t.Fatalf("%+v", r)
				}
				log, err := os.ReadFile(s.runner.LogPath("plan"))
				if err != nil || strings.Count(string(log), "one word\n") < 2 {
					t.Errorf("the hooks: %v\n%s", err, log)
				}
				apply := s.spec("apply", tfrun.KindApply)
				apply.Workspace, apply.PlanFile, apply.PlanJSON = workspace, s.runner.PlanPath("plan"), s.runner.PlanJSONPath("plan")
				if r := s.run(apply); r.Outcome != tfrun.OutcomeApplied || r.StateSerial == 0 {
					t.Fatalf("%+v", r)
				}
				remove := s.spec("remove", tfrun.KindState)
				remove.Workspace, remove.Operation = workspace, planner.Operation{Kind: planner.StateRemove, Args: []string{"terraform_data.a", "terraform_data.b"}}
				if r := s.run(remove); r.Outcome != tfrun.OutcomeApplied {
					t.Fatalf("%+v", r)
				}
				// A plan of nothing that fails leaves no empty plan behind.
				s.write("tree/main.tf", "resource \"terraform_data\" \"a\" {\n  input = file(\"../cli.tfrc.secret\")\n}\n")
				broken := s.spec("broken", tfrun.KindPlan)
				broken.Workspace = workspace
				if r := s.run(broken); r.Outcome != tfrun.OutcomeFailed {
					t.Errorf("%+v", r)
				}
				if _, err := os.Stat(s.runner.PlanPath("broken")); err == nil {
					t.Error("a failed plan left a plan file")
				}
			})
		}
	}
}
