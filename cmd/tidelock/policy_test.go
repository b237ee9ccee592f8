package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/run"
)

// folder reads a folder of testdata as a repository's files.
func folder(t *testing.T, elem ...string) githubtest.Files {
	t.Helper()
	root := filepath.Join(append([]string{"..", "..", "testdata"}, elem...)...)
	files := githubtest.Files{}
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(root, path))
		files[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func newAcme(t *testing.T) *stage {
	t.Helper()
	return newStage(t, stageOptions{files: folder(t, "repos", "acme-infra"), providers: true})
}

// A policy forbids it, the author mends it, it is merged and applied: a
// client's day.
func TestPolicyBlocksThenMended(t *testing.T) {
	t.Parallel()
	s := newAcme(t)
	p := s.open("ssh", folder(t, "pulls", "acme-infra", "open-ssh"))
	body := s.says(p, "⛔ A policy forbids this plan")
	for _, want := range []string{"0.0.0.0/0", "aws_security_group_rule.worker_ssh", "aws_s3_bucket.ssh_sessions", "a month", "Mend what the findings name"} {
		if !strings.Contains(body, want) {
			t.Errorf("the comment lacks %q:\n%s", want, body)
		}
	}
	s.check(p, "tidelock/plan", "failure")
	assertInert(t, body)

	s.repo.Commit("ada", "ssh", "Only from inside", folder(t, "pulls", "acme-infra", "mend-ssh"))
	s.says(p, "### 📋 Plan:")
	s.check(p, "tidelock/plan", "success")
	s.merge(p)
	s.says(p, "✅ Applied 1 project")
	s.check(p, "tidelock/apply", "success")

	// What an auditor is told of it: two plans, one of which a rule forbade.
	if out, code := s.tidelock("policy", "compliance", "--days", "1", "--format", "csv", "--framework", "soc2", "--repo", "acme/infra"); code != exitOK ||
		!regexp.MustCompile(`(?m)^soc2,CC6\.6,.*,security\.aws\.public_ingress,.*,mandatory,high,.*,2,1,1,1,0$`).MatchString(out) {
		t.Errorf("the record: %d\n%s", code, out)
	}

	// What other policies would have said of it.
	out, code := s.tidelock("policy", "replay", "--level", "security=off", "--repo", "acme/infra")
	if code != exitOK || !strings.Contains(out, "would pass  acme/infra#1") || !strings.Contains(out, "1 would pass now") || !strings.Contains(out, "- mandatory security.aws.public_ingress") {
		t.Errorf("replay without security: %d\n%s", code, out)
	}
	pack := filepath.Join(t.TempDir(), "frozen")
	if err := os.Mkdir(pack, 0o755); err != nil {
		t.Fatal(err)
	}
	rule := "package frozen\n\ndeny contains sprintf(\"%s is frozen\", [input.project.dir]) if input.pull.author == \"ada\"\n"
	if err := os.WriteFile(filepath.Join(pack, "p.rego"), []byte(rule), 0o600); err != nil {
		t.Fatal(err)
	}
	out, code = s.tidelock("policy", "replay", "--pack", pack, "--detailed-exitcode", "--json")
	if code != exitChanges || !strings.Contains(out, `"blocked": 1`) || !strings.Contains(out, `"stricter": 1`) || !strings.Contains(out, " is frozen") {
		t.Errorf("replay with a freeze: %d\n%s", code, out)
	}
}

// What a policy forbids is not applied by merging it either: it is held.
func TestForbiddenPlanIsHeldWhenMerged(t *testing.T) {
	t.Parallel()
	s := newAcme(t)
	p := s.open("ssh", folder(t, "pulls", "acme-infra", "open-ssh"))
	s.says(p, "⛔ A policy forbids this plan")
	s.merge(p)
	s.says(p, "✋")
	s.check(p, "tidelock/apply", "action_required")
	p.Comment("grace", "apply")
	s.replied(p, "**Nothing was applied.**")
	for _, r := range s.runs() {
		if r.Kind == run.Apply && r.Status != run.Held {
			t.Errorf("an apply is %s", r.Status)
		}
	}
}

// A label says that a loss is meant: the plan is judged again when it comes,
// and when it goes.
func TestLabelAllowsDestruction(t *testing.T) {
	t.Parallel()
	s := newAcme(t)
	first := s.open("begin", githubtest.Files{"data/begin.tf": "# The beginning.\n"})
	s.says(first, "### 📋 Plan:")
	s.merge(first)
	s.says(first, "✅ Applied 1 project")

	p := s.open("drop", folder(t, "pulls", "acme-infra", "drop-database"))
	s.says(p, "⛔ A policy forbids this plan")
	p.Label("grace", "allow-destroy")
	s.says(p, "### 📋 Plan:")
	s.check(p, "tidelock/plan", "success")
	p.Unlabel("grace", "allow-destroy")
	s.says(p, "⛔ A policy forbids this plan")
	s.check(p, "tidelock/plan", "failure")
}

// Four projects in two directories, each with variables and a workspace.
func TestGlobexPlatform(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: folder(t, "repos", "globex-platform"), providers: true})
	p := s.open("nodes", folder(t, "pulls", "globex-platform", "bigger-nodes"))
	body := s.says(p, "### 📋 Plan:")
	if !strings.Contains(body, "`azure-prod`") || strings.Contains(body, "`azure-staging`") {
		t.Errorf("the wrong project:\n%s", body)
	}
	p.Comment("ada", "plan -p azure-staging")
	s.says(p, "`azure-staging`")
	s.says(p, "in 2 projects")
	s.merge(p)
	s.says(p, "✅ Applied 2 projects")
}
