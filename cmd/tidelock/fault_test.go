package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/toolchain"
)

// oneComment asserts that the bot has posted its comment and no other.
func (s *stage) oneComment(p *githubtest.Pull) {
	s.t.Helper()
	n := 0
	for _, c := range p.Comments() {
		if c.ByApp {
			n++
		}
	}
	if n != 1 {
		s.t.Errorf("the bot has posted %d comments, not one:\n%s", n, conversation(p))
	}
}

// query asks the server's own database for one number.
func (s *stage) query(sql string) int {
	s.t.Helper()
	d, err := db.Open(s.t.Context(), s.dsn)
	if err != nil {
		s.t.Fatal(err)
	}
	defer d.Close()
	var n int
	if err := d.QueryRowContext(s.t.Context(), sql).Scan(&n); err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
	return n
}

// The server is dead while GitHub delivers: the sweep of the next start finds
// what was never acknowledged.
func TestFault01_WebhookNeverStoredIsSweptUp(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	s.kill()
	p := s.open("feature", network("v2"))
	if err := s.gh.Quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.start()
	s.says(p, "### 📋 Plan: 1 to add")
}

// A delivery that was stored is worked off after the kill, and GitHub's second
// attempt, with the same GUID, does nothing.
func TestFault02_RedeliveryIsRecognised(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	s.kill()
	s.start()
	for _, d := range s.gh.Deliveries() {
		if d.Event == "pull_request" {
			s.gh.Redeliver(d.ID)
		}
	}
	if err := s.gh.Quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.merge(p)
	s.says(p, "✅ Applied 1 project")
	if n := count(s.runs(), run.Plan); n != 1 {
		t.Errorf("%d plans, not 1", n)
	}
	s.oneComment(p)
}

// Clone, init, plan and after: wherever the server dies, the pull request is
// planned in the end, and told once.
func TestFault03_KilledWhileCloning(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	asked := make(chan struct{}, 1)
	clear := s.gh.Faults().Refuse(githubtest.Refusal{Status: http.StatusServiceUnavailable, Match: func(method, path string) bool {
		if method != "GIT" {
			return false
		}
		select {
		case asked <- struct{}{}:
		default:
		}
		return true
	}})
	p := s.open("feature", network("v2"))
	<-asked
	s.kill()
	clear()
	s.start()
	s.says(p, "### 📋 Plan: 1 to add")
	s.oneComment(p)
}

func TestFault05_KilledWhilePlanning(t *testing.T) {
	for _, c := range []struct {
		name   string
		runner bool // the runner dies with the server
	}{{"the server", false}, {"server and runner", true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := newGate(t)
			s := newStage(t, stageOptions{})
			p := s.open("feature", githubtest.Files{"network/main.tf": g.plan()})
			g.reached()
			if c.runner {
				if err := syscall.Kill(s.runnerOf(), syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
			}
			s.kill()
			g.open()
			s.start()
			s.says(p, "### 📋 Plan: 1 to add")
			s.oneComment(p)
			s.merge(p)
			s.says(p, "✅ Applied 1 project")
		})
	}
}

