package tfrun

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/toolchain/toolchaintest"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// each runs a test with every tool on this machine.
func each(t *testing.T, f func(t *testing.T, b Binary)) {
	for name, path := range toolchaintest.Tools(t) {
		t.Run(name, func(t *testing.T) {
			b, err := FindBinary(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			f(t, b)
		})
	}
}

// site is a work tree with a place for the runs in it.
type site struct {
	t      *testing.T
	binary Binary
	dir    string // of everything
	root   string // the work tree
	runs   int
}

func newSite(t *testing.T, b Binary, files map[string]string) *site {
	t.Helper()
	s := &site{t: t, binary: b, dir: t.TempDir()}
	s.root = filepath.Join(s.dir, "tree")
	s.lay(files)
	toolchaintest.Write(t, filepath.Join(s.dir, "cli.tfrc"), string(CLIConfig("", false)))
	return s
}

// lay makes the work tree anew.
func (s *site) lay(files map[string]string) {
	s.t.Helper()
	if err := os.RemoveAll(s.root); err != nil {
		s.t.Fatal(err)
	}
	for name, content := range files {
		toolchaintest.Write(s.t, filepath.Join(s.root, name), content)
	}
}

// spec is that of a plan of one directory, in run folders of its own.
func (s *site) spec(dir string) Spec {
	s.runs++
	run := filepath.Join(s.dir, fmt.Sprintf("run%d", s.runs))
	if err := os.MkdirAll(run, 0o700); err != nil {
		s.t.Fatal(err)
	}
	return Spec{
		RunID: filepath.Base(run), Kind: KindPlan, Binary: s.binary.Path, BinaryVersion: s.binary.Version, Root: s.root, Dir: dir,
		DataDir: filepath.Join(run, "data"), Home: filepath.Join(run, "home"),
		PlanFile: filepath.Join(run, "plan"), PlanJSON: filepath.Join(run, "plan.json"), CLIConfig: filepath.Join(s.dir, "cli.tfrc"),
		ManagedBackend: filepath.Join(s.dir, "states ${a} %{b}", dir+".tfstate"),
	}
}

func (s *site) execute(spec Spec) (Result, string) {
	s.t.Helper()
	var log bytes.Buffer
	r := Execute(s.t.Context(), spec, nil, &log)
	return r, log.String()
}

func (s *site) must(spec Spec, want Outcome) Result {
	s.t.Helper()
	r, log := s.execute(spec)
	if r.Outcome != want {
		s.t.Fatalf("%s of %s: outcome %q, want %q\n%s\nlog:\n%s", spec.Kind, spec.Dir, r.Outcome, want, r.Error, log)
	}
	return r
}

const (
	resource = "resource \"terraform_data\" \"a\" {}\n"
	required = "terraform {\n  required_providers {\n    aws = { source = \"hashicorp/aws\" }\n  }\n}\n"
)

func calls(source string) string {
	return "module \"m\" {\n  source = \"" + source + "\"\n}\n"
}

func parsed(t *testing.T, text []byte) *tfplan.Plan {
	t.Helper()
	p, err := tfplan.ParsePlan(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func applyOf(spec Spec) Spec {
	spec.Kind = KindApply
	return spec
}

func TestPlanAndApply(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{
			"live/main.tf":  "variable \"v\" {}\nmodule \"m\" {\n  source = \"../mod\"\n  v = var.v\n}\nresource \"terraform_data\" \"b\" {\n  input = \"b\"\n}\noutput \"o\" {\n  value = var.v\n}\n",
			"mod/main.tf":   "variable \"v\" {}\nresource \"terraform_data\" \"a\" {\n  input = var.v\n}\n",
			"live/x.tfvars": "v = \"one\"\n",
		})
		plan := s.spec("live")
		plan.VarFiles = []string{"x.tfvars"}
		var seen []string
		var log bytes.Buffer
		r := Execute(t.Context(), plan, func(p Progress) {
			seen = append(seen, fmt.Sprintf("%s %d/%d %s", p.Step, p.Done, p.Total, p.Address))
		}, &log)
		if r.Outcome != OutcomePlanned || r.Summary != (tfplan.Summary{Create: 2, Outputs: 1}) {
			t.Fatalf("plan: %+v\n%s", r, log.String())
		}
		if r.StateLineage != "" || r.StateSerial != 0 || len(r.PlanDigest) != 64 || r.TerraformVersion != b.Version {
			t.Errorf("plan of an empty state: %+v", r)
		}
		if got := strings.Join(seen, ", "); r.Steps != 2 || !strings.HasPrefix(got, "init 0/0 , plan 0/0 , plan 1/0 ") || !strings.HasSuffix(got, ", show 2/2 ") || !strings.Contains(got, "/0 module.m.terraform_data.a") {
			t.Errorf("%d steps, progress %q, want both objects", r.Steps, got)
		}
		if !strings.Contains(log.String(), "terraform_data.b: Plan to create") || strings.Contains(log.String(), s.dir) {
			t.Errorf("the log lacks what was planned, or shows this machine's paths:\n%s", log.String())
		}
		if _, err := os.Stat(filepath.Join(s.root, "live", planner.BackendOverride)); err == nil {
			t.Error("our backend file was left in the work tree")
		}
		f, err := os.Open(plan.PlanJSON)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if p, err := tfplan.ParsePlan(f); err != nil || p.Digest() != r.PlanDigest {
			t.Errorf("the plan's JSON that was kept: %v", err)
		}

		// The work tree is made again at the same place before the apply.
		s.lay(map[string]string{
			"live/main.tf":  "variable \"v\" {}\nmodule \"m\" {\n  source = \"../mod\"\n  v = var.v\n}\nresource \"terraform_data\" \"b\" {\n  input = \"b\"\n}\noutput \"o\" {\n  value = var.v\n}\n",
			"mod/main.tf":   "variable \"v\" {}\nresource \"terraform_data\" \"a\" {\n  input = var.v\n}\n",
			"live/x.tfvars": "v = \"one\"\n",
		})
		apply := applyOf(plan)
		apply.DataDir = filepath.Join(s.dir, "fresh data")
		seen = nil
		ra := Execute(t.Context(), apply, func(p Progress) {
			if now := fmt.Sprintf("%d/%d", p.Done, p.Total); p.Step == "apply" && (len(seen) == 0 || seen[len(seen)-1] != now) {
				seen = append(seen, now)
			}
		}, nil)
		if ra.Outcome != OutcomeApplied || !ra.Started {
			t.Fatalf("apply: %+v", ra)
		}
		if got := strings.Join(seen, " "); got != "0/2 1/2 2/2" {
			t.Errorf("progress of the apply %q", got)
		}
		if ra.StateLineage == "" || ra.StateSerial == 0 {
			t.Errorf("after the apply: lineage %q serial %d", ra.StateLineage, ra.StateSerial)
		}

		again := s.must(func() Spec { p := s.spec("live"); p.VarFiles = plan.VarFiles; return p }(), OutcomeNoChange)
		if again.StateLineage != ra.StateLineage || again.StateSerial != ra.StateSerial {
			t.Errorf("a plan of the applied state: %s %d, want %s %d", again.StateLineage, again.StateSerial, ra.StateLineage, ra.StateSerial)
		}

		// Fault 29: the same plan file once more.
		stale := s.must(apply, OutcomeFailed)
		if !stale.Stale || stale.Started || !strings.Contains(stale.Error, "Saved plan is stale") {
			t.Errorf("a stale plan: %+v", stale)
		}
	})
}

