package main

import (
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// The defaults are what `make test` can afford; `make chaos` asks for more.
var (
	chaosSeed     = flag.Uint64("seed", 0, "chaos: the seed; 0 takes one from the clock")
	chaosWebhooks = flag.Int("webhooks", 80, "chaos: how many webhooks GitHub makes before all may come to rest")
	chaosKills    = flag.Int("kills", 4, "chaos: how many processes are killed meanwhile")
)

// chaos is a stage on which everything goes wrong at once: people work on the
// pull requests of several repositories of several clients, GitHub loses,
// doubles and shuffles the webhooks about it, and server, runners and Terraform
// are killed at random.
type chaos struct {
	*stage
	db      *db.DB
	rand    *rand.Rand
	repos   []*githubtest.Repo
	pulls   []*chaosPull
	effects string            // folder: every apply adds a line to the file of its key
	keys    map[string]string // head commit → key of what its apply does
	killed  map[string]int
}

type chaosPull struct {
	*githubtest.Pull
	repo         *githubtest.Repo
	branch, name string
	version      int
	shared       bool // changes the project that others change too
}

// TestChaos plays a bad day and then looks at what is left when everything has
// come to rest: nothing that GitHub acknowledged is lost, every open pull is
// planned at its newest head, and nothing was applied twice.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("runs whole servers; -short")
	}
	seed := *chaosSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d: go test ./cmd/tidelock -run TestChaos -seed %d -webhooks %d -kills %d", seed, seed, *chaosWebhooks, *chaosKills)
	began := time.Now()
	c := newChaos(t, seed)
	end := c.gh.Faults().Unreliable(githubtest.Unreliable{Seed: seed, Lost: 0.025, Dropped: 0.025, Doubled: 0.1, Window: 20})
	kills := 0
	for c.webhooks() < *chaosWebhooks || kills < *chaosKills {
		c.act()
		if kills < *chaosKills && kills**chaosWebhooks < c.webhooks()**chaosKills {
			c.killSomething()
			kills++
		}
		c.catchBreath()
	}
	lost, dropped, doubled := end()
	busy := time.Since(began)
	c.rest()
	c.nothingLost()
	c.opensPlanned()
	applied, waiting := c.mergedAppliedOnce()
	c.chainHolds()
	c.noStrays()
	plans := c.number("SELECT COUNT(*) FROM runs WHERE kind='plan' AND status='planned'")
	why := map[string]int{}
	rows, err := c.db.QueryContext(t.Context(), `SELECT CASE status WHEN 'held' THEN 'held: ' || substr(error, 1, 60) ELSE status END, COUNT(*) FROM runs WHERE kind='apply' GROUP BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var status string
		var n int
		if err := rows.Scan(&status, &n); err != nil {
			t.Fatal(err)
		}
		why[status] = n
	}
	rows.Close()
	t.Logf("%d webhooks (%d lost for good, %d lost on the way, %d doubled), %d kills (%v), %d pulls, %d plans, %d projects applied once, %d waiting for a person (applies: %v); busy for %v, at rest after %v",
		c.webhooks(), lost, dropped, doubled, kills, c.killed, len(c.pulls), plans, applied, waiting, why, busy.Round(time.Second), time.Since(began).Round(time.Second))
}

func newChaos(t *testing.T, seed uint64) *chaos {
	c := &chaos{
		rand: rand.New(rand.NewPCG(seed, 2)), effects: t.TempDir(), keys: map[string]string{}, killed: map[string]int{},
		stage: newStage(t, stageOptions{env: []string{
			"TIDELOCK_GITHUB_RECONCILE_INTERVAL=2s", "TIDELOCK_GITHUB_SWEEP_INTERVAL=2s", "TIDELOCK_TERRAFORM_PARALLEL=3", "TIDELOCK_LOG_LEVEL=info",
		}}),
	}
	c.repos = []*githubtest.Repo{c.repo}
	for _, full := range [][2]string{{"acme", "network"}, {"bolt", "infra"}, {"bolt", "data"}, {"crux", "infra"}} {
		r := c.gh.CreateRepo(full[0], full[1], githubtest.RepoOptions{Files: oneProject})
		r.Collaborator("ada", "write")
		r.Collaborator("grace", "admin")
		c.repos = append(c.repos, r)
	}
	d, err := db.Open(t.Context(), "sqlite:"+filepath.Join(c.data, "tidelock.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	c.db = d
	return c
}

// number asks the server's database for one number.
func (c *chaos) number(query string, args ...any) int {
	c.t.Helper()
	var n int
	if err := c.db.QueryRowContext(c.t.Context(), query, args...).Scan(&n); err != nil {
		c.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// commit changes the pull's project; every version has an effect of its own
// that can be counted.
func (c *chaos) commit(p *chaosPull) {
	p.version++
	if p.shared {
		p.repo.Commit("ada", p.branch, "Change", githubtest.Files{"network/" + p.name + ".tf": fmt.Sprintf("resource \"terraform_data\" %q {\n  input = %d\n}\n", p.name, p.version)})
	} else {
		key := fmt.Sprintf("%d-%s-%d", p.repo.ID(), p.name, p.version)
		sha := p.repo.Commit("ada", p.branch, "Change", githubtest.Files{p.name + "/main.tf": fmt.Sprintf(`resource "terraform_data" "it" {
  input            = %q
  triggers_replace = %q
  provisioner "local-exec" {
    command = "echo ran >> '%s'; sleep 0.5"
  }
}
`, key, key, filepath.Join(c.effects, key))})
		c.keys[sha] = key
	}
}

// act has somebody do something.
func (c *chaos) act() {
	open := c.in("open")
	dice := c.rand.IntN(100)
	pick := func(from []*chaosPull) *chaosPull { return from[c.rand.IntN(len(from))] }
	switch {
	case len(open) < 4 || (dice < 22 && len(open) < 20):
		n := len(c.pulls)
		p := &chaosPull{repo: c.repos[c.rand.IntN(len(c.repos))], branch: fmt.Sprintf("change-%d", n), name: fmt.Sprintf("p%d", n), shared: c.rand.IntN(6) == 0}
		c.commit(p)
		p.Pull = p.repo.Open("ada", githubtest.PullRequest{Title: "Change " + p.name, Head: p.branch})
		c.pulls = append(c.pulls, p)
	case dice < 45:
		c.commit(pick(open))
	case dice < 55:
		pick(open).Comment("ada", "plan")
	case dice < 60:
		pick(open).Comment("ada", "help")
	case dice < 70:
		pick(open).Comment("grace", "Looks fine to me.")
	case dice < 75:
		pick(open).Close("ada")
	case dice < 79:
		if closed := c.in("closed"); len(closed) > 0 {
			pick(closed).Reopen("ada")
		}
	default:
		p := pick(open)
		said := c.answer(p.Pull)
		// Most people read the plan before they merge.
		if (strings.Contains(said, "📋 Plan: ") && strings.Contains(said, p.State().HeadSHA[:7])) || c.rand.IntN(6) == 0 {
			if _, err := p.Merge("grace", "merge"); err != nil {
				c.t.Logf("not merged: %v", err) // GitHub's right: a conflict for example
			}
		}
	}
}

// in returns the pulls that are open, closed or merged.
func (c *chaos) in(state string) (out []*chaosPull) {
	for _, p := range c.pulls {
		s := p.State()
		if s.Merged {
			s.State = "merged"
		}
		if s.State == state {
			out = append(out, p)
		}
	}
	return out
}

// killSomething kills the server, a runner, or a runner's Terraform.
func (c *chaos) killSomething() {
	what := []string{"server", "server", "runner", "terraform"}[c.rand.IntN(4)]
	if what != "server" && c.killRunner(what) {
		c.killed[what]++
		return
	}
	c.killed["server"]++
	c.kill()
	c.start()
}

// killRunner waits a moment for a runner to be under way, and kills it or its
// child.
func (c *chaos) killRunner(what string) bool {
	deadline := time.Now().Add(2 * time.Second)
	for time.Now().Before(deadline) {
		pids := c.runners()
		c.rand.Shuffle(len(pids), func(i, j int) { pids[i], pids[j] = pids[j], pids[i] })
		for _, pid := range pids {
			if what == "terraform" {
				children := slices.DeleteFunc(processes(c.t), func(p procInfo) bool { return p.parent != pid })
				if len(children) == 0 {
					continue
				}
				pid = children[c.rand.IntN(len(children))].pid
			}
			if pid > 1 && syscall.Kill(pid, syscall.SIGKILL) == nil {
				return true
			}
		}
		time.Sleep(10 * time.Millisecond) // between looks
	}
	return false
}

// catchBreath lets the server work off some of what waits, as people do who
// read what it answers.
func (c *chaos) catchBreath() {
	deadline := time.Now().Add(5 * time.Second)
	for time.Now().Before(deadline) && c.number("SELECT COUNT(*) FROM runs WHERE status IN ('queued','running','checking')") > 4 {
		time.Sleep(20 * time.Millisecond) // between looks
	}
}

// rest waits until nothing is under way any more and everything that GitHub
// knows is known.
func (c *chaos) rest() {
	c.t.Helper()
	deadline := time.Now().Add(patience + time.Duration(*chaosKills)*time.Second)
	why := ""
	for quiet := 0; quiet < 3; {
		if time.Now().After(deadline) {
			c.t.Fatalf("it never comes to rest: %s", why)
		}
		if why = c.unrest(); why == "" {
			quiet++ // three looks in a row, in case one fell between two steps
		} else {
			quiet = 0
		}
		time.Sleep(300 * time.Millisecond) // between looks
	}
}

// unrest says what is still under way, "" for nothing.
func (c *chaos) unrest() string {
	for what, query := range map[string]string{
		"deliveries queued": "SELECT COUNT(*) FROM deliveries WHERE status='queued'",
		// A merge waits as long as its plan does, which may wait for the lock of a
		// project that a person must decide about.
		"jobs waiting": `SELECT COUNT(*) FROM river_job WHERE state IN ('available','running','retryable','scheduled','pending')
			AND NOT (kind='merged' AND EXISTS (SELECT 1 FROM runs r WHERE r.change_id=json_extract(args,'$.change') AND r.status='blocked'))`,
		"runs under way":         "SELECT COUNT(*) FROM runs WHERE status IN ('queued','running','checking','deferred')",
		"changes not looked at":  "SELECT COUNT(*) FROM changes WHERE status='pending'",
		"answers not told":       "SELECT COUNT(*) FROM changes WHERE answered_rev<rev AND status NOT IN ('superseded','closed')",
		"locks of a run's maker": "SELECT COUNT(*) FROM locks l JOIN runs r ON r.id=l.run_id WHERE r.status IN ('running','checking')",
	} {
		if n := c.number(query); n > 0 {
			return fmt.Sprintf("%d %s (%s; %s)", n, what, c.waitingJob(), c.waitingChange())
		}
	}
	for _, p := range c.pulls {
		s := p.State()
		var head string
		var open, merged bool
		err := c.db.QueryRowContext(c.t.Context(), `SELECT head_sha, state='open', merged=1 FROM pulls WHERE repo_id=$1 AND number=$2`, p.repo.ID(), s.Number).Scan(&head, &open, &merged)
		if errors.Is(err, sql.ErrNoRows) && s.State == "closed" && !s.Merged {
			continue // opened and closed again before anybody heard of it
		}
		if err != nil || open != (s.State == "open") || merged != s.Merged || (open && head != s.HeadSHA) {
			return fmt.Sprintf("%s#%d is known as head %.7s open=%v merged=%v and is %.7s %s merged=%v (%v)", p.repo.Name(), s.Number, head, open, merged, s.HeadSHA, s.State, s.Merged, err)
		}
	}
	return ""
}

// waitingJob says what one of the waiting jobs is, for a day that never ends.
func (c *chaos) waitingJob() string {
	var kind, state, args, lane string
	var attempt int
	err := c.db.QueryRowContext(c.t.Context(), `SELECT kind, state, queue, attempt, json(args) FROM river_job
		WHERE state NOT IN ('completed','discarded','cancelled') ORDER BY id LIMIT 1`).Scan(&kind, &state, &lane, &attempt, &args)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s %s in %s, attempt %d: %s", kind, state, lane, attempt, args)
}

// waitingChange says what one of the changes is that GitHub was not told of.
func (c *chaos) waitingChange() string {
	var id, status, runs string
	var rev, answered, until int64
	err := c.db.QueryRowContext(c.t.Context(), `SELECT id, status, rev, answered_rev, answering_until_ms,
		coalesce((SELECT group_concat(kind || ' ' || status, ', ') FROM runs WHERE change_id=changes.id), '')
		FROM changes WHERE answered_rev<rev AND status NOT IN ('superseded','closed') LIMIT 1`).Scan(&id, &status, &rev, &answered, &until, &runs)
	if err != nil {
		return "all are told"
	}
	jobs := c.number("SELECT COUNT(*) FROM river_job WHERE json_extract(args,'$.change')=$1 AND state NOT IN ('completed','discarded','cancelled')", id)
	return fmt.Sprintf("change %s %s at rev %d, told %d, claimed until %d; runs %s; %d jobs", id, status, rev, answered, until, runs, jobs)
}

// nothingLost holds every delivery that was acknowledged against the database.
func (c *chaos) nothingLost() {
	c.t.Helper()
	for _, d := range c.gh.Deliveries() {
		if d.StatusCode < 200 || d.StatusCode > 299 {
			continue
		}
		var status, note string
		err := c.db.QueryRowContext(c.t.Context(), `SELECT status, error FROM deliveries WHERE guid=$1`, d.GUID).Scan(&status, &note)
		if err != nil || (status != "done" && status != "ignored") {
			c.t.Errorf("delivery %s (%s %s), which was acknowledged: %q %q, %v", d.GUID, d.Event, d.Action, status, note, err)
		}
	}
	const dead = "state IN ('discarded','cancelled') AND kind<>'react'" // which is tried three times, and is not worth more
	if n := c.number("SELECT COUNT(*) FROM river_job WHERE " + dead); n > 0 {
		var kind, what string
		_ = c.db.QueryRowContext(c.t.Context(), "SELECT kind, json(errors) FROM river_job WHERE "+dead).Scan(&kind, &what)
		c.t.Errorf("%d jobs were given up; %s: %.500s", n, kind, what)
	}
}

// opensPlanned holds that every open pull is planned at its newest head, and
// told once.
func (c *chaos) opensPlanned() {
	c.t.Helper()
	for _, p := range c.pulls {
		body := c.answer(p.Pull) // which fails on a second comment
		s := p.State()
		if s.State != "open" {
			continue
		}
		if !strings.Contains(body, s.HeadSHA[:7]) {
			c.t.Errorf("%s#%d does not speak of its head %.7s:\n%s", p.repo.Name(), s.Number, s.HeadSHA, conversation(p.Pull))
		}
		planned := c.number(`SELECT COUNT(*) FROM runs r JOIN changes c ON c.id=r.change_id WHERE r.repo_id=$1 AND r.pull=$2 AND c.head_sha=$3 AND r.kind='plan'
			AND (r.status='planned' OR (r.status='failed' AND r.error LIKE '%was killed%'))`, p.repo.ID(), s.Number, s.HeadSHA)
		waits := c.number(`SELECT COUNT(*) FROM runs r JOIN changes c ON c.id=r.change_id JOIN locks l ON l.repo_id=r.repo_id AND l.dir=r.dir AND l.workspace=r.workspace
			WHERE r.repo_id=$1 AND r.pull=$2 AND c.head_sha=$3 AND r.status='blocked' AND l.pull<>r.pull`, p.repo.ID(), s.Number, s.HeadSHA)
		if planned+waits == 0 {
			c.t.Errorf("%s#%d has no plan at its head %.7s and waits for nobody:\n%s", p.repo.Name(), s.Number, s.HeadSHA, conversation(p.Pull))
		}
	}
}

// mergedAppliedOnce holds that what was merged was applied exactly once, or
// waits for a person with its lock kept, and counts the effects.
func (c *chaos) mergedAppliedOnce() (applied, waiting int) {
	c.t.Helper()
	for _, p := range c.in("merged") {
		s := p.State()
		name := fmt.Sprintf("%s#%d", p.repo.Name(), s.Number)
		rows, err := c.db.QueryContext(c.t.Context(), `SELECT r.dir, r.workspace,
			SUM(CASE WHEN r.kind='apply' AND r.status='applied' THEN 1 ELSE 0 END),
			SUM(CASE WHEN r.kind='apply' AND r.status IN ('held','interrupted','failed','blocked') THEN 1 ELSE 0 END),
			SUM(CASE WHEN r.kind='apply' AND r.status IN ('interrupted','failed') THEN 1 ELSE 0 END),
			SUM(CASE WHEN r.kind='plan' AND (r.status='blocked' OR (r.status='failed' AND r.error LIKE '%was killed%')
				OR (r.status='planned' AND EXISTS (SELECT 1 FROM locks l WHERE l.repo_id=r.repo_id AND l.dir=r.dir AND l.workspace=r.workspace AND l.pull=r.pull))) THEN 1 ELSE 0 END),
			(SELECT COUNT(*) FROM locks l WHERE l.repo_id=r.repo_id AND l.dir=r.dir AND l.workspace=r.workspace)
			FROM runs r JOIN changes c ON c.id=r.change_id WHERE r.repo_id=$1 AND r.pull=$2 AND c.merge_sha<>'' GROUP BY r.repo_id, r.dir, r.workspace`, p.repo.ID(), s.Number)
		if err != nil {
			c.t.Fatal(err)
		}
		projects := 0
		for rows.Next() {
			var dir, workspace string
			var done, person, torn, unplanned, locks int
			if err := rows.Scan(&dir, &workspace, &done, &person, &torn, &unplanned, &locks); err != nil {
				c.t.Fatal(err)
			}
			projects++
			switch {
			case done == 1:
				applied++
			case done > 1:
				c.t.Errorf("%s: %s was applied %d times", name, dir, done)
			case torn > 0 && locks == 0:
				c.t.Errorf("%s: %s was left by an apply and nobody holds its lock:\n%s", name, dir, conversation(p.Pull))
			case person > 0, unplanned > 0:
				// A plan that somebody asked for after the merge waits for their
				// apply, and holds the lock.
				waiting++
			default:
				c.t.Errorf("%s: %s is neither applied nor does it wait for anybody:\n%s", name, dir, conversation(p.Pull))
			}
		}
		rows.Close()
		if projects == 0 {
			c.t.Errorf("%s was merged and nothing was done:\n%s", name, conversation(p.Pull))
		}
	}
	c.effectsOnce()
	return applied, waiting
}

// effectsOnce counts what Terraform itself did.
func (c *chaos) effectsOnce() {
	c.t.Helper()
	for sha, key := range c.keys {
		b, err := os.ReadFile(filepath.Join(c.effects, key))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			c.t.Fatal(err)
		}
		n := strings.Count(string(b), "ran\n")
		done := c.number(`SELECT COUNT(*) FROM runs r JOIN changes c ON c.id=r.change_id WHERE c.head_sha=$1 AND r.kind='apply' AND r.status='applied'`, sha)
		if n > 1 || n < done {
			c.t.Errorf("%s (head %.7s) had its effect %d times and is told as applied %d times", key, sha, n, done)
		}
	}
}

func (c *chaos) chainHolds() {
	c.t.Helper()
	if err := access.NewTrail(c.db).Verify(c.t.Context()); err != nil {
		c.t.Errorf("the audit trail: %v", err)
	}
}

// noStrays holds that no process of a run is left behind.
func (c *chaos) noStrays() {
	c.t.Helper()
	eventually(c.t, "the processes of the runs to be gone", func() bool {
		return !slices.ContainsFunc(processes(c.t), func(p procInfo) bool {
			return strings.Contains(p.command, filepath.Join(c.data, "runs")) || strings.Contains(p.command, c.effects)
		})
	})
}