// A plan whose runner is killed each time, for want of memory for example, is
// not tried for ever: the comment says what happened.
func TestFault05_PlanThatIsAlwaysKilledFails(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	s := newStage(t, stageOptions{})
	p := s.open("feature", githubtest.Files{"network/main.tf": g.plan()})
	last := 0
	for range 3 {
		eventually(t, "another runner", func() bool {
			pids := s.runners()
			return len(pids) == 1 && pids[0] != last
		})
		g.reached()
		g.rearm()
		last = s.runnerOf()
		if err := syscall.Kill(last, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	s.says(p, "The process that planned was killed")
	s.check(p, "tidelock/plan", "failure")
}

// Terraform stands in its init when everything dies: the plan is begun again.
func TestFault04_KilledDuringInit(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	tf, err := toolchain.Terraform(t.Context(), toolchain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	slow := filepath.Join(t.TempDir(), "terraform")
	script := fmt.Sprintf("#!/bin/sh\ncase \" $* \" in *\" init \"*) read line <'%s' ;; esac\nexec '%s' \"$@\"\n", g.path, tf.Path)
	if err := os.WriteFile(slow, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_TERRAFORM_BINARY=" + slow}})
	p := s.open("feature", network("v2"))
	g.reached()
	if err := syscall.Kill(s.runnerOf(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.kill()
	g.open()
	s.start()
	s.says(p, "### 📋 Plan: 1 to add")
	s.oneComment(p)
}

// The runner ends well while no server is there to store what it made. Where
// its folder is still there the next server takes that; where it is lost with
// the disk, it plans again.
func TestFault06_PlannedAndNotStored(t *testing.T) {
	for name, lost := range map[string]bool{"the folder is there": false, "the folder is lost": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGate(t)
			s := newStage(t, stageOptions{})
			p := s.open("feature", githubtest.Files{"network/main.tf": g.plan()})
			g.reached()
			runner := s.runnerOf()
			s.kill()
			g.open()
			eventually(t, "the runner's end", func() bool { return syscall.Kill(runner, 0) != nil })
			if lost {
				if err := os.RemoveAll(filepath.Join(s.data, "runs")); err != nil {
					t.Fatal(err)
				}
			}
			s.start()
			s.says(p, "### 📋 Plan: 1 to add")
			s.oneComment(p)
			s.merge(p)
			s.says(p, "✅ Applied 1 project")
		})
	}
}

// The plan is stored and GitHub takes no comment; then the server dies.
func TestFault07_StoredAndNotCommented(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	clear := s.gh.Faults().Refuse(githubtest.Refusal{Status: http.StatusBadGateway, Match: func(method, path string) bool {
		return method == http.MethodPost && strings.HasSuffix(path, "/comments")
	}})
	p := s.open("feature", network("v2"))
	eventually(t, "the plan to be stored", func() bool {
		runs := s.runs()
		return len(runs) == 1 && runs[0].Status == run.Planned
	})
	s.kill()
	clear()
	s.start()
	s.says(p, "### 📋 Plan: 1 to add")
	s.oneComment(p)
}

// GitHub posts the comment, but the answer that says so is lost.
func TestFault07_CommentedAndAnswerLost(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	s.gh.Faults().Refuse(githubtest.Refusal{Status: http.StatusBadGateway, Times: 1, Done: true, Match: func(method, path string) bool {
		return method == http.MethodPost && strings.HasSuffix(path, "/comments")
	}})
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	s.check(p, "tidelock/plan", "success")
	s.oneComment(p)
}

// The server dies while Terraform applies. The runner lives on, and the next
// server stores what it did.
func TestFault09_KilledWhileApplying(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	s := newStage(t, stageOptions{detect: true})
	p := s.open("feature", githubtest.Files{"network/main.tf": g.apply("v2")})
	s.says(p, "### 📋 Plan: 1 to add")
	s.merge(p)
	g.reached()
	s.kill()
	g.open()
	s.start()
	s.says(p, "✅ Applied 1 project")
	s.written("network", `"v2"`)
	if g.times() != 1 {
		t.Errorf("applied %d times", g.times())
	}
	s.oneComment(p)
}

// The server dies, and the apply ends while nobody watches: the result that
// the runner left is what counts.
func TestFault11_AppliedWhileTheServerWasDead(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	s := newStage(t, stageOptions{})
	p := s.open("feature", githubtest.Files{"network/main.tf": g.apply("v2")})
	s.says(p, "### 📋 Plan: 1 to add")
	s.merge(p)
	g.reached()
	s.kill()
	g.open()
	eventually(t, "the runner to leave its result", func() bool {
		found, _ := filepath.Glob(filepath.Join(s.data, "runs", "*", "result.json"))
		return len(found) == 1
	})
	s.start()
	s.says(p, "✅ Applied 1 project")
	s.written("network", `"v2"`)
	if g.times() != 1 {
		t.Errorf("applied %d times", g.times())
	}
}

// Terraform or its runner is killed in mid-apply. Nothing starts it again: the
// lock stays until a person has decided.
func TestFault10_KilledInMidApply(t *testing.T) {
	for _, victim := range []string{"runner", "runner and server", "terraform"} {
		t.Run(victim, func(t *testing.T) {
			t.Parallel()
			g := newGate(t)
			s := newStage(t, stageOptions{})
			early := "resource \"terraform_data\" \"early\" {\n  input = \"made before the kill\"\n}\n"
			p := s.open("feature", githubtest.Files{"network/main.tf": early + strings.Replace(g.apply("v2"), "{\n", "{\n  depends_on = [terraform_data.early]\n", 1)})
			s.says(p, "### 📋 Plan: 2 to add")
			s.merge(p)
			g.reached()
			pid := s.runnerOf()
			if victim == "terraform" {
				pid = childOf(t, pid, " apply ")
			}
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			if victim == "runner and server" {
				s.kill()
				s.start()
			}
			body := s.says(p, "was interrupted")
			if !strings.Contains(body, "`unlock`") {
				t.Errorf("the comment does not say what to do:\n%s", body)
			}
			s.check(p, "tidelock/apply", "action_required")
			s.written("network", "made before the kill")
			eventually(t, "the children to be gone", func() bool {
				for _, p := range processes(t) {
					if strings.Contains(p.command, g.path) {
						return false
					}
				}
				return true
			})

			other := s.open("other", githubtest.Files{"network/more.tf": "resource \"terraform_data\" \"more\" {}\n"})
			s.says(other, "waits for #1")
			s.kill() // not even a restart replays it
			s.start()
			p.Comment("grace", "unlock")
			s.replied(p, "Unlocked `network`")
			if g.times() != 1 {
				t.Errorf("applied %d times", g.times())
			}
			g.open()
			s.says(other, "terraform_data.more will be created")
		})
	}
}

// An apply failed and its lock waits for a person: that GitHub tells of the
// merge again takes it from nobody.
func TestFault14_MergeToldAgainAfterAFailedApply(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	p := s.open("feature", githubtest.Files{"network/main.tf": "resource \"terraform_data\" \"net\" {\n  provisioner \"local-exec\" {\n    command = \"exit 3\"\n  }\n}\n"})
	s.says(p, "### 📋 Plan: 1 to add")
	s.merge(p)
	s.says(p, "The apply of `network` failed")
	locks := func() int { return s.query("SELECT COUNT(*) FROM locks WHERE pull=1") }
	if n := locks(); n != 1 {
		t.Fatalf("%d locks after the apply, not 1", n)
	}
	jobs := s.query("SELECT COUNT(*) FROM river_job WHERE kind='merged' AND state='completed'")
	body := fmt.Sprintf(`{"action":"closed","number":%d,"pull_request":{"number":%d,"head":{},"base":{}},
		"repository":{"id":%d,"name":"infra","full_name":"acme/infra","owner":{"login":"acme"},"default_branch":"main"},
		"sender":{"login":"grace","id":1,"type":"User"},"installation":{"id":%d}}`, p.Number(), p.Number(), s.repo.ID(), s.repo.Installation())
	if status := s.post("pull_request", "again-0001", []byte(body)); status != http.StatusAccepted {
		t.Fatalf("status %d", status)
	}
	eventually(t, "the second telling to be worked off", func() bool {
		return s.query("SELECT COUNT(*) FROM river_job WHERE kind='merged' AND state='completed'") > jobs
	})
	if n := locks(); n != 1 {
		t.Errorf("%d locks afterwards, not 1", n)
	}
	if n := count(s.runs(), run.Apply); n != 1 {
		t.Errorf("%d applies", n)
	}
}

// The apply's result is stored and GitHub is away; then the server dies.
func TestFault12_AppliedAndNotTold(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	s.check(p, "tidelock/plan", "success")
	clear := s.gh.Faults().Refuse(githubtest.Refusal{Status: http.StatusInternalServerError, Match: func(method, path string) bool {
		return method == http.MethodPost || method == http.MethodPatch
	}})
	s.merge(p)
	eventually(t, "the apply to be stored", func() bool {
		runs := s.runs()
		return runs[0].Kind == run.Apply && runs[0].Status == run.Applied
	})
	s.kill()
	clear()
	s.start()
	s.says(p, "✅ Applied 1 project")
	s.check(p, "tidelock/apply", "success")
	s.oneComment(p)
}

// A webhook is lost while the server lives.
func TestFault13_LostWebhookIsFound(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_GITHUB_SWEEP_INTERVAL=1s"}})
	s.repo.Commit("ada", "feature", "Change", network("v2"))
	if err := s.gh.Quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.gh.Faults().Drop(1)
	p := s.repo.Open("ada", githubtest.PullRequest{Title: "Change", Head: "feature"})
	s.says(p, "### 📋 Plan: 1 to add")
}

func TestFault14_DuplicateWebhook(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{detect: true})
	s.gh.Faults().Duplicate(1000, 99)
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	s.merge(p)
	s.says(p, "✅ Applied 1 project")
	if err := s.gh.Quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	if runs := s.runs(); count(runs, run.Plan) != 1 || count(runs, run.Apply) != 1 {
		t.Errorf("%d plans and %d applies, not 1 and 1", count(runs, run.Plan), count(runs, run.Apply))
	}
}

// Opened, pushed to, pushed to: told last first.
func TestFault15_WebhooksOutOfOrder(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	s.repo.Commit("ada", "feature", "One", network("v2"))
	if err := s.gh.Quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.gh.Faults().Reorder(5) // opened, and for each of two pushes: push, synchronize
	p := s.repo.Open("ada", githubtest.PullRequest{Title: "Change", Head: "feature"})
	s.repo.Commit("ada", "feature", "Two", githubtest.Files{"network/two.tf": "resource \"terraform_data\" \"two\" {}\n"})
	s.repo.Commit("ada", "feature", "Three", githubtest.Files{"network/three.tf": "resource \"terraform_data\" \"three\" {}\n"})
	s.says(p, "### 📋 Plan: 3 to add")
	s.check(p, "tidelock/plan", "success")
	if err := s.gh.Quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "every delivery to be worked off", func() bool {
		return s.query("SELECT COUNT(*) FROM deliveries WHERE status='queued'") == 0
	})
	s.says(p, "### 📋 Plan: 3 to add")
	if n := count(s.runs(), run.Plan); n != 1 {
		t.Errorf("%d plans, not 1: older heads were planned", n)
	}
}

// The merge comes while the plan is being made.
func TestFault16_MergedWhilePlanning(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	s := newStage(t, stageOptions{})
	p := s.open("feature", githubtest.Files{"network/main.tf": g.plan()})
	g.reached()
	s.merge(p)
	eventually(t, "the merge to be heard", func() bool { return s.query("SELECT COUNT(*) FROM changes WHERE merge_sha<>''") == 1 })
	g.open()
	s.says(p, "✅ Applied 1 project")
}

// A push comes while an apply runs: the apply ends in peace, and the new head
// gets a plan of its own.
func TestFault17_PushWhileApplying(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_DEFAULTS_APPLY_BEFORE_MERGE=true"}})
	p := s.open("feature", githubtest.Files{"network/main.tf": g.apply("v2")})
	s.says(p, "### 📋 Plan: 1 to add")
	p.Comment("ada", "apply")
	g.reached()
	s.repo.Commit("ada", "feature", "More", githubtest.Files{"network/more.tf": "resource \"terraform_data\" \"more\" {}\n"})
	eventually(t, "the push to be heard", func() bool { return s.query("SELECT COUNT(*) FROM changes") == 2 })
	g.open()
	s.says(p, "### 📋 Plan: 1 to add")
	s.says(p, "terraform_data.more will be created")
	if g.times() != 1 {
		t.Errorf("applied %d times", g.times())
	}
	s.written("network", `"v2"`)
	if n := s.query("SELECT COUNT(*) FROM runs WHERE kind='apply' AND status='applied'"); n != 1 {
		t.Errorf("%d applies ended well, not 1", n)
	}
	s.oneComment(p)
}

func TestFault18_GitHubIsDown(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	up := s.gh.Faults().Down()
	p := s.open("feature", network("v2"))
	before := len(s.gh.Calls())
	s.until("the bot to have tried", func() bool { return len(s.gh.Calls()) > before+2 })
	up()
	s.says(p, "### 📋 Plan: 1 to add")
	s.merge(p)
	s.says(p, "✅ Applied 1 project")
	s.oneComment(p)
}

func TestFault19_PrimaryLimit(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	reset := time.Now().Add(3 * time.Second)
	s.gh.Faults().Primary(http.StatusForbidden, reset)
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	s.oneComment(p)
}

func TestFault20_SecondaryLimit(t *testing.T) {
	for _, status := range []int{http.StatusForbidden, http.StatusTooManyRequests} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			s := newStage(t, stageOptions{})
			s.gh.Faults().Secondary(status, 1, time.Second)
			p := s.open("feature", network("v2"))
			s.says(p, "### 📋 Plan: 1 to add")
			s.check(p, "tidelock/plan", "success")
			s.oneComment(p)
		})
	}
}

