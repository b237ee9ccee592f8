package tfrun

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/toolchain/toolchaintest"
	"github.com/tidelock/tidelock/planner"
)

// everything is what leaves a run: its log, its result, its plan's JSON.
func everything(t *testing.T, spec Spec, r Result, log string) string {
	t.Helper()
	result, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	js, err := os.ReadFile(spec.PlanJSON)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return log + string(result) + string(js)
}

func TestHooksAroundInitAndTheirOrder(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"live/main.tf": resource, "mod/main.tf": resource})
		s.tool("note", `echo "$1:$(test -d "$TF_DATA_DIR/modules" && echo modules || echo none):${PLANFILE:+plan}"`)
		var hooks []planner.Hook
		for _, when := range planner.HookMoments() {
			hooks = append(hooks, planner.Hook{When: when, Run: []string{"../note", "at-" + when}})
		}
		// A module that a hook before init adds is there after init.
		s.tool("gen", `printf 'module "m" {\n  source = "../mod"\n}\n' > m.tf`)
		hooks = append(hooks, planner.Hook{When: planner.BeforeInit, Run: []string{"../gen"}},
			planner.Hook{When: planner.AfterInit, Run: []string{"echo", "in-plans-only"}, Phase: planner.PhasePlan},
			planner.Hook{When: planner.AfterInit, Run: []string{"echo", "in-applies-only"}, Phase: planner.PhaseApply})
		inOrder := func(log string, want ...string) {
			t.Helper()
			at := log
			for _, w := range want {
				_, after, ok := strings.Cut(at, "\n"+w+"\n")
				if !ok {
					t.Fatalf("no line %q, or not in order, in\n%s", w, log)
				}
				at = after
			}
		}
		plan := s.spec("live")
		plan.Hooks = hooks
		r, log := s.execute(plan)
		if r.Outcome != OutcomePlanned || r.Summary.Create != 2 {
			t.Fatalf("%+v\n%s", r, log)
		}
		inOrder(log, "at-before_plan:none:", "at-before_init:none:", "at-after_init:modules:", "in-plans-only", "at-after_plan:modules:plan")
		r, log2 := s.execute(applyOf(plan))
		if r.Outcome != OutcomeApplied {
			t.Fatalf("%+v\n%s", r, log2)
		}
		inOrder(log2, "at-before_apply:modules:plan", "at-before_init:modules:plan", "at-after_init:modules:plan", "in-applies-only", "at-after_apply:modules:plan")
		if strings.Contains(log, "applies-only") || strings.Contains(log, "at-before_apply") || strings.Contains(log2, "plans-only") {
			t.Errorf("a hook of the other phase ran:\n%s\n%s", log, log2)
		}
	})
}

func TestHooksGiveEnvironment(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"main.tf": `variable "one" {}
variable "list" { type = list(string) }
resource "terraform_data" "a" { input = "${var.one} ${join("+", var.list)}" }
`})
		s.tool("one", `echo not a value >&2; echo "  the first  "`)
		s.tool("many", `echo "TF_VAR_list=[\"$TF_VAR_one\", \"$REGION\"]"; echo REGION=ignored`)
		s.tool("see", `echo "sees $TF_VAR_one in $REGION and ${TIDELOCK_TF_VAR_one-nothing else}"`)
		plan := s.spec(".")
		plan.StepEnv, plan.Env = []string{"REGION"}, map[string]string{"REGION": "eu"}
		plan.Hooks = []planner.Hook{
			{When: planner.BeforePlan, Run: []string{"./one"}, Env: "TF_VAR_one"},
			{When: planner.BeforeInit, Run: []string{"./many"}, MultiEnv: planner.MultiEnvLines, Phase: planner.PhasePlan},
			{When: planner.AfterInit, Run: []string{"./see"}},
		}
		r, log := s.execute(plan)
		if r.Outcome != OutcomePlanned {
			t.Fatalf("%+v\n%s", r, log)
		}
		if got := planned(t, plan).Changes[0].After["input"]; got != "the first the first+eu" {
			t.Errorf("the plan has %q", got)
		}
		for _, want := range []string{"\nnot a value\n", "\nIt sets TF_VAR_one.\n", "\nIt sets REGION, TF_VAR_list.\n", "\nsees the first in ignored and nothing else\n"} {
			if !strings.Contains(log, want) {
				t.Errorf("no %q in\n%s", want, log)
			}
		}
		if r := s.must(applyOf(plan), OutcomeApplied); r.Warning != "" {
			t.Errorf("%+v", r)
		}
	})
}

