package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/run"
)

// watched is a repository whose one project with an object makes it as a file
// in the folder, where the test can change it behind Terraform's back.
func watched(world, config string) githubtest.Files {
	return githubtest.Files{
		"tidelock.hcl": config,
		"live/web/main.tf": fmt.Sprintf(`terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}
provider "aws" {
  region      = "eu-central-1"
  standin_dir = %q
}
`, world),
		"live/unused/main.tf": "resource \"terraform_data\" \"x\" {}\n", // never applied, and so without a state
	}
}

const logGroup = "resource \"aws_cloudwatch_log_group\" \"app\" {\n  name              = \"/app/web\"\n  retention_in_days = 30\n}\n" +
	"resource \"aws_ssm_parameter\" \"secret\" {\n  name  = \"password\"\n  type  = \"SecureString\"\n  value = \"hunter2-the-secret\"\n}\n"

// changeWorld edits the log group as somebody at the console would.
func changeWorld(t *testing.T, world, from, to string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(world, "aws", "aws_cloudwatch_log_group", "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the world has %v, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil || !bytes.Contains(text, []byte(from)) {
		t.Fatalf("the object lacks %q: %s, %v", from, text, err)
	}
	if err := os.WriteFile(files[0], bytes.ReplaceAll(text, []byte(from), []byte(to)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// exec changes the server's own database.
func (s *stage) exec(sql string) {
	s.t.Helper()
	d, err := db.Open(s.t.Context(), s.dsn)
	if err != nil {
		s.t.Fatal(err)
	}
	defer d.Close()
	if err := d.Tx(s.t.Context(), func(tx *db.Tx) error {
		_, err := tx.ExecContext(context.Background(), sql)
		return err
	}); err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
}

// tick makes the schedules overdue by a year, as for a server that was away,
// and waits until the check that comes of it is through.
func (s *stage) tick() {
	s.t.Helper()
	const ended = "SELECT COUNT(*) FROM drift_checks WHERE actor LIKE '%schedule%' AND status='done'"
	before := s.query(ended)
	s.exec("UPDATE drift_schedules SET next_ms=1 WHERE next_ms>0")
	eventually(s.t, "the check of a schedule to be through", func() bool { return s.query(ended) == before+1 })
	if n := s.query("SELECT COUNT(*) FROM drift_checks WHERE actor LIKE '%schedule%'"); n != before+1 {
		s.t.Errorf("one tick made %d checks", n-before)
	}
}

// tidelock runs a command on the server's configuration and returns what it
// printed and its exit code.
func (s *stage) tidelock(args ...string) (string, int) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), s.binary, args...)
	cmd.Args[0] = "tidelock" // where the test binary is the program, it knows so by that
	cmd.Env = s.env
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// From a clean project over drift that is told in one issue, and a pull request
// that takes it back, to a clean one again.
func TestDriftIsToldAndTakenBack(t *testing.T) {
	t.Parallel()
	world := t.TempDir()
	s := newStage(t, stageOptions{providers: true, env: []string{"TIDELOCK_POLICY_DISABLED=true"},
		files: watched(world, "drift {\n  schedule = \"0 4 * * *\"\n  timezone = \"Europe/Vienna\"\n}\nproject \"web\" {\n  dir = \"live/web\"\n  drift {\n    remediate = \"pull\"\n  }\n}\n")})
	p := s.open("feature", githubtest.Files{"live/web/app.tf": logGroup})
	s.says(p, "### 📋 Plan: 2 to add")
	s.merge(p)
	s.says(p, "✅ Applied 1 project")

	out, code := s.tidelock("drift", "run", "--repo", "acme/infra", "--wait")
	if code != exitOK || !strings.Contains(out, "clean") || strings.Contains(out, "live/unused") {
		t.Fatalf("before any drift: exit code %d\n%s", code, out)
	}
	if n := len(s.repo.Issues()); n != 0 {
		t.Fatalf("%d issues without drift", n)
	}

	changeWorld(t, world, `"retention_in_days": 30`, `"retention_in_days": 7`)
	s.tick()
	s.until("the issue to be opened", func() bool { return len(s.repo.Issues()) == 1 })
	issue := s.repo.Issues()[0]
	for _, want := range []string{"retention_in_days", "`web`", "~1"} {
		if !strings.Contains(issue.Body, want) {
			t.Errorf("the issue lacks %q:\n%s", want, issue.Body)
		}
	}
	if !issue.Open || issue.Title != "Drift in 1 of 1 project" || issue.Author != "tidelock[bot]" || strings.Contains(issue.Body, "hunter2") {
		t.Errorf("the issue: %+v", issue)
	}
	s.until("the pull request that takes it back", func() bool { return len(s.repo.Pulls()) == 2 })
	back := s.repo.Pulls()[1]
	if body := s.says(back, "### 📋 Plan: 0 to add, 1 to change"); !strings.Contains(body, "7") || !strings.Contains(body, "30") {
		t.Errorf("its plan does not show what would be turned back:\n%s", body)
	}
	s.until("the issue to name it", func() bool {
		return strings.Contains(s.repo.Issues()[0].Body, fmt.Sprintf("#%d takes it back", back.Number()))
	})
	out, code = s.tidelock("drift", "status", "--json")
	if code != exitDrift || !strings.Contains(out, `"status": "drifted"`) || !strings.Contains(out, fmt.Sprintf(`"issue": %d`, issue.Number)) {
		t.Errorf("exit code %d\n%s", code, out)
	}

	// Another drift of the same project is told in the same two places.
	changeWorld(t, world, `"retention_in_days": 7`, `"retention_in_days": 3`)
	head := back.State().HeadSHA
	s.tick()
	s.until("the pull request to be planned again", func() bool {
		return back.State().HeadSHA != head && strings.Contains(s.answer(back), back.State().HeadSHA[:7])
	})
	if len(s.repo.Pulls()) != 2 || len(s.repo.Issues()) != 1 {
		t.Errorf("%d pull requests and %d issues", len(s.repo.Pulls()), len(s.repo.Issues()))
	}
	if body := s.says(back, "3 -> 30"); strings.Contains(body, "7 -> 30") { // the plan is no earlier one
		t.Errorf("the plan of the newer drift:\n%s", body)
	}

	s.merge(back)
	s.says(back, "✅ Applied 1 project")
	changeWorld(t, world, `"retention_in_days": 30`, `"retention_in_days": 30`) // it is what the code says
	s.tick()
	s.until("the issue to be closed", func() bool { return !s.repo.Issues()[0].Open })
	if last := s.repo.Issues()[0]; last.Number != issue.Number || last.Title != "Drift: none any more" || !strings.Contains(last.Body, "No drift any more") {
		t.Errorf("the issue: %+v", last)
	}
	if out, code = s.tidelock("drift", "status"); code != exitOK || !strings.Contains(out, "clean") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if out, code = s.tidelock("drift", "history", "--repo", "acme/infra", "--project", "live/web"); code != exitOK || strings.Count(out, "drift: 1 changed") != 2 || strings.Count(out, "clean") != 2 {
		t.Errorf("the history, exit code %d\n%s", code, out)
	}
	for _, r := range s.runs() {
		if r.Kind == run.Drift && (r.Pull != 0 || r.Status != run.Planned) {
			t.Errorf("a drift check of #%d is %s", r.Pull, r.Status)
		}
	}
	if n := s.query("SELECT COUNT(*) FROM locks"); n != 0 {
		t.Errorf("%d locks are left", n)
	}
}

// The server dies after GitHub has made the issue and before it knows: the next
// one finds it, and opens no second one. The person who closes it is heard.
func TestFault07_DriftIssueIsOpenedOnce(t *testing.T) {
	t.Parallel()
	world := t.TempDir()
	s := newStage(t, stageOptions{providers: true, env: []string{"TIDELOCK_POLICY_DISABLED=true", "TIDELOCK_DRIFT_SCHEDULE=0 4 * * *"}, files: watched(world, "")})
	p := s.open("feature", githubtest.Files{"live/web/app.tf": logGroup})
	s.says(p, "### 📋 Plan: 2 to add")
	s.merge(p)
	s.says(p, "✅ Applied 1 project")
	changeWorld(t, world, `"retention_in_days": 30`, `"retention_in_days": 7`)

	clear := s.gh.Faults().Refuse(githubtest.Refusal{Status: http.StatusBadGateway, Done: true,
		Match: func(method, path string) bool { return method == http.MethodPost && strings.HasSuffix(path, "/issues") }})
	if out, code := s.tidelock("drift", "run", "--repo", "acme/infra"); code != exitOK {
		t.Fatalf("exit code %d: %s", code, out)
	}
	s.until("GitHub to make the issue", func() bool { return len(s.repo.Issues()) == 1 })
	s.kill()
	clear()
	s.start()
	eventually(s.t, "the issue to be known", func() bool {
		return s.query("SELECT COUNT(*) FROM drift_repos WHERE issue_state='open' AND issue>0") == 1
	})
	if n := len(s.repo.Issues()); n != 1 {
		t.Fatalf("%d issues", n)
	}

	number := s.repo.Issues()[0].Number
	s.repo.SetIssue(number, false)
	s.tick()
	eventually(s.t, "the person's word to be heard", func() bool { return s.query("SELECT COUNT(*) FROM drift_repos WHERE issue_state='dismissed'") == 1 })
	if s.repo.Issues()[0].Open {
		t.Error("it was opened again for the same drift")
	}
	changeWorld(t, world, `"retention_in_days": 7`, `"retention_in_days": 3`)
	s.tick()
	s.until("another drift to open it again", func() bool { return s.repo.Issues()[0].Open })
	if n := len(s.repo.Issues()); n != 1 {
		t.Errorf("%d issues", n)
	}
}

// A drift check takes nothing that a pull request's plan waits for: it gives
// its place on the machine up, and begins again afterwards.
func TestDriftGivesWayToPlans(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_TERRAFORM_PARALLEL=1", "TIDELOCK_TERRAFORM_GRACE=1s"}}) // one that stands at a gate does not hear that it shall end
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	s.merge(p)
	s.says(p, "✅ Applied 1 project")
	g := newGate(t)
	s.repo.Commit("grace", "main", "A slow look", githubtest.Files{"network/outputs.tf": fmt.Sprintf("output \"slow\" {\n  value = trimspace(file(%q))\n}\n", g.path)})
	if out, code := s.tidelock("drift", "run", "--project", "net*"); code != exitOK {
		t.Fatalf("exit code %d: %s", code, out)
	}
	g.reached() // the only place is taken
	other := s.open("other", githubtest.Files{"other/main.tf": resource("b", "v1")})
	s.says(other, "### 📋 Plan: 1 to add")
	g.rearm()
	g.open()
	eventually(t, "the check to be through after all", func() bool { return s.query("SELECT COUNT(*) FROM drift_checks WHERE status='done'") == 1 })
	if st := statuses(s.runs(), "network", run.Drift); st[run.Planned] != 1 || len(st) != 1 {
		t.Errorf("drift checks %v", st)
	}
	if n := s.query("SELECT COUNT(*) FROM drift_projects"); n != 1 {
		t.Errorf("%d projects are known", n)
	}
}
