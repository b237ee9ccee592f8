package githubtest_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// scene is a repository with a pull request by ada, and whoever listens.
func scene(t *testing.T) (*githubtest.Server, *githubtest.Repo, *githubtest.Pull, *receiver, *github.Client) {
	t.Helper()
	s := githubtest.New(t, githubtest.Options{})
	r := s.CreateRepo("acme", "infra", githubtest.RepoOptions{Files: githubtest.Files{"main.tf": "1\n"}})
	r.Commit("ada", "f", "one", githubtest.Files{"a.tf": "1\n"})
	p := r.Open("ada", githubtest.PullRequest{Title: "f", Head: "f"})
	rc := receive(t, s)
	t.Cleanup(func() { // so that nothing is under way when the receiver goes
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = s.Quiet(ctx)
	})
	return s, r, p, rc, client(t, s).Installation(r.Installation())
}

func refused(t *testing.T, p *githubtest.Pull, why string) {
	t.Helper()
	if _, err := p.Merge("ada", "merge"); err == nil || !strings.Contains(err.Error(), why) {
		t.Errorf("merging: %v, want a refusal with %q", err, why)
	}
}

// A group's head is a real commit that has all its pull requests; it is merged
// when its own checks have succeeded and not before, whatever the pulls' say.
func TestGitHub18_MergeGroupIsCheckedByItsHead(t *testing.T) {
	s, r, p, rc, c := scene(t)
	ctx := within(t)
	r.Commit("bob", "g", "two", githubtest.Files{"b.tf": "1\n"})
	q := r.Open("bob", githubtest.PullRequest{Title: "g", Head: "g"})
	if _, err := r.QueueMerge("ada", p); err == nil {
		t.Error("a branch without a queue has one")
	}
	r.AddRuleset(githubtest.Ruleset{MergeQueue: true, Protection: githubtest.Protection{Checks: []string{"tidelock"}}})
	refused(t, p, "merge queue")
	done := func(sha, conclusion string) {
		t.Helper()
		if _, err := c.CreateCheck(ctx, r.ID(), github.Check{Name: "tidelock", HeadSHA: sha, Status: "completed", Conclusion: conclusion}); err != nil {
			t.Fatal(err)
		}
	}
	done(p.State().HeadSHA, "success")
	done(q.State().HeadSHA, "success")
	base := r.Tip("main")
	rc.take(t, s)
	m, err := r.QueueMerge("ada", p, q)
	if err != nil {
		t.Fatal(err)
	}
	if m.Ref != "refs/heads/gh-readonly-queue/main/pr-2-"+base || r.Ref(m.Ref) != m.SHA || m.BaseSHA != base {
		t.Errorf("group %+v", m)
	}
	for _, path := range []string{"main.tf", "a.tf", "b.tf"} {
		if _, ok := r.File(m.SHA, path); !ok {
			t.Errorf("the group's head lacks %s", path)
		}
	}
	got := rc.take(t, s)
	if names(got) != "pull_request.enqueued pull_request.enqueued push merge_group.checks_requested" {
		t.Fatalf("got %s", names(got))
	}
	if e := got[2]; !e.OnQueueBranch() || !e.Created || e.After != m.SHA {
		t.Errorf("the push: %+v", e.Event)
	}
	e := got[3]
	if e.Group == nil || e.Group.HeadSHA != m.SHA || e.Group.HeadRef != m.Ref || e.Group.BaseSHA != base || e.Group.Base() != "main" || e.Group.Pull() != 2 ||
		e.Repo.ID != r.ID() || e.Installation.ID != r.Installation() {
		t.Errorf("the request: %+v, %+v", e.Event, e.Group)
	}
	if err := m.Merge(); err == nil || !strings.Contains(err.Error(), "tidelock") {
		t.Errorf("merged without a check on its head: %v", err)
	}
	done(m.SHA, "failure")
	if err := m.Merge(); err == nil || !slices.Equal(m.Missing(), []string{"tidelock"}) {
		t.Errorf("merged after a failed check: %v", err)
	}
	done(m.SHA, "success")
	if checks := m.Checks(); len(checks) != 1 || checks[0].Conclusion != "success" {
		t.Errorf("checks %+v", checks)
	}
	rc.take(t, s)
	if err := m.Merge(); err != nil {
		t.Fatal(err)
	}
	if r.Tip("main") != m.SHA || r.Ref(m.Ref) != "" || !p.State().Merged || !q.State().Merged || q.State().MergeSHA != m.SHA || p.State().MergeSHA == m.SHA {
		t.Errorf("main %s, group's ref %q, %+v, %+v", r.Tip("main"), r.Ref(m.Ref), p.State(), q.State())
	}
	got = rc.take(t, s)
	if names(got) != "pull_request.dequeued pull_request.closed pull_request.dequeued pull_request.closed merge_group.destroyed push push" {
		t.Fatalf("got %s", names(got))
	}
	if e := got[4]; e.Group.Reason != "merged" || e.Group.HeadSHA != m.SHA {
		t.Errorf("destroyed: %+v", e.Group)
	}
	if e := got[5]; e.Branch() != "main" || e.Before != base || e.After != m.SHA || e.Forced {
		t.Errorf("push to main: %+v", e.Event)
	}
	if err := m.Merge(); err == nil {
		t.Error("merged twice")
	}
}

