package planner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// tree makes a file system of pairs of name and content.
func tree(files map[string]string) fstest.MapFS {
	m := fstest.MapFS{}
	for name, content := range files {
		m[name] = &fstest.MapFile{Data: []byte(content), Mode: 0o644}
	}
	return m
}

const (
	resource = "resource \"terraform_data\" \"a\" {}\n"
	backend  = "terraform {\n  backend \"local\" {}\n}\n"
	required = "terraform {\n  required_providers {\n    aws = { source = \"hashicorp/aws\" }\n  }\n}\n"
	provider = "provider \"aws\" {}\n"
)

func calls(source string) string {
	return "module \"m\" {\n  source = \"" + source + "\"\n}\n"
}

func discovered(t *testing.T, files map[string]string, cfg RepoConfig) ([]Project, []Problem) {
	t.Helper()
	projects, problems, err := Discover(tree(files), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return projects, problems
}

func dirs(projects []Project) string {
	var out []string
	for _, p := range projects {
		out = append(out, p.Key())
	}
	return strings.Join(out, " ")
}

func TestDiscover(t *testing.T) {
	for _, tc := range []struct {
		name  string
		files map[string]string
		cfg   *RepoConfig
		want  string
	}{
		{name: "nothing", files: map[string]string{"README.md": "hi", "src/main.go": "package main"}, want: ""},
		{name: "a newcomer's one file", files: map[string]string{"main.tf": resource}, want: ".:default"},
		{name: "each sign of a root module", files: map[string]string{
			"a/main.tf": backend, "b/main.tf": "terraform {\n  cloud {}\n}", "c/main.tf": provider, "d/main.tf": required,
		}, want: "a:default b:default c:default d:default"},
		{name: "modules are not projects", files: map[string]string{
			"live/main.tf": backend + calls("../modules/vpc"), "modules/vpc/main.tf": required + resource + calls("./deep"),
			"modules/vpc/deep/main.tf": resource, "modules/unused/main.tf": required + resource,
		}, want: "live:default"},
		{name: "a called directory elsewhere", files: map[string]string{
			"app/main.tf": calls("../net") + resource, "net/main.tf": resource,
		}, want: "app:default"},
		{name: "called, but with a state of its own", files: map[string]string{
			"app/main.tf": calls("../net"), "net/main.tf": backend + resource,
		}, want: "app:default net:default"},
		{name: "called, and it configures a provider as old modules do", files: map[string]string{
			"app/main.tf": calls("../net"), "net/main.tf": provider + resource,
		}, want: "app:default"},
		{name: "a module's own repository", files: map[string]string{
			"main.tf": required + resource, "examples/basic/main.tf": provider + calls("../.."),
		}, want: "examples/basic:default"},
		{name: "a provider under modules", files: map[string]string{"modules/x/main.tf": provider + resource}, want: "modules/x:default"},
		{name: "variables and outputs alone", files: map[string]string{"x/variables.tf": "variable \"a\" {}\noutput \"b\" { value = 1 }"}, want: ""},
		{name: "JSON and OpenTofu's files", files: map[string]string{
			"j/main.tf.json": `{"terraform": [{"backend": {"s3": {}}}]}`, "t/main.tofu": resource, "u/main.tofu.json": `{"resource": {"terraform_data": {"a": {}}}}`,
		}, want: "j:default t:default u:default"},
		{name: "module calls in JSON", files: map[string]string{
			"j/main.tf.json": `{"terraform": {"backend": {"s3": {}}}, "module": {"m": {"source": "../net"}}}`, "net/main.tf": resource,
		}, want: "j:default"},
		{name: "hidden directories", files: map[string]string{".github/x/main.tf": resource, "a/.hidden/main.tf": resource}, want: ""},
		{name: "broken code is a project still", files: map[string]string{"a/main.tf": "resource \"x\" {"}, want: "a:default"},
		{name: "ignored", files: map[string]string{"examples/a/main.tf": resource, "examples/main.tf": resource, "live/main.tf": resource},
			cfg: &RepoConfig{Autodiscover: true, Ignore: []string{"examples"}}, want: "live:default"},
		{name: "listed, with autodiscovery", files: map[string]string{"a/main.tf": resource, "modules/b/main.tf": resource},
			cfg: &RepoConfig{Autodiscover: true, Projects: []ProjectConfig{
				{Name: "b", Dir: "modules/b", Workspace: "default"},
			}}, want: "a:default modules/b:default"},
		{name: "listed alone, two workspaces", files: map[string]string{"a/main.tf": resource, "b/main.tf": resource},
			cfg: &RepoConfig{Projects: []ProjectConfig{
				{Name: "p", Dir: "b", Workspace: "prod"}, {Name: "d", Dir: "b", Workspace: "dev"},
			}}, want: "b:dev b:prod"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := DefaultRepoConfig()
			if tc.cfg != nil {
				cfg = *tc.cfg
			}
			projects, _ := discovered(t, tc.files, cfg)
			if got := dirs(projects); got != tc.want {
				t.Errorf("found %q, want %q", got, tc.want)
			}
		})
	}
}