func TestFault29_StaleAfterAnotherApply(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"main.tf": "resource \"terraform_data\" \"a\" {\n  input = 1\n}\n"})
		first, second := s.spec("."), s.spec(".")
		s.must(first, OutcomePlanned)
		s.must(second, OutcomePlanned)
		s.must(applyOf(first), OutcomeApplied)
		if r := s.must(applyOf(second), OutcomeFailed); !r.Stale || r.Started {
			t.Errorf("%+v, want stale and nothing started", r)
		}
	})
}

func TestFault28_StateLockedByAnother(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"main.tf": "resource \"terraform_data\" \"a\" {\n  input = 1\n}\n"})
		plan := s.spec(".")
		s.must(plan, OutcomePlanned)
		// Another terraform holds the lock of a local state with fcntl, which
		// the same process could not: so a second one is started and kept
		// waiting inside an apply.
		dir := t.TempDir()
		fifo := filepath.Join(dir, "fifo")
		mkfifo(t, fifo)
		s.lay(map[string]string{"main.tf": "resource \"terraform_data\" \"a\" {\n  input = 1\n  provisioner \"local-exec\" {\n    command = \"echo started > " + fifo + "; cat " + fifo + "\"\n  }\n}\n"})
		slow := s.spec(".")
		s.must(slow, OutcomePlanned)
		ended := make(chan Result, 1)
		go func() { ended <- Execute(context.Background(), applyOf(slow), nil, nil) }()
		t.Cleanup(func() { // where the test fails, the apply must not wait for ever
			if f, err := os.OpenFile(fifo, os.O_RDWR, 0); err == nil {
				f.Close()
			}
		})
		readLine(t, fifo)
		locked := s.must(s.spec("."), OutcomeFailed)
		if !locked.Locked || !strings.Contains(locked.LockHolder, "Who: ") {
			t.Errorf("%+v, want locked with the holder", locked)
		}
		toolchaintest.Write(t, fifo, "go\n")
		if r := <-ended; r.Outcome != OutcomeApplied {
			t.Errorf("the lock's holder: %+v", r)
		}
	})
}

