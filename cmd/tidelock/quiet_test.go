package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
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

// Where silence is asked for, a plan that changes nothing gets checks and no
// comment; one that is there already is kept up to date.
func TestQuietUnchanged(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_DEFAULTS_QUIET_UNCHANGED=true"}, files: githubtest.Files{"network/main.tf": "# Nothing yet.\n"}})
	p := s.open("nothing", githubtest.Files{"network/main.tf": "resource \"terraform_data\" \"x\" {\n  count = 0\n}\n"})
	if k := s.check(p, "tidelock/plan", "success"); k.Title != "No changes" {
		t.Errorf("the check says %q", k.Title)
	}
	if c := p.Comments(); len(c) != 0 {
		t.Errorf("comments on a plan that changes nothing: %+v", c)
	}
	s.repo.Commit("ada", "nothing", "Something after all", githubtest.Files{"network/main.tf": "resource \"terraform_data\" \"x\" {}\n"})
	s.says(p, "Plan: 1 to add")
	s.repo.Commit("ada", "nothing", "Never mind", githubtest.Files{"network/main.tf": "resource \"terraform_data\" \"x\" {\n  count = 1 - 1\n}\n"})
	s.says(p, "No changes")
}

// What the bot said before is folded away once a newer plan has settled, but
// not what was said since.
func TestGitHub28_OldRepliesAreFolded(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	p := s.open("feature", network("v2"))
	s.says(p, "Plan: 1 to add")
	p.Comment("ada", "tidelock help")
	s.replied(p, "| command |")
	if c := folded(p); len(c) != 0 {
		t.Errorf("folded away before a newer plan: %+v", c)
	}
	s.repo.Commit("ada", "feature", "More", githubtest.Files{"network/more.tf": "resource \"terraform_data\" \"more\" {}\n"})
	s.says(p, "Plan: 2 to add")
	s.until("the old reply to be folded away", func() bool { return len(folded(p)) == 1 })
	if c := folded(p)[0]; !strings.Contains(c.Body, "| command |") || !strings.EqualFold(c.Minimized, "outdated") {
		t.Errorf("folded away: %+v", c)
	}
}

// folded returns the comments that are folded away.
func folded(p *githubtest.Pull) (out []githubtest.Comment) {
	for _, c := range p.Comments() {
		if c.Minimized != "" {
			out = append(out, c)
		}
	}
	return out
}

// Each commit has a comment of its own where that is asked for, kept up to date
// in place, and only the newest is unfolded.
func TestCommentPerCommit(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_DEFAULTS_COMMENT_PER_COMMIT=true"}})
	p := s.open("feature", network("v2"))
	s.until("the first comment", func() bool { return len(p.Comments()) == 1 && strings.Contains(p.Comments()[0].Body, "Plan: 1 to add") })
	s.repo.Commit("ada", "feature", "More", githubtest.Files{"network/more.tf": "resource \"terraform_data\" \"more\" {}\n"})
	s.until("the second comment", func() bool { return len(p.Comments()) == 2 && strings.Contains(p.Comments()[1].Body, "Plan: 2 to add") })
	s.until("the first comment to be folded away", func() bool { return p.Comments()[0].Minimized != "" })
	s.merge(p)
	s.until("the second comment to tell of the apply", func() bool { return strings.Contains(p.Comments()[1].Body, "✅ Applied 1 project") })
	if c := p.Comments(); len(c) != 2 || c[1].Minimized != "" || !strings.Contains(c[0].Body, "Plan: 1 to add") {
		t.Errorf("comments: %+v", c)
	}
}

// bigPlan is a project whose plan is longer than a comment.
func bigPlan(lines int) githubtest.Files {
	return githubtest.Files{"network/main.tf": fmt.Sprintf("resource \"terraform_data\" \"net\" {\n  count = %d\n  input = \"a value that is long enough to count for something when there are many of them\"\n}\n", lines)}
}

// A plan that is too long goes on in further comments; they are updated in
// place, and emptied when they are needed no more. A kill between them leaves
// none twice.
func TestSplitComments(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_DEFAULTS_SPLIT_COMMENTS=true"}, files: bigPlan(0)})
	p := s.open("feature", bigPlan(300))
	ours := func() []githubtest.Comment { return p.Comments() }
	s.until("a second comment", func() bool { return len(ours()) == 2 })
	if c := ours(); !strings.Contains(c[0].Body, "The plans go on below") || !strings.Contains(c[1].Body, "### Plans, comment 2 of 2") {
		t.Errorf("the comments:\n%.300s\n%.300s", c[0].Body, c[1].Body)
	}
	s.repo.Commit("ada", "feature", "Fewer", bigPlan(299))
	s.until("both to be updated", func() bool {
		c := ours()
		return strings.Contains(c[0].Body, "Plan: 299 to add") && strings.Contains(c[1].Body, "commit "+p.State().HeadSHA[:7])
	})
	s.repo.Commit("ada", "feature", "Few", bigPlan(2))
	s.until("the second to be emptied", func() bool {
		c := ours()
		return strings.Contains(c[0].Body, "Plan: 2 to add") && strings.Contains(c[1].Body, "Nothing goes on here")
	})
	s.repo.Commit("ada", "feature", "Many again", bigPlan(301))
	s.until("the second to be filled again", func() bool { return strings.Contains(ours()[1].Body, "### Plans, comment 2 of 2") })
	if c := ours(); len(c) != 2 {
		t.Errorf("%d comments", len(c))
	}
}

// The server dies between the first comment and the second, or before it knows
// that the second was posted: there are two in the end, neither twice.
func TestFault11_KilledBetweenSplitComments(t *testing.T) {
	for name, fault := range map[string]githubtest.Refusal{
		"before the second":        {Status: http.StatusInternalServerError},
		"after the second is made": {Status: http.StatusInternalServerError, Done: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, stageOptions{env: []string{"TIDELOCK_DEFAULTS_SPLIT_COMMENTS=true"}, files: bigPlan(0)})
			var posts atomic.Int32
			fault.Match = func(method, path string) bool {
				if method != http.MethodPost || !strings.HasSuffix(path, "/comments") {
					return false
				}
				return posts.Add(1) > 1
			}
			clear := s.gh.Faults().Refuse(fault)
			p := s.open("feature", bigPlan(300))
			s.until("the second comment to be tried", func() bool { return len(p.Comments()) >= 1 && posts.Load() > 1 })
			s.kill()
			clear()
			s.start()
			s.check(p, "tidelock/plan", "success")
			if c := p.Comments(); len(c) != 2 || !strings.Contains(c[1].Body, "### Plans, comment 2 of 2") {
				t.Errorf("%d comments", len(c))
			}
		})
	}
}

// A repository's own template, from its base branch.
func TestTemplateOfARepository(t *testing.T) {
	t.Parallel()
	files := githubtest.Files{"tidelock.hcl": "template {\n  comment = <<EOT\nOurs: {{ .Phase }} of {{ .Repo }}\n\n{{ range .Projects }}* {{ .Name }} +{{ .Create }}\n{{ end }}\nEOT\n}\n"}
	for k, v := range oneProject {
		files[k] = v
	}
	s := newStage(t, stageOptions{files: files})
	p := s.open("feature", network("v2"))
	body := s.says(p, "Ours: planned of acme/infra")
	if !strings.Contains(body, "* network +1") {
		t.Errorf("the comment:\n%s", body)
	}
	s.merge(p)
	s.says(p, "Ours: applied")
}
