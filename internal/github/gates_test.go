package github_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// permitted makes an App that has only these permissions, to read, beyond the usual.
func permitted(extra ...string) setting {
	return func(s *githubtest.Options, _ *github.Options) {
		s.Permissions = map[string]string{"metadata": "read", "contents": "write", "checks": "write", "pull_requests": "write", "issues": "write"}
		for _, name := range extra {
			s.Permissions[name] = "read"
		}
	}
}

func TestCheckStateSaysWhatOthersSay(t *testing.T) {
	w := newWorld(t)
	ctx := within(t)
	sha := w.pull.State().HeadSHA
	state := func() github.Checks {
		t.Helper()
		s, err := w.c.CheckState(ctx, w.repo.ID(), sha)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := state(); !s.Green() || len(s.Passed) != 0 {
		t.Errorf("nobody has said anything: %+v", s)
	}
	// Our own check, whatever it says, is not what we wait for.
	if _, err := w.c.CreateCheck(ctx, w.repo.ID(), github.Check{Name: "tidelock/plan", HeadSHA: sha, Status: "completed", Conclusion: "failure"}); err != nil {
		t.Fatal(err)
	}
	w.repo.ForeignCheck("actions", sha, "lint", "")
	w.repo.ForeignCheck("actions", sha, "unit", "failure")
	w.repo.ForeignCheck("actions", sha, "docs", "skipped")
	w.repo.ForeignCheck("scanner", sha, "unit", "success") // another App's of the same name
	w.repo.ForeignCheck("scanner", sha, "gate", "action_required")
	w.repo.ForeignCheck("scanner", sha, "old", "timed_out")
	w.repo.SetStatus("ci", sha, "ci/build", "pending")
	w.repo.SetStatus("ci", sha, "ci/deploy", "error")
	s := state()
	if s.Green() || !slices.Equal(s.Failed, []string{"ci/deploy", "gate", "old", "unit"}) || !slices.Equal(s.Pending, []string{"ci/build", "lint"}) ||
		!slices.Equal(s.Passed, []string{"docs", "unit"}) {
		t.Errorf("%+v", s)
	}
	// Whoever is asked again may say something else: the newest counts.
	w.repo.ForeignCheck("actions", sha, "lint", "success")
	w.repo.ForeignCheck("actions", sha, "unit", "success")
	w.repo.ForeignCheck("scanner", sha, "gate", "neutral")
	w.repo.ForeignCheck("scanner", sha, "old", "success")
	w.repo.SetStatus("ci", sha, "ci/build", "success")
	w.repo.SetStatus("ci", sha, "ci/deploy", "success")
	if s := state(); !s.Green() || len(s.Passed) != 7 {
		t.Errorf("%+v", s)
	}
	w.repo.ForeignCheck("actions", sha, "unit", "") // runs again
	if s := state(); s.Green() || !slices.Equal(s.Pending, []string{"unit"}) {
		t.Errorf("a check that runs again: %+v", s)
	}
	// Another commit has nothing of this.
	if s, err := w.c.CheckState(ctx, w.repo.ID(), w.repo.Tip("main")); err != nil || !s.Green() || len(s.Passed) != 0 {
		t.Errorf("another commit: %+v, %v", s, err)
	}
	if _, err := w.c.CheckState(ctx, w.repo.ID(), strings.Repeat("0", 40)); err == nil {
		t.Error("a commit that is not there is green")
	}
}

// A context may have up to 1,000 statuses on a commit; only its newest counts,
// and all contexts do, however many pages they fill.
func TestGitHub11_ManyStatuses(t *testing.T) {
	w := newWorld(t, permitted("statuses"), func(s *githubtest.Options, _ *github.Options) {
		s.Events = []string{"push"} // thousands of webhooks would prove nothing here
	})
	ctx := within(t)
	sha := w.pull.State().HeadSHA
	for i := range 1000 {
		w.repo.SetStatus("ci", sha, "flaky", []string{"failure", "success"}[i%2])
	}
	for i := range 150 {
		w.repo.SetStatus("ci", sha, fmt.Sprintf("ci/%03d", i), "success")
		w.repo.ForeignCheck("actions", sha, fmt.Sprintf("job %03d", i), "success")
	}
	w.repo.SetStatus("ci", sha, "ci/000", "failure") // not on the first page, were it the oldest first
	w.repo.ForeignCheck("actions", sha, "job 149", "failure")
	s, err := w.c.CheckState(ctx, w.repo.ID(), sha)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Failed, []string{"ci/000", "job 149"}) || len(s.Passed) != 1+149+149 || len(s.Pending) != 0 {
		t.Errorf("%d passed, failed %v, pending %v", len(s.Passed), s.Failed, s.Pending)
	}
	defer func() {
		if why := recover(); why == nil || !strings.Contains(fmt.Sprint(why), "maximum number of statuses") {
			t.Errorf("the 1,001st status of a context: %v", why)
		}
	}()
	w.repo.SetStatus("ci", sha, "flaky", "success")
}