func TestWorkspaceIsTheSpecs(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		for name, backend := range map[string]string{"managed": "", "declared": "terraform {\n  backend \"local\" {\n    path = \"" + filepath.Join(t.TempDir(), "s.tfstate") + "\"\n  }\n}\n"} {
			t.Run(name, func(t *testing.T) {
				s := newSite(t, b, map[string]string{"main.tf": backend + "resource \"terraform_data\" \"a\" {\n  input = terraform.workspace\n}\n"})
				for _, ws := range []string{"prod", "", "prod"} {
					spec := s.spec(".")
					spec.Workspace = ws
					if backend != "" {
						spec.ManagedBackend = ""
					}
					s.must(spec, OutcomePlanned)
					js, err := os.ReadFile(spec.PlanJSON)
					if err != nil {
						t.Fatal(err)
					}
					want := ws
					if ws == "" {
						want = planner.DefaultWorkspace
					}
					if p := parsed(t, js); p.Changes[0].After["input"] != want {
						t.Errorf("planned in workspace %v, want %s", p.Changes[0].After["input"], want)
					}
				}
				if name == "managed" {
					spec := s.spec(".")
					spec.Workspace = "prod"
					s.must(spec, OutcomePlanned)
					s.must(applyOf(spec), OutcomeApplied)
					if _, err := os.Stat(ManagedState(spec.ManagedBackend, "prod")); err != nil {
						t.Errorf("the workspace's state: %v", err)
					}
				}
			})
		}
	})
}

func TestThreat_CommittedFilesThatSteerTerraform(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "ran")
	script := "#!/bin/sh\ntouch " + marker + "\n"
	each(t, func(t *testing.T, b Binary) {
		for name, files := range map[string]map[string]string{
			".terraform":   {"live/.terraform/environment": "other"},
			"terraform.d":  {"live/terraform.d/plugins/registry.terraform.io/hashicorp/aws/9.9.9/linux_amd64/terraform-provider-aws_v9.9.9": script},
			".terraformrc": {".terraformrc": "plugin_cache_dir = \"/tmp\""},
			"terraform.rc": {"live/terraform.rc": ""},
		} {
			t.Run(name, func(t *testing.T) {
				s := newSite(t, b, map[string]string{"live/main.tf": required + "resource \"terraform_data\" \"a\" {}\n"})
				for f, content := range files {
					toolchaintest.Write(t, filepath.Join(s.root, f), content)
					if err := os.Chmod(filepath.Join(s.root, f), 0o755); err != nil {
						t.Fatal(err)
					}
				}
				r, log := s.execute(s.spec("live"))
				if r.Outcome != OutcomeFailed || !strings.Contains(r.Error, name+" must not be in the repository") || log != "" {
					t.Errorf("%+v\n%s", r, log)
				}
			})
		}
		// The CLI configuration alone stops it too, were the check not there.
		t.Run("behind the check", func(t *testing.T) {
			s := newSite(t, b, map[string]string{"main.tf": required})
			plugin := filepath.Join(s.root, "terraform.d/plugins/registry.terraform.io/hashicorp/aws/9.9.9/linux_amd64/terraform-provider-aws_v9.9.9")
			toolchaintest.Write(t, plugin, script)
			if err := os.Chmod(plugin, 0o755); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), b.Path, "init", "-no-color")
			cmd.Dir, cmd.Env = s.root, []string{"HOME=" + s.dir, "TF_CLI_CONFIG_FILE=" + filepath.Join(s.dir, "cli.tfrc"), "CHECKPOINT_DISABLE=1"}
			if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "hashicorp/aws") {
				t.Errorf("init: %v\n%s", err, out)
			}
		})
	})
	if _, err := os.Stat(marker); err == nil {
		t.Error("a provider from the repository ran")
	}
}

