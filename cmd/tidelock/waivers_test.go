package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/run"
)

// A finding takes two owners, of whom the author is none; their words last into
// a later pull request; and when their time is over, nothing is applied on
// them, not even what waits for its turn under the lock.
func TestFindingsAreAcceptedByTwoOwnersForAWhile(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "tidelock-server.hcl")
	if err := os.WriteFile(config, []byte(`
policy {
  owners = ["grace", "acme/security"]
  levels = { "terraform.provisioners" = "mandatory" }
}
policy_scope "everything" {
  owner_count = 2
}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	g := newGate(t)
	files := gated("lock = \"apply\"\n")
	s := newStage(t, stageOptions{files: files, env: []string{"TIDELOCK_CONFIG=" + config}})
	s.repo.Collaborator("alan", "read")
	s.repo.Collaborator("eve", "admin")
	s.gh.Team("acme", "security", "", "alan")

	first := s.open("first", githubtest.Files{"network/main.tf": g.apply("v2")})
	s.says(first, "⛔ **Policy: 1 violation must be mended")
	s.says(first, "by 2 owners (`grace`, `acme/security`)")
	first.Comment("ada", "approve-policies")
	s.replied(first, "Who opened the pull request can't accept its policy findings. Ask `grace`, `acme/security`")
	first.Comment("eve", "approve-policies") // administers the repository, and owns no policy
	s.replied(first, "@eve can't accept policy findings")
	first.Comment("grace", `approve-policies --for 30d --reason "until it is an image"`)
	s.replied(first, "1 more owner must accept it")
	s.says(first, "1 of 2 owners")
	first.Comment("ada", "apply")
	s.replied(first, "not everything that was found is accepted by as many owners as are needed")
	second := s.open("second", githubtest.Files{"network/main.tf": g.apply("v3")})
	s.says(second, "1 of 2 owners")
	first.Comment("alan", `approve-policies --rule 'terraform.*' --for 30d --reason "as grace says"`)
	s.replied(first, "No policy keeps `network` from being applied any more.")
	s.says(first, "### 📋 Plan:")
	s.says(first, "as grace says")
	s.says(second, "### 📋 Plan:") // whose comment is brought up to date by a word in another pull
	s.says(second, "as grace says")
	first.Comment("ada", "apply")
	g.reached()
	second.Comment("ada", "apply")
	s.says(second, "waits for")
	s.exec("UPDATE policy_waivers SET expires_ms=given_ms+1") // as if the month had passed
	g.open()
	s.says(first, "✅ Applied 1 project")
	s.says(second, "accepted was so until")
	s.says(second, "was accepted by")
	if n := statuses(s.runs(), "network", run.Apply); n[run.Applied] != 1 || n[run.Held] != 1 {
		t.Errorf("the applies ended as %v", n)
	}

	third := s.open("third", githubtest.Files{"network/main.tf": g.apply("v4")})
	s.says(third, "⛔ **Policy: 1 violation must be mended")
	s.says(third, "expired")
	third.Comment("ada", "apply")
	s.replied(third, "**Nothing was applied.**")
	eventually(t, "the trail to have both ends", func() bool { return s.query("SELECT COUNT(*) FROM events WHERE action='policy.expire'") == 2 })
	if n := s.query("SELECT COUNT(*) FROM events WHERE action='policy.waive'"); n != 2 {
		t.Errorf("%d words in the trail", n)
	}
}
