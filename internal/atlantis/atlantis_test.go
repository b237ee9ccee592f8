package atlantis

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/gate"
	"github.com/tidelock/tidelock/planner"
)

var update = flag.Bool("update", false, "write the golden files anew")

func ptr[T any](v T) *T { return &v }

// placeless takes away where in which file a thing was said.
func placeless(cfg planner.RepoConfig) planner.RepoConfig {
	cfg.File, cfg.TemplateLine = "", 0
	cfg.Projects = append([]planner.ProjectConfig(nil), cfg.Projects...)
	for i := range cfg.Projects {
		cfg.Projects[i].Line, cfg.Projects[i].DependsLine = 0, 0
		cfg.Projects[i].Tool.NameLine, cfg.Projects[i].Tool.VersionLine = 0, 0
	}
	for _, r := range []*gate.Rules{&cfg.Gates.Plan, &cfg.Gates.Apply} {
		r.Expressions = append([]gate.Expression(nil), r.Expressions...)
		for i := range r.Expressions {
			r.Expressions[i].Pos = ""
		}
	}
	return cfg
}

// roundTrip converts what was read, and reads that.
func roundTrip(t testing.TB, cfg planner.RepoConfig, notes []planner.Problem) {
	t.Helper()
	text := Convert(cfg, notes)
	again, err := planner.ParseConfig(text, planner.ConfigFile)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if diff := cmp.Diff(placeless(cfg), placeless(again)); diff != "" {
		t.Errorf("(-atlantis.yaml +tidelock.hcl)\n%s\n%s", diff, text)
	}
}