func TestFault21_TokenExpiresWhileApplying(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	s := newStage(t, stageOptions{})
	p := s.open("feature", githubtest.Files{"network/main.tf": g.apply("v2")})
	s.says(p, "### 📋 Plan: 1 to add")
	s.merge(p)
	g.reached()
	s.gh.Faults().ExpireTokens()
	g.open()
	s.says(p, "✅ Applied 1 project")
	s.check(p, "tidelock/apply", "success")
}

// The App is suspended while a plan runs: what waits is canceled, and nobody
// asks GitHub for ever.
func TestFault22_Suspended(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_TERRAFORM_GRACE=1s"}})
	p := s.open("feature", githubtest.Files{"network/main.tf": g.plan()})
	g.reached()
	id := s.repo.Installation()
	s.gh.Suspend(id)
	eventually(t, "the run to be canceled", func() bool { return s.query("SELECT COUNT(*) FROM runs WHERE status='canceled'") == 1 })
	if n := s.query("SELECT COUNT(*) FROM events WHERE action='plan.cancel'"); n != 1 {
		t.Errorf("%d audit events tell of it, not 1", n)
	}
	g.open()
	s.gh.Unsuspend(id)
	s.repo.Commit("ada", "feature", "Again", network("v3"))
	s.says(p, "### 📋 Plan: 1 to add")
}

