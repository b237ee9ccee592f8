package planner

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
)

func TestHookEnvFrom(t *testing.T) {
	lines, commas, one := Hook{MultiEnv: MultiEnvLines}, Hook{MultiEnv: MultiEnvCommas}, Hook{Env: "TF_VAR_x"}
	for _, tc := range []struct {
		hook Hook
		text string
		want map[string]string
	}{
		{one, "\n  two words\n\n", map[string]string{"TF_VAR_x": "two words"}},
		{one, "", map[string]string{"TF_VAR_x": ""}},
		{lines, "A=1\n# said\n\nB=x=\"y\", z\r\nexport C=3\n", map[string]string{"A": "1", "B": `x="y", z`, "C": "3"}},
		{lines, "", map[string]string{}},
		{lines, ` {"A":"1","TF_VAR_l":["a", 2],"N":null}`, map[string]string{"A": "1", "TF_VAR_l": `["a", 2]`}},
		{commas, "A=1,B=two words,C=", map[string]string{"A": "1", "B": "two words", "C": ""}},
		{commas, `A="1,2",B=x\,y,C=a"b,`, map[string]string{"A": "1,2", "B": "x,y", "C": `a"b`}},
		{commas, "", map[string]string{}},
		{commas, `{"A":"1"}`, map[string]string{"A": "1"}},
	} {
		got, err := tc.hook.EnvFrom(tc.text)
		if err != nil || !maps.Equal(got, tc.want) {
			t.Errorf("%q: %q, %v; want %q", tc.text, got, err, tc.want)
		}
	}
	for _, tc := range []struct {
		hook Hook
		text string
		want string
	}{
		{lines, "A=1\nhunter2", "line 2 of what it prints has no ="},
		{commas, "A=1,hunter2", "has no ="},
		{commas, `A="hunter2`, "is not closed"},
		{lines, `{"A":hunter2}`, "no JSON object"},
		{lines, "A B=hunter2", "is no name of an environment variable"},
		{lines, "PATH=hunter2", "for Tidelock alone"},
		{one, strings.Repeat("x", 33<<10), "no environment can hold"},
		{one, "a\x00b", "no environment can hold"},
		{lines, strings.Repeat("A=hunter2\n", 1) + manyLines(201), "more than 200"},
	} {
		got, err := tc.hook.EnvFrom(tc.text)
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%.40q: %q, %v; want %q", tc.text, got, err, tc.want)
		}
	}
}

func manyLines(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("V" + strings.Repeat("x", i) + "=1\n")
	}
	return b.String()
}

func TestThreat_StepsAndSecretsSetNothingThatSteers(t *testing.T) {
	for _, name := range []string{"PATH", "HOME", "LD_PRELOAD", "LD_X", "DYLD_INSERT_LIBRARIES", "TF_CLI_ARGS", "TF_CLI_ARGS_plan", "TF_CLI_CONFIG_FILE",
		"TF_DATA_DIR", "TF_PLUGIN_CACHE_DIR", "TF_WORKSPACE", "TF_VAR_", "TF_VAR_a-b", "TF_VAR_1", "TF_VAR_a b", "TF_VAR_a;b", "TIDELOCK_RUN", "TMPDIR", "BASH_ENV", "ENV", "",
		"A=B", "TG_TF_PATH", "TG_X", "TERRAGRUNT_TFPATH", "terragrunt_x y"} {
		if GivenEnvProblem(name, "") == "" {
			t.Errorf("%q can be set", name)
		}
	}
	for _, name := range []string{"TF_VAR_password", "TF_VAR_A1_b", "AWS_ACCESS_KEY_ID", "VAULT_TOKEN"} {
		if problem := GivenEnvProblem(name, "v"); problem != "" {
			t.Errorf("%s %s", name, problem)
		}
	}
	if !StepEnvAllowed("TF_VAR_x", nil) || StepEnvAllowed("AWS_PROFILE", nil) || !StepEnvAllowed("AWS_PROFILE", []string{"AWS_PROFILE"}) || StepEnvAllowed("PATH", nil) {
		t.Error("what the server allows is not what counts")
	}
}

func TestConfigHooks(t *testing.T) {
	read := func(hook string) (Hook, error) {
		cfg, err := ParseConfig([]byte("project \"a\" {\n  dir = \"a\"\n"+hook+"}\n"), ConfigFile)
		if err != nil {
			return Hook{}, err
		}
		return cfg.Projects[0].Hooks[0], nil
	}
	h, err := read("hook \"before_init\" {\n run = [\"./x\"]\n phase = \"apply\"\n timeout = \"90s\"\n multienv = \"commas\"\n sensitive = true\n}\n")
	if err != nil || h.Phase != PhaseApply || h.Timeout != 90*time.Second || h.MultiEnv != MultiEnvCommas || !h.Sensitive || !h.Gives() || !h.At(BeforeInit, PhaseApply) || h.At(BeforeInit, PhasePlan) {
		t.Errorf("%+v %v", h, err)
	}
	for text, want := range map[string]string{
		"hook \"before_plan\" {\n run = [\"./x\"]\n phase = \"plan\"\n}\n":                   "phase is for before_init and after_init",
		"hook \"before_init\" {\n run = [\"./x\"]\n phase = \"both\"\n}\n":                   `phase is "plan" or "apply"`,
		"hook \"before_init\" {\n run = [\"./x\"]\n timeout = \"1ms\"\n}\n":                  "at least a second",
		"hook \"before_init\" {\n run = [\"./x\"]\n timeout = \"100h\"\n}\n":                 "between 1s and 72h",
		"hook \"before_init\" {\n run = [\"./x\"]\n timeout = \"soon\"\n}\n":                 `timeout is "soon"`,
		"hook \"before_init\" {\n run = [\"./x\"]\n env = \"A\"\n multienv = \"lines\"\n}\n": "keep one",
		"hook \"before_init\" {\n run = [\"./x\"]\n multienv = true\n}\n":                    `multienv is "lines" or "commas"`,
		"hook \"before_init\" {\n run = [\"./x\"]\n sensitive = true\n}\n":                   "sensitive is for hooks with env or multienv",
		"hook \"after_plan\" {\n run = [\"./x\"]\n env = \"A\"\n}\n":                         "nothing comes after",
		"hook \"before_plan\" {\n run = [\"./x\"]\n env = \"LD_PRELOAD\"\n}\n":               "The variable LD_PRELOAD is for Tidelock alone",
	} {
		if _, err := read(text); !errs.Is(err, errs.Invalid) || !strings.Contains(errs.Sentence(err), want) {
			t.Errorf("%s\n%v, want %q", text, err, want)
		}
	}
}