// TestConvert reads the files in testdata and compares what they are converted
// to, what is not carried over among it.
func TestConvert(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			cfg, notes, err := Read(src, File)
			if err != nil {
				t.Fatal(err)
			}
			roundTrip(t, cfg, notes)
			got := Convert(cfg, notes)
			golden := strings.TrimSuffix(file, ".yaml") + ".hcl"
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadMinimal(t *testing.T) {
	cfg, notes, err := Read([]byte("version: 3\n"), File)
	if err != nil || len(notes) > 0 {
		t.Fatal(notes, err)
	}
	want := planner.DefaultRepoConfig()
	want.File = File
	if diff := cmp.Diff(want, cfg); diff != "" {
		t.Error(diff)
	}
}

// TestRead plays one key at a time. What is not set is as in the minimal file.
func TestRead(t *testing.T) {
	one := func(p planner.ProjectConfig) planner.RepoConfig {
		return planner.RepoConfig{Projects: []planner.ProjectConfig{p}}
	}
	const head = "version: 3\nprojects:\n- dir: app\n  "
	app := func(change func(p *planner.ProjectConfig)) planner.RepoConfig {
		p := planner.ProjectConfig{Name: "app", Dir: "app", Workspace: "default"}
		change(&p)
		return one(p)
	}
	flow := func(steps string) string {
		return head + "workflow: w\nworkflows:\n  w:\n    plan:\n      steps:\n" + steps
	}
	for _, tc := range []struct {
		name string
		src  string
		want planner.RepoConfig
		note string // a part of the only note, "" for none
	}{
		{"automerge", "version: 3\nautomerge: yes", planner.RepoConfig{Autodiscover: true, AutoMerge: ptr(true)}, ""},
		{"disabled", "version: 3\nautodiscover: {mode: disabled}", planner.RepoConfig{}, ""},
		{"enabled beside projects", head + "\nautodiscover: {mode: enabled}", planner.RepoConfig{Autodiscover: true, Projects: app(func(*planner.ProjectConfig) {}).Projects}, ""},
		{"lock of the repository", "version: 3\nrepo_locks: {mode: on_apply}", planner.RepoConfig{Autodiscover: true, Lock: ptr("apply")}, ""},
		{"lock of all projects", head + "repo_locking: false", planner.RepoConfig{Lock: ptr("off"), Projects: app(func(*planner.ProjectConfig) {}).Projects}, ""},
		{"branch is deleted", head + "delete_source_branch_on_merge: true", planner.RepoConfig{DeleteBranch: ptr(true), Projects: app(func(*planner.ProjectConfig) {}).Projects}, ""},
		{"name and workspace", "version: 3\nprojects: [{dir: /app/, name: a/b.c, workspace: w}]", one(planner.ProjectConfig{Name: "a/b.c", Dir: "app", Workspace: "w"}), ""},
		{"no name, with a workspace", "version: 3\nprojects: [{dir: ., workspace: w}]", one(planner.ProjectConfig{Name: "root:w", Dir: ".", Workspace: "w"}), ""},
		{"a number is a text", "version: 3\nprojects: [{dir: 2024, name: 12}]", one(planner.ProjectConfig{Name: "12", Dir: "2024", Workspace: "default"}), ""},
		{"version", head + "terraform_version: v1.9.8", app(func(p *planner.ProjectConfig) { p.Tool.Version = "v1.9.8" }), ""},
		{"constraint of a version", head + "terraform_version: \">= 1.8, < 2\"", app(func(p *planner.ProjectConfig) { p.Tool.Version = ">= 1.8, < 2" }), ""},
		{"distribution", head + "terraform_distribution: opentofu", app(func(p *planner.ProjectConfig) { p.Tool.Name = planner.ToolOpenTofu }), ""},
		{"by hand", head + "autoplan: {enabled: false}", app(func(p *planner.ProjectConfig) { p.ByHand = true }), ""},
		{"no pattern at all", head + "autoplan: {when_modified: []}", app(func(p *planner.ProjectConfig) { p.WhenModified = []string{} }), ""},
		{"autoplan before dir", "version: 3\nprojects:\n- autoplan: {when_modified: [x.tf]}\n  dir: app", app(func(p *planner.ProjectConfig) { p.WhenModified = []string{"app/x.tf"} }), ""},
		{"a pattern that leads out", head + "autoplan: {when_modified: [../../x, a]}", app(func(p *planner.ProjectConfig) { p.WhenModified = []string{"app/a"} }), `"../../x" leads out of the repository`},
		{"order", head + "execution_order_group: -2", app(func(p *planner.ProjectConfig) { p.Order = -2 }), ""},
		{"all projects need approval", head + "apply_requirements: [approved, policies_passed]", planner.RepoConfig{
			Gates: gate.Set{Apply: gate.Rules{Approvals: 1}}, Projects: app(func(*planner.ProjectConfig) {}).Projects}, ""},
		{"all plans", head + "plan_requirements: [undiverged, mergeable]", planner.RepoConfig{
			Gates: gate.Set{Plan: gate.Rules{UpToDate: true, Mergeable: true}}, Projects: app(func(*planner.ProjectConfig) {}).Projects}, ""},
		{"the default workflow", head + "workflow: default", app(func(*planner.ProjectConfig) {}), ""},
		{"a workflow of the server's", head + "workflow: wrold\nworkflows: {}", app(func(*planner.ProjectConfig) {}), "wrold is not in this file"},
		{"variable files", flow("      - plan: {extra_args: [-var-file=a.tfvars, '-var-file ../b.tfvars', --var-file, ./c.tfvars, -input=false]}"),
			app(func(p *planner.ProjectConfig) { p.VarFiles = []string{"a.tfvars", "../b.tfvars", "c.tfvars"} }), ""},
		{"a variable file by its whole path", flow("      - plan: {extra_args: ['-var-file=$DIR/a.tfvars']}"), app(func(p *planner.ProjectConfig) { p.VarFiles = []string{"a.tfvars"} }), ""},
		{"a variable file outside", flow("      - plan: {extra_args: [-var-file=../../b.tfvars]}"), app(func(*planner.ProjectConfig) {}), "leads out of the repository"},
		{"flags", flow("      - plan:\n          extra_args:\n          - -target='module.a[\"x\"].b'\n          - -var='a=b c'\n          - -refresh=false"),
			app(func(p *planner.ProjectConfig) {
				p.Options = planner.Options{Targets: []string{`module.a["x"].b`}, Vars: []string{"a=b c"}, NoRefresh: true}
			}), ""},
		{"a step of another name", flow("      - init\n      - plan\n      - show"), app(func(*planner.ProjectConfig) {}), ""},
		{"hooks", flow("      - run: a\n      - init\n      - plan\n      - run: {command: b, shell: bash}"),
			app(func(p *planner.ProjectConfig) {
				p.Hooks = []planner.Hook{{When: "before_plan", Run: []string{"sh", "-c", "a"}}, {When: "after_plan", Run: []string{"bash", "-c", "b"}}}
			}), ""},
		{"a hook behind init", flow("      - init\n      - run: terraform validate\n      - plan"), app(func(p *planner.ProjectConfig) {
			p.Hooks = []planner.Hook{{When: "after_init", Phase: "plan", Run: []string{"sh", "-c", "terraform validate"}}}
		}), ""},
		{"an apply's hook that needs init", flow("      - plan\n    apply: {steps: [run: terraform providers, apply]}"), app(func(p *planner.ProjectConfig) {
			p.Hooks = []planner.Hook{{When: "after_init", Phase: "apply", Run: []string{"sh", "-c", "terraform providers"}}}
		}), ""},
		{"several variables by a command", flow("      - multienv: ./env.sh $WORKSPACE\n      - init\n      - multienv: {command: late, shell: bash}\n      - plan"), app(func(p *planner.ProjectConfig) {
			p.Hooks = []planner.Hook{
				{When: "before_plan", Run: []string{"sh", "-c", "export WORKSPACE='default'; ./env.sh $WORKSPACE"}, MultiEnv: "commas"},
				{When: "after_init", Phase: "plan", Run: []string{"bash", "-c", "late"}, MultiEnv: "commas"},
			}
		}), ""},
		{"variables that come too late", flow("      - plan\n      - multienv: ./env.sh"), app(func(*planner.ProjectConfig) {}), "no command of Terraform's comes after it"},
		{"a variable that steers", flow("      - env: {name: TF_CLI_ARGS, command: date}\n      - plan"), app(func(*planner.ProjectConfig) {}), "the variable TF_CLI_ARGS can't be set here"},
		{"the plan's file", flow("      - plan\n      - run: check $PLANFILE ${SHOWFILE}"), app(func(p *planner.ProjectConfig) {
			p.Hooks = []planner.Hook{{When: "after_plan", Run: []string{"sh", "-c", "check $PLANFILE ${SHOWFILE}"}}}
		}), ""},
		{"no plan's file yet", flow("      - run: check $PLANFILE\n      - plan"), app(func(p *planner.ProjectConfig) {
			p.Hooks = []planner.Hook{{When: "before_plan", Run: []string{"sh", "-c", "check $PLANFILE"}}}
		}), "uses $PLANFILE, which Atlantis sets"},
		{"a hook in another language", flow("      - run: {command: 'print(\"$WORKSPACE\")', shell: python3}\n      - plan"),
			app(func(p *planner.ProjectConfig) {
				p.Hooks = []planner.Hook{{When: "before_plan", Run: []string{"python3", "-c", `print("$WORKSPACE")`}}}
			}), "uses variables that Atlantis sets"},
		{"a variable by a command", flow("      - env: {name: A, command: date}\n      - plan"), app(func(p *planner.ProjectConfig) {
			p.Hooks = []planner.Hook{{When: "before_plan", Run: []string{"sh", "-c", "date"}, Env: "A"}}
		}), ""},
		{"a variable of Terraform's", flow("      - env: {name: TF_VAR_x, value: y}\n      - plan: {extra_args: ['-var=x=$TF_VAR_x']}"),
			app(func(p *planner.ProjectConfig) { p.Options.Vars = []string{"x=y"} }), "Write the value into a .tfvars file"},
		{"no steps", strings.TrimSuffix(flow(""), "\n") + " []", app(func(*planner.ProjectConfig) {}), "has no steps"},
		{"a stage that says nothing", head + "workflow: w\nworkflows: {w: {plan: }}", app(func(*planner.ProjectConfig) {}), ""},
		{"plans alone have it", flow("      - env: {name: A, value: b}\n      - plan"), app(func(p *planner.ProjectConfig) { p.Env = map[string]string{"A": "b"} }), "A is set for plans only"},
		{"each its own", flow("      - env: {name: A, value: b}\n      - plan\n    apply: {steps: [env: {name: A, value: c}, apply]}"), app(func(*planner.ProjectConfig) {}), `A is "b" for plans and "c" for applies`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg, notes, err := Read([]byte(tc.src), File)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(placeless(tc.want), placeless(cfg)); diff != "" {
				t.Error(diff)
			}
			if tc.note == "" && len(notes) > 0 || tc.note != "" && (len(notes) != 1 || !strings.Contains(notes[0].String(), tc.note)) {
				t.Errorf("notes %v, want %q", notes, tc.note)
			}
			for _, n := range notes {
				if n.Line == 0 || n.Path != File {
					t.Errorf("a note without its place: %+v", n)
				}
			}
			roundTrip(t, cfg, notes)
		})
	}
}