func TestGitHub18_MergeGroupIsDestroyed(t *testing.T) {
	s, r, p, rc, _ := scene(t)
	r.AddRuleset(githubtest.Ruleset{MergeQueue: true})
	queue := func() *githubtest.MergeGroup {
		t.Helper()
		m, err := r.QueueMerge("ada", p)
		if err != nil {
			t.Fatal(err)
		}
		rc.take(t, s)
		return m
	}
	m := queue()
	base := r.Tip("main")
	m.Destroy("dequeued")
	got := rc.take(t, s)
	if names(got) != "pull_request.dequeued merge_group.destroyed push" || got[1].Group.Reason != "dequeued" || !got[2].Deleted {
		t.Errorf("got %s", names(got))
	}
	if r.Ref(m.Ref) != "" || r.Tip("main") != base || p.State().State != "open" || m.Merge() == nil {
		t.Errorf("a destroyed group did something: %+v", p.State())
	}
	// What the group was made of has changed: it can no longer be merged.
	m = queue()
	r.Commit("ada", "main", "past the queue", githubtest.Files{"c.tf": "1\n"})
	if err := m.Merge(); err == nil {
		t.Error("merged although the base branch has moved")
	}
	m.Destroy("invalidated")
	m = queue()
	r.Commit("ada", "f", "more", githubtest.Files{"a.tf": "2\n"})
	if err := m.Merge(); err == nil {
		t.Error("merged although the head has moved")
	}
	m.Destroy("invalidated")
	r.Commit("ada", "f", "conflict", githubtest.Files{"main.tf": "2\n"})
	r.Commit("bob", "main", "conflict", githubtest.Files{"main.tf": "3\n"})
	if _, err := r.QueueMerge("ada", p); err == nil || !strings.Contains(err.Error(), "conflict") {
		t.Errorf("queued with a conflict: %v", err)
	}
}

