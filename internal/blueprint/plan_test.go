package blueprint

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/toolchain"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// TestBundledBlueprintsPlan writes each blueprint and does with it what the
// server would: find the projects, plan and apply them with a real Terraform,
// and judge the plans by the bundled policies.
func TestBundledBlueprintsPlan(t *testing.T) {
	if testing.Short() {
		t.Skip("runs Terraform; -short")
	}
	tf, err := toolchain.Terraform(t.Context(), toolchain.Options{Progress: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	mirror, err := toolchain.ProviderMirror(t.Context(), toolchain.Options{Progress: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	engine, err := policy.New(policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cliConfig := filepath.Join(t.TempDir(), "cli.tfrc")
	if err := os.WriteFile(cliConfig, tfrun.CLIConfig(mirror, false), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range bundled {
		t.Run(name, func(t *testing.T) {
			files, err := Render(name, want.values)
			if err != nil {
				t.Fatal(err)
			}
			root := filepath.Join(t.TempDir(), "repo")
			if err := Write(root, files); err != nil {
				t.Fatal(err)
			}
			formatted(t, tf, root)
			projects := discovered(t, root)
			var dirs []string
			for _, p := range projects {
				dirs = append(dirs, p.Dir)
			}
			if diff := cmp.Diff(want.projects, dirs); diff != "" {
				t.Fatalf("projects (-want +got):\n%s", diff)
			}
			for i, p := range projects {
				run := filepath.Join(filepath.Dir(root), fmt.Sprintf("run%d", i))
				if err := os.Mkdir(run, 0o700); err != nil {
					t.Fatal(err)
				}
				spec := tfrun.Spec{
					RunID: "run", Kind: tfrun.KindPlan, Binary: tf.Path, BinaryVersion: tf.Version, Root: root, Dir: p.Dir,
					DataDir: filepath.Join(run, "data"), Home: filepath.Join(run, "home"), PlanFile: filepath.Join(run, "plan"),
					PlanJSON: filepath.Join(run, "plan.json"), CLIConfig: cliConfig, ManagedBackend: filepath.Join(run, "terraform.tfstate"),
				}
				must(t, spec, tfrun.OutcomePlanned)
				plan := parsed(t, spec.PlanJSON)
				if plan.Summary().Create == 0 {
					t.Errorf("%s plans nothing: %+v", p.Dir, plan.Summary())
				}
				report, err := engine.Judge(t.Context(), policy.Input{Plan: plan, Project: policy.Project{Name: p.Name, Dir: p.Dir, Workspace: p.Workspace}})
				if err != nil || report.Verdict.Blocks() || report.Rules == 0 {
					t.Errorf("%s: %v, %+v", p.Dir, err, report)
				}
				for _, f := range report.Findings {
					if !slices.Contains(leftToTheClient, f.Rule) {
						t.Errorf("%s: %s: %s: %s", p.Dir, f.Rule, f.Address, f.Message)
					}
				}
				spec.Kind = tfrun.KindApply
				must(t, spec, tfrun.OutcomeApplied)
			}
		})
	}
}

// leftToTheClient are advisory rules that a blueprint leaves for its client to
// settle: flow logs cost by the gigabyte, and need a place and a key of theirs.
var leftToTheClient = []string{"security.aws.vpc_flow_logs"}

func discovered(t *testing.T, dir string) []planner.Project {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	src, err := root.ReadFile(planner.ConfigFile)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := planner.ParseConfig(src, planner.ConfigFile)
	if err != nil {
		t.Fatal(err)
	}
	projects, problems, err := planner.Discover(root.FS(), cfg)
	if err != nil || len(problems) > 0 {
		t.Fatalf("%v %v", err, problems)
	}
	return projects
}

func must(t *testing.T, spec tfrun.Spec, want tfrun.Outcome) {
	t.Helper()
	var log bytes.Buffer
	if r := tfrun.Execute(t.Context(), spec, nil, &log); r.Outcome != want {
		t.Fatalf("%s of %s: outcome %q, want %q\n%s\nlog:\n%s", spec.Kind, spec.Dir, r.Outcome, want, r.Error, log.String())
	}
}

func parsed(t *testing.T, file string) *tfplan.Plan {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	plan, err := tfplan.ParsePlan(f)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// formatted asks Terraform whether the code is laid out as it would do it.
func formatted(t *testing.T, tf toolchain.Binary, dir string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tf.Path, "fmt", "-check", "-diff", "-recursive", "-no-color")
	cmd.Dir, cmd.Env = dir, []string{"HOME=" + t.TempDir()}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("terraform fmt: %v\n%s", err, out)
	}
}