func TestReadTellsAllProblems(t *testing.T) {
	_, _, err := Read([]byte(`version: 4
automrge: true
automerge: maybe
repo_locks: {mode: on_pln}
autodiscover:
  mode: sometimes
  ignore_paths: ["[a"]
silence_pr_comments: [import]
projects:
- name: a
  dir: ../up
- name: a
  dir: one
  workspce: x
  workspace: "a b"
  execution_order_group: first
  apply_requirements: [aproved]
- name: a
  dir: one
  workspace: a:b
  autoplan: {enable: true, when_modified: "*.tf"}
- dir: two
  depends_on: [tow]
  workflow: w
- name: self
  dir: three
  depends_on: [self]
- name: x
  dir: x
  depends_on: [y]
- name: y
  dir: y
  depends_on: [x]
  branch: main
- workspace: nothing
-
- text
- dir: one
  name: again
  name: twice
- dir: one
workflows:
  w:
    plan:
      steps:
      - inti
      - pln: {extra_args: [a]}
      - plan: {extra_arg: [a]}
      - run:
      - run: {command: a, output: shwo}
      - run: {command: a, shellArgs: -c}
      - env: {value: a}
      - env: {name: a}
      - env: {name: a, value: b, command: c}
      - {run: a, env: b}
    aply: {}
`), File)
	if !errs.Is(err, errs.Invalid) {
		t.Fatal(err)
	}
	for _, want := range []string{
		`:1: version is 4; 2 and 3 can be read.`,
		`:2: The file has no key "automrge". Did you mean "automerge"? It can have version, projects`,
		`:3: automerge must be true or false, but is "maybe".`,
		`:4: mode is "on_pln"; it can be on_plan, on_apply or disabled. Did you mean "on_plan"?`,
		`:6: mode is "sometimes"; it can be auto, enabled or disabled.`,
		`:7: "[a" is not a pattern.`,
		`:8: silence_pr_comments holds "import"`,
		`:11: The project's dir "../up" leads out of the repository.`,
		`:14: A project has no key "workspce". Did you mean "workspace"?`,
		`:15: The workspace "a b" can have`,
		`:16: execution_order_group must be a whole number, but is "first".`,
		`:17: apply_requirements holds "aproved"; it can hold approved, mergeable, undiverged. Did you mean "approved"?`,
		`:18: There is a project "a" on line 12 already.`,
		`:20: The workspace "a:b" can have`,
		`:21: autoplan has no key "enable". Did you mean "enabled"?`,
		`:21: when_modified must be a list, but is "*.tf".`,
		`:23: The project two depends on "tow", and there is no such project. Did you mean "two"?`,
		`:27: The project self depends on itself.`,
		`:30: The projects depend on each other in a circle: x → y → x.`,
		`:34: branch must be a regular expression between slashes`,
		`:35: The project has no dir.`,
		`:36: The project is empty.`,
		`:37: A project must be a map of keys and values, but is "text".`,
		`:40: A project has the key name on line 39 already.`,
		`:41: The project on line 38 has the same directory and workspace. They would share one state here`,
		`:46: "inti" is no step. Did you mean "init"?`,
		`:47: "pln" is no step. Did you mean "plan"?`,
		`:48: The step plan has no key "extra_arg". Did you mean "extra_args"?`,
		`:49: The step run has no command.`,
		`:50: output is "shwo"; it can be show, hide, strip_refreshing`,
		`:51: shellArgs needs shell beside it.`,
		`:52: The step env has no name.`,
		`:53: The step env has neither a value nor a command.`,
		`:54: The step env has a value and a command; it can have one of them.`,
		`:55: A step has one key, and this one has 2.`,
		`:56: The workflow w has no key "aply". Did you mean "apply"?`,
	} {
		if !strings.Contains(errs.Sentence(err), File+want) {
			t.Errorf("no %q in\n%s", want, errs.Sentence(err))
		}
	}
	if n := len(strings.Split(errs.Sentence(err), "\n")); n != 36 {
		t.Errorf("%d problems:\n%s", n, errs.Sentence(err))
	}
	for src, want := range map[string]string{
		"":                             "The file is empty.",
		"projects: []":                 ":1: The version is missing: version: 3.",
		"- a":                          ":1: The file must be a map of keys and values, but is a list.",
		"version: 3\na: b: c":          ":2: The file is not YAML: mapping values are not allowed in this context.",
		"version: 3\nx: *nowhere":      "The file is not YAML: unknown anchor 'nowhere' referenced.",
		"version: 3\nprojects: text":   ":2: projects must be a list",
		"version: '3'":                 ":1: version must be a whole number",
		strings.Repeat("#", maxFile+1): "is larger than 1024 kB",
	} {
		if _, _, err := Read([]byte(src), File); !errs.Is(err, errs.Invalid) || !strings.Contains(errs.Sentence(err), want) {
			t.Errorf("%.60q: %.300v, want %q", src, err, want)
		}
	}
}

