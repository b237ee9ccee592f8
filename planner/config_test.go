package planner

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2/gohcl"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/gate"
)

func ptr[T any](v T) *T { return &v }

func TestParseConfig(t *testing.T) {
	cfg, err := ParseConfig([]byte(`
autodiscover       = false
ignore             = ["examples/**"]
auto_plan          = false
plan_drafts        = true
lock               = "off"
apply_before_merge = true
apply_on_merge     = false
auto_merge         = true
merge_method       = "squash"
delete_branch      = true
commands           = ["plan", "state rm"]
quiet_unchanged    = true
comment_per_commit = true
split_comments     = false
project_checks     = true

template {
  comment = <<EOT
## {{ .Title }}
{{ range .Projects }}{{ .Name }} {{ end }}
EOT
}

gate "apply" {
  approvals = 2
}

project "net" {
  dir       = "./live/net/"
  workspace = "prod"
  var_files = ["${workspace}.tfvars", "../common.tfvars"]
  watch     = ["shared/*.json"]
}
project "root" {
  dir        = "."
  depends_on = ["app", "net", "app:b"]
  order      = 2
  auto_plan  = false
}
project "app" {
  dir           = "app"
  workspaces    = ["a", "b"]
  when_modified = ["app/**", "!app/**/*.md"]
  var_files     = ["${workspace}.tfvars"]
  flags         = ["-var=env=${workspace}", "-parallelism", "7"]
  env = {
    AWS_PROFILE = "acme-${workspace}"
  }
  hook "before_plan" {
    run = ["./gen.sh", workspace]
  }
  hook "after_apply" {
    run = ["notify"]
  }
}
`), "tidelock.hcl")
	if err != nil {
		t.Fatal(err)
	}
	app := func(w string) ProjectConfig {
		return ProjectConfig{
			Name: "app:" + w, Dir: "app", Workspace: w, VarFiles: []string{w + ".tfvars"}, WhenModified: []string{"app/**", "!app/**/*.md"},
			Options: Options{Vars: []string{"env=" + w}, Parallelism: 7}, Env: map[string]string{"AWS_PROFILE": "acme-" + w},
			Hooks: []Hook{{When: BeforePlan, Run: []string{"./gen.sh", w}}, {When: AfterApply, Run: []string{"notify"}}}, Line: 41,
		}
	}
	want := RepoConfig{
		File: "tidelock.hcl", Ignore: []string{"examples/**"}, AutoPlan: ptr(false), PlanDrafts: ptr(true), Lock: ptr("off"),
		ApplyBeforeMerge: ptr(true), ApplyOnMerge: ptr(false), AutoMerge: ptr(true), MergeMethod: ptr("squash"), DeleteBranch: ptr(true),
		Commands: []string{"plan", "state rm"}, QuietUnchanged: ptr(true), CommentPerCommit: ptr(true), SplitComments: ptr(false), ProjectChecks: ptr(true),
		Template: "## {{ .Title }}\n{{ range .Projects }}{{ .Name }} {{ end }}\n", TemplateLine: 20, Gates: gate.Set{Apply: gate.Rules{Approvals: 2}},
		Projects: []ProjectConfig{
			{Name: "net", Dir: "live/net", Workspace: "prod", VarFiles: []string{"prod.tfvars", "../common.tfvars"}, Watch: []string{"shared/*.json"}, Line: 29},
			{Name: "root", Dir: ".", Workspace: "default", DependsOn: []string{"app:a", "app:b", "net"}, Order: 2, ByHand: true, Line: 35, DependsLine: 37},
			app("a"), app("b"),
		},
	}
	if diff := cmp.Diff(want, cfg); diff != "" {
		t.Error(diff)
	}
	if cfg, err := ParseConfig(nil, "tidelock.hcl"); err != nil || !cfg.Autodiscover || cfg.Commands != nil {
		t.Errorf("an empty file: %+v, %v", cfg, err)
	}
}

