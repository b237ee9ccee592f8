package github_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// What has not changed since it was last read costs nothing: GitHub answers
// 304, which the hourly budget does not count.
func TestGitHub09_UnchangedListsCostNothing(t *testing.T) {
	w := newWorld(t)
	repo := w.repo.ID()
	start := w.clock.Now().Add(-time.Hour)
	pulls, tag, err := w.c.ChangedPulls(t.Context(), repo, start, "")
	if err != nil || len(pulls) != 1 || pulls[0].Number != 1 || tag == "" {
		t.Fatalf("first look: %+v, tag %q, %v", pulls, tag, err)
	}
	w.clock.advance(time.Second)
	w.pull.Comment("ada", "plan")
	first, ctag, err := w.c.ChangedComments(t.Context(), repo, start, "")
	if err != nil || len(first) != 1 || first[0].Pull != 1 || first[0].Author != "ada" || ctag == "" {
		t.Fatalf("comments: %+v, tag %q, %v", first, ctag, err)
	}
	if pulls, tag, err = w.c.ChangedPulls(t.Context(), repo, start, tag); err != nil || len(pulls) != 1 {
		t.Fatalf("after a comment: %+v, %v", pulls, err) // the pull's update has moved
	}

	before := len(w.sent())
	again, same, err := w.c.ChangedPulls(t.Context(), repo, start, tag)
	if err != nil || again != nil || same != tag {
		t.Errorf("unchanged pulls: %+v, tag %q after %q, %v", again, same, tag, err)
	}
	comments, same, err := w.c.ChangedComments(t.Context(), repo, start, ctag)
	if err != nil || comments != nil || same != ctag {
		t.Errorf("unchanged comments: %+v, tag %q after %q, %v", comments, same, ctag, err)
	}
	want := []string{"GET /repositories/{id}/pulls Not Modified", "GET /repositories/{id}/issues/comments Not Modified"}
	if diff := cmp.Diff(want, w.sent()[before:]); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}

	w.clock.advance(time.Minute)
	w.pull.Comment("ada", "apply")
	if comments, _, err = w.c.ChangedComments(t.Context(), repo, w.clock.Now(), ctag); err != nil || len(comments) != 1 || comments[0].Body != "apply" {
		t.Errorf("a new comment: %+v, %v", comments, err)
	}
}

// Only what changed since then is read, however many pulls there are.
func TestChangedPullsStopAtTheFirstOldOne(t *testing.T) {
	w := newWorld(t)
	w.clock.advance(time.Hour)
	since := w.clock.Now()
	for _, branch := range []string{"one", "two"} {
		w.repo.Commit("ada", branch, "Change", githubtest.Files{branch + ".tf": "# " + branch + "\n"})
		w.repo.Open("ada", githubtest.PullRequest{Title: "Change", Head: branch})
		w.clock.advance(time.Minute)
	}
	pulls, _, err := w.c.ChangedPulls(t.Context(), w.repo.ID(), since, "")
	if err != nil || len(pulls) != 2 || pulls[0].Number != 3 || pulls[1].Number != 2 {
		t.Fatalf("%+v, %v", pulls, err)
	}
}

func TestFindInstallation(t *testing.T) {
	w := newWorld(t)
	id := w.repo.Installation()
	in, err := w.app.FindInstallation(t.Context(), id)
	if err != nil || in.ID != id || in.Account != "acme" || in.Suspended {
		t.Errorf("%+v, %v", in, err)
	}
	w.gh.Suspend(id)
	if in, err = w.app.FindInstallation(t.Context(), id); err != nil || !in.Suspended {
		t.Errorf("suspended: %+v, %v", in, err)
	}
	var none github.Installation
	if in, err = w.app.FindInstallation(t.Context(), id+1000); !errs.Is(err, errs.NotFound) || in != none {
		t.Errorf("unknown: %+v, %v", in, err)
	}
}