func TestThreat_EnvironmentIsBuiltFromNothing(t *testing.T) {
	t.Setenv("TIDELOCK_CANARY", "canary-7d1f")
	t.Setenv("TF_VAR_v", "canary-7d1f")
	t.Setenv("TF_CLI_ARGS_plan", "-destroy")
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"main.tf": "variable \"v\" {\n  default = \"\"\n}\nresource \"terraform_data\" \"a\" {\n  input = [filebase64(\"/proc/self/environ\"), var.v]\n}\n"})
		spec := s.spec(".")
		spec.Env = map[string]string{"AWS_REGION": "eu-west-1"}
		r := s.must(spec, OutcomePlanned)
		js, err := os.ReadFile(spec.PlanJSON)
		if err != nil {
			t.Fatal(err)
		}
		list := parsed(t, js).Changes[0].After["input"].([]any)
		var environ []byte
		if err := json.Unmarshal([]byte(`"`+list[0].(string)+`"`), &environ); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(environ, []byte("canary")) || list[1] != "" || r.Summary.Create != 1 {
			t.Errorf("the test's environment got through: %q, v = %v", environ, list[1])
		}
		if !bytes.Contains(environ, []byte("AWS_REGION=eu-west-1")) {
			t.Errorf("the spec's environment did not: %q", environ)
		}
		if !bytes.Contains(environ, []byte("HOME="+spec.Home)) {
			t.Errorf("HOME is not the run's own: %q", environ)
		}
		spec = s.spec(".")
		spec.Env = map[string]string{"TF_CLI_ARGS": "-destroy"}
		if r, _ := s.execute(spec); r.Outcome != OutcomeFailed {
			t.Error("a spec can set Terraform's own variables")
		}
	})
}

func TestFailuresAreToldWithPlace(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		for _, tc := range []struct {
			name  string
			files map[string]string
			want  []string
		}{
			{"invalid HCL", map[string]string{"live/main.tf": "resource \"terraform_data\" \"a\" {\n  input = \n}\n"},
				[]string{"Terraform could not prepare the project (terraform init).", "Error: Invalid expression", "on live/main.tf line 2"}},
			{"an unknown reference", map[string]string{"live/main.tf": "resource \"terraform_data\" \"a\" {\n  input = var.gone\n}\n"},
				[]string{"Terraform could not plan the project.", "Error: Reference to undeclared input variable", "on live/main.tf line 2, in resource", "2: input = var.gone"}},
			{"a module's error", map[string]string{"live/main.tf": calls("../mod"), "mod/main.tf": "\nlocals {\n  a = file(\"gone.txt\")\n}\noutput \"a\" {\n  value = local.a\n}\n"},
				[]string{"on mod/main.tf line 3"}},
			{"a provider that can't be found", map[string]string{"live/main.tf": "terraform {\n  required_providers {\n    nosuch = { source = \"nobody/nosuch\" }\n  }\n}\n"},
				[]string{"nobody/nosuch"}},
			{"no such directory", map[string]string{"other/main.tf": ""}, []string{"The project's directory live is not in the repository."}},
			{"a committed state", map[string]string{"live/main.tf": resource, "live/terraform.tfstate": "{}"},
				[]string{"The repository holds a terraform.tfstate in live and declares no backend."}},
		} {
			t.Run(tc.name, func(t *testing.T) {
				s := newSite(t, b, tc.files)
				r := s.must(s.spec("live"), OutcomeFailed)
				for _, want := range tc.want {
					if !strings.Contains(r.Error, want) {
						t.Errorf("no %q in\n%s", want, r.Error)
					}
				}
				if strings.Contains(r.Error, s.dir) {
					t.Errorf("the error shows this machine's paths:\n%s", r.Error)
				}
			})
		}
	})
}

