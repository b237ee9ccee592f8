package github_test

import (
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/github/githubtest"
)

func TestIssueIsOpenedFoundAndClosed(t *testing.T) {
	w := newWorld(t)
	ctx, repo := t.Context(), w.repo.ID()
	const marker = "<!-- tidelock-drift -->"
	w.repo.OpenIssue("mallory", "Mine", "I quote "+marker)
	if _, ok, err := w.c.FindIssue(ctx, repo, "tidelock", marker); err != nil || ok {
		t.Fatalf("a person's issue was taken for ours: %v, %v", ok, err)
	}
	made, err := w.c.NewIssue(ctx, repo, "Drift", "Something moved.\n"+marker)
	if err != nil || !made.Open || !made.Ours {
		t.Fatalf("%+v, %v", made, err)
	}
	if made.Number == w.pull.Number() {
		t.Error("an issue and a pull request share a number")
	}
	found, ok, err := w.c.FindIssue(ctx, repo, "tidelock", marker)
	if err != nil || !ok || found.Number != made.Number {
		t.Errorf("found %+v, %v, %v", found, ok, err)
	}
	for _, open := range []bool{false, false, true} { // safe to repeat
		if err := w.c.EditIssue(ctx, repo, made.Number, "Drift again", "More.", open); err != nil {
			t.Fatal(err)
		}
		now, err := w.c.Issue(ctx, repo, made.Number)
		if err != nil || now.Open != open || now.Title != "Drift again" || now.Body != "More." {
			t.Errorf("%+v, %v", now, err)
		}
	}
	if _, err := w.c.Issue(ctx, repo, 999); !errs.Is(err, errs.NotFound) {
		t.Errorf("one that never was: %v", err)
	}
	if _, err := w.c.NewIssue(ctx, repo, "Drift", strings.Repeat("x", github.MaxComment+1)); !errs.Is(err, errs.TooLarge) {
		t.Errorf("too long: %v", err)
	}
	w.repo.SwitchIssues(false)
	if _, err := w.c.NewIssue(ctx, repo, "Drift", "More."); !errs.Is(err, errs.Conflict) || !strings.Contains(errs.Sentence(err), "switched off") {
		t.Errorf("without issues: %v", err)
	}
	if err := w.c.EditIssue(ctx, repo, made.Number, "Drift", "More.", false); !errs.Is(err, errs.Conflict) {
		t.Errorf("without issues: %v", err)
	}
}

func TestOfferOfAFile(t *testing.T) {
	w := newWorld(t)
	ctx, repo := t.Context(), w.repo.ID()
	offer := github.Offer{Base: "main", BaseSHA: w.repo.Tip("main"), Branch: "tidelock/drift-live-db", Path: ".tidelock/drift/live-db.md",
		Content: "one\n", Message: "Take the drift of live/db back", Title: "Take back", Body: "Please."}
	p, err := w.c.OfferFile(ctx, repo, w.repo.Owner(), offer)
	if err != nil || p.State != "open" || p.HeadRef != offer.Branch {
		t.Fatalf("%+v, %v", p, err)
	}
	if text, _ := w.repo.File(offer.Branch, offer.Path); text != "one\n" {
		t.Errorf("the branch has %q", text)
	}
	// The same again is the same, to the commit.
	again, err := w.c.OfferFile(ctx, repo, w.repo.Owner(), offer)
	if err != nil || again.Number != p.Number || again.HeadSHA != p.HeadSHA {
		t.Errorf("%+v, %v", again, err)
	}
	offer.Content, offer.Title = "two\n", "Take back more"
	if again, err = w.c.OfferFile(ctx, repo, w.repo.Owner(), offer); err != nil || again.Number != p.Number || again.Title != "Take back more" {
		t.Errorf("%+v, %v", again, err)
	}
	if text, _ := w.repo.File(offer.Branch, offer.Path); text != "two\n" {
		t.Errorf("the branch has %q", text)
	}
	if len(w.repo.Pulls()) != 2 { // one is the world's
		t.Errorf("%d pull requests", len(w.repo.Pulls()))
	}
	for range 2 {
		if err := w.c.ClosePull(ctx, repo, p.Number, offer.Branch); err != nil {
			t.Fatal(err)
		}
	}
	if w.repo.Pull(p.Number).State().State != "closed" || w.repo.Tip(offer.Branch) != "" {
		t.Error("it is not closed, or its branch is there")
	}
	// A branch that a crash left, without its pull request, is begun anew.
	w.repo.Commit("tidelock[bot]", offer.Branch, "half", map[string]string{"x": "y"})
	next, err := w.c.OfferFile(ctx, repo, w.repo.Owner(), offer)
	if err != nil || next.Number == p.Number {
		t.Fatalf("%+v, %v", next, err)
	}
	if _, there := w.repo.File(offer.Branch, "x"); there {
		t.Error("the branch has what was left on it")
	}
}

func TestOfferNeedsContents(t *testing.T) {
	w := newWorld(t, func(o *githubtest.Options, _ *github.Options) {
		o.Permissions = map[string]string{"metadata": "read", "contents": "read", "checks": "write", "pull_requests": "write", "issues": "write"}
	})
	_, err := w.c.OfferFile(t.Context(), w.repo.ID(), w.repo.Owner(), github.Offer{Base: "main", BaseSHA: w.repo.Tip("main"), Branch: "b", Path: "f", Content: "x", Message: "m", Title: "t"})
	if !errs.Is(err, errs.Forbidden) {
		t.Errorf("without contents: write: %v", err)
	}
}
