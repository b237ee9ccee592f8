package github_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/redact"
)

func TestAppKnowsItself(t *testing.T) {
	w := newWorld(t)
	self, err := w.app.Self(context.Background())
	if err != nil || self.Slug != "tidelock" || self.Permissions["checks"] != "write" || len(self.Events) == 0 || self.ID != w.app.ID() {
		t.Errorf("got %+v, %v", self, err)
	}
	all, err := w.app.Installations(context.Background())
	if err != nil || len(all) != 1 || all[0].Account != "acme" || all[0].ID != w.c.ID() || all[0].Suspended {
		t.Errorf("installations %+v, %v", all, err)
	}
	w.gh.CreateRepo("acme", "other", githubtest.RepoOptions{})
	repos, err := w.c.Repos(context.Background())
	if err != nil || len(repos) != 2 || repos[0].FullName() != "acme/infra" || repos[0].DefaultBranch != "main" {
		t.Errorf("repositories %+v, %v", repos, err)
	}
}

func TestBadOptionsAreExplained(t *testing.T) {
	w := newWorld(t)
	key := redact.NewSecret(w.gh.AppKey())
	for name, c := range map[string]struct {
		o    github.Options
		says string
	}{
		"no ID":      {github.Options{Key: key}, "App's ID"},
		"no key":     {github.Options{ID: 1}, "private key is missing"},
		"no PEM":     {github.Options{ID: 1, Key: redact.NewSecret("hunter2-hunter2")}, "cannot be read"},
		"half a PEM": {github.Options{ID: 1, Key: redact.NewSecret(w.gh.AppKey()[:200])}, "cannot be read"},
		"no URL":     {github.Options{ID: 1, Key: key, BaseURL: "ghe.acme.test/api/v3"}, "https://HOST/api/v3"},
	} {
		_, err := github.NewApp(c.o)
		if !errs.Is(err, errs.Invalid) || !strings.Contains(errs.Sentence(err), c.says) {
			t.Errorf("%s: %v, want invalid with %q", name, err, c.says)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error shows the key", name)
		}
	}
	// Another App's key is found out at the first call.
	other, err := github.NewApp(github.Options{ID: 999, Key: key, BaseURL: w.gh.APIURL()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Self(context.Background()); !errs.Is(err, errs.Forbidden) || !strings.Contains(errs.Sentence(err), "private key") {
		t.Errorf("wrong ID: %v", err)
	}
}

func TestGitHub03_LostDeliveriesAreFound(t *testing.T) {
	in := newInbox(t)
	w := newWorld(t)
	ctx := within(t)
	if err := w.gh.Quiet(ctx); err != nil { // what came before has nowhere to go
		t.Fatal(err)
	}
	w.gh.SetWebhook(in.url, "the webhook secret")
	start := w.clock.Now()
	w.pull.Comment("ada", "this arrives")
	if err := w.gh.Quiet(ctx); err != nil {
		t.Fatal(err)
	}
	w.gh.Faults().Drop(1)
	w.pull.Comment("ada", "this is lost")
	if err := w.gh.Quiet(ctx); err != nil {
		t.Fatal(err)
	}
	in.answer(503)
	w.pull.Comment("ada", "this is refused")
	if err := w.gh.Quiet(ctx); err != nil {
		t.Fatal(err)
	}
	in.answer(0)
	if n := len(in.hooks()); n != 2 {
		t.Fatalf("%d webhooks came, want 2", n)
	}
	all, err := w.app.Deliveries(ctx, start)
	if err != nil {
		t.Fatal(err)
	}
	var lost []github.Delivery
	for _, d := range github.Lost(all) {
		if d.Event == "issue_comment" {
			lost = append(lost, d)
		}
	}
	if len(lost) != 2 || lost[0].StatusCode != 503 || lost[1].StatusCode != 0 || lost[0].RepositoryID != w.repo.ID() || lost[0].InstallationID != w.c.ID() {
		t.Fatalf("lost: %+v", lost)
	}
	for _, d := range lost {
		if err := w.app.Redeliver(ctx, d.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.gh.Quiet(ctx); err != nil {
		t.Fatal(err)
	}
	if n := len(in.hooks()); n != 4 {
		t.Errorf("%d webhooks came, want 4", n)
	}
	if all, err = w.app.Deliveries(ctx, start); err != nil {
		t.Fatal(err)
	}
	for _, d := range github.Lost(all) {
		if d.Event == "issue_comment" {
			t.Errorf("still lost: %+v", d)
		}
	}
	// Nothing older than what was asked for, even over several pages.
	w.clock.advance(time.Hour)
	later := w.clock.Now()
	for range 130 {
		w.pull.Comment("ada", "chatter")
	}
	if err := w.gh.Quiet(ctx); err != nil {
		t.Fatal(err)
	}
	if all, err = w.app.Deliveries(ctx, later); err != nil || len(all) != 130 {
		t.Errorf("%d deliveries since then, %v; want 130", len(all), err)
	}
	if err := w.app.Redeliver(ctx, 1); !errs.Is(err, errs.NotFound) {
		t.Errorf("no such delivery: %v", err)
	}
}

func TestGitHub04_RedeliveryKeepsItsGUID(t *testing.T) {
	in := newInbox(t)
	w := newWorld(t)
	ctx := within(t)
	if err := w.gh.Quiet(ctx); err != nil { // what came before has nowhere to go
		t.Fatal(err)
	}
	w.gh.SetWebhook(in.url, "the webhook secret")
	w.pull.Comment("ada", "once")
	if err := w.gh.Quiet(ctx); err != nil {
		t.Fatal(err)
	}
	all, err := w.app.Deliveries(ctx, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.app.Redeliver(ctx, all[0].ID); err != nil {
		t.Fatal(err)
	}
	if err := w.gh.Quiet(ctx); err != nil {
		t.Fatal(err)
	}
	got := in.hooks()
	if len(got) != 2 || got[0].guid != got[1].guid || got[0].guid == "" || string(got[0].body) != string(got[1].body) {
		t.Errorf("%d webhooks: not the same one twice", len(got))
	}
	if again, _ := w.app.Deliveries(ctx, time.Time{}); again[0].ID == all[0].ID || again[0].GUID != all[0].GUID || !again[0].Redelivery {
		t.Errorf("the log: %+v", again[0])
	}
	for _, h := range got {
		if err := w.app.Verify(h.signature, h.body); err != nil {
			t.Error(err)
		}
	}
}

func TestGitHub12_TokensAreNarrowAndLong(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	other := w.gh.CreateRepo("acme", "secrets", githubtest.RepoOptions{Files: githubtest.Files{"a.tf": "#"}})
	token, err := w.c.Token(ctx, w.repo.ID())
	if err != nil {
		t.Fatal(err)
	}
	if n := len(token.Reveal()); n < 300 {
		t.Errorf("the token has %d characters: this test proves nothing about long ones", n)
	}
	// One token serves the API and git; another repository has another one.
	if _, err := w.c.Pull(ctx, w.repo.ID(), 1); err != nil {
		t.Fatal(err)
	}
	if _, err := w.c.Repo(ctx, other.ID()); err != nil {
		t.Fatal(err)
	}
	theirs, err := w.c.GitAuth(other.ID())(ctx)
	if err != nil || theirs == token {
		t.Errorf("one token for two repositories (%v)", err)
	}
	minted := 0
	for _, s := range w.sent() {
		if strings.Contains(s, "access_tokens") {
			minted++
		}
	}
	if minted != 2 {
		t.Errorf("%d tokens minted for two repositories", minted)
	}
	// By ls-remote, as git would: it reads its repository and no other.
	if err := lsRemote(t, w.repo.CloneURL(), token.Reveal()); err != nil {
		t.Errorf("its own repository: %v", err)
	}
	if err := lsRemote(t, other.CloneURL(), token.Reveal()); err == nil {
		t.Error("the token opens another repository")
	}
	if err := push(t, w.repo.CloneURL(), token.Reveal()); err == nil {
		t.Error("the token that a fetch gets may push")
	}
	w.clock.advance(61 * time.Minute)
	if err := lsRemote(t, w.repo.CloneURL(), token.Reveal()); err == nil {
		t.Error("it works after an hour")
	}
}

func TestTokensAreMintedOnceForMany(t *testing.T) {
	w := newWorld(t)
	var wait sync.WaitGroup
	for range 20 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			if _, err := w.c.Pull(context.Background(), w.repo.ID(), 1); err != nil {
				t.Error(err)
			}
		}()
	}
	wait.Wait()
	if n := strings.Count(strings.Join(w.sent(), "\n"), "access_tokens"); n != 1 {
		t.Errorf("%d tokens for one repository", n)
	}
}

func TestGitHub15_SuspendedAndRemoved(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	if _, err := w.c.Pull(ctx, w.repo.ID(), 1); err != nil {
		t.Fatal(err)
	}
	w.gh.Suspend(w.c.ID())
	_, err := w.c.Pull(ctx, w.repo.ID(), 1)
	if !github.Gone(err) || !errs.Is(err, errs.Forbidden) {
		t.Errorf("suspended: %v", err)
	}
	w.gh.Unsuspend(w.c.ID())
	if _, err := w.c.Pull(ctx, w.repo.ID(), 1); err != nil {
		t.Errorf("back again: %v", err)
	}
	w.gh.Uninstall(w.c.ID())
	w.app.Forget(w.c.ID())
	_, err = w.app.Installation(w.c.ID()).Pull(ctx, w.repo.ID(), 1)
	if !github.Gone(err) || !errs.Is(err, errs.NotFound) {
		t.Errorf("removed: %v", err)
	}
}

func TestRepositoryOutsideTheInstallation(t *testing.T) {
	w := newWorld(t)
	foreign := w.gh.CreateRepo("rival", "infra", githubtest.RepoOptions{})
	_, err := w.c.Repo(context.Background(), foreign.ID())
	if !errs.Is(err, errs.Forbidden) || github.Gone(err) {
		t.Errorf("another client's repository: %v, want forbidden", err)
	}
}