// GitHub's list of a pull's files ends at 3,000, and nothing in it says so.
func TestGitHub11_PullFilesEndAt3000(t *testing.T) {
	w := newWorld(t)
	// Thirty long answers, each held against the contract, under the race
	// detector.
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	w.repo.Commit("ada", "main", "another one", githubtest.Files{"other.tf": "# other\n"})
	w.repo.Commit("ada", "feature", "Move", githubtest.Files{"net/main.tf": githubtest.Delete(), "network/main.tf": "# net\n"})
	files, whole, err := w.c.PullFiles(ctx, w.repo.ID(), w.pull.Number())
	slices.Sort(files)
	if err != nil || !whole || !slices.Equal(files, []string{"main.tf", "net/main.tf", "network/main.tf"}) {
		t.Errorf("%v, whole %v, %v", files, whole, err)
	}
	many := githubtest.Files{}
	for i := range 3010 {
		many[fmt.Sprintf("gen/%d/%d.tf", i%50, i)] = "x"
	}
	w.repo.Commit("ada", "large", "Generate", many)
	p := w.repo.Open("ada", githubtest.PullRequest{Title: "Large", Head: "large"})
	files, whole, err = w.c.PullFiles(ctx, w.repo.ID(), p.Number())
	if err != nil || whole || len(files) != github.MaxPullFiles {
		t.Errorf("%d files, whole %v, %v", len(files), whole, err)
	}
}

// Without the permission the answer is no green light.
func TestCheckStateNeedsStatuses(t *testing.T) {
	w := newWorld(t, permitted())
	_, err := w.c.CheckState(within(t), w.repo.ID(), w.pull.State().HeadSHA)
	if !errs.Is(err, errs.Forbidden) || !strings.Contains(errs.Sentence(err), "permission") {
		t.Errorf("%v", err)
	}
}

func TestCompareCountsCommits(t *testing.T) {
	w := newWorld(t)
	ctx := within(t)
	start := w.repo.Tip("main")
	head := w.pull.State().HeadSHA
	check := func(base, head string, want github.Compare) {
		t.Helper()
		got, err := w.c.Compare(ctx, w.repo.ID(), base, head)
		if err != nil || got != want {
			t.Errorf("%s...%s: %+v, %v, want %+v", base, head, got, err, want)
		}
	}
	check("main", head, github.Compare{Ahead: 1, MergeBase: start})
	w.repo.Commit("bob", "main", "two", githubtest.Files{"b": "2"})
	tip := w.repo.Commit("bob", "main", "three", githubtest.Files{"b": "3"})
	check("main", head, github.Compare{Ahead: 1, Behind: 2, MergeBase: start})
	check("main", "main", github.Compare{MergeBase: tip})
	w.repo.Branch("bob", "team/a#c%2F+b", tip) // what a URL would take for something else
	check("team/a#c%2F+b", head, github.Compare{Ahead: 1, Behind: 2, MergeBase: start})
	// A fork's commit is found through the pull that brought it.
	fork := w.repo.Fork("eve")
	evil := fork.Commit("eve", "idea", "mine", githubtest.Files{"c": "1"})
	w.repo.Open("eve", githubtest.PullRequest{Title: "From a fork", Head: "idea", From: fork})
	check("main", evil, github.Compare{Ahead: 1, MergeBase: tip})
	if _, err := w.c.Compare(ctx, w.repo.ID(), "main", "no-such-branch"); !errs.Is(err, errs.NotFound) {
		t.Errorf("no such branch: %v", err)
	}
}

