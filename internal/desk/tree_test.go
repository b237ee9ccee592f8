package desk

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/planner"
)

// TestCopyHasWhatTerraformReads: the project, its modules, its variable files
// and what its code reads, through links too, and nothing else.
func TestCopyHasWhatTerraformReads(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text), Mode: 0o644} }
	tree := fstest.MapFS{
		"live/main.tf":        file("module \"m\" {\n  source = \"../modules/link\"\n}\nlocals {\n  a = file(\"${path.module}/../data/a.txt\")\n}\n"),
		"live/run.sh":         &fstest.MapFile{Data: []byte("#!/bin/sh\n"), Mode: 0o755},
		"live/prod.tfvars":    file(""),
		"modules/real/m.tf":   file("output \"x\" {\n  value = 1\n}\n"),
		"modules/link":        &fstest.MapFile{Data: []byte("real"), Mode: fs.ModeSymlink | 0o777},
		"modules/other/m.tf":  file("# not called\n"),
		"data/a.txt":          &fstest.MapFile{Data: []byte("b.txt"), Mode: fs.ModeSymlink | 0o777},
		"data/b.txt":          file("b"),
		"data/c.txt":          file("c"),
		"elsewhere/main.tf":   file("resource \"terraform_data\" \"x\" {}\n"),
		"docs/large/file.bin": file("x"),
	}
	cfg := planner.RepoConfig{Projects: []planner.ProjectConfig{{Name: "live", Dir: "live", Workspace: "default", VarFiles: []string{"prod.tfvars"}}}}
	projects, problems, err := planner.Discover(tree, cfg)
	if err != nil || len(problems) > 0 || len(projects) != 1 {
		t.Fatalf("%v, %v, %v", projects, problems, err)
	}
	into := filepath.Join(t.TempDir(), "copy")
	if err := copyTree(tree, projects, into); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	err = filepath.WalkDir(into, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(into, p)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		got[rel] = info.Mode().String()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	const plain, program, link = "-rw-r--r--", "-rwxr-xr-x", "Lrwxrwxrwx"
	want := map[string]string{
		"live/main.tf": plain, "live/run.sh": program, "live/prod.tfvars": plain, "modules/real/m.tf": plain, "modules/link": link, "data/a.txt": link, "data/b.txt": plain,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if text, err := os.ReadFile(filepath.Join(into, "live", "..", "modules", "link", "m.tf")); err != nil || string(text) == "" {
		t.Errorf("the module is not reached through its link: %v", err)
	}
}

func TestOutDirsAreNeverShared(t *testing.T) {
	seen := map[string]string{}
	for _, p := range []planner.Project{
		{Dir: ".", Workspace: "default"}, {Dir: "a", Workspace: "default"}, {Dir: "a", Workspace: "prod"}, {Dir: "a/b", Workspace: "default"},
		{Dir: "a~b", Workspace: "default"}, {Dir: "a~~b", Workspace: "default"}, {Dir: "a/~b", Workspace: "default"}, {Dir: "a~/b", Workspace: "default"}, {Dir: "a%7Eb", Workspace: "default"},
	} {
		dir := Options{Out: "/out"}.OutDir(p)
		if filepath.Dir(dir) != "/out" {
			t.Errorf("%s is kept in %s", p.Key(), dir)
		}
		if other, ok := seen[dir]; ok {
			t.Errorf("%s and %s share %s", p.Key(), other, dir)
		}
		seen[dir] = p.Key()
	}
}

func TestIgnoredInputs(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"main.tf", "terraform.tfvars", "x.auto.tfvars", "override.tf", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(root, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := ignoredInputs(fstest.MapFS{"main.tf": {}}, root, planner.Project{Dir: "."})
	if diff := cmp.Diff([]string{"terraform.tfvars", "x.auto.tfvars", "override.tf"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