func TestDiscoverTellsProblems(t *testing.T) {
	projects, problems := discovered(t, map[string]string{
		"a/main.tf":            "resource \"terraform_data\" \"a\" {\n  input = \n}\n",
		"b/main.tf":            backend + calls("../../../etc"),
		"c/main.tf":            backend + calls("../gone"),
		"j/main.tf.json":       "{\n\"resource\": ,\n}",
		"d/main.tf":            resource,
		"d/.terraform/x":       "",
		"terraform.d/x":        "",
		"ok/modules/x/main.tf": "resource {{{",
	}, RepoConfig{Autodiscover: true, Projects: []ProjectConfig{{Name: "lost", Dir: "lost", Workspace: "default", Line: 7}}})
	var got []string
	for _, p := range problems {
		got = append(got, p.String())
	}
	text := strings.Join(got, "\n")
	for _, want := range []string{
		"a/main.tf:2: Invalid expression.",
		"b/main.tf:4: The source \"../../../etc\" of module \"m\" leads out of the repository.",
		"c/main.tf:4: The module's directory gone holds no Terraform code.",
		"j/main.tf.json:2: The file is not valid JSON",
		"d/.terraform: .terraform must not be in the repository",
		"terraform.d: terraform.d must not be in the repository",
		"tidelock.hcl:7: The project lost has the directory lost, which holds no Terraform code.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no problem %q in\n%s", want, text)
		}
	}
	if got := dirs(projects); got != "a:default b:default c:default d:default j:default lost:default" {
		t.Errorf("found %q", got)
	}
	if strings.Contains(text, "ok/modules/x") {
		t.Errorf("a problem of a module that nobody calls is told:\n%s", text)
	}
}

func TestDiscoverFollowsModules(t *testing.T) {
	projects, _ := discovered(t, map[string]string{
		"live/main.tf":     backend + calls("../modules/a") + "locals {\n x = templatefile(\"${path.module}/t/${var.n}.tpl\", {})\n y = file(\"${path.root}/../shared/p.json\")\n}",
		"modules/a/m.tf":   calls("../b") + "locals {\n z = fileset(\"${path.module}/pol\", \"*.json\")\n q = file(\"conf.txt\")\n}",
		"modules/b/m.tf":   calls("../a") + calls("./c"), // a cycle: Terraform's to refuse
		"modules/b/c/m.tf": resource,
		"any/main.tf":      backend + "locals {\n x = file(var.path)\n}",
	}, DefaultRepoConfig())
	want := []Project{
		{Name: "any", Dir: "any", Workspace: "default", Backend: "local", WholeTree: true},
		{Name: "live", Dir: "live", Workspace: "default", Backend: "local", Modules: []string{"modules/a", "modules/b", "modules/b/c"},
			Files: []string{"live/conf.txt", "live/t/**", "modules/a/pol/**", "shared/p.json"}},
	}
	if diff := cmp.Diff(want, projects); diff != "" {
		t.Error(diff)
	}
}

func TestThreat_DiscoverStaysInTheTree(t *testing.T) {
	outside := t.TempDir()
	write(t, filepath.Join(outside, "main.tf"), backend)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "real/main.tf"), resource)
	for name, target := range map[string]string{"linked": outside, "real/linked.tf": filepath.Join(outside, "main.tf"), "up": "../../.."} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	projects, problems, err := Discover(root.FS(), DefaultRepoConfig())
	if err != nil {
		t.Fatal(err)
	}
	if got := dirs(projects); got != "real:default" || projects[0].Backend != "" {
		t.Errorf("found %q, backend %q: code outside the tree was read", got, projects[0].Backend)
	}
	if len(problems) != 1 || problems[0].Path != "real/linked.tf" {
		t.Errorf("problems %v, want one of the link", problems)
	}
	if _, err := InputsDigest(root.FS(), projects[0]); err != nil {
		t.Errorf("InputsDigest: %v", err)
	}
}