// TestOrderFollowsDependencies: what Atlantis would never get to is raised.
func TestOrderFollowsDependencies(t *testing.T) {
	cfg, notes, err := Read([]byte("version: 3\nprojects:\n- {name: a, dir: a, depends_on: [b]}\n- {name: b, dir: b, depends_on: [c], execution_order_group: 1}\n- {name: c, dir: c, execution_order_group: 5}\n"), File)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range cfg.Projects {
		if p.Order != 5 {
			t.Errorf("%s has order %d", p.Name, p.Order)
		}
	}
	if len(notes) != 2 || !strings.Contains(notes[0].Message, "belongs to that group too") {
		t.Errorf("%v", notes)
	}
	roundTrip(t, cfg, notes)
}

func TestEnvFiles(t *testing.T) {
	fsys := fstest.MapFS{"app/env/prod.tfvars": {}, "app/env/default.tfvars": {}, "net/env/x": {}}
	cfg := planner.RepoConfig{Projects: []planner.ProjectConfig{
		{Dir: "app", Workspace: "prod", VarFiles: []string{"a.tfvars"}}, {Dir: "app", Workspace: "default", VarFiles: []string{"env/default.tfvars"}}, {Dir: "net", Workspace: "default"},
	}}
	got := EnvFiles(fsys, cfg)
	want := [][]string{{"a.tfvars", "env/prod.tfvars"}, {"env/default.tfvars"}, nil}
	for i, w := range want {
		if diff := cmp.Diff(w, got.Projects[i].VarFiles); diff != "" {
			t.Error(diff)
		}
	}
	if len(cfg.Projects[0].VarFiles) != 1 {
		t.Error("the given configuration was changed")
	}
}