func TestWithoutAVersionTerraformIsAsked(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"main.tf": resource})
		spec := s.spec(".")
		spec.BinaryVersion = ""
		if r := s.must(spec, OutcomePlanned); r.TerraformVersion != b.Version {
			t.Errorf("version %q, want %q", r.TerraformVersion, b.Version)
		}
	})
}

func TestThreat_ProjectDirectoryStaysInTheTree(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"main.tf": resource})
		outside := t.TempDir()
		toolchaintest.Write(t, filepath.Join(outside, "main.tf"), resource)
		if err := os.Symlink(outside, filepath.Join(s.root, "link")); err != nil {
			t.Fatal(err)
		}
		for _, dir := range []string{"link", "../other", "/etc", "a\x00b"} {
			spec := s.spec(".")
			spec.Dir = dir
			if r, log := s.execute(spec); r.Outcome != OutcomeFailed || log != "" {
				t.Errorf("%q: %+v", dir, r)
			}
		}
		// A backend file that is a link must not be written through.
		victim := filepath.Join(outside, "victim")
		toolchaintest.Write(t, victim, "untouched")
		if err := os.Symlink(victim, filepath.Join(s.root, planner.BackendOverride)); err != nil {
			t.Fatal(err)
		}
		s.must(s.spec("."), OutcomePlanned)
		if got, _ := os.ReadFile(victim); string(got) != "untouched" {
			t.Errorf("a file outside the tree was written: %q", got)
		}
	})
}

// TestDigestOfRealPlans shows that the digest survives what does not matter,
// and nothing else.
func TestDigestOfRealPlans(t *testing.T) {
	code := func(input, trigger, extra string) map[string]string {
		return map[string]string{"main.tf": "resource \"terraform_data\" \"a\" {\n  input = \"" + input + "\"\n  triggers_replace = \"" + trigger + "\"\n}\nresource \"terraform_data\" \"s\" {\n  input = sensitive(\"" + input + "\")\n}\n" + extra}
	}
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, code("1", "1", ""))
		spec := s.spec(".")
		s.must(spec, OutcomePlanned)
		s.must(applyOf(spec), OutcomeApplied)
		digests := map[string]string{}
		plan := func(name string, files map[string]string) string {
			t.Helper()
			s.lay(files)
			spec := s.spec(".")
			r, log := s.execute(spec)
			if r.Outcome == OutcomeFailed {
				t.Fatalf("%s\n%s", r.Error, log)
			}
			for other, d := range digests {
				if d == r.PlanDigest {
					t.Errorf("%s has the digest of %s", name, other)
				}
			}
			digests[name] = r.PlanDigest
			return r.PlanDigest
		}
		update := plan("an update", code("2", "1", ""))
		plan("another value", code("3", "1", ""))
		plan("a replacement", code("2", "2", ""))
		plan("one more object", code("2", "1", "resource \"terraform_data\" \"b\" {}"))
		plan("an output", code("2", "1", "output \"o\" {\n  value = 1\n}"))
		plan("a sensitive output", code("2", "1", "output \"o\" {\n  value = 1\n  sensitive = true\n}"))
		plan("a move", map[string]string{"main.tf": strings.Replace(code("2", "1", "")["main.tf"], "\"a\"", "\"moved\"", 1) + "moved {\n  from = terraform_data.a\n  to = terraform_data.moved\n}\n"})
		plan("no change", code("1", "1", ""))

		// The serial grows with an object that comes and goes: the update
		// planned after that is the same update.
		s.lay(code("1", "1", "resource \"terraform_data\" \"x\" {}"))
		spec = s.spec(".")
		before := s.must(spec, OutcomePlanned)
		s.must(applyOf(spec), OutcomeApplied)
		s.lay(code("1", "1", ""))
		spec = s.spec(".")
		s.must(spec, OutcomePlanned)
		s.must(applyOf(spec), OutcomeApplied)
		s.lay(code("2", "1", ""))
		after := s.must(s.spec("."), OutcomePlanned)
		if after.PlanDigest != update {
			t.Error("the same update after other applies has another digest")
		}
		if after.StateSerial <= before.StateSerial {
			t.Errorf("serial %d after %d: the test shows nothing", after.StateSerial, before.StateSerial)
		}
	})
}
