package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/terminal"
	"github.com/tidelock/tidelock/testdata"
)

// Where the story's files are in testdata.
const (
	client = "repos/acme-infra"
	pulls  = "pulls/acme-infra/"
)

// story is the whole of it, chapter by chapter.
func (d *demo) story(ctx context.Context) error {
	a, err := d.person(ada, "Ada")
	if err != nil {
		return err
	}
	b, err := d.person(ben, "Ben")
	if err != nil {
		return err
	}
	if err := d.first(ctx, a); err != nil {
		return err
	}
	web, err := d.risky(ctx, a)
	if err != nil {
		return err
	}
	sessions, err := d.meanwhile(ctx, b, web)
	if err != nil {
		return err
	}
	if err := d.mend(ctx, a, b, web, sessions); err != nil {
		return err
	}
	if err := d.record(ctx); err != nil {
		return err
	}
	return d.summary(ctx)
}

// first brings the client's infrastructure into being: three projects at once.
func (d *demo) first(ctx context.Context, a *person) error {
	d.chapter("Ada opens a pull request: three projects, with nothing applied yet")
	const branch = "first-infrastructure"
	p, start, err := d.propose(ctx, a, branch, "Network, database and services", func() error { return a.lay(testdata.FS, client) },
		"The VPC, the database, and the web and worker services, each with a state of its own.")
	if err != nil {
		return err
	}
	took, err := d.watch(ctx, p, start, "📋 Plan", "tidelock/plan", "success")
	if err != nil {
		return err
	}
	d.took("#1, three projects: opened → planned, priced, judged", took)
	if err := d.show(ctx, p); err != nil {
		return err
	}
	return d.approveAndMerge(ctx, p, "#1, three projects: merged → applied", true)
}

// propose has somebody push a branch with a change and open a pull request for
// it; the time is when it was opened.
func (d *demo) propose(ctx context.Context, who *person, branch, title string, change func() error, body string) (*githubtest.Pull, time.Time, error) {
	var zero time.Time
	if who.clone == "" {
		d.typed(who.login, "git clone "+d.repo.CloneURL())
	} else {
		d.typed(who.login, "git fetch origin")
	}
	d.typed(who.login, "git switch -c "+branch+" origin/main")
	if err := who.checkOut(ctx, d.repo.CloneURL(), branch); err != nil {
		return nil, zero, err
	}
	if err := change(); err != nil {
		return nil, zero, err
	}
	if err := d.commitAndPush(ctx, who, branch, title); err != nil {
		return nil, zero, err
	}
	start := time.Now()
	p := d.repo.Open(who.login, githubtest.PullRequest{Title: title, Body: body, Head: branch})
	d.click(who.login, "opens pull request #%d, **%s**", p.Number(), title)
	return p, start, nil
}

func (d *demo) commitAndPush(ctx context.Context, who *person, branch, message string) error {
	stat, err := who.commit(ctx, message)
	if err != nil {
		return err
	}
	d.typed(who.login, fmt.Sprintf("git commit -m %q", message))
	d.Put(terminal.Text(terminal.Dim, "      "+stat))
	d.typed(who.login, "git push origin "+branch)
	return who.push(ctx, branch)
}

// approveAndMerge has Grace approve and merge, and watches the apply. Where
// wait is false, that is left to the caller.
func (d *demo) approveAndMerge(ctx context.Context, p *githubtest.Pull, what string, wait bool) error {
	p.Review(grace, "APPROVED", "")
	d.click(grace, "approves #%d", p.Number())
	start := time.Now()
	sha, err := p.Merge(grace, "merge")
	if err != nil {
		return fmt.Errorf("GitHub did not merge #%d: %w", p.Number(), err)
	}
	d.click(grace, "merges #%d as `%.7s`: what was reviewed is now applied, from the saved plans", p.Number(), sha)
	if !wait {
		return nil
	}
	took, err := d.watch(ctx, p, start, "✅ Applied", "tidelock/apply", "success")
	if err != nil {
		return err
	}
	d.took(what, took)
	return d.pause(ctx)
}