func TestPatterns(t *testing.T) {
	for _, tc := range []struct{ dir, pattern, want string }{
		{"app", "*.tf", "app/*.tf"},
		{".", "*.tf", "*.tf"},
		{"a/b", "../../modules/**/*.tf", "modules/**/*.tf"},
		{"a", "!../x/*.md", "!x/*.md"},
		{"a", "! x", "!a/x"},
		{"app", "**/*.tf*", "app/**/*.tf*"},
		{"app", "../modules/**.tf", "modules/**/*.tf"},
		{"app", "x**", "app/x*/**"},
		{"app", "x**y", "app/x*y app/x*/**/*y"},
		{"app", "**", "app/**"},
		{"app", "*.{tf,x}", `app/*.\{tf,x\}`},
		{"a[1]", "*.tf", `a\[1]/*.tf`},
		{"app", "/main.tf", "app/main.tf"},
		{"app", "../../x", ""},
		{"app", "!", ""},
	} {
		if got := strings.Join(patterns(tc.dir, tc.pattern), " "); got != tc.want {
			t.Errorf("%s in %s: %q, want %q", tc.pattern, tc.dir, got, tc.want)
		}
	}
	// What they match, as planner does it.
	for _, tc := range []struct {
		pattern, file string
		want          bool
	}{
		{"../modules/**.tf", "modules/a/b/c.tf", true}, {"../modules/**.tf", "modules/c.tf", true}, {"../modules/**.tf", "modules/c.md", false},
		{"x**y", "app/x1y", true}, {"x**y", "app/xa/b/cy", true}, {"x**y", "app/xa/b/c", false},
		{"*.{tf,x}", "app/a.tf", false}, {"../modules", "modules/a/b", true},
	} {
		p := planner.Project{Name: "p", Dir: "app", WhenModified: patterns("app", tc.pattern)}
		if got := len(planner.Affected([]planner.Project{p}, []string{tc.file})) == 1; got != tc.want {
			t.Errorf("%s matches %s: %v", tc.pattern, tc.file, got)
		}
	}
}