func TestParseConfigTellsAllProblems(t *testing.T) {
	_, err := ParseConfig([]byte(`lock = "aply"
ignore = ["[a"]
merge_method = "squish"
commands = ["plan", "aply"]
template {
  comment = <<EOT
fine
{{ if .X }}
EOT
}
project "a b" {
  dir = "/etc"
}
project "x" {
  dir       = "../up"
  workspace = "-destroy"
  var_files = ["../../v.tfvars"]
}
project "x" {
  dir = "a"
}
project "y" {
  dir = "a/"
}
project "both" {
  dir        = "b"
  workspace  = "one"
  workspaces = ["two"]
}
project "z" {
  dir           = "z"
  workspaces    = ["a", "a", "b c"]
  when_modified = ["/etc/**", "../x", "!", "[z"]
  flags         = ["-out=/tmp/x"]
  env = {
    "PATH"          = "/bin"
    "TF_VAR_x"      = "1"
    "TF_CLI_ARGS"   = "-lock=false"
    "LD_PRELOAD"    = "x.so"
    "A B"           = "c"
  }
  hook "before_aply" {
    run = ["x"]
  }
  hook "after_plan" {
    run = ["./gen.sh --quick"]
  }
  hook "after_plan" {
    run = []
  }
}
`), "tidelock.hcl")
	if !errs.Is(err, errs.Invalid) {
		t.Fatalf("error %v, want invalid", err)
	}
	for _, want := range []string{
		`tidelock.hcl:1: lock is "aply"; it can be "plan", "apply" or "off". Did you mean "apply"?`,
		`tidelock.hcl:2: "[a" is not a pattern.`,
		`tidelock.hcl:3: merge_method is "squish"; it can be "merge", "squash" or "rebase". Did you mean "squash"?`,
		`tidelock.hcl:4: There is no command "aply". Did you mean "apply"? There are plan, apply, destroy, unlock, cancel, approve-policies, revoke-policies, approve-cost, revoke-cost, import, state rm, state mv, drift, cost, version, help, retry, rollback.`,
		`tidelock.hcl:9: The template can't be read: unexpected EOF.`,
		`tidelock.hcl:11: The project name "a b"`,
		`tidelock.hcl:12: The project's dir "/etc" is an absolute path`,
		`tidelock.hcl:15: The project's dir "../up" leads out of the repository.`,
		`tidelock.hcl:16: The workspace "-destroy"`,
		`tidelock.hcl:17: The variable file "../../v.tfvars" leads out of the repository.`,
		`tidelock.hcl:19: There is a project "x" on line 14 already.`,
		`tidelock.hcl:22: The project on line 19 has the same directory and workspace`,
		`tidelock.hcl:28: A project has workspace or workspaces, not both.`,
		`tidelock.hcl:32: workspaces names "a" twice.`,
		`tidelock.hcl:32: The workspace "b c" can have`,
		`tidelock.hcl:33: The pattern "/etc/**" is an absolute path`,
		`tidelock.hcl:33: The pattern "../x" leads out of the repository.`,
		`tidelock.hcl:33: The pattern "!" is empty.`,
		`tidelock.hcl:33: The pattern "[z" is none.`,
		`tidelock.hcl:34: The flag -out is not taken. There may stand -target=ADDR`,
		`tidelock.hcl:35: The variable "PATH" is for Tidelock alone to set`,
		`tidelock.hcl:35: The variable "TF_VAR_x" can't be set here. Write the value into a .tfvars file and name that in var_files.`,
		`tidelock.hcl:35: The variable "TF_CLI_ARGS" can't be set here.`,
		`tidelock.hcl:35: The variable "LD_PRELOAD" is for Tidelock alone`,
		`tidelock.hcl:35: The variable "A B" is no name`,
		`tidelock.hcl:42: A hook runs at "before_plan", "before_apply", "before_init", "after_init", "after_plan" or "after_apply", not at "before_aply". Did you mean "before_apply"?`,
		`tidelock.hcl:45: run is the program and its arguments, and no shell's line: write ["./gen.sh", "--quick"].`,
		`tidelock.hcl:48: run names no program.`,
	} {
		if !strings.Contains(errs.Sentence(err), want) {
			t.Errorf("no %q in\n%s", want, errs.Sentence(err))
		}
	}
	lines := strings.Split(errs.Sentence(err), "\n")
	if n := len(lines); n != 28 {
		t.Errorf("%d problems, not 28: with several workspaces each is told once", n)
	}
	for src, want := range map[string]string{
		"lokc = 1":                                                               `tidelock.hcl:1: Unsupported argument. An argument named "lokc" is not expected here. Did you mean "lock"?`,
		"project \"a\" {\n":                                                      `tidelock.hcl:1: Unclosed configuration block.`,
		"lock = env.X":                                                           `tidelock.hcl:1: `,
		"\nauto_plan = \"often\"":                                                `tidelock.hcl:2: `,
		"project \"a\" {\n  dri = \"a\"\n}":                                      `tidelock.hcl:2: Unsupported argument. An argument named "dri" is not expected here. Did you mean "dir"?`,
		"project \"a\" {\n}":                                                     `tidelock.hcl:1: Missing required argument. The argument "dir" is required`,
		"project \"a\" {\n dir = \"a\"\n env = 3\n}":                             `tidelock.hcl:3: `,
		"\ntemplate {\n comment = \"{{ end }}\"\n}":                              `tidelock.hcl:3: The template can't be read: unexpected {{end}}.`,
		"template {\n comment = \"\"\n}":                                         `tidelock.hcl:2: The template is empty.`,
		"project \"a\" {\n  dir = \"a\"\n  weight = 0\n}":                        `tidelock.hcl:3: The weight of a must be from 1 to 64`,
		"project \"a\" {\n  dir = \"a\"\n  weight = 65\n}":                       `tidelock.hcl:3: The weight of a must be from 1 to 64`,
		"template {\n comment=\"a\"\n}\ntemplate {}":                             `tidelock.hcl:4: Duplicate template block.`,
		"project \"a\" {\n dir=\"a\"\n order=1.5\n}":                             `tidelock.hcl:3: `,
		"project \"a\" {\n dir=\"a\"\n watch=[\"x\"]\n when_modified=[\"y\"]\n}": `tidelock.hcl:3: watch adds to what is looked at`,
	} {
		if _, err := ParseConfig([]byte(src), "tidelock.hcl"); !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", src, err, want)
		}
	}
}

