package planner

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// withLinks adds symbolic links to a file system.
func withLinks(m fstest.MapFS, links map[string]string) fstest.MapFS {
	for name, target := range links {
		m[name] = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777}
	}
	return m
}

func messages(problems []Problem) string {
	var out []string
	for _, p := range problems {
		out = append(out, p.String())
	}
	return strings.Join(out, "\n")
}

// TestDiscoverFollowsLinks: a module and files that are reached through links
// shape the plan from where they really are.
func TestDiscoverFollowsLinks(t *testing.T) {
	fsys := withLinks(tree(map[string]string{
		"live/main.tf":           backend + calls("../modules/net") + "locals {\n x = file(\"conf/app.json\")\n}",
		"shared/vpc/main.tf":     calls("../tags") + "locals {\n y = file(\"${path.module}/v.json\")\n}",
		"modules/tags/main.tf":   resource, // as seen from modules/net, where Terraform looks
		"shared/tags/main.tf":    resource, // as seen from where the link leads
		"common/provider.tf":     provider,
		"common/all.auto.tfvars": "",
		"settings/app.json":      "{}",
	}), map[string]string{
		"modules/net":          "../shared/vpc",
		"live/provider.tf":     "../common/provider.tf",
		"live/all.auto.tfvars": "../common/all.auto.tfvars",
		"live/conf":            "../settings",
		"live/out.tf":          "../../elsewhere.tf",
	})
	projects, problems, err := Discover(fsys, RepoConfig{Autodiscover: true, Ignore: []string{"shared/tags", "common"}, Projects: []ProjectConfig{{Name: "linked", Dir: "modules/net", Workspace: "default", Line: 3}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := dirs(projects); got != "live:default modules/net:default" {
		t.Fatalf("found %q", got)
	}
	p := projects[0]
	if diff := cmp.Diff([]string{"modules/net", "modules/tags", "shared/vpc"}, p.Modules); diff != "" {
		t.Error(diff)
	}
	for changed, want := range map[string]string{
		"shared/vpc/main.tf":     "its module shared/vpc changed (shared/vpc/main.tf)",
		"modules/tags/main.tf":   "its module modules/tags changed (modules/tags/main.tf)",
		"modules/net":            "modules/net changed, which its code reads",
		"common/provider.tf":     "common/provider.tf changed, which its code reads",
		"common/all.auto.tfvars": "common/all.auto.tfvars changed, which its code reads",
		"settings/app.json":      "settings/app.json changed, which its code reads",
		"live/conf":              "live/conf changed",
		"settings/other.json":    "",
		"shared/tags/main.tf":    "",
	} {
		got := ""
		for _, a := range Affected(projects[:1], []string{changed}) {
			got = a.Reason
		}
		if got != want {
			t.Errorf("%s: %q, want %q", changed, got, want)
		}
	}
	before, err := InputsDigest(fsys, p)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"shared/vpc/main.tf", "common/provider.tf", "common/all.auto.tfvars", "settings/app.json", "modules/tags/main.tf"} {
		was := fsys[name]
		fsys[name] = &fstest.MapFile{Data: []byte("# other"), Mode: 0o644}
		if after, err := InputsDigest(fsys, p); err != nil || after == before {
			t.Errorf("a change of %s does not count (%v)", name, err)
		}
		fsys[name] = was
	}
	text := messages(problems)
	for _, want := range []string{
		"live/out.tf: The file can't be read, or leads out of the repository.",
		"tidelock.hcl:3: The project linked has the directory modules/net, which leads through the symbolic link modules/net. Name the directory itself, shared/vpc.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no problem %q in\n%s", want, text)
		}
	}
}

func TestThreat_LinksInACircleEnd(t *testing.T) {
	fsys := withLinks(tree(map[string]string{"live/main.tf": backend + calls("../a/b") + "locals {\n x = file(\"../a/c\")\n}"}),
		map[string]string{"a": "b", "b": "a", "up": "../..", "live/self": "self/self"})
	projects, problems, err := Discover(fsys, DefaultRepoConfig())
	if err != nil || dirs(projects) != "live:default" {
		t.Fatal(projects, err)
	}
	if text := messages(problems); !strings.Contains(text, "The module's directory a/b holds no Terraform code.") {
		t.Error(text)
	}
}