func TestSplitWords(t *testing.T) {
	known := map[string]string{"A": "x y", "B": "b"}
	for _, tc := range []struct {
		line, want string
		ok         bool
	}{
		{`a b  c`, "a|b|c", true}, {`'a b' "c d"e`, "a b|c de", true}, {`a\ b`, "a b", true}, {`""`, "", true}, {`"a\"b\n"`, `a"b\n`, true},
		{`$B-${B}`, "b-b", true}, {`"$A"`, "x y", true}, {`'$A'`, "$A", true}, {`$C`, "", false}, {`${A:-x}`, "", false}, {`$(id)`, "", false}, {"`id`", "", false},
		{`a|b`, "", false}, {`a;b`, "", false}, {`*.tf`, "", false}, {`'unclosed`, "", false}, {`-target=a.b[0]`, "-target=a.b[0]", true}, {`a > b`, "", false}, {`# a`, "", false},
	} {
		words, _, ok := splitWords(tc.line, known)
		if got := strings.Join(words, "|"); ok != tc.ok || ok && got != tc.want {
			t.Errorf("%s: %q %v", tc.line, got, ok)
		}
	}
	if got := strings.Join(variablesIn(`$A ${B} ${#C} ${D:-x} $A $(E) $1 ${!F}`), " "); got != "A B C D F" {
		t.Errorf("variables %q", got)
	}
}

