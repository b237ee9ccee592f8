package github_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/github/githubtest"
)

func TestPullIsReadByRepositoryID(t *testing.T) {
	w := newWorld(t)
	w.pull.Label("ada", "urgent", "net")
	p, err := w.c.Pull(context.Background(), w.repo.ID(), 1)
	if err != nil {
		t.Fatal(err)
	}
	want := w.pull.State()
	if p.Number != 1 || p.Title != "Change main" || p.Author != "ada" || p.AuthorID != w.gh.Person("ada").ID || p.HeadSHA != want.HeadSHA ||
		p.HeadRef != "feature" || p.BaseSHA != w.repo.Tip("main") || p.BaseRef != "main" || p.State != "open" || p.Merged || p.Draft ||
		strings.Join(p.Labels, " ") != "net urgent" || p.HeadRepoID != w.repo.ID() || p.FromFork() {
		t.Errorf("got %+v", p)
	}
	if got := strings.Join(w.sent(), "\n"); got != "POST /app/installations/{id}/access_tokens Created\nGET /repositories/{id}/pulls/{n} OK" {
		t.Errorf("it cost:\n%s", got)
	}
	if _, err := w.c.Pull(context.Background(), w.repo.ID(), 99); !errs.Is(err, errs.NotFound) {
		t.Errorf("no such pull: %v", err)
	}
}