// TestThreat_DeepCodeDoesNotOverflow gives the parser what would overflow the
// stack of a recursive one: the test process dies where that is possible.
func TestThreat_DeepCodeDoesNotOverflow(t *testing.T) {
	n := maxFile - 100
	for name, src := range map[string]string{
		"brackets": "x = " + strings.Repeat("[", n), "parentheses": "x = " + strings.Repeat("(", n),
		"not": "x = " + strings.Repeat("!", n) + "a", "minus": "x = " + strings.Repeat("- ", n/2) + "a",
		"conditions": "x = " + strings.Repeat("a?b:", n/4) + "a", "splats": "x = a" + strings.Repeat("[*]", n/3),
		"sums": "x = " + strings.Repeat("1+", n/2) + "1", "indices": "x = a" + strings.Repeat("[b]", n/3),
		"templates": "x = \"" + strings.Repeat("${\"", n/3), "directives": "x = \"" + strings.Repeat("%{if a}", n/7),
		"blocks": strings.Repeat("a {\n", n/4),
	} {
		t.Run(name, func(t *testing.T) {
			projects, _ := discovered(t, map[string]string{"a/main.tf": resource + src, "b/main.tf.json": strings.Repeat(`{"a":`, n/5)}, DefaultRepoConfig())
			if got := dirs(projects); got != "a:default b:default" {
				t.Errorf("found %q", got)
			}
		})
	}
}

func TestAffected(t *testing.T) {
	projects := []Project{
		{Name: "root", Dir: ".", Workspace: "default", Files: []string{"policies/*.json"}},
		{Name: "app-dev", Dir: "live/app", Workspace: "dev", VarFiles: []string{"live/app/dev.tfvars"}, Modules: []string{"modules/net", "modules/tag"}},
		{Name: "app-prod", Dir: "live/app", Workspace: "prod", VarFiles: []string{"env/prod.tfvars"}, Modules: []string{"modules/net", "modules/tag"}, Watch: []string{"versions/**"}},
		{Name: "db", Dir: "live/app/db", Workspace: "default", Modules: []string{"modules/tag"}},
		{Name: "lost", Dir: "lost", Workspace: "default", Missing: true},
	}
	for _, tc := range []struct{ changed, want string }{
		{"README.md", ""},
		{"docs/a/b.txt", ""},
		{".github/workflows/ci.yml", ""},
		{"main.tf", "root: main.tf changed"},
		{"Makefile", ""},
		{"policies/p.json", "root: policies/p.json changed, which its code reads"},
		{"live/app/main.tf", "app-dev: live/app/main.tf changed; app-prod: live/app/main.tf changed"},
		{"live/app/README.md", ""},
		{"live/app/LICENSE", ""},
		{"live/app/.terraform.lock.hcl", "app-dev: live/app/.terraform.lock.hcl changed; app-prod: live/app/.terraform.lock.hcl changed"},
		{"live/app/files/boot.sh", "app-dev: live/app/files/boot.sh changed; app-prod: live/app/files/boot.sh changed"},
		{"live/app/tests/a.tftest.hcl", ""},
		{"live/app/unused/x.tf", ""},
		{"live/app/dev.tfvars", "app-dev: its variable file live/app/dev.tfvars changed"},
		{"live/app/other.tfvars", ""},
		{"live/app/a.auto.tfvars", "app-dev: live/app/a.auto.tfvars changed; app-prod: live/app/a.auto.tfvars changed"},
		{"env/prod.tfvars", "app-prod: its variable file env/prod.tfvars changed"},
		{"versions/app/v.txt", "app-prod: versions/app/v.txt changed, which it watches"},
		{"live/app/db/x.tf", "db: live/app/db/x.tf changed"},
		{"modules/net/main.tf", "app-dev: its module modules/net changed (modules/net/main.tf); app-prod: its module modules/net changed (modules/net/main.tf)"},
		{"modules/tag/t/x.tpl", "app-dev: its module modules/tag changed (modules/tag/t/x.tpl); app-prod: its module modules/tag changed (modules/tag/t/x.tpl); db: its module modules/tag changed (modules/tag/t/x.tpl)"},
		{"modules/net/README.md", ""},
		{"lost/main.tf", ""},
	} {
		var got []string
		for _, a := range Affected(projects, []string{tc.changed}) {
			got = append(got, a.Project.Name+": "+a.Reason)
		}
		if strings.Join(got, "; ") != tc.want {
			t.Errorf("%s:\n got %q\nwant %q", tc.changed, strings.Join(got, "; "), tc.want)
		}
	}
}