func TestDiscoverNamesSubmodules(t *testing.T) {
	files := map[string]string{
		"live/main.tf": backend + calls("../vendor/net/vpc"),
		".gitmodules":  "[submodule \"net\"]\n\tpath = vendor/net\n\turl = ../net.git\n",
	}
	cfg := RepoConfig{Autodiscover: true, Projects: []ProjectConfig{{Name: "far", Dir: "vendor/net/live", Workspace: "default", Line: 2}}}
	_, problems := discovered(t, files, cfg)
	text := messages(problems)
	for _, want := range []string{
		"live/main.tf:4: The module's directory vendor/net/vpc is in the Git submodule vendor/net, which is not fetched: submodules are where the server's checkout.submodules allows it and this repository's tidelock.hcl says submodules = true",
		"tidelock.hcl:2: The project far can't be read: the directory vendor/net/live is in the Git submodule vendor/net, which is not fetched",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no problem %q in\n%s", want, text)
		}
	}
	// Where somebody has fetched it, nothing is wrong.
	files["vendor/net/vpc/main.tf"], files["vendor/net/live/main.tf"] = resource, resource
	if _, problems := discovered(t, files, cfg); len(problems) > 0 {
		t.Error(messages(problems))
	}
}

func TestDiscoverNamesPointersOfLFS(t *testing.T) {
	pointer := lfsPointer + "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
	files := map[string]string{
		".gitattributes": "*.zip filter=lfs diff=lfs merge=lfs -text\n",
		"live/main.tf":   backend + "locals {\n a = filebase64(\"${path.module}/lambda.zip\")\n b = fileset(\"${path.module}/many\", \"*.zip\")\n c = file(\"plain.txt\")\n}",
		"live/big.tf":    pointer, "live/lambda.zip": pointer, "live/many/x.zip": pointer, "live/unread.zip": pointer, "live/plain.txt": "text",
	}
	_, problems := discovered(t, files, DefaultRepoConfig())
	var got []string
	for _, p := range problems {
		if strings.Contains(p.Message, "pointer of Git LFS") {
			got = append(got, p.Path)
		}
	}
	if diff := cmp.Diff([]string{"live/big.tf", "live/lambda.zip", "live/many/x.zip"}, got); diff != "" || len(problems) != 3 {
		t.Errorf("%s\n%s", diff, messages(problems))
	}
}

func TestDiscoverNamesClashesOfCase(t *testing.T) {
	_, problems := discovered(t, map[string]string{
		"live/main.tf": resource, "live/Main.tf": resource, "live/a.TPL": "", "live/a.tpl": "",
		"Stacks/x/main.tf": resource, "stacks/y/main.tf": resource,
		"docs/A": "", "docs/a": "", // nothing to do with any project
	}, DefaultRepoConfig())
	var got []string
	for _, p := range problems {
		if strings.Contains(p.Message, "differ by upper and lower case only") {
			got = append(got, p.Path)
		}
	}
	if diff := cmp.Diff([]string{"live/a.tpl", "live/main.tf", "stacks"}, got); diff != "" || len(problems) != 3 {
		t.Errorf("%s\n%s", diff, messages(problems))
	}
}

// TestDiscoverReadsExpressionsInJSON: paths in the JSON form count as they do
// in the native one.
func TestDiscoverReadsExpressionsInJSON(t *testing.T) {
	projects, _ := discovered(t, map[string]string{
		"a/main.tf.json": `{"terraform":{"backend":{"s3":{}}},"locals":{"x":"${templatefile(\"${path.module}/t.tpl\", {})}","y":["%{ if true }${file(\"../shared/p.json\")}%{ endif }"]}}`,
		"b/main.tf.json": `{"terraform":{"backend":{"s3":{}}},"locals":{"x":"${file(var.p)}"}}`,
		"c/main.tf.json": `{"terraform":{"backend":{"s3":{}}},"locals":{"x":"a profile of ${var.p}, no file"}}`,
	}, DefaultRepoConfig())
	want := []Project{
		{Name: "a", Dir: "a", Workspace: "default", Backend: "s3", Files: []string{"a/t.tpl", "shared/p.json"}},
		{Name: "b", Dir: "b", Workspace: "default", Backend: "s3", WholeTree: true},
		{Name: "c", Dir: "c", Workspace: "default", Backend: "s3"},
	}
	if diff := cmp.Diff(want, projects); diff != "" {
		t.Error(diff)
	}
}

