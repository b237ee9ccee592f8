package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/toolchain"
)

// toolsOf returns what the runs of a kind were run with, by project.
func toolsOf(runs []run.Run, kind run.Kind) map[string]string {
	out := map[string]string{}
	for _, r := range runs {
		if r.Kind == kind {
			out[r.Project.Name] = r.ToolTitle()
		}
	}
	return out
}

// Two projects of one pull request are each planned and applied by the tool
// that they ask for; a third, for which there is none, keeps neither back.
func TestTwoToolsInOnePull(t *testing.T) {
	t.Parallel()
	tf, err := toolchain.Terraform(t.Context(), toolchain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tofu, err := toolchain.FindOpenTofu(t.Context(), toolchain.Options{})
	if err != nil || tf.Name != "terraform" {
		t.Skip("needs both tools: ", err)
	}
	tools := t.TempDir()
	link := filepath.Join(tools, "OpenTofu", tofu.Version, "tofu")
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(tofu.Path, link); err != nil {
		t.Fatal(err)
	}
	s := newStage(t, stageOptions{
		files: githubtest.Files{
			"first/main.tf": resource("first", "v1"), "first/.opentofu-version": tofu.Version + "\n",
			"second/main.tf": resource("second", "v1"), "second/versions.tf": "terraform {\n  required_version = \"= " + tf.Version + "\"\n}\n",
			"third/main.tf": resource("third", "v1"), "third/.terraform-version": "1.7.3\n",
		},
		env: []string{"TIDELOCK_TERRAFORM_TOOLS_DIRS=" + tools, "TIDELOCK_TERRAFORM_DOWNLOAD=false"},
	})
	p := s.open("feature", githubtest.Files{"first/main.tf": resource("first", "v2"), "second/main.tf": resource("second", "v2"), "third/main.tf": resource("third", "v2")})
	body := s.says(p, "No Terraform that is here meets what is asked for")
	for _, want := range []string{"1.7.3", "third/.terraform-version:1", "terraform.download is off", "terraform.tools_dirs"} {
		if !strings.Contains(body, want) {
			t.Errorf("the comment lacks %q:\n%s", want, body)
		}
	}
	s.check(p, "tidelock/plan", "failure")
	want := map[string]string{"first": "OpenTofu " + tofu.Version, "second": "Terraform " + tf.Version, "third": ""}
	if got := toolsOf(s.runs(), run.Plan); !maps.Equal(got, want) {
		t.Errorf("planned with %v, not %v", got, want)
	}

	// With another version the third is planned, for no more than its file changed.
	s.repo.Commit("ada", "feature", "A version that is here", githubtest.Files{"third/.terraform-version": tf.Version + "\n"})
	s.check(p, "tidelock/plan", "success")
	s.merge(p)
	s.says(p, "✅ Applied 3 projects")
	if got := toolsOf(s.runs(), run.Apply); got["first"] != want["first"] || got["second"] != want["second"] || got["third"] != want["second"] {
		t.Errorf("applied with %v", got)
	}
	if got := stateVersions(t, s); !maps.Equal(got, map[string]bool{tofu.Version: true, tf.Version: true}) {
		t.Errorf("the states were written by %v", got)
	}
}

// The tool that made a plan is gone when the plan is merged: it is planned
// again with what there is, and applied, since that does the same. Before that
// another version takes its place, with which all is planned anew.
func TestPlanWhoseToolIsGone(t *testing.T) {
	t.Parallel()
	tf, err := toolchain.Terraform(t.Context(), toolchain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if tf.Name != "terraform" {
		t.Skip("needs Terraform")
	}
	tools, asked := t.TempDir(), filepath.Join(t.TempDir(), "asked")
	install := func(version string) (remove func()) {
		t.Helper()
		path := filepath.Join(tools, "versions", version, "terraform")
		script := fmt.Sprintf("#!/bin/sh\n[ \"$1\" = version ] && exec echo 'Terraform v%s'\necho \"$*\" >>'%s'\nexec '%s' \"$@\"\n", version, asked, tf.Path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(script), 0o755)); err != nil {
			t.Fatal(err)
		}
		return func() {
			t.Helper()
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := install("1.99.0")
	s := newStage(t, stageOptions{
		files: githubtest.Files{"network/main.tf": resource("net", "v1"), "app/main.tf": resource("app", "v1"), ".terraform-version": "latest\n"},
		env:   []string{"TIDELOCK_TERRAFORM_TOOLS_DIRS=" + tools, "TIDELOCK_TERRAFORM_DOWNLOAD=false"},
	})
	p := s.open("feature", githubtest.Files{"network/main.tf": resource("net", "v2"), "app/main.tf": resource("app", "v2")})
	s.says(p, "### 📋 Plan: 2 to add")
	if got := toolsOf(s.runs(), run.Plan); got["network"] != "Terraform 1.99.0" || got["app"] != "Terraform 1.99.0" {
		t.Fatalf("planned with %v", got)
	}

	// A plan stands for the next push only where the same tool would make it.
	remove()
	remove = install("1.99.1")
	head := s.repo.Commit("ada", "feature", "One of the two", githubtest.Files{"app/main.tf": resource("app", "v3")})
	s.says(p, head[:7])
	s.says(p, "### 📋 Plan: 2 to add")
	for _, r := range s.runs() {
		if r.Commit == head && (r.Since != "" || r.ToolTitle() != "Terraform 1.99.1") {
			t.Errorf("%s was planned with %s, or not at all: since %q", r.Project.Name, r.ToolTitle(), r.Since)
		}
	}

	remove()
	s.merge(p)
	s.says(p, "✅ Applied 2 projects")
	if got := toolsOf(s.runs(), run.Apply); got["network"] != "Terraform "+tf.Version || got["app"] != "Terraform "+tf.Version {
		t.Errorf("applied with %v", got)
	}
	if !strings.Contains(s.log.String(), "the tool that made a plan is not to be had") {
		t.Error("nobody is told")
	}

	// Nobody asked for newer providers or modules.
	inits := 0
	for line := range strings.Lines(read(t, asked)) {
		if strings.HasPrefix(line, "init ") {
			inits++
		}
		if strings.Contains(strings.ReplaceAll(line, "-upgrade=false", ""), "-upgrade") {
			t.Errorf("run with: %s", line)
		}
	}
	if inits == 0 {
		t.Error("no init was seen")
	}
}