// TestThreat_HostileYAML: what is small on the disk and large once its aliases
// are written out, what contains itself, and what is nested.
func TestThreat_HostileYAML(t *testing.T) {
	var laughs strings.Builder
	laughs.WriteString("version: 3\nx0: &x0 [lol]\n")
	for i := 1; i < 40; i++ {
		prev := "*x" + string(rune('0'+(i-1)/10)) + string(rune('0'+(i-1)%10))
		laughs.WriteString("x" + string(rune('0'+i/10)) + string(rune('0'+i%10)) + ": &x" + string(rune('0'+i/10)) + string(rune('0'+i%10)) + " [" + strings.TrimSuffix(strings.Repeat(strings.Replace(prev, "*x00", "*x0", 1)+",", 9), ",") + "]\n")
	}
	keys := "{" + strings.Repeat("a: b, ", 2000) + "dir: a}"
	for name, src := range map[string]string{
		"a billion laughs": laughs.String(),
		"projects of laughs": "version: 3\nsteps: &s [" + strings.Repeat("{run: a},", 5000) + "]\nworkflows: {" + func() string {
			var b strings.Builder
			for i := range 5000 {
				b.WriteString("w" + strings.Repeat("x", i%50) + ": {plan: {steps: *s}},")
			}
			return b.String()
		}() + "}",
		"merges of merges":      "version: 3\na: &a {dir: x}\nb: &b {<<: [*a,*a,*a,*a,*a,*a,*a,*a]}\nc: &c {<<: [*b,*b,*b,*b,*b,*b,*b,*b]}\nd: &d {<<: [*c,*c,*c,*c,*c,*c,*c,*c]}\ne: &e {<<: [*d,*d,*d,*d,*d,*d,*d,*d]}\nf: &f {<<: [*e,*e,*e,*e,*e,*e,*e,*e]}\ng: &g {<<: [*f,*f,*f,*f,*f,*f,*f,*f]}\nprojects: [*g,*g,*g,*g,*g,*g,*g,*g]",
		"contains itself":       "version: 3\nprojects: &p [*p]",
		"merges itself":         "version: 3\nprojects: [&p {<<: *p, dir: a}]",
		"an alias of itself":    "version: 3\nprojects: &p *p",
		"nested":                "version: 3\nprojects: " + strings.Repeat("[", 9000),
		"nested blocks":         "version: 3\nprojects:\n" + strings.Repeat("- ", 9000),
		"many keys":             "version: 3\nprojects: [" + keys + "]",
		"many problems":         "version: 3\nprojects: [" + strings.Repeat("{a: b},", 20000) + "]",
		"many projects":         "version: 3\nprojects: [" + strings.Repeat("{dir: a},", 20000) + "]",
		"as many as can be":     "version: 3\nprojects: [" + strings.Repeat("{dir: a, apply_requirements: [approved]},", 5000) + "]",
		"workflows written out": "version: 3\nprojects: [" + strings.Repeat("{dir: a, workflow: w},", 5000) + "]\nworkflows: {w: {plan: {steps: [" + strings.Repeat("{run: 'echo $WORKSPACE'},", 5000) + "plan]}}}",
		"one long command":      "version: 3\nprojects: [" + strings.Repeat("{dir: a, workflow: w},", 5000) + "]\nworkflows: {w: {plan: {steps: [{run: 'echo $WORKSPACE" + strings.Repeat("x", 500000) + "'},plan]}}}",
		"one long pattern":      "version: 3\nx: &x " + strings.Repeat("x", 500000) + "\nprojects: [" + strings.Repeat("{dir: a, autoplan: {when_modified: [*x]}},", 5000) + "]",
		"a pattern":             "version: 3\nprojects: [{dir: a, autoplan: {when_modified: ['" + strings.Repeat("a**b/", 100) + "']}}]",
		"a long name":           "version: 3\nprojects: [{dir: a, name: " + strings.Repeat("a", 100000) + "}]",
		"binary":                "\x00\x01\xff",
		"tags":                  "version: !!binary aGVsbG8=\nprojects: !!map [a]\nautomerge: !!float x",
	} {
		t.Run(name, func(t *testing.T) {
			cfg, notes, err := Read([]byte(src), File)
			if err != nil {
				if !errs.Is(err, errs.Invalid) || len(errs.Sentence(err)) > 100_000 {
					t.Errorf("%.500v", err)
				}
				return
			}
			if len(notes) > maxTold+1 {
				t.Errorf("%d notes", len(notes))
			}
			roundTrip(t, cfg, notes)
		})
	}
}

// TestThreat_FileIsOnlyText: what a file says reaches the configuration as
// text, whatever language it looks like.
func TestThreat_FileIsOnlyText(t *testing.T) {
	src := `version: 3
projects:
- dir: "a${file(\"/etc/passwd\")}%{if true}"
  autoplan: {when_modified: ["${x}", "%{y}\n# z"]}
  workflow: "w\n}"
workflows:
  "w\n}":
    plan:
      steps:
      - env: {name: A, value: "${b}\"\n}\nlock = \"off\""}
      - run: "echo '${c}' %{d}\n}"
      - plan
  "unused\nlock = \"off\"":
`
	cfg, notes, err := Read([]byte(src), File)
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, cfg, notes)
	again, err := planner.ParseConfig(Convert(cfg, notes), planner.ConfigFile)
	if err != nil || again.Lock != nil || again.Projects[0].Env["A"] != "${b}\"\n}\nlock = \"off\"" {
		t.Errorf("%v %+v", err, again)
	}
}

func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Add([]byte("version: 3\nprojects: [&p {<<: *p, dir: a}, {dir: b, name: 'x~y', depends_on: ['a']}]"))
	f.Fuzz(func(t *testing.T, src []byte) {
		cfg, notes, err := Read(src, File)
		if err != nil {
			if !errs.Is(err, errs.Invalid) || !strings.HasPrefix(errs.Sentence(err), File) {
				t.Fatal(err)
			}
			return
		}
		roundTrip(t, cfg, notes)
	})
}