// TestDiscoverAllKindsTogether: listed projects with several states, found
// ones, and patterns of what is none.
func TestDiscoverAllKindsTogether(t *testing.T) {
	projects, problems := discovered(t, map[string]string{
		"live/shop/main.tf": backend, "live/shop/prod.tfvars": "", "live/shop/dev.tfvars": "",
		"live/blog/main.tofu": resource, "live/old/main.tf": resource, "live/old/deep/main.tf": resource,
		"examples/a/main.tf": provider, "examples/kept/main.tf": provider, "test/x/main.tf.json": `{"provider":{"aws":{}}}`,
	}, RepoConfig{Autodiscover: true, Ignore: []string{"examples/**", "live/old", "**/x"}, Projects: []ProjectConfig{
		{Name: "shop:prod", Dir: "live/shop", Workspace: "prod", VarFiles: []string{"prod.tfvars"}},
		{Name: "shop:dev", Dir: "live/shop", Workspace: "dev", VarFiles: []string{"dev.tfvars"}},
		{Name: "kept", Dir: "examples/kept", Workspace: "default"}, // listed goes before ignored
	}})
	if got := dirs(projects); got != "examples/kept:default live/blog:default live/shop:dev live/shop:prod" || len(problems) > 0 {
		t.Errorf("found %q, %v", got, problems)
	}
	var touched []string
	for _, a := range Affected(projects, []string{"live/shop/prod.tfvars"}) {
		touched = append(touched, a.Project.Name)
	}
	if diff := cmp.Diff([]string{"shop:prod"}, touched); diff != "" {
		t.Error(diff)
	}
}

func TestSurveyHasTheGraph(t *testing.T) {
	s, err := Survey(tree(map[string]string{
		"a/main.tf": backend + calls("../m/one") + "module \"again\" {\n  source = \"../m/one\"\n}\n", "b/main.tf": backend + calls("../m/two"),
		"m/one/main.tf": calls("../two"), "m/two/main.tf": resource, "modules/unused/main.tf": calls("../two"),
	}), DefaultRepoConfig())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]string{"a": {"m/one"}, "b": {"m/two"}, "m/one": {"m/two"}}, s.Calls); diff != "" {
		t.Error(diff)
	}
}

// remembered is a file system that knows contents by their hash.
type remembered struct {
	fstest.MapFS
	kept  map[string]any
	reads map[string]int
}

func (r *remembered) ReadFile(name string) ([]byte, error) {
	r.reads[name]++
	return r.MapFS.ReadFile(name)
}

func (r *remembered) ContentHash(name string) string {
	if f := r.MapFS[name]; f != nil {
		return fmt.Sprintf("%x", sha256.Sum256(f.Data))
	}
	return ""
}

func (r *remembered) Recall(key string) (any, bool) { v, ok := r.kept[key]; return v, ok }
func (r *remembered) Remember(key string, v any, weight int) {
	if weight <= 0 {
		panic("no weight: " + key)
	}
	r.kept[key] = v
}

// TestWhatIsRememberedIsTheSame discovers three commits with and without a
// memory, and reads only what changed with it. Two files with one content
// stand at different depths: what they call must not be mixed up.
func TestWhatIsRememberedIsTheSame(t *testing.T) {
	broken := "resource \"x\" {\n"
	files := map[string]string{
		"a/main.tf": backend + calls("../m"), "b/deep/main.tf": backend + calls("../m"), "m/main.tf": resource, "b/m/main.tf": broken,
		"c/main.tf": broken,
	}
	kept := map[string]any{}
	for i, change := range []func(){func() {}, func() { files["a/main.tf"] += resource }, func() { delete(files, "m/main.tf") }} {
		change()
		plain, plainProblems, err := Discover(tree(files), DefaultRepoConfig())
		if err != nil {
			t.Fatal(err)
		}
		fsys := &remembered{tree(files), kept, map[string]int{}}
		got, problems, err := Discover(fsys, DefaultRepoConfig())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(plain, got) + cmp.Diff(plainProblems, problems); diff != "" {
			t.Errorf("commit %d: (-without +with a memory)\n%s", i, diff)
		}
		delete(fsys.reads, ".gitmodules")
		if want := []int{3, 1, 0}[i]; len(fsys.reads) != want { // twice two files have one content
			t.Errorf("commit %d: %d files were read, want %d: %v", i, len(fsys.reads), want, fsys.reads)
		}
	}
}
