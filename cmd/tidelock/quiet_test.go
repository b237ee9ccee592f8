package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// maxCalls is how many calls to GitHub a plan may take, however many projects
// it is of: from the webhook to the last word, tokens included.
const maxCalls = 6

// calls returns what was asked of GitHub, but for what belongs to the server's
// start and to its sweeps.
func (s *stage) calls() []string {
	var out []string
	for _, c := range s.gh.Calls() {
		if c.Path != "/app" && !strings.HasPrefix(c.Path, "/app/hook/") {
			out = append(out, c.Method+" "+c.Path)
		}
	}
	return out
}

// manyProjects are so many tiny projects, each with that input.
func manyProjects(n int, input string) githubtest.Files {
	files := githubtest.Files{}
	for i := range n {
		files[fmt.Sprintf("live/p%02d/main.tf", i)] = "resource \"terraform_data\" \"x\" {\n  input = \"" + input + "\"\n}\n"
	}
	return files
}

// The calls to GitHub do not grow with the projects. What is under way is told
// late, so that a plan of a moment costs nothing for it.
func TestCallsDoNotGrowWithProjects(t *testing.T) {
	for _, n := range []int{1, 10, 50} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := newStage(t, stageOptions{files: manyProjects(n, "v1")})
			p := s.open("all", manyProjects(n, "v2"))
			s.says(p, fmt.Sprintf("Plan: %d to add", n))
			s.check(p, "tidelock/plan", "success")
			calls := s.calls()
			t.Logf("%d calls for %d projects:\n%s", len(calls), n, strings.Join(calls, "\n"))
			if len(calls) > maxCalls {
				t.Errorf("a plan of %d projects took %d calls to GitHub, more than %d:\n%s", n, len(calls), maxCalls, strings.Join(calls, "\n"))
			}
			for _, c := range p.Checks() {
				if c.Name == "tidelock/plan" && !strings.Contains(c.Text, "terraform_data.x") {
					t.Errorf("the check does not show the plans:\n%s", c.Text)
				}
			}
		})
	}
}