func TestDeletedProjects(t *testing.T) {
	head := tree(map[string]string{"a/main.tf": resource, "b/notes.txt": ""})
	if diff := cmp.Diff([]string{"b", "c"}, EmptiedDirs(head, []string{"c/x.tf", "a/gone.tf", "b/main.tf", "b/y.tf", "d/readme.md"})); diff != "" {
		t.Error(diff)
	}
	base := []Project{{Dir: "a", Workspace: "default"}, {Dir: "b", Workspace: "default"}, {Dir: "c", Workspace: "prod"}}
	now := []Project{{Dir: "a", Workspace: "default"}, {Dir: "c", Workspace: "prod", Missing: true}}
	if got := dirs(Deleted(base, now)); got != "b:default c:prod" {
		t.Errorf("deleted %q", got)
	}
}

func TestInputsDigest(t *testing.T) {
	files := map[string]string{
		"live/main.tf": backend + calls("../mod") + "locals {\n x = file(\"../shared/p.json\")\n}", "live/sub/f.txt": "1",
		"mod/main.tf": resource, "shared/p.json": "{}", "shared/other.json": "{}", "live/.terraform.lock.hcl": "", "vars/v.tfvars": "", "docs/x": "",
	}
	digest := func(mutate func(map[string]string, *Project)) string {
		t.Helper()
		copied := map[string]string{}
		for k, v := range files {
			copied[k] = v
		}
		projects, _ := discovered(t, copied, RepoConfig{Projects: []ProjectConfig{{Name: "p", Dir: "live", Workspace: "w", VarFiles: []string{"../vars/v.tfvars"}}}})
		p := projects[0]
		if mutate != nil {
			mutate(copied, &p)
		}
		d, err := InputsDigest(tree(copied), p)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	base := digest(nil)
	if again := digest(nil); again != base {
		t.Error("the digest is not stable")
	}
	for _, name := range []string{"live/main.tf", "live/sub/f.txt", "mod/main.tf", "shared/p.json", "live/.terraform.lock.hcl", "vars/v.tfvars"} {
		if digest(func(f map[string]string, _ *Project) { f[name] += "\n# changed" }) == base {
			t.Errorf("a change of %s does not count", name)
		}
	}
	if digest(func(f map[string]string, _ *Project) { f["live/new.tf"] = "" }) == base {
		t.Error("a new file does not count")
	}
	if digest(func(_ map[string]string, p *Project) { p.Workspace = "other" }) == base {
		t.Error("the workspace does not count")
	}
	for _, name := range []string{"docs/x", "shared/other.json"} {
		if digest(func(f map[string]string, _ *Project) { f[name] += "!" }) != base {
			t.Errorf("a change of %s counts", name)
		}
	}
	if digest(func(f map[string]string, p *Project) { p.WholeTree = true }) == digest(func(f map[string]string, p *Project) { p.WholeTree = true; f["docs/x"] = "!" }) {
		t.Error("where the code reads anything, any change must count")
	}
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func FuzzDiscover(f *testing.F) {
	f.Add([]byte(backend+calls("../x")), []byte(`{"terraform":{"backend":{"s3":{}}}}`))
	f.Add([]byte("locals { x = file(\"${path.module}/${a}/../../b\") }"), []byte(`[{"module":[{"a":{"source":"./../.."}}]}]`))
	f.Fuzz(func(t *testing.T, native, js []byte) {
		fsys := fstest.MapFS{"a/main.tf": {Data: native}, "b/main.tf.json": {Data: js}}
		projects, _, err := Discover(fsys, DefaultRepoConfig())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range projects {
			for _, dir := range append(append([]string{p.Dir}, p.Modules...), p.Files...) {
				if strings.HasPrefix(dir, "../") || dir == ".." || strings.HasPrefix(dir, "/") {
					t.Fatalf("%q leads out of the tree", dir)
				}
			}
			if _, err := InputsDigest(fsys, p); err != nil {
				t.Fatal(err)
			}
		}
	})
}