func TestParseConfigChecksDependencies(t *testing.T) {
	project := func(name, more string) string {
		return fmt.Sprintf("project %q {\n  dir = %q\n  %s\n}\n", name, name, more)
	}
	for _, tc := range []struct{ name, src, want string }{
		{"unknown", "autodiscover = false\n" + project("net", "") + project("app", `depends_on = ["ent"]`),
			`tidelock.hcl:8: The project app depends on "ent", and there is no such project. Did you mean "net"?`},
		{"itself", project("app", `depends_on = ["app"]`), `tidelock.hcl:3: The project app depends on itself.`},
		{"circle", project("a", `depends_on = ["b"]`) + project("b", `depends_on = ["c"]`) + project("c", `depends_on = ["a"]`),
			`tidelock.hcl:3: The projects depend on each other in a circle: a → b → c → a.`},
		{"circle behind a way in", project("x", `depends_on = ["a"]`) + project("a", `depends_on = ["b"]`) + project("b", `depends_on = ["a"]`),
			`tidelock.hcl:7: The projects depend on each other in a circle: a → b → a.`},
		{"order against it", project("a", `depends_on = ["b"]`) + project("b", `order = 3`),
			`tidelock.hcl:3: The project a depends on b, whose order is 3, and has the lower order 0 itself`},
		{"beside another problem", "lock = \"x\"\n" + project("a", `depends_on = ["a"]`), `tidelock.hcl:4: The project a depends on itself.`},
		{"one that may be discovered", project("a", `depends_on = ["live/net"]`), ""},
		{"a diamond", project("a", `depends_on = ["b", "c"]`) + project("b", `depends_on = ["d"]`) + project("c", `depends_on = ["d"]`) + project("d", ""), ""},
		{"same order", project("a", "depends_on = [\"b\"]\n  order = 3") + project("b", `order = 3`), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg, err := ParseConfig([]byte(tc.src), "tidelock.hcl")
			if tc.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				var projects []Project
				for _, p := range cfg.Projects {
					projects = append(projects, Project{Name: p.Name, Dir: p.Dir, DependsOn: p.DependsOn})
				}
				if _, err := Layers(projects); err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(errs.Sentence(err), tc.want) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
}

// TestDiscoverCarriesTheConfiguration: what a project block says is in the
// project that comes of it, field by field of the same name.
func TestDiscoverCarriesTheConfiguration(t *testing.T) {
	pc := ProjectConfig{
		Name: "app", Dir: "app", Workspace: "w", VarFiles: []string{"v.tfvars"}, UsageFile: "u.yml", Watch: []string{"x"}, WhenModified: []string{"app/**"},
		DependsOn: []string{"net"}, Order: 3, Weight: 2, ByHand: true, Env: map[string]string{"A": "b"}, Options: Options{Parallelism: 2},
		Hooks: []Hook{{When: BeforePlan, Run: []string{"x"}}}, Line: 7, DependsLine: 9,
		Kind: "other", SourceDir: "src", Secrets: Secrets{Both: map[string]string{"A": "b"}},
		Drift: DriftConfig{Schedule: new(string)}, Tool: ToolConfig{Name: ToolOpenTofu, Version: "1.8.0"},
		ReadsState: []string{"net:default"}, ReadsLine: 11,
	}
	projects, problems := discovered(t, map[string]string{"app/main.tf": resource, "net/main.tf": resource}, RepoConfig{Autodiscover: true, Projects: []ProjectConfig{pc}})
	if len(projects) != 2 || len(problems) != 0 {
		t.Fatalf("%+v %v", projects, problems)
	}
	from, to := reflect.ValueOf(pc), reflect.ValueOf(projects[0])
	for i := range from.NumField() {
		name := from.Type().Field(i).Name
		switch {
		case from.Field(i).IsZero():
			t.Errorf("the test sets no %s", name)
		case name == "Line" || name == "DependsLine" || name == "ReadsLine" || name == "VarFiles" || name == "UsageFile" || name == "Drift" || name == "Tool": // whoever schedules reads the configuration
		case !to.FieldByName(name).IsValid() || !reflect.DeepEqual(from.Field(i).Interface(), to.FieldByName(name).Interface()):
			t.Errorf("%s does not reach the project: %+v", name, projects[0])
		}
	}
	if got := projects[0].Tool.String(); got != "OpenTofu = 1.8.0 (tidelock.hcl)" {
		t.Errorf("its tool is %s", got)
	}
	if !projects[0].WholeTree {
		t.Error("with a program before the plan, any file may shape it")
	}
	if projects[0].VarFiles[0] != "app/v.tfvars" || projects[0].UsageFile != "app/u.yml" {
		t.Errorf("variable files %v, usage file %s", projects[0].VarFiles, projects[0].UsageFile)
	}
}

func TestDiscoverChecksDependencies(t *testing.T) {
	cfg := RepoConfig{Autodiscover: true, File: "atlantis.yaml", Projects: []ProjectConfig{
		{Name: "app", Dir: "app", Workspace: "default", DependsOn: []string{"live/net", "live/ent"}, Line: 2, DependsLine: 4},
		{Name: "low", Dir: "low", Workspace: "default", DependsOn: []string{"live/net"}, Order: -1, Line: 6},
	}}
	_, problems := discovered(t, map[string]string{"app/main.tf": resource, "low/main.tf": resource, "live/net/main.tf": resource}, cfg)
	var got []string
	for _, p := range problems {
		got = append(got, p.String())
	}
	want := []string{
		`atlantis.yaml:4: The project app depends on "live/ent", and there is no such project. Did you mean "live/net"?`,
		`atlantis.yaml:6: The project low depends on live/net, whose order is 0, and has the lower order -1 itself: neither could begin.`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhenModified(t *testing.T) {
	for _, tc := range []struct {
		patterns string
		file     string
		want     bool
	}{
		{"live/app/*.tf", "live/app/main.tf", true},
		{"live/app/*.tf", "live/app/deep/main.tf", false},
		{"live/app/**/*.tf", "live/app/main.tf", true},
		{"live/app/**/*.tf", "live/app/a/b/main.tf", true},
		{"live/app", "live/app/a/b/notes.txt", true},
		{"live/app/", "live/app/main.tf", true},
		{"./live/app", "live/app/main.tf", true},
		{"live/ap", "live/app/main.tf", false},
		{"**", "any/thing", true},
		{"*", "any/thing", true},
		{"live/** !live/**/*.md", "live/app/README.md", false},
		{"live/** !live/**/*.md", "live/app/main.tf", true},
		{"live/** !live/app live/app/keep.tf", "live/app/keep.tf", true},
		{"live/** !live/app live/app/keep.tf", "live/app/main.tf", false},
		{"!live/**", "live/main.tf", false},
		{"!live/** live/**", "live/main.tf", true},
		{"", "main.tf", false},
	} {
		p := Project{Name: "p", Dir: "live/app", Workspace: "default", WhenModified: strings.Fields(tc.patterns), VarFiles: []string{"v.tfvars"}, ByHand: true}
		if p.WhenModified == nil {
			p.WhenModified = []string{}
		}
		got := Affected([]Project{p}, []string{tc.file})
		if (len(got) == 1) != tc.want {
			t.Errorf("%q, %s: %v, want %v", tc.patterns, tc.file, got, tc.want)
		}
		if len(got) == 1 && (got[0].Reason != tc.file+" changed, which its when_modified names" || !got[0].Project.ByHand) {
			t.Errorf("%+v", got[0])
		}
	}
	// It replaces all else: code in the directory, and variable files.
	p := Project{Dir: "app", Workspace: "default", WhenModified: []string{"other/**"}, VarFiles: []string{"app/v.tfvars"}, Modules: []string{"mod"}}
	if got := Affected([]Project{p}, []string{"app/main.tf", "app/v.tfvars", "mod/main.tf"}); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestInputsDigestOfTheConfiguration(t *testing.T) {
	fsys := tree(map[string]string{"app/main.tf": resource})
	seen := map[string]string{}
	for name, p := range map[string]Project{
		"plain": {}, "env": {Env: map[string]string{"A": "b"}}, "other env": {Env: map[string]string{"A": "c"}},
		"flags": {Options: Options{Vars: []string{"a=b"}}}, "hook": {Hooks: []Hook{{When: BeforePlan, Run: []string{"x"}}}},
	} {
		p.Dir, p.Workspace = "app", "default"
		d, err := InputsDigest(fsys, p)
		if err != nil {
			t.Fatal(err)
		}
		if seen[d] != "" {
			t.Errorf("%s and %s have the same digest", name, seen[d])
		}
		seen[d] = name
	}
}

// TestConfigOptionsNameAllThatIsRead: the table that the documentation is made
// of has what the file's form has, and nothing else.
func TestConfigOptionsNameAllThatIsRead(t *testing.T) {
	want := map[string]bool{}
	for block, form := range map[string]any{"": hclConfig{}, "project": hclProject{}, "hook": hclHook{}, "template": hclTemplate{}, "drift": hclDrift{}, "policy": hclPolicy{}} {
		schema, _ := gohcl.ImpliedBodySchema(form)
		for _, a := range schema.Attributes {
			want[block+"."+a.Name] = true
		}
	}
	blocks := map[string]ConfigBlock{}
	for _, b := range ConfigBlocks() {
		blocks[b.Name] = b
	}
	for _, o := range ConfigOptions() {
		key := o.Block + "." + o.Name
		if !want[key] {
			t.Errorf("%s can't be read, or stands there twice", key)
		}
		delete(want, key)
		if o.Type == "" || o.Default == "" || o.Example == "" || !strings.HasSuffix(o.Doc, ".") {
			t.Errorf("%s is not explained: %+v", key, o)
		}
		if _, ok := blocks[o.Block]; !ok {
			t.Errorf("the block of %s is not explained", key)
		}
		if _, err := ParseConfig([]byte(ExampleIn(o)), ConfigFile); err != nil {
			t.Errorf("the example of %s: %v\n%s", key, err, ExampleIn(o))
		}
	}
	for key := range want {
		t.Errorf("%s is not in the table", key)
	}
}

func TestClosest(t *testing.T) {
	known := append(CommandNames(), "network", "live/network")
	for name, want := range map[string]string{
		"aply": "apply", "plna": "plan", "netwrok": "network", "live/netwrk": "live/network", "state-rm": "state rm", "x": "", "": "", "completely": "", strings.Repeat("a", 101): "",
	} {
		if got := Closest(name, known); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestOptionsWith(t *testing.T) {
	base := Options{Vars: []string{"a=1"}, Parallelism: 5, NoRefresh: true}
	got := base.With(Options{Vars: []string{"a=2"}, Targets: []string{"x.y"}, Parallelism: 9, Destroy: true})
	want := Options{Vars: []string{"a=1", "a=2"}, Targets: []string{"x.y"}, Parallelism: 9, NoRefresh: true, Destroy: true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(base, base.With(Options{})); diff != "" {
		t.Error(diff)
	}
}

// TestThreat_HostileConfigurationEndsSoon: what is small on the disk and large
// once it is taken at its word.
func TestThreat_HostileConfigurationEndsSoon(t *testing.T) {
	var names, workspaces []string
	for i := range 99 {
		workspaces = append(workspaces, fmt.Sprintf(`"w%d"`, i))
	}
	var groups, chain strings.Builder
	for i := range 90 {
		fmt.Fprintf(&groups, "project \"g%d\" {\n dir = \"d%d\"\n workspaces = [%s]\n depends_on = [\"g%d\", \"nowhere%d\"]\n}\n", i, i, strings.Join(workspaces, ","), i+1, i)
		names = append(names, fmt.Sprintf(`"g%d"`, i))
	}
	fmt.Fprintf(&groups, "project \"all\" {\n dir = \"all\"\n depends_on = [%s]\n}\n", strings.Join(names, ","))
	for i := range 4900 {
		fmt.Fprintf(&chain, "project \"p%d\" {\n dir = \"d%d\"\n depends_on = [\"p%d\"]\n}\n", i, i, i+1)
	}
	for name, src := range map[string]string{
		"groups of groups": groups.String(), "a long chain that ends nowhere": "autodiscover = false\n" + chain.String(), "a long chain": chain.String(),
		"a template": "template {\n comment = \"" + strings.Repeat("{{if .}}", 8000) + "\"\n}",
		"brackets":   "ignore = " + strings.Repeat("[", maxConfig-20), "too large": strings.Repeat(" ", maxConfig+1),
		"a billion laughs": "ignore = [for a in [1,2,3,4,5,6,7,8,9] : [for b in [1,2,3,4,5,6,7,8,9] : \"x\"]]",
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := ParseConfig([]byte(src), ConfigFile)
			if err != nil && (!errs.Is(err, errs.Invalid) || len(errs.Sentence(err)) > 1<<20) {
				t.Errorf("%.300v", err)
			}
			if err == nil && len(cfg.Projects) > MaxProjects {
				t.Errorf("%d projects", len(cfg.Projects))
			}
		})
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte("project \"a\" {\n dir = \"a/../b\"\n var_files = [\"x\"]\n}"))
	f.Add([]byte("project \"a\" {\n dir = \"a\"\n workspaces = [\"x\", \"y\"]\n depends_on = [\"a\", \"b\"]\n when_modified = [\"!a/**\"]\n hook \"before_plan\" {\n run = [workspace]\n }\n}"))
	f.Add([]byte("template {\n comment = <<EOT\n{{ if }}\nEOT\n}\ncommands = [\"plan\"]"))
	f.Fuzz(func(t *testing.T, src []byte) {
		cfg, err := ParseConfig(src, "tidelock.hcl")
		if err != nil && !errs.Is(err, errs.Invalid) {
			t.Fatal(err)
		}
		var projects []Project
		for _, p := range cfg.Projects {
			if strings.HasPrefix(p.Dir, "../") || p.Dir == ".." || strings.HasPrefix(p.Dir, "/") || !ValidWorkspace(p.Workspace) {
				t.Fatalf("accepted %+v", p)
			}
			for _, h := range p.Hooks {
				if len(h.Run) == 0 {
					t.Fatalf("accepted %+v", p)
				}
			}
			projects = append(projects, Project{Name: p.Name, Dir: p.Dir, Workspace: p.Workspace, DependsOn: p.DependsOn, Order: p.Order, WhenModified: p.WhenModified})
		}
		if _, err := Layers(projects); err != nil {
			t.Fatalf("a circle was let through: %v", err)
		}
		Affected(projects, []string{"a/main.tf", "b"})
	})
}