// risky is a pull request that costs more and opens a door.
func (d *demo) risky(ctx context.Context, a *person) (*githubtest.Pull, error) {
	d.chapter("Bigger machines, and a door left open: a policy steps in")
	const branch = "bigger-web"
	p, start, err := d.propose(ctx, a, branch, "Bigger web machines, and SSH to the worker", func() error {
		if err := a.lay(testdata.FS, pulls+"grow-web"); err != nil {
			return err
		}
		return a.lay(testdata.FS, pulls+"open-ssh")
	}, "Before the sale: four `m6i.large` instead of two `t3.medium`. SSH is for when everything else is down.")
	if err != nil {
		return nil, err
	}
	took, err := d.watch(ctx, p, start, "⛔ A policy forbids", "tidelock/plan", "failure")
	if err != nil {
		return nil, err
	}
	d.took("#2, one project: opened → planned, priced, judged", took)
	if err := d.show(ctx, p); err != nil {
		return nil, err
	}
	_, err = p.Merge(ada, "merge")
	if err == nil {
		return nil, fmt.Errorf("GitHub merged #%d, whose plan a policy forbids", p.Number())
	}
	d.click(ada, "tries to merge #%d all the same", p.Number())
	d.refused("GitHub: %s", err)
	before := len(p.Comments())
	start = time.Now()
	p.Comment(ada, "tidelock apply")
	d.click(ada, "comments `tidelock apply`")
	said, err := d.reply(ctx, p, start, before)
	if err != nil {
		return nil, err
	}
	sign := terminal.Text(terminal.Red, "✗ ")
	for _, l := range terminal.Comment(said, terminal.Shown{Width: d.Inner() - 2}) {
		d.Put(append(sign, l...))
		sign = terminal.Text(terminal.Plain, "  ")
	}
	return p, d.pause(ctx)
}

// meanwhile is somebody else's pull request, which touches one of the same
// projects and has to wait its turn.
func (d *demo) meanwhile(ctx context.Context, b *person, web *githubtest.Pull) (*githubtest.Pull, error) {
	d.chapter("Meanwhile Ben changes the same project: the lock")
	const branch = "sessions"
	p, start, err := d.propose(ctx, b, branch, "More room for sessions, a smaller worker", func() error {
		if err := b.edit("data/main.tf", `"cache.t4g.small"`, `"cache.t4g.medium"`); err != nil {
			return err
		}
		if err := b.edit("app/main.tf", `"t3.large"`, `"t3.medium"`); err != nil {
			return err
		}
		return b.write("app/sessions.tf", sessionLogs)
	}, "The worker idles since the sessions moved to Redis. Their log gets a group of its own.")
	if err != nil {
		return nil, err
	}
	if _, err := d.watch(ctx, p, start, "another pull request's lock", "tidelock/plan", ""); err != nil {
		return nil, err
	}
	d.Put(terminal.Comment(terminal.TableOf(answer(p)), terminal.Shown{Width: d.Inner()})...)
	locks, err := d.locks(ctx)
	if err != nil {
		return nil, err
	}
	d.say("In the database: %s. Ben waits for #%d; nobody has to tell anybody.", locks, web.Number())
	return p, d.pause(ctx)
}

// sessionLogs is what Ben adds to the services.
const sessionLogs = `resource "aws_cloudwatch_log_group" "sessions" {
  name              = "/acme/sessions"
  retention_in_days = 14
}
`

// mend is the fix, the review, the merge and the apply; Ben's turn comes by
// itself.
func (d *demo) mend(ctx context.Context, a, b *person, web, sessions *githubtest.Pull) error {
	d.chapter("Ada mends it; the same comment now says so")
	if err := a.lay(testdata.FS, pulls+"mend-ssh"); err != nil {
		return err
	}
	if err := d.commitAndPush(ctx, a, "bigger-web", "SSH from inside only, tags on the bucket"); err != nil {
		return err
	}
	start := time.Now()
	took, err := d.watch(ctx, web, start, "📋 Plan", "tidelock/plan", "success")
	if err != nil {
		return err
	}
	d.took("#2, the fix: pushed → planned, priced, judged", took)
	if err := d.show(ctx, web, "Cost:"); err != nil {
		return err
	}

	d.chapter("Approved, merged, applied; Ben's turn comes by itself")
	start = time.Now()
	if err := d.approveAndMerge(ctx, web, "", false); err != nil {
		return err
	}
	// While that is applied Ben's branch falls behind, as branches do.
	d.typed(ben, "git pull origin main")
	if _, err := b.run(ctx, b.clone, "pull", "-q", "--no-rebase", "--no-edit", "origin", "main"); err != nil {
		return err
	}
	d.typed(ben, "git push origin sessions")
	if err := b.push(ctx, "sessions"); err != nil {
		return err
	}
	pushed := time.Now()
	if took, err = d.watch(ctx, web, start, "✅ Applied", "tidelock/apply", "success"); err != nil {
		return err
	}
	d.took("#2, one project: merged → applied", took)
	d.Put(terminal.Comment(terminal.TableOf(answer(web)), terminal.Shown{Width: d.Inner()})...)
	if err := d.pause(ctx); err != nil {
		return err
	}
	d.say("The lock is free, so Ben's plan goes on.")
	head := sessions.State().HeadSHA
	err = d.until(ctx, pushed, func(time.Duration) ([]terminal.Line, bool, error) { // until it speaks of what Ben pushed
		return nil, commentIsOf(answer(sessions), head), nil
	})
	if err != nil {
		return err
	}
	if _, err = d.watch(ctx, sessions, pushed, "📋 Plan", "tidelock/plan", "success"); err != nil {
		return err
	}
	return d.show(ctx, sessions, "Plan of")
}