func TestHooksThatGiveNoEnvironment(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"main.tf": resource})
		for _, tc := range []struct {
			name, script, want string
			hook               planner.Hook
		}{
			{"not allowed", "echo x", "sets AWS_PROFILE, which this server does not let a repository set. Its terraform.project_env can name it", planner.Hook{Env: "AWS_PROFILE"}},
			{"one of several", "echo TF_VAR_a=1; echo AWS_PROFILE=x", "sets AWS_PROFILE", planner.Hook{MultiEnv: planner.MultiEnvLines}},
			{"steers", "echo PATH=/x", `"PATH" is for Tidelock alone to set`, planner.Hook{MultiEnv: planner.MultiEnvLines}},
			{"no form", "echo hunter2-hunter2", "line 1 of what it prints has no =", planner.Hook{MultiEnv: planner.MultiEnvLines}},
			{"too short", "echo abc12", "too short to be masked", planner.Hook{Env: "TF_VAR_a", Sensitive: true}},
			{"fails", "echo hunter2-hunter2; echo why >&2; exit 4", "exit status 4. It said:\n\nwhy", planner.Hook{Env: "TF_VAR_a"}},
			{"too much", "head -c 300000 /dev/zero | tr '\\0' x", "more than 256 kB", planner.Hook{Env: "TF_VAR_a"}},
		} {
			t.Run(tc.name, func(t *testing.T) {
				s.tool("step", tc.script)
				spec := s.spec(".")
				tc.hook.When, tc.hook.Run = planner.BeforePlan, []string{"./step"}
				spec.Hooks = []planner.Hook{tc.hook}
				r, log := s.execute(spec)
				if r.Outcome != OutcomeFailed || !strings.Contains(r.Error, tc.want) || strings.Contains(log, "Plan to create") {
					t.Errorf("%s: %s, want %q\n%s", r.Outcome, r.Error, tc.want, log)
				}
				if strings.Contains(everything(t, spec, r, log), "hunter2") {
					t.Errorf("what the hook printed to standard output is told:\n%s\n%s", r.Error, log)
				}
			})
		}
	})
}

func TestHookThatTakesTooLong(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"main.tf": resource})
		never := filepath.Join(s.dir, "never")
		mkfifo(t, never)
		s.tool("wait", "echo begun; exec cat "+never)
		spec := s.spec(".")
		spec.Hooks = []planner.Hook{{When: planner.BeforeInit, Run: []string{"./wait"}, Timeout: time.Second}}
		began := time.Now()
		r, log := s.execute(spec)
		if r.Outcome != OutcomeFailed || !strings.Contains(r.Error, "The hook at before_init, ./wait, took longer than 1s and was stopped. It said:\n\nbegun") || strings.Contains(log, "Plan to create") {
			t.Errorf("%s: %s\n%s", r.Outcome, r.Error, log)
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// secretCode shows a secret in every way that code has: as it is, in pieces of
// an object, encoded, as a name, in an output and in an error.
const secretCode = `variable "password" {}
variable "login" { type = object({ user = string, key = string }) }
variable "number" {}
resource "terraform_data" "a" {
  input = { plain = var.password, coded = base64encode("user:${var.password}"), key = var.login.key, number = tonumber(var.number) }
}
resource "terraform_data" "b" {
  for_each = toset([var.password])
}
output "o" { value = var.password }
`

func secretForms(values ...string) []string {
	var out []string
	for _, v := range values {
		out = append(out, v, base64.StdEncoding.EncodeToString([]byte("user:" + v))[8:20])
	}
	return out
}

// TestThreat_SecretsOfARunStayInIt: the server's secrets and those that hooks
// give as sensitive reach Terraform, and nothing that leaves the run holds them.
func TestThreat_SecretsOfARunStayInIt(t *testing.T) {
	const password, key, number = "hunter2-hunter2", "k3y-in-an-object", "73217321"
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"main.tf": secretCode})
		s.tool("login", `echo "TF_VAR_login={\"user\":\"u\",\"key\":\"`+key+`\"}"`)
		s.tool("leak", `echo "leaks $TF_VAR_password $(printf user:$TF_VAR_password | base64) $TF_VAR_login"`)
		spec := s.spec(".")
		spec.Env, spec.Secrets = map[string]string{"TF_VAR_password": password, "TF_VAR_number": number}, []string{"TF_VAR_password", "TF_VAR_number"}
		spec.Hooks = []planner.Hook{
			{When: planner.BeforePlan, Run: []string{"./login"}, MultiEnv: planner.MultiEnvLines, Sensitive: true},
			{When: planner.BeforePlan, Run: []string{"./leak"}}, {When: planner.AfterPlan, Run: []string{"./leak"}},
		}
		check := func(spec Spec, r Result, log string) {
			t.Helper()
			all := everything(t, spec, r, log)
			for _, form := range secretForms(password, key) {
				if at := strings.Index(all, form); at >= 0 {
					t.Errorf("%q got out: …%s…", form, all[max(0, at-100):min(len(all), at+100)])
				}
			}
			if strings.Contains(all, number) {
				t.Errorf("the number got out")
			}
			files, err := filepath.Glob(filepath.Join(s.dir, "run*", "*"))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range append(files, spec.Home+".terraform") {
				if text, err := os.ReadFile(f); err == nil && f != spec.PlanFile && strings.Contains(string(text), password) {
					t.Errorf("%s holds the secret", f)
				}
			}
		}
		r, log := s.execute(spec)
		if r.Outcome != OutcomePlanned || !strings.Contains(log, "leaks (redacted)") {
			t.Fatalf("%+v\n%s", r, log)
		}
		check(spec, r, log)
		if got := planned(t, spec); len(got.Changes) != 2 || got.Digest() == "" {
			t.Errorf("the masked plan reads as %+v", got.Changes)
		}
		// What was planned is what is made, with the values as they are.
		apply := applyOf(spec)
		r, log = s.execute(apply)
		if r.Outcome != OutcomeApplied {
			t.Fatalf("%+v\n%s", r, log)
		}
		check(apply, r, log)
		state, err := os.ReadFile(spec.ManagedBackend)
		if err != nil || !strings.Contains(string(state), password) || !strings.Contains(string(state), key) {
			t.Errorf("the state has other values: %v", err)
		}
		// An error of Terraform's that quotes it.
		s.lay(map[string]string{"main.tf": secretCode + "resource \"terraform_data\" \"c\" {\n  lifecycle {\n    precondition {\n      condition     = var.password == \"\"\n      error_message = \"it is ${var.password}\"\n    }\n  }\n}\n"})
		s.tool("login", `echo "TF_VAR_login={\"user\":\"u\",\"key\":\"`+key+`\"}"`)
		s.tool("leak", "true")
		bad := s.spec(".")
		bad.Env, bad.Secrets, bad.Hooks = spec.Env, spec.Secrets, spec.Hooks
		r, log = s.execute(bad)
		if r.Outcome != OutcomeFailed || !strings.Contains(r.Error, "it is (redacted)") {
			t.Errorf("%s: %s", r.Outcome, r.Error)
		}
		check(bad, r, log)
	})
}