func TestGitHub14_TeamMembers(t *testing.T) {
	w := newWorld(t)
	ctx := within(t)
	w.gh.Team("acme", "platform", "", "ada")
	w.gh.Team("acme", "platform-oncall", "platform", "bob")
	w.gh.Team("acme", "platform-oncall-night", "platform-oncall", "cem")
	w.gh.Team("acme", "others", "", "dan")
	w.gh.Invite("acme", "platform", "eve")
	for user, want := range map[string]bool{"ada": true, "ADA": true, "bob": true, "cem": true, "dan": false, "eve": false, "nobody": false} {
		got, err := w.c.TeamMember(ctx, "acme", "platform", user)
		if err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", user, got, err, want)
		}
	}
	if in, err := w.c.TeamMember(ctx, "acme", "platform-oncall", "ada"); err != nil || in {
		t.Errorf("who is above is not below: %v, %v", in, err)
	}
	if in, err := w.c.TeamMember(ctx, "acme", "no-such-team", "ada"); err != nil || in {
		t.Errorf("no such team: %v, %v", in, err)
	}
	if in, err := w.c.TeamMember(ctx, "another-org", "platform", "ada"); err != nil || in {
		t.Errorf("another organisation: %v, %v", in, err)
	}
	w.gh.Team("acme", "platform", "", "eve") // accepts
	w.gh.LeaveTeam("acme", "platform-oncall", "bob")
	for user, want := range map[string]bool{"eve": true, "bob": false} {
		if got, err := w.c.TeamMember(ctx, "acme", "platform", user); err != nil || got != want {
			t.Errorf("%s now: %v, %v, want %v", user, got, err, want)
		}
	}
	w = newWorld(t, permitted())
	w.gh.Team("acme", "platform", "", "ada")
	if _, err := w.c.TeamMember(ctx, "acme", "platform", "ada"); !errs.Is(err, errs.Forbidden) {
		t.Errorf("without the permission: %v, want forbidden", err)
	}
}

// A dismissed approval counts no more, nor does one by somebody who may only
// read: GitHub lets anyone review.
func TestGitHub19_DismissedAndReaders(t *testing.T) {
	w := newWorld(t)
	ctx := within(t)
	w.repo.Collaborator("ada", "write")
	w.repo.Collaborator("bob", "maintain")
	w.repo.Collaborator("reader", "read")
	w.repo.Collaborator("triager", "triage")
	w.repo.Collaborator("writer", "write")
	count := func() []string {
		t.Helper()
		a, err := w.c.Approved(ctx, w.repo.ID(), w.pull.Number(), w.pull.State().HeadSHA)
		if err != nil {
			t.Fatal(err)
		}
		valid, err := w.c.WithWrite(ctx, w.repo.ID(), a.By)
		if err != nil {
			t.Fatal(err)
		}
		out := []string{}
		for _, r := range valid {
			out = append(out, r.User)
		}
		slices.Sort(out)
		return out
	}
	for _, by := range []string{"reader", "triager", "stranger"} {
		w.pull.Review(by, "APPROVED", "")
	}
	if got := count(); len(got) != 0 {
		t.Errorf("who may not write approves: %v", got)
	}
	w.pull.Review("writer", "APPROVED", "")
	first := w.pull.Review("bob", "APPROVED", "")
	w.pull.Review("writer", "COMMENTED", "though")
	if got := count(); !slices.Equal(got, []string{"bob", "writer"}) {
		t.Errorf("approved by %v", got)
	}
	w.pull.Dismiss("ada", first)
	if got := count(); !slices.Equal(got, []string{"writer"}) {
		t.Errorf("after a dismissal: %v", got)
	}
	w.pull.Review("bob", "APPROVED", "again")
	w.repo.Collaborator("writer", "read") // no longer
	if got := count(); !slices.Equal(got, []string{"bob"}) {
		t.Errorf("after a demotion: %v", got)
	}
	w.pull.Review("bob", "CHANGES_REQUESTED", "on second thoughts")
	if got := count(); len(got) != 0 {
		t.Errorf("after changes were requested: %v", got)
	}
}

