package main

import (
	"slices"
	"testing"
	"testing/fstest"
)

// TestProjectsOfAChangeHaveItsVariableFiles: the configuration is the base's,
// and which of Atlantis' variable files are there, the change says, as it does
// on a pull request.
func TestProjectsOfAChangeHaveItsVariableFiles(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	base := fstest.MapFS{
		"atlantis.yaml": file("version: 3\nprojects:\n- name: app\n  dir: app\n"),
		"app/main.tf":   file("resource \"terraform_data\" \"x\" {}\n"),
	}
	head := fstest.MapFS{"app/main.tf": base["app/main.tf"], "app/env/default.tfvars": file("")}
	l, err := listTree(base, head, []string{"app/env/default.tfvars"})
	if err != nil || len(l.Projects) != 1 {
		t.Fatal(l, err)
	}
	if p := l.Projects[0]; !p.Affected || !slices.Equal(p.VarFiles, []string{"app/env/default.tfvars"}) {
		t.Errorf("affected %v, variable files %q", p.Affected, p.VarFiles)
	}
}
