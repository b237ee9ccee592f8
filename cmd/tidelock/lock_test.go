package main

import (
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// Two pull requests want one project: the second waits, says for whom, and
// goes on by itself however the first lets go.
func TestSecondPullRequestWaits(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(s *stage, first *githubtest.Pull)
		want string
	}{
		{"merge", func(s *stage, first *githubtest.Pull) { s.merge(first); s.says(first, "✅ Applied 1 project") }, "### 📋 Plan: 1 to add"},
		{"close", func(s *stage, first *githubtest.Pull) { first.Close("ada") }, "### 📋 Plan: 1 to add"},
		{"unlock", func(s *stage, first *githubtest.Pull) {
			first.Comment("ada", "unlock")
			s.replied(first, "Unlocked `network`")
		}, "### 📋 Plan: 1 to add"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, stageOptions{})
			first := s.open("first", network("v2"))
			s.says(first, "### 📋 Plan: 1 to add")
			second := s.open("second", githubtest.Files{"network/more.tf": "resource \"terraform_data\" \"more\" {}\n"})
			body := s.says(second, "waits for another pull request's lock")
			if !strings.Contains(body, "waits for #1") {
				t.Errorf("it does not say for whom:\n%s", body)
			}
			c.end(s, first)
			s.says(second, "terraform_data.more will be created")
			s.check(second, "tidelock/plan", "success")
		})
	}
}

// Only the pull that holds a lock can give it up, and what it then merges is
// checked against the state again.
func TestUnlockedPullIsCheckedWhenMerged(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	first := s.open("first", network("v2"))
	s.says(first, "### 📋 Plan: 1 to add")
	second := s.open("second", githubtest.Files{"network/more.tf": "resource \"terraform_data\" \"more\" {}\n"})
	s.says(second, "waits for #1")
	second.Comment("ada", "unlock")
	s.replied(second, "This pull request holds no lock.")

	first.Comment("ada", "unlock")
	s.says(second, "terraform_data.more will be created")
	s.merge(second)
	s.says(second, "✅ Applied 1 project")
	// The second one's merge made what the first would have made: what the
	// first would do now is something else.
	s.merge(first)
	s.says(first, "Nothing was applied. Comment `plan`")
}

// A merged pull that still waits for a lock is planned and applied when its
// turn comes.
func TestMergedWhileWaiting(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	first := s.open("first", network("v2"))
	s.says(first, "### 📋 Plan: 1 to add")
	second := s.open("second", githubtest.Files{"network/more.tf": "resource \"terraform_data\" \"more\" {}\n"})
	s.says(second, "waits for #1")
	s.merge(second)
	first.Close("ada")
	s.says(second, "✅ Applied 1 project")
}

func TestLockAtApply(t *testing.T) {
	for _, c := range []struct {
		name string
		o    stageOptions
	}{
		{"by the server", stageOptions{env: []string{"TIDELOCK_DEFAULTS_LOCK=apply"}}},
		{"by the repository", stageOptions{files: githubtest.Files{"tidelock.hcl": "lock = \"apply\"\n", "network/main.tf": oneProject["network/main.tf"]}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, c.o)
			first := s.open("first", network("v2"))
			s.says(first, "### 📋 Plan: 1 to add")
			second := s.open("second", githubtest.Files{"network/more.tf": "resource \"terraform_data\" \"more\" {}\n"})
			s.says(second, "### 📋 Plan: 2 to add")
			s.merge(first)
			s.says(first, "✅ Applied 1 project")
			// The merged code holds the first one's change too, which is applied
			// already: what is left is not what was reviewed.
			s.merge(second)
			s.says(second, "✋")
		})
	}
}