// What GitHub says of the file agrees with what we read in it, and it knows
// accounts besides.
func TestGitHub20_OwnersErrors(t *testing.T) {
	w := newWorld(t)
	ctx := within(t)
	if found, err := w.c.OwnersErrors(ctx, w.repo.ID(), "main"); err != nil || found != nil {
		t.Errorf("no file: %v, %v", found, err)
	}
	w.repo.Collaborator("ada", "write")
	w.repo.Collaborator("reader", "read")
	w.gh.Team("acme", "platform", "")
	text := "* @ada\n!/docs/ @ada\n/net/ @acme/platform\n/prod/ @acme/nobody\n/x/ @reader # may not write\n/y/ ada\n"
	w.repo.Commit("ada", "main", "Owners", githubtest.Files{"docs/CODEOWNERS": "[", ".github/CODEOWNERS": text})
	found, err := w.c.OwnersErrors(ctx, w.repo.ID(), "main")
	if err != nil {
		t.Fatal(err)
	}
	var lines []int
	for _, f := range found {
		lines = append(lines, f.Line)
	}
	if !slices.Equal(lines, []int{2, 4, 5, 6}) {
		t.Errorf("%+v", found)
	}
	raw, err := w.c.File(ctx, w.repo.ID(), "main", github.OwnersPaths[0])
	if err != nil || string(raw) != text {
		t.Fatalf("%q, %v", raw, err)
	}
	_, problems := github.ParseOwners(raw)
	for _, p := range problems {
		if !slices.Contains(lines, p.Line) {
			t.Errorf("line %d is wrong for us alone: %s", p.Line, p.Message)
		}
	}
	// The pull's own branch does not decide: it has the file of its fork point.
	if _, err := w.c.File(ctx, w.repo.ID(), w.pull.State().HeadSHA, github.OwnersPaths[0]); !errs.Is(err, errs.NotFound) {
		t.Errorf("the head's: %v", err)
	}
	for _, path := range []string{"net", "nothing", "../x", "", "a//b"} {
		if _, err := w.c.File(ctx, w.repo.ID(), "main", path); !errs.Is(err, errs.NotFound) && !errs.Is(err, errs.Invalid) {
			t.Errorf("%q: %v", path, err)
		}
	}
	w.repo.Commit("ada", "main", "Large", githubtest.Files{"large": strings.Repeat("x", 1<<20+1)})
	if _, err := w.c.File(ctx, w.repo.ID(), "main", "large"); !errs.Is(err, errs.TooLarge) {
		t.Errorf("a large file: %v", err)
	}
}