// Buttons, "re-run" on a check and "re-run all" reach the App that made them,
// with the pull request that they are about.
func TestChecksArePressedAndRunAgain(t *testing.T) {
	s, r, p, rc, c := scene(t)
	ctx := within(t)
	sha := p.State().HeadSHA
	id, err := c.CreateCheck(ctx, r.ID(), github.Check{Name: "plan", HeadSHA: sha, Status: "completed", Conclusion: "success", ExternalID: "run-1",
		Actions: []github.CheckAction{{Label: "Apply", Description: "Applies", Identifier: "apply"}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.CheckButtons(id); !slices.Equal(got, []string{"apply"}) {
		t.Errorf("buttons %v", got)
	}
	rc.take(t, s)
	r.PressButton("bob", id, "apply")
	r.RerunCheck("bob", id)
	p.RerunAll("bob")
	got := rc.take(t, s)
	if names(got) != "check_run.requested_action check_run.rerequested check_suite.rerequested" {
		t.Fatalf("got %s", names(got))
	}
	for i, e := range got[:2] {
		if e.Check.ID != id || e.Check.ExternalID != "run-1" || e.Check.HeadSHA != sha || e.Check.AppID != s.AppID() || e.Sender.Login != "bob" ||
			!slices.Equal(e.Check.Pulls, []int{1}) || e.Check.Conclusion != "success" || (e.Check.Identifier == "apply") != (i == 0) {
			t.Errorf("%+v", e.Check)
		}
	}
	if k := got[2].Suite; k.HeadSHA != sha || k.AppID != s.AppID() || !slices.Equal(k.Pulls, []int{1}) || k.HeadBranch != "f" || k.Conclusion != "success" {
		t.Errorf("suite %+v", k)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a button that the check does not have was pressed")
			}
		}()
		r.PressButton("bob", id, "destroy")
	}()
	// What other Apps do is told too, but it is not ours.
	r.ForeignCheck("actions", sha, "lint", "")
	r.ForeignCheck("actions", sha, "lint", "failure")
	r.SetStatus("ci", sha, "ci/build", "success")
	r.AutoSuites(true)
	r.Commit("ada", "f", "more", githubtest.Files{"a.tf": "2\n"})
	got = rc.take(t, s)
	if names(got) != "check_run.created check_run.completed check_suite.completed status push check_suite.requested pull_request.synchronize" {
		t.Fatalf("got %s", names(got))
	}
	if k := got[1].Check; k.AppID == s.AppID() || k.AppID == 0 || k.Conclusion != "failure" || got[2].Suite.AppID != k.AppID {
		t.Errorf("another App's: %+v, %+v", k, got[2].Suite)
	}
	if st := got[3].Status; st == nil || *st != (github.StatusEvent{SHA: sha, Context: "ci/build", State: "success"}) {
		t.Errorf("status %+v", st)
	}
	if k := got[5].Suite; k.AppID != s.AppID() || k.HeadSHA != p.State().HeadSHA {
		t.Errorf("requested %+v", k)
	}
}

// Protection is enforced as GitHub does it, not only told.
func TestGitHub21_ProtectionIsEnforced(t *testing.T) {
	s, r, p, rc, c := scene(t)
	ctx := within(t)
	r.Collaborator("bob", "write")
	r.Collaborator("reader", "read")
	s.Team("acme", "platform", "", "cem")
	r.Collaborator("cem", "write")
	r.Commit("ada", "main", "Owners", githubtest.Files{"CODEOWNERS": "*.tf @acme/platform\n"})
	r.Guard("main", &githubtest.Protection{Checks: []string{"ci"}, Approvals: 1, DismissStale: true})
	r.AddRuleset(githubtest.Ruleset{Protection: githubtest.Protection{CodeOwners: true, UpToDate: true}})
	refused(t, p, "approving review")
	p.Review("reader", "APPROVED", "")
	p.Review("ada", "APPROVED", "") // the author's own
	refused(t, p, "approving review")
	p.Review("bob", "APPROVED", "")
	refused(t, p, "code owner review from @acme/platform")
	p.Review("cem", "CHANGES_REQUESTED", "")
	refused(t, p, "Changes have been requested by cem")
	p.Review("cem", "APPROVED", "")
	refused(t, p, "required status checks have not succeeded: ci")
	r.SetStatus("ci", p.State().HeadSHA, "ci", "success")
	refused(t, p, "not up to date")
	rc.take(t, s)
	main := r.Tip("main")
	r.CommitOn("ada", "f", "main", "rebased", githubtest.Files{"a.tf": "1\n"})
	got := rc.take(t, s)
	if names(got) != "push pull_request.synchronize pull_request_review.dismissed pull_request_review.dismissed pull_request_review.dismissed pull_request_review.dismissed" {
		t.Errorf("a push dismisses approvals: %s", names(got))
	}
	for _, e := range got[2:] {
		if e.Review.State != github.ReviewDismissed || e.Number != 1 {
			t.Errorf("dismissed: %+v", e.Review)
		}
	}
	if a, err := c.Approved(ctx, r.ID(), 1, p.State().HeadSHA); err != nil || len(a.By) != 0 {
		t.Errorf("approved by %+v, %v", a.By, err)
	}
	r.SetStatus("ci", p.State().HeadSHA, "ci", "success")
	p.Review("cem", "APPROVED", "")
	if _, err := p.Merge("ada", "squash"); err != nil {
		t.Errorf("all that was asked for is there: %v", err)
	}
	if r.Tip("main") == main {
		t.Error("not merged")
	}
}

// Branches and tags go with a push of zeros, and a tag is no branch.
func TestGitHub24_TagsAreNoBranches(t *testing.T) {
	s, r, _, rc, _ := scene(t)
	dir := t.TempDir()
	token := s.Person("acme").Token
	must(t)(git(dir, token, "clone", "-q", r.CloneURL(), "work"))
	work := dir + "/work"
	must(t)(git(work, token, "tag", "v1"))
	must(t)(git(work, token, "push", "-q", "origin", "v1"))
	must(t)(git(work, token, "push", "-q", "origin", ":v1", "HEAD:refs/heads/gone"))
	must(t)(git(work, token, "push", "-q", "origin", ":gone"))
	got := rc.take(t, s)
	if len(got) != 4 {
		t.Fatalf("got %s", names(got))
	}
	zero := strings.Repeat("0", 40)
	for i, want := range []struct {
		branch, tag      string
		created, deleted bool
	}{{"", "v1", true, false}, {"gone", "", true, false}, {"", "v1", false, true}, {"gone", "", false, true}} {
		e := got[i]
		if e.Branch() != want.branch || e.Tag() != want.tag || e.Created != want.created || e.Deleted != want.deleted || (e.After == zero) != want.deleted || e.OnQueueBranch() {
			t.Errorf("push %d: %s created %v deleted %v after %s", i, e.Ref, e.Created, e.Deleted, e.After)
		}
	}
}

// A repository keeps its ID through renames and transfers; a transfer may take
// it away from the App or hand it to another installation.
func TestGitHub26_RenameTransferDelete(t *testing.T) {
	s, r, p, rc, c := scene(t)
	ctx := within(t)
	other := s.CreateRepo("globex", "shared", githubtest.RepoOptions{})
	rc.take(t, s)
	id, before := r.ID(), r.Installation()
	r.Rename("platform")
	r.Transfer("acme", "globex", true)
	got := rc.take(t, s)
	if names(got) != "repository.renamed installation_repositories.removed installation_repositories.added repository.transferred" {
		t.Fatalf("got %s", names(got))
	}
	if e := got[0]; e.WasNamed != "infra" || e.Repo.Name != "platform" || e.Repo.ID != id {
		t.Errorf("renamed: %+v", e.Event)
	}
	if e := got[1]; e.Installation.ID != before || len(e.Removed) != 1 || e.Removed[0].ID != id {
		t.Errorf("removed: %+v", e.Event)
	}
	if e := got[2]; e.Installation.ID != other.Installation() || len(e.Added) != 1 || e.Added[0].ID != id {
		t.Errorf("added: %+v", e.Event)
	}
	if e := got[3]; e.WasOwner != "acme" || e.Repo.FullName() != "globex/platform" || e.Repo.ID != id || e.Installation.ID != other.Installation() {
		t.Errorf("transferred: %+v", e.Event)
	}
	// The former installation may do nothing there any more, the new one may.
	if _, err := c.Pull(ctx, id, p.Number()); !errs.Is(err, errs.NotFound) && !errs.Is(err, errs.Forbidden) {
		t.Errorf("by the former installation: %v", err)
	}
	now := client(t, s).Installation(r.Installation())
	if pull, err := now.Pull(ctx, id, p.Number()); err != nil || pull.HeadSHA != p.State().HeadSHA {
		t.Errorf("by the new one: %+v, %v", pull, err)
	}
	dir := t.TempDir()
	for _, name := range []string{"acme/infra", "acme/platform", "globex/platform"} {
		must(t)(git(dir, s.Person("globex").Token, "ls-remote", "-q", s.URL+"/"+name+".git"))
	}
	// To an account where the App is not: it is just gone.
	r.Transfer("globex", "initech", false)
	if got := rc.take(t, s); names(got) != "installation_repositories.removed" || r.Installation() != 0 {
		t.Errorf("got %s", names(got))
	}
	other.Delete("globex")
	got = rc.take(t, s)
	if names(got) != "repository.deleted" || got[0].Repo.ID != other.ID() {
		t.Errorf("got %s", names(got))
	}
	if _, err := now.Repo(ctx, other.ID()); err == nil {
		t.Error("a deleted repository answers")
	}
	if _, err := git(dir, s.Person("globex").Token, "ls-remote", "-q", s.URL+"/globex/shared.git"); err == nil {
		t.Error("a deleted repository can be fetched")
	}
}

func TestAccountsAreRenamedAndRepositoriesArchived(t *testing.T) {
	s, r, p, rc, c := scene(t)
	ctx := within(t)
	in := r.Installation()
	s.RenameAccount("acme", "acme-corp")
	r.Branch("ada", "trunk", r.Tip("main"))
	rc.take(t, s)
	r.DefaultTo("ada", "trunk")
	r.Archive("ada", true)
	got := rc.take(t, s)
	if names(got) != "repository.edited repository.archived" || got[0].WasDefault != "main" || got[0].Repo.DefaultBranch != "trunk" || !got[1].Repo.Archived {
		t.Errorf("got %s: %+v", names(got), got)
	}
	if repo, err := c.Repo(ctx, r.ID()); err != nil || repo.FullName() != "acme-corp/infra" || !repo.Archived {
		t.Errorf("%+v, %v", repo, err)
	}
	if _, err := c.CreateComment(ctx, r.ID(), p.Number(), "hello"); !errs.Is(err, errs.Forbidden) {
		t.Errorf("a comment in an archived repository: %v", err)
	}
	r.Archive("ada", false)
	if _, err := c.CreateComment(ctx, r.ID(), p.Number(), "hello"); err != nil {
		t.Error(err)
	}
	rc.take(t, s)
	s.RenameAccount("acme-corp", "acme")
	got = rc.take(t, s)
	if names(got) != "installation_target.renamed" || got[0].Installation.ID != in || got[0].Installation.Account != "acme" || got[0].WasOwner != "acme-corp" {
		t.Errorf("got %s: %+v", names(got), got)
	}
}

// Two readings of CODEOWNERS that know nothing of each other agree.
func TestGitHub20_OwnersTwice(t *testing.T) {
	patterns := []string{"*", "*.tf", "/net/", "net/", "net/*", "/net/*", "**/net", "net/**", "net/**/a.tf", "/net/deep", "/*", "/*/a.tf", "a.tf", "?.tf", "/",
		"**/deep/", "net/deep/", "/net/**/deep/*", "n*t/", "deep", "**", "/**/a.tf", "net/*/"}
	paths := []string{"a.tf", "net/a.tf", "net/deep/a.tf", "net/deep/er/a.tf", "x/net/a.tf", "x/net/deep/a.tf", "deep/a", "net", "deep", "bb.tf", "net/deep"}
	for _, pattern := range patterns {
		o, problems := github.ParseOwners([]byte(pattern + " @ada"))
		if len(problems) != 0 {
			t.Errorf("%s: %v", pattern, problems)
		}
		for _, path := range paths {
			ours, theirs := len(o.For(path)) > 0, githubtest.Owned(pattern, path)
			if ours != theirs {
				t.Errorf("%s and %s: %v here, %v there", pattern, path, ours, theirs)
			}
		}
	}
}