func TestRefusedRunSaysWhy(t *testing.T) {
	r := Execute(t.Context(), Spec{RunID: "r", Kind: KindPlan, Refused: "The secret is gone."}, nil, nil)
	if r.Outcome != OutcomeFailed || r.Error != "The secret is gone." || r.Started {
		t.Errorf("%+v", r)
	}
}

// synth stands for `cdktf synth`: it makes a folder for each stack, with a
// backend of its own choice.
const synth = `mkdir -p cdktf.out/stacks/shop
n=$(cat count 2>/dev/null || echo 0); n=$((n+1)); echo $n > count
cat > cdktf.out/stacks/shop/cdk.tf.json <<JSON
{"terraform":{"backend":{"local":{"path":"$PWD/terraform.shop.tfstate"}}},
 "resource":{"terraform_data":{"made":{"input":"synth $n"}}}}
JSON`

// TestCodeThatHooksMake: CDKTF's way. The directory is not in the repository;
// what was planned is applied, whatever the generator makes the second time;
// and its state outlives the tree, though the code puts it there.
func TestCodeThatHooksMake(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"cdk/main.ts": "// app\n"})
		s.tool("cdk/synth", synth)
		spec := s.spec("cdk/cdktf.out/stacks/shop")
		spec.SourceDir, spec.ManagedBackend = "cdk", filepath.Join(s.dir, "state", "terraform.tfstate")
		spec.Hooks = []planner.Hook{{When: planner.BeforeInit, Run: []string{"./synth"}}}
		r, log := s.execute(spec)
		if r.Outcome != OutcomePlanned {
			t.Fatalf("%+v\n%s", r, log)
		}
		if got := planned(t, spec).Changes[0].After["input"]; got != "synth 1" {
			t.Fatalf("planned %v", got)
		}
		if r, log = s.execute(applyOf(spec)); r.Outcome != OutcomeApplied || !strings.Contains(log, "Hook at before_init") {
			t.Fatalf("%+v\n%s", r, log)
		}
		state, err := os.ReadFile(spec.ManagedBackend)
		if err != nil || !strings.Contains(string(state), `"synth 1"`) || strings.Contains(string(state), `"synth 2"`) {
			t.Errorf("the state is %s, %v", state, err)
		}
		if _, err := os.Stat(filepath.Join(s.root, "cdk/terraform.shop.tfstate")); err == nil {
			t.Error("there is a state in the tree, which goes with it")
		}
		none := s.spec("cdk/cdktf.out/stacks/shop")
		none.SourceDir = "cdk"
		if err := os.RemoveAll(filepath.Join(s.root, "cdk/cdktf.out")); err != nil {
			t.Fatal(err)
		}
		if r := s.must(none, OutcomeFailed); !strings.Contains(r.Error, "this server runs none: its terraform.allow_hooks is off") {
			t.Error(r.Error)
		}
		none.Hooks = []planner.Hook{{When: planner.BeforeInit, Run: []string{"true"}}}
		if r := s.must(none, OutcomeFailed); !strings.Contains(r.Error, "is not there when the hooks before init are done") {
			t.Error(r.Error)
		}
	})
}