func TestGitHub13_RoleNameIsRead(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	for _, name := range []string{"read", "triage", "write", "maintain", "admin"} {
		w.repo.Collaborator("eve", name)
		got, err := w.c.Permission(ctx, w.repo.ID(), "eve")
		if want, _ := github.ParseRole(name); err != nil || got != want {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	w.repo.Collaborator("eve", "none")
	if got, err := w.c.Permission(ctx, w.repo.ID(), "eve"); err != nil || got != github.RoleNone {
		t.Errorf("no collaborator of a private repository: %v, %v", got, err)
	}
	if got, err := w.c.Permission(ctx, w.repo.ID(), "nobody/../admin"); !errs.Is(err, errs.NotFound) || got != github.RoleNone {
		t.Errorf("no such user: %v, %v", got, err)
	}
	if github.RoleNone >= github.RoleRead || github.RoleTriage >= github.RoleWrite || github.RoleMaintain >= github.RoleAdmin {
		t.Error("roles are not in order")
	}
}

func TestGitHub16_MergeableIsPolled(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	p, err := w.c.Pull(ctx, w.repo.ID(), 1)
	if err != nil || p.Mergeable != nil {
		t.Fatalf("first look: mergeable is known at once: %+v, %v", p, err)
	}
	// The stand-in computes in real time; the clock here does not run.
	if err := w.gh.Wait(within(t), func() bool { return w.pull.State().Mergeable != nil }); err != nil {
		t.Fatal(err)
	}
	p, err = w.c.PullMergeable(ctx, w.repo.ID(), 1)
	if err != nil || p.Mergeable == nil || !*p.Mergeable || p.MergeableState != "clean" {
		t.Fatalf("polled: %+v, %v", p, err)
	}
	// There is a test commit now; it must not pass for the merge.
	if w.repo.Ref("refs/pull/1/merge") == "" {
		t.Error("no test commit was made: this test proves nothing")
	}
	if p.MergeSHA != "" {
		t.Errorf("the test commit %s passes for the merge", p.MergeSHA)
	}
	// Each move of the base starts over.
	w.repo.Commit("bob", "main", "Conflict", githubtest.Files{"main.tf": "# three\n"})
	if p, err = w.c.Pull(ctx, w.repo.ID(), 1); err != nil || p.Mergeable != nil {
		t.Errorf("after the base moved: %+v, %v", p, err)
	}
	if err := w.gh.Wait(within(t), func() bool { return w.pull.State().Mergeable != nil }); err != nil {
		t.Fatal(err)
	}
	if p, err = w.c.PullMergeable(ctx, w.repo.ID(), 1); err != nil || *p.Mergeable || p.MergeableState != "dirty" {
		t.Errorf("with a conflict: %+v, %v", p, err)
	}
}

func TestGitHub17_MergeNamesTheHead(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	old := w.pull.State().HeadSHA
	head := w.repo.Commit("ada", "feature", "More", githubtest.Files{"more.tf": "# more\n"})
	_, err := w.c.Merge(ctx, w.repo.ID(), 1, old, "merge")
	if !errs.Is(err, errs.Conflict) || !strings.Contains(errs.Sentence(err), "head moved") {
		t.Errorf("409, the head moved: %v", err)
	}
	if _, err := w.c.Merge(ctx, w.repo.ID(), 1, "", "merge"); !errs.Is(err, errs.Invalid) {
		t.Errorf("no commit named: %v", err)
	}
	w.pull.Draft("ada", true)
	if _, err := w.c.Merge(ctx, w.repo.ID(), 1, head, "merge"); !errs.Is(err, errs.Conflict) || !strings.Contains(errs.Sentence(err), "draft") {
		t.Errorf("405, a draft: %v", err)
	}
	w.pull.Draft("ada", false)
	w.repo.Protect("main", "tidelock/plan")
	if _, err := w.c.Merge(ctx, w.repo.ID(), 1, head, "merge"); !errs.Is(err, errs.Conflict) || !strings.Contains(errs.Sentence(err), "tidelock/plan") {
		t.Errorf("405, a required check is missing: %v", err)
	}
	if _, err := w.c.CreateCheck(ctx, w.repo.ID(), github.Check{Name: "tidelock/plan", HeadSHA: head, Status: "completed", Conclusion: "success"}); err != nil {
		t.Fatal(err)
	}
	w.gh.Faults().Refuse(githubtest.Refusal{Status: 422, Times: 1, Message: "Rebase merges are not allowed on this repository.",
		Match: func(m, _ string) bool { return m == http.MethodPut }})
	if _, err := w.c.Merge(ctx, w.repo.ID(), 1, head, "rebase"); !errs.Is(err, errs.Conflict) || !strings.Contains(errs.Sentence(err), "not allowed") {
		t.Errorf("422: %v", err)
	}
	if w.pull.State().Merged {
		t.Fatal("a refused merge has merged")
	}
	sha, err := w.c.Merge(ctx, w.repo.ID(), 1, head, "merge")
	if err != nil || sha != w.repo.Tip("main") {
		t.Fatalf("merged as %s, main is at %s: %v", sha, w.repo.Tip("main"), err)
	}
	if text, _ := w.repo.File("main", "more.tf"); text != "# more\n" {
		t.Errorf("main has %q", text)
	}
	p, err := w.c.Pull(ctx, w.repo.ID(), 1)
	if err != nil || !p.Merged || p.State != "closed" || p.MergeSHA != sha {
		t.Errorf("afterwards: %+v, %v", p, err)
	}
	if _, err := w.c.Merge(ctx, w.repo.ID(), 1, head, "merge"); !errs.Is(err, errs.Conflict) {
		t.Errorf("merging twice: %v", err)
	}
}

func TestGitHub17_ConflictIsRefused(t *testing.T) {
	w := newWorld(t)
	w.repo.Commit("bob", "main", "Conflict", githubtest.Files{"main.tf": "# three\n"})
	before := w.repo.Tip("main")
	_, err := w.c.Merge(context.Background(), w.repo.ID(), 1, w.pull.State().HeadSHA, "squash")
	if !errs.Is(err, errs.Conflict) {
		t.Errorf("got %v, want conflict", err)
	}
	if w.repo.Tip("main") != before {
		t.Error("main moved")
	}
}

func TestGitHub19_LatestDecisiveReviewCounts(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	step := func(by, state string) int64 {
		w.clock.advance(1e9)
		return w.pull.Review(by, state, "")
	}
	check := func(what, by, against string) {
		t.Helper()
		a, err := w.c.Approved(ctx, w.repo.ID(), 1, w.pull.State().HeadSHA)
		if err != nil {
			t.Fatal(err)
		}
		names := func(rs []github.Review) string {
			var out []string
			for _, r := range rs {
				out = append(out, r.User)
			}
			return strings.Join(out, " ")
		}
		if names(a.By) != by || names(a.Against) != against {
			t.Errorf("%s: for %q, against %q; want %q and %q", what, names(a.By), names(a.Against), by, against)
		}
	}
	check("no reviews", "", "")
	bob := step("bob", "APPROVED")
	check("approved", "bob", "")
	step("bob", "COMMENTED")
	check("a comment takes nothing back", "bob", "")
	step("cyd", "CHANGES_REQUESTED")
	check("one against", "bob", "cyd")
	step("cyd", "APPROVED")
	check("changed her mind", "bob cyd", "")
	w.pull.Dismiss("ada", bob)
	check("dismissed", "cyd", "")
	step("cyd", "CHANGES_REQUESTED")
	check("changed it back", "", "cyd")
	step("bob", "APPROVED")
	w.repo.Commit("ada", "feature", "After the approval", githubtest.Files{"x.tf": "#\n"})
	a, err := w.c.Approved(ctx, w.repo.ID(), 1, w.pull.State().HeadSHA)
	if err != nil || len(a.By) != 1 || len(a.Stale) != 1 {
		t.Errorf("an approval of an older head is not marked as such: %+v, %v", a, err)
	}
}

func TestGitHub26_RenamesChangeNothing(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	id, err := w.c.CreateComment(ctx, w.repo.ID(), 1, "before")
	if err != nil {
		t.Fatal(err)
	}
	w.repo.Rename("platform")
	if err := w.c.UpdateComment(ctx, w.repo.ID(), id, "after"); err != nil {
		t.Errorf("PATCH after the rename: %v", err)
	}
	r, err := w.c.Repo(ctx, w.repo.ID())
	if err != nil || r.FullName() != "acme/platform" || !strings.HasSuffix(r.CloneURL, "/acme/platform.git") {
		t.Errorf("got %+v, %v", r, err)
	}
	if _, err := w.c.CreateCheck(ctx, w.repo.ID(), github.Check{Name: "plan", HeadSHA: w.pull.State().HeadSHA, Status: "queued"}); err != nil {
		t.Errorf("POST after the rename: %v", err)
	}
	for _, sent := range w.sent() {
		if strings.Contains(sent, "/repos/") || strings.Contains(sent, "Moved") || strings.Contains(sent, "Redirect") {
			t.Errorf("a call went by name: %s", sent)
		}
	}
}

func TestOpenPullsPages(t *testing.T) {
	w := newWorld(t)
	sha := w.repo.Tip("feature")
	for i := range 104 {
		name := "b" + string(rune('a'+i/26)) + string(rune('a'+i%26))
		w.repo.Branch("ada", name, sha)
		w.repo.Open("ada", githubtest.PullRequest{Title: name, Head: name})
	}
	w.repo.Pull(3).Close("ada")
	all, err := w.c.OpenPulls(context.Background(), w.repo.ID())
	if err != nil || len(all) != 104 {
		t.Fatalf("%d open pulls, %v; want 104", len(all), err)
	}
	if all[0].Number != 1 || all[103].Number != 105 {
		t.Errorf("from %d to %d: not oldest first", all[0].Number, all[103].Number)
	}
}
