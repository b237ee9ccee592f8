package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/run"
)

// timed is a project whose plan is never the same twice: only the saved one can
// be applied without a question.
func timed(dir string) string {
	return "resource \"terraform_data\" \"" + dir + "\" {\n  input = plantimestamp()\n}\n"
}

// A push that touches one project leaves the plans of the others standing, and
// they are what is applied. Of d, only Terraform can tell what its state is.
func TestPushLeavesOtherPlansStanding(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: githubtest.Files{"a/main.tf": "", "b/main.tf": "", "d/main.tf": ""}})
	backend := "terraform {\n  backend \"local\" {\n    path = \"" + filepath.Join(t.TempDir(), "d.tfstate") + "\"\n  }\n}\n"
	p := s.open("feature", githubtest.Files{"a/main.tf": timed("a"), "b/main.tf": timed("b"), "d/main.tf": backend + timed("d")})
	s.says(p, "Plan: 3 to add")
	first := p.State().HeadSHA
	logs := func() (made, standing int) {
		for _, r := range s.runs() {
			if r.Kind == run.Plan && r.Status == run.Planned && r.Commit == p.State().HeadSHA {
				if r.Since == "" {
					made++
				} else if r.Since == first {
					standing++
				}
			}
		}
		return made, standing
	}
	s.repo.Commit("ada", "feature", "One more", githubtest.Files{"b/more.tf": "resource \"terraform_data\" \"more\" {}\n"})
	body := s.says(p, "Plan: 4 to add")
	if n := strings.Count(body, "unchanged since `"+first[:7]+"`"); n != 2 {
		t.Errorf("%d projects are said to be unchanged, want 2:\n%s", n, body)
	}
	if made, standing := logs(); made != 1 || standing != 2 {
		t.Errorf("%d plans were made and %d stand, want 1 and 2", made, standing)
	}
	// The title is told to the policies, so that they are asked again.
	p.Edit("ada", "Another title")
	s.repo.Commit("ada", "feature", "And one", githubtest.Files{"b/yetmore.tf": "resource \"terraform_data\" \"yetmore\" {}\n"})
	s.says(p, "Plan: 5 to add")
	if made, standing := logs(); made != 3 || standing != 0 {
		t.Errorf("under another title %d plans were made and %d stand, want 3 and 0", made, standing)
	}
	first = p.State().HeadSHA
	s.repo.Commit("ada", "feature", "Less", githubtest.Files{"b/yetmore.tf": ""})
	s.says(p, "Plan: 4 to add")
	if made, standing := logs(); made != 1 || standing != 2 {
		t.Errorf("%d plans were made and %d stand, want 1 and 2", made, standing)
	}
	s.merge(p)
	s.says(p, "✅ Applied 3 projects")
}

// What somebody asks for is made anew, and so is what the state has moved under.
func TestPlanThatMayNotStandIsMadeAnew(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: githubtest.Files{"a/main.tf": "", "b/main.tf": "", "c/main.tf": ""}})
	first := s.open("first", githubtest.Files{"a/main.tf": timed("a"), "b/main.tf": timed("b")})
	s.says(first, "Plan: 2 to add")
	made := func(p *githubtest.Pull) (n int) {
		for _, r := range s.runs() {
			if r.Kind == run.Plan && r.Status == run.Planned && r.Commit == p.State().HeadSHA && r.Since == "" {
				n++
			}
		}
		return n
	}
	first.Comment("ada", "plan")
	s.until("both plans are made again", func() bool { return made(first) == 2 && len(s.runs()) == 4 })
	// Somebody else's apply moves the state of a.
	first.Comment("ada", "unlock")
	s.replied(first, "Unlocked")
	second := s.open("second", githubtest.Files{"a/main.tf": "resource \"terraform_data\" \"z\" {}\n"})
	s.says(second, "Plan: 1 to add")
	s.merge(second)
	s.says(second, "✅ Applied 1 project")
	s.repo.Commit("ada", "first", "A word", githubtest.Files{"c/main.tf": "# word\n"})
	s.until("a is planned anew, b is not", func() bool {
		var a, b bool
		for _, r := range s.runs() {
			if r.Commit == first.State().HeadSHA && r.Status == run.Planned {
				a = a || r.Project.Dir == "a" && r.Since == ""
				b = b || r.Project.Dir == "b" && r.Since != ""
			}
		}
		return a && b
	})
}