// Terraform hangs: it is interrupted, then killed, and the plan has failed.
func TestFault27_PlanHangs(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_TERRAFORM_PLAN_TIMEOUT=10s", "TIDELOCK_TERRAFORM_GRACE=1s"}})
	p := s.open("feature", githubtest.Files{"network/main.tf": g.plan()})
	g.reached()
	s.says(p, "It took longer than 10s and was stopped")
	s.check(p, "tidelock/plan", "failure")
}

// An apply that hangs is stopped too, but nobody can know what it did.
func TestFault27_ApplyHangs(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_TERRAFORM_APPLY_TIMEOUT=10s", "TIDELOCK_TERRAFORM_GRACE=1s"}})
	p := s.open("feature", githubtest.Files{"network/main.tf": g.apply("v2")})
	s.says(p, "### 📋 Plan: 1 to add")
	s.merge(p)
	g.reached()
	s.says(p, "A person must decide")
	s.check(p, "tidelock/apply", "action_required")
	if g.times() != 1 {
		t.Errorf("applied %d times", g.times())
	}
}

// Somebody works on a state by hand, one of a backend of the code's own and one
// that the server keeps, which a laptop has locked with a token: the comment says
// who, and the plan is made when they have let go.
func TestFault28_StateLockedByAnother(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	s := newStage(t, stageOptions{files: githubtest.Files{
		"a/main.tf":    "terraform {\n  backend \"local\" {\n    path = " + fmt.Sprintf("%q", filepath.Join(t.TempDir(), "shared.tfstate")) + "\n  }\n}\n",
		"b/main.tf":    "resource \"terraform_data\" \"b\" {}\n",
		"tidelock.hcl": "lock = \"apply\"\n",
	}, env: []string{"TIDELOCK_TERRAFORM_PARALLEL=2"}})
	first := s.open("first", githubtest.Files{"a/x.tf": g.plan()})
	g.reached()
	told, code := s.tidelock("token", "create", "carol", "--client", "acme", "--scope", "write,lock", "--json")
	var token struct{ Token string }
	if err := json.Unmarshal([]byte(told), &token); err != nil || code != 0 {
		t.Fatalf("no token: %v\n%s", err, told)
	}
	laptop := func(method, query, body string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.listen+"/state/acme/infra/b"+query, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth("carol", token.Token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", method, resp.Status)
		}
	}
	const lock = `{"ID":"L1","Operation":"OperationTypeApply","Who":"carol@laptop"}`
	laptop("LOCK", "", lock)
	laptop(http.MethodPost, "?ID=L1", `{"version":4,"terraform_version":"1.5.0","serial":1,"lineage":"carols","outputs":{},"resources":[]}`)
	if out, code := s.tidelock("state", "bind", "acme/infra/b", "--repo", "acme/infra", "--project", "b"); code != 0 {
		t.Fatal(out)
	}
	second := s.open("second", githubtest.Files{"a/y.tf": "resource \"terraform_data\" \"y\" {}\n"})
	third := s.open("third", githubtest.Files{"b/main.tf": "resource \"terraform_data\" \"c\" {}\n"})
	if body := s.says(third, "Somebody else holds the lock of the state"); !strings.Contains(body, "carol@laptop") {
		t.Errorf("it does not say who:\n%s", body)
	}
	laptop("UNLOCK", "", lock)
	if body := s.says(second, "Somebody else holds the lock of the state"); !strings.Contains(body, "Who: ") {
		t.Errorf("it does not say who:\n%s", body)
	}
	g.open()
	for _, p := range []*githubtest.Pull{first, second, third} {
		s.says(p, "### 📋 Plan: 1 to add")
	}
	for _, r := range s.runs() {
		if r.Project.Dir == "b" && r.StateLineage != "carols" {
			t.Errorf("planned from another state: %+v", r)
		}
	}
}

// A delivery that can't be read is set aside, visible, and keeps nothing else
// waiting.
func TestFault37_PoisonDelivery(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	body := []byte(`{"action":"opened","number":"seven","pull_request":[],"repository":{"id":1},"installation":{"id":1}}`)
	if status := s.post("pull_request", "poison-0001", body); status != http.StatusAccepted {
		t.Fatalf("status %d", status)
	}
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	eventually(t, "the poison to be set aside", func() bool {
		return s.query("SELECT COUNT(*) FROM deliveries WHERE guid='poison-0001' AND status='failed' AND error<>''") == 1
	})
}

// A data folder that is full of what killed processes left is tidied up.
func TestFault03_LeftoversAreRemoved(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	s.kill()
	stale := filepath.Join(s.data, "trees", "01a20000-0000-7000-8000-000000000000", "tree")
	if err := os.MkdirAll(stale, 0o700); err != nil {
		t.Fatal(err)
	}
	s.start()
	if _, err := os.Stat(stale); !os.IsNotExist(err) {
		t.Errorf("a dead change's work tree is still there: %v", err)
	}
}