func TestGitHub21_RulesetsAndProtection(t *testing.T) {
	w := newWorld(t)
	ctx := within(t)
	rules := func(c *github.Client) github.BranchRules {
		t.Helper()
		b, err := c.BranchRules(ctx, w.repo.ID(), "main")
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if b := rules(w.c); len(b.Sources) != 0 || b.Partial || b.RequiredApprovals != 0 || len(b.RequiredChecks) != 0 {
		t.Errorf("no rules: %+v", b)
	}
	w.repo.Guard("main", &githubtest.Protection{Checks: []string{"ci", "tidelock"}, Approvals: 1, DismissStale: true})
	if b := rules(w.c); !slices.Equal(b.RequiredChecks, []string{"ci", "tidelock"}) || b.RequiredApprovals != 1 || !b.StaleDismissed || b.CodeOwnerReview ||
		b.RequireUpToDate || b.MergeQueue || b.Partial || !slices.Equal(b.Sources, []string{"branch protection"}) {
		t.Errorf("classic protection alone: %+v", b)
	}
	org := w.repo.AddRuleset(githubtest.Ruleset{Name: "all", Branch: "*", Organization: true, Protection: githubtest.Protection{Approvals: 2, CodeOwners: true}})
	own := w.repo.AddRuleset(githubtest.Ruleset{Name: "main", MergeQueue: true, Protection: githubtest.Protection{Checks: []string{"ci", "scan"}, UpToDate: true}})
	w.repo.AddRuleset(githubtest.Ruleset{Name: "releases", Branch: "release-*", Protection: githubtest.Protection{Approvals: 6, LastPush: true}})
	b := rules(w.c)
	if !slices.Equal(b.RequiredChecks, []string{"ci", "scan", "tidelock"}) || b.RequiredApprovals != 2 || !b.StaleDismissed || !b.CodeOwnerReview ||
		!b.RequireUpToDate || !b.MergeQueue || b.LastPushApproval || b.Partial {
		t.Errorf("both, the stricter wins: %+v", b)
	}
	if want := []string{fmt.Sprintf("ruleset %d of acme", org), fmt.Sprintf("ruleset %d of acme/infra", own), "branch protection"}; !slices.Equal(b.Sources, want) {
		t.Errorf("sources %v, want %v", b.Sources, want)
	}
	w.repo.Guard("main", nil)
	if b := rules(w.c); b.StaleDismissed || b.RequiredApprovals != 2 || len(b.Sources) != 2 {
		t.Errorf("rulesets alone: %+v", b)
	}
	if b, err := w.c.BranchRules(ctx, w.repo.ID(), "release-1"); err != nil || b.RequiredApprovals != 6 || !b.LastPushApproval {
		t.Errorf("a branch that is not there yet: %+v, %v", b, err)
	}
}

// Whoever does not give the permission to read administration still has the
// required checks obeyed, and is told that there may be more.
func TestGitHub21_WithoutAdministration(t *testing.T) {
	w := newWorld(t, permitted())
	ctx := within(t)
	w.repo.AddRuleset(githubtest.Ruleset{Protection: githubtest.Protection{Approvals: 1}})
	b, err := w.c.BranchRules(ctx, w.repo.ID(), "main")
	if err != nil || b.Partial || b.RequiredApprovals != 1 {
		t.Errorf("rulesets alone leave nothing unseen: %+v, %v", b, err)
	}
	w.repo.Guard("main", &githubtest.Protection{Checks: []string{"ci"}, Approvals: 3})
	before := len(w.sent())
	b, err = w.c.BranchRules(ctx, w.repo.ID(), "main")
	if err != nil || !b.Partial || !slices.Equal(b.RequiredChecks, []string{"ci"}) || b.RequiredApprovals != 1 || !slices.Contains(b.Sources, "branch protection") {
		t.Errorf("%+v, %v", b, err)
	}
	if got := w.sent()[before:]; len(got) != 2 {
		t.Errorf("what was refused once is asked for again: %v", got)
	}
	// Where someone else's installation covers it no more, no rule is no answer.
	w.gh.RemoveRepo(w.repo)
	w.clock.advance(2 * time.Hour)
	if b, err := w.c.BranchRules(context.Background(), w.repo.ID(), "main"); err == nil {
		t.Errorf("a repository that the App may not see has rules %+v", b)
	}
}