func TestConfigSecretsAndSource(t *testing.T) {
	read := func(rest string) (ProjectConfig, error) {
		cfg, err := ParseConfig([]byte("project \"a\" {\n  dir = \"out/stacks/a\"\n"+rest+"}\n"), ConfigFile)
		if err != nil {
			return ProjectConfig{}, err
		}
		return cfg.Projects[0], nil
	}
	p, err := read("secrets = { TF_VAR_p = \"prod/db\" }\n plan_secrets = { T = \"read\" }\n apply_secrets = { T = \"write\" }\n source_dir = \"app/./x\"\n hook \"before_init\" {\n run = [\"./synth\"]\n}\n")
	if err != nil || p.SourceDir != "app/x" ||
		!maps.Equal(p.Secrets.Of(PhasePlan), map[string]string{"TF_VAR_p": "prod/db", "T": "read"}) ||
		!maps.Equal(p.Secrets.Of(PhaseApply), map[string]string{"TF_VAR_p": "prod/db", "T": "write"}) {
		t.Errorf("%+v %v", p, err)
	}
	for text, want := range map[string]string{
		"secrets = { PATH = \"x\" }\n":                                            `The variable "PATH" is for Tidelock alone`,
		"secrets = { A = \"not a name!\" }\n":                                     "never its value",
		"secrets = { A = \"x\" }\n env = { A = \"b\" }\n":                         "stands in env too",
		"secrets = { A = \"x\" }\n apply_secrets = { A = \"y\" }\n":               "stands in secrets too",
		"source_dir = \"app\"\n":                                                  "needs a hook that makes the code",
		"source_dir = \"../app\"\n hook \"before_init\" {\n run = [\"./x\"]\n}\n": "leads out of the repository",
		"kind = \"terragrnt\"\n":                                                  `Did you mean "terragrunt"?`,
		"kind = \"terragrunt\"\n workspace = \"w\"\n":                             "has no workspaces here",
	} {
		if _, err := read(text); !errs.Is(err, errs.Invalid) || !strings.Contains(errs.Sentence(err), want) {
			t.Errorf("%s\n%v, want %q", text, err, want)
		}
	}
}

// TestSourceDirIsTheProjects: the files that a project's code is made from are
// its own, though its directory is not in the repository.
func TestSourceDirIsTheProjects(t *testing.T) {
	files := map[string]string{"app/main.ts": "x", "app/README.md": "x", "other/main.tf": resource}
	cfg, err := ParseConfig([]byte("project \"a\" {\n dir = \"app/cdktf.out/stacks/a\"\n source_dir = \"app\"\n secrets = { A = \"one\" }\n hook \"before_init\" {\n run = [\"./synth\"]\n}\n}\n"), ConfigFile)
	if err != nil {
		t.Fatal(err)
	}
	projects, problems := discovered(t, files, cfg)
	if len(projects) != 2 || projects[0].Missing || len(problems) != 0 {
		t.Fatalf("%+v %v", projects, problems)
	}
	for file, want := range map[string]string{"app/main.ts": "app/main.ts changed, which its code is made from", "app/README.md": "", "other/main.tf": ""} {
		got := ""
		for _, touched := range Affected(projects, []string{file}) {
			if touched.Project.Name == "a" {
				got = touched.Reason
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	}
}

func TestBackendIn(t *testing.T) {
	fsys := tree(map[string]string{
		"s3/main.tf": "terraform {\n  backend \"s3\" {\n    bucket = \"b\"\n  }\n}\n", "none/main.tf": resource, "cloud/x.tofu": "terraform {\n  cloud {}\n}\n",
		"json/cdk.tf.json": `{"terraform":{"backend":{"local":{"path":"/x/y.tfstate"}}}}`,
		"list/cdk.tf.json": `{"terraform":[{"backend":[{"s3":{}}]}]}`, "expr/main.tf": "terraform {\n  backend \"local\" {\n    path = var.x\n  }\n}\n",
		"broken/main.tf": "terraform {\n  backend \"gcs\" {\n", "broken/x.tf.json": "{",
		"over/a_override.tf.json": `{"terraform":{"backend":{"pg":{}}}}`, "over/override.tofu": "terraform {\n  cloud {}\n}\n", "over/versions.tf": "terraform {\n  backend \"s3\" {\n  }\n}\n",
	})
	for dir, want := range map[string]Backend{
		"s3": {"s3", ""}, "none": {}, "cloud": {"cloud", ""}, "json": {"local", "/x/y.tfstate"}, "list": {"s3", ""}, "expr": {"local", ""}, "gone": {}, "broken": {"gcs", ""}, "over": {"cloud", ""},
	} {
		if got, err := BackendIn(fsys, dir); got != want || err != nil {
			t.Errorf("%s: %+v, %v; want %+v", dir, got, err, want)
		}
	}
}