// TestGeneratedBackendIsKept: Terramate's way. A backend that a hook generates
// is the project's own; Tidelock does not put its state beside it.
func TestGeneratedBackendIsKept(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"stacks/net/main.tf": resource})
		own := filepath.Join(s.dir, "elsewhere", "net.tfstate")
		s.tool("generate", `printf 'terraform {\n  backend "local" {\n    path = "`+own+`"\n  }\n}\n' > stacks/net/_backend.tf`)
		spec := s.spec("stacks/net")
		spec.SourceDir = "."
		spec.Hooks = []planner.Hook{{When: planner.BeforeInit, Run: []string{"./generate"}}}
		s.must(spec, OutcomePlanned)
		if r := s.must(applyOf(spec), OutcomeApplied); r.Backend != "local" {
			t.Errorf("the state is said to be in %q", r.Backend)
		}
		if _, err := os.Stat(own); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(spec.ManagedBackend); err == nil {
			t.Error("there is a second state")
		}
		// What the hooks make is made of what a pull request gives them: a state
		// that is kept here is not left behind.
		toolchaintest.Write(t, spec.ManagedBackend, victimDoc)
		again := s.spec("stacks/net")
		again.SourceDir, again.Hooks, again.ManagedBackend = ".", spec.Hooks, spec.ManagedBackend
		if r := s.must(again, OutcomeFailed); !strings.Contains(r.Error, "is kept by Tidelock") {
			t.Error(r.Error)
		}
	})
}

// TestThreat_AnApplyMasksWhatItsPlanMasked: the apply is given neither the plan's
// secrets nor the values of hooks that ran before it, and the saved plan has them.
func TestThreat_AnApplyMasksWhatItsPlanMasked(t *testing.T) {
	const token, key = "hunter2-of-a-hook", "hunter3-of-the-plan"
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"main.tf": `variable "token" {}
variable "login" { type = object({ key = string }) }
resource "terraform_data" "a" {
  input = "user:${var.token}:${var.login.key}!"
  provisioner "local-exec" {
    command = "echo leaks ${self.input}; echo ${base64encode(self.input)}"
  }
}
`})
		s.tool("token", "echo "+token)
		spec := s.spec(".")
		spec.Env, spec.Secrets = map[string]string{"TF_VAR_login": `{"key":"` + key + `"}`}, []string{"TF_VAR_login"}
		spec.Hooks = []planner.Hook{{When: planner.BeforePlan, Run: []string{"./token"}, Env: "TF_VAR_token", Sensitive: true}}
		s.must(spec, OutcomePlanned)
		apply := applyOf(spec)
		apply.Env, apply.Secrets = nil, nil
		r, log := s.execute(apply)
		if r.Outcome != OutcomeApplied || !strings.Contains(log, "leaks user:(redacted):(redacted)!") {
			t.Fatalf("%+v\n%s", r, log)
		}
		all := everything(t, apply, r, log)
		for _, form := range secretForms(token, key) {
			if strings.Contains(all, form) {
				t.Errorf("%q got out:\n%s", form, log)
			}
		}
	})
}

func TestDifferences(t *testing.T) {
	m := redact.NewMasker("secret-1", "secret-22")
	for text, want := range map[string]string{
		"plain": "", "secret-1": "secret-1", "a secret-1 b": "secret-1", "secret-1, secret-22.": "secret-1|secret-22", "x=secret-22": "secret-22", "(redacted)": "",
		"secret-1secret-22": "secret-1secret-22", "secret-1 secret-1": "secret-1|secret-1",
	} {
		var got []string
		differences([]any{map[string]any{"k": text}, 1.0}, []any{map[string]any{"k": m.String(text)}, 1.0}, func(s string) { got = append(got, s) })
		if strings.Join(got, "|") != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
