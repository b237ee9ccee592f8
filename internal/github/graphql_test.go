package github_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// A comment is named by the node_id that REST gave for it.
func TestGitHub28_MinimizeTakesTheRESTNodeID(t *testing.T) {
	w := newWorld(t)
	ctx := within(t)
	c, err := w.c.CreateCommentFull(ctx, w.repo.ID(), 1, "an old plan")
	if err != nil || c.NodeID == "" || c.ID == 0 {
		t.Fatalf("got %+v, %v", c, err)
	}
	if got := w.pull.Comments()[0].Minimized; got != "" {
		t.Fatalf("minimized as %q before anyone asked", got)
	}
	for range 2 { // safe to repeat
		if err := w.c.Minimize(ctx, w.repo.ID(), c.NodeID, github.Outdated); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.pull.Comments()[0].Minimized; got != "outdated" {
		t.Errorf("minimized as %q, want outdated", got)
	}
	page := get(t, w.pull.HTMLURL())
	if !strings.Contains(page, "This comment was marked as outdated.") {
		t.Error("the page does not fold the comment away")
	}
	// What the bot sent went to GraphQL, once per call.
	n := 0
	for _, call := range w.sent() {
		if call == "POST /graphql OK" {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d GraphQL requests in %v", n, w.sent())
	}
}

// Errors come with status 200 and must not be taken for success.
func TestGitHub28_GraphQLErrorsArriveAs200(t *testing.T) {
	body := func(kind, code, message string) string {
		return `{"data":{"minimizeComment":null},"errors":[{"type":"` + kind + `","path":["minimizeComment"],"message":"` + message + `","extensions":{"code":"` + code + `"}}]}`
	}
	for name, c := range map[string]struct {
		body string
		want errs.Kind
		says string
	}{
		"not found":       {body("NOT_FOUND", "", "Could not resolve to a node"), errs.NotFound, "does not know this"},
		"forbidden":       {body("FORBIDDEN", "", "Resource not accessible by integration"), errs.Forbidden, "permissions"},
		"unprocessable":   {body("UNPROCESSABLE", "", "Was not properly formed"), errs.Conflict, "Was not properly formed."},
		"too old":         {body("", "undefinedField", "Field 'minimizeComment' doesn't exist on type 'Mutation'"), errs.Invalid, "too old"},
		"invalid":         {body("", "argumentLiteralsIncompatible", "Argument has an invalid value"), errs.Invalid, "invalid value"},
		"fault":           {body("", "", "Something went wrong while executing your query."), errs.Unavailable, "tried again"},
		"nothing at all":  {`{}`, errs.Unavailable, "tried again"},
		"null and silent": {`{"data":{"minimizeComment":{"minimizedComment":null}}}`, errs.Unavailable, "did not say"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.gh.Faults().Refuse(githubtest.Refusal{Status: 200, Times: 1, Body: c.body, Match: graphOnly})
			err := w.c.Minimize(within(t), w.repo.ID(), "IC_x", github.Outdated)
			if !errs.Is(err, c.want) || !strings.Contains(errs.Sentence(err), c.says) {
				t.Errorf("got %v (%s), want %s that says %q", err, errs.KindOf(err), c.want, c.says)
			}
		})
	}
	// And the real refusals of the stand-in.
	w := newWorld(t)
	if err := w.c.Minimize(within(t), w.repo.ID(), "IC_bm90aGluZw", github.Outdated); !errs.Is(err, errs.NotFound) {
		t.Errorf("a comment that is not there: %v", err)
	}
	other := w.gh.CreateRepo("acme", "other", githubtest.RepoOptions{})
	other.Commit("ada", "f", "x", githubtest.Files{"a": "b"})
	theirs := other.Open("ada", githubtest.PullRequest{Title: "x", Head: "f"})
	id := theirs.Comment("ada", "hello")
	c, err := w.c.Comment(within(t), other.ID(), id)
	if err != nil {
		t.Fatal(err)
	}
	// The token of one repository does not reach another's comments.
	if err := w.c.Minimize(within(t), w.repo.ID(), c.NodeID, github.Outdated); !errs.Is(err, errs.NotFound) || theirs.Comments()[0].Minimized != "" {
		t.Errorf("a comment of another repository: %v", err)
	}
}

func graphOnly(method, path string) bool { return path == "/graphql" }

func TestGitHub28_GraphQLHasABudgetOfItsOwn(t *testing.T) {
	w := newWorld(t, func(o *githubtest.Options, _ *github.Options) { o.HourLimit = 4 })
	ctx := within(t)
	c, err := w.c.CreateCommentFull(ctx, w.repo.ID(), 1, "x")
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if err := w.c.Minimize(ctx, w.repo.ID(), c.NodeID, github.Outdated); err != nil {
			t.Fatal(err)
		}
	}
	sent := len(w.sent())
	err = w.c.Minimize(ctx, w.repo.ID(), c.NodeID, github.Outdated)
	if after, ok := github.RetryAfter(err); !ok || after < 59*time.Minute || len(w.sent()) != sent {
		t.Errorf("beyond the budget: %v, and %d more requests", err, len(w.sent())-sent)
	}
	if _, err := w.c.Pull(ctx, w.repo.ID(), 1); err != nil {
		t.Errorf("REST is held up by GraphQL's budget: %v", err)
	}
	w.clock.advance(time.Hour)
	if err := w.c.Minimize(ctx, w.repo.ID(), c.NodeID, github.Outdated); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}

// GitHub's word for a spent budget and for too much at once, both as 200.
func TestGitHub28_GraphQLLimitsAreHonoured(t *testing.T) {
	for name, c := range map[string]struct {
		refusal githubtest.Refusal
		primary bool
		want    time.Duration
	}{
		"rate limited": {githubtest.Refusal{Status: 200, Body: `{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]}`,
			Header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Resource": "graphql"}}, true, 20 * time.Minute},
		"secondary": {githubtest.Refusal{Status: 200, Body: `{"errors":[{"message":"You have exceeded a secondary rate limit."}]}`,
			Header: map[string]string{"Retry-After": "90"}}, false, 90 * time.Second},
		"secondary, silent": {githubtest.Refusal{Status: 200, Body: `{"errors":[{"message":"You have exceeded a secondary rate limit."}]}`}, false, time.Minute},
		"secondary as 403":  {githubtest.Refusal{Status: 403, Message: "You have exceeded a secondary rate limit.", Header: map[string]string{"Retry-After": "90"}}, false, 90 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ctx := within(t)
			made, err := w.c.CreateCommentFull(ctx, w.repo.ID(), 1, "x")
			if err != nil {
				t.Fatal(err)
			}
			c.refusal.Times, c.refusal.Match = 1, graphOnly
			if c.primary {
				c.refusal.Header["X-RateLimit-Reset"] = fmt.Sprint(w.clock.Now().Add(c.want).Unix())
			}
			w.gh.Faults().Refuse(c.refusal)
			err = w.c.Minimize(ctx, w.repo.ID(), made.NodeID, github.Outdated)
			var limit *github.LimitError
			if after, ok := github.RetryAfter(err); !errs.Is(err, errs.Unavailable) || !ok || after != c.want || !errors.As(err, &limit) || limit.Primary != c.primary {
				t.Fatalf("got %v (%+v), want a wait of %s", err, limit, c.want)
			}
			sent := len(w.sent())
			if err := w.c.Minimize(ctx, w.repo.ID(), made.NodeID, github.Outdated); err == nil || len(w.sent()) != sent {
				t.Errorf("sent while the limit lasts: %v", err)
			}
			w.clock.advance(c.want)
			if err := w.c.Minimize(ctx, w.repo.ID(), made.NodeID, github.Outdated); err != nil {
				t.Errorf("after the wait: %v", err)
			}
		})
	}
}

// The revert takes back exactly what git's own revert would, whichever way the
// pull was merged, and leaves what came later.
func TestRevertPullTakesBackTheMerge(t *testing.T) {
	for _, method := range []string{"merge", "squash", "rebase"} {
		t.Run(method, func(t *testing.T) {
			w := newWorld(t)
			ctx := within(t)
			w.repo.Commit("ada", "feature", "And the net", githubtest.Files{"net/main.tf": "# net two\n", "net/new.tf": "# new\n"})
			before := w.repo.Tip("main")
			if _, err := w.c.RevertPull(ctx, w.repo.ID(), 1, "", "", false); !errs.Is(err, errs.Conflict) {
				t.Fatalf("reverting what is not merged: %v", err)
			}
			if _, err := w.pull.Merge("ada", method); err != nil {
				t.Fatal(err)
			}
			merged := w.pull.State().MergeSHA
			w.repo.Commit("ada", "main", "Something else", githubtest.Files{"later.tf": "# later\n"})
			got, err := w.c.RevertPull(ctx, w.repo.ID(), 1, "", "Because the apply failed.", true)
			if err != nil || got.Found {
				t.Fatalf("got %+v, %v", got, err)
			}
			revert := w.repo.Pull(got.Number)
			state := revert.State()
			if state.Title != `Revert "Change main"` || state.HeadRef != "revert-1-feature" || state.BaseRef != "main" || !state.Draft || got.URL != revert.HTMLURL() {
				t.Errorf("the pull is %+v, %s", state, got.URL)
			}
			p, err := w.c.Pull(ctx, w.repo.ID(), got.Number)
			if err != nil || p.Author != "tidelock[bot]" {
				t.Errorf("opened by %q, %v", p.Author, err)
			}
			if want := gitRevert(t, w.repo.Dir(), before, merged, w.repo.Tip("main")); want != gitTree(t, w.repo.Dir(), state.HeadSHA) {
				t.Error("the tree is not the one that git revert makes")
			}
			again, err := w.c.RevertPull(ctx, w.repo.ID(), 1, "", "", false)
			if err != nil || !again.Found || again.Number != got.Number || len(w.repo.Pulls()) != 2 {
				t.Errorf("the second time: %+v, %v, %d pulls", again, err, len(w.repo.Pulls()))
			}
		})
	}
}

func TestRevertPullThatConflicts(t *testing.T) {
	w := newWorld(t)
	if _, err := w.pull.Merge("ada", "squash"); err != nil {
		t.Fatal(err)
	}
	w.repo.Commit("ada", "main", "Changed again", githubtest.Files{"main.tf": "# three\n"})
	_, err := w.c.RevertPull(within(t), w.repo.ID(), 1, "", "", false)
	if !errs.Is(err, errs.Conflict) || !strings.Contains(errs.Sentence(err), "later changes conflict") {
		t.Errorf("got %v", err)
	}
	if len(w.repo.Pulls()) != 1 || w.repo.Tip("revert-1-feature") != "" {
		t.Error("a pull or branch was left behind")
	}
}

// gitRevert returns the tree that git itself comes to.
func gitRevert(t *testing.T, bare, before, merged, tip string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "clone")
	runGit(t, "", "clone", "-q", bare, dir)
	runGit(t, dir, "checkout", "-q", "--detach", tip)
	args := []string{"-c", "user.name=x", "-c", "user.email=x@example.invalid", "revert", "--no-edit"}
	if parents := strings.Fields(runGit(t, dir, "rev-list", "--parents", "-n", "1", merged)); len(parents) > 2 {
		runGit(t, dir, append(args, "-m", "1", merged)...)
	} else {
		runGit(t, dir, append(args, before+".."+merged)...)
	}
	return gitTree(t, dir, "HEAD")
}

func gitTree(t *testing.T, dir, commit string) string {
	t.Helper()
	return strings.TrimSpace(runGit(t, dir, "rev-parse", commit+"^{tree}"))
}

func runGit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func get(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(within(t), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b strings.Builder
	if err := resp.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGitHub24_DeleteBranch(t *testing.T) {
	in := newInbox(t)
	w := newWorld(t, func(o *githubtest.Options, _ *github.Options) { o.WebhookURL = in.url })
	ctx := within(t)
	w.repo.Commit("ada", "fix/ä%b#1", "x", githubtest.Files{"x": "y"})
	for range 2 { // the second time it is gone already
		if err := w.c.DeleteBranch(ctx, w.repo.ID(), "fix/ä%b#1"); err != nil {
			t.Fatal(err)
		}
	}
	if tip := w.repo.Tip("fix/ä%b#1"); tip != "" {
		t.Errorf("the branch is at %s", tip)
	}
	if err := w.c.DeleteBranch(ctx, w.repo.ID(), "main"); !errs.Is(err, errs.Conflict) || w.repo.Tip("main") == "" {
		t.Errorf("the default branch: %v", err)
	}
	if err := w.c.DeleteBranch(ctx, w.repo.ID(), ""); !errs.Is(err, errs.Invalid) {
		t.Errorf("no branch: %v", err)
	}
	var deleted github.Event
	err := w.gh.Wait(ctx, func() bool {
		for _, h := range in.hooks() {
			if e, err := github.ParseEvent(h.event, h.body); err == nil && h.event == "push" && e.Deleted {
				deleted = e
			}
		}
		return deleted.Deleted
	})
	if err != nil || deleted.Ref != "refs/heads/fix/ä%b#1" || strings.Trim(deleted.After, "0") != "" || len(deleted.After) != 40 || deleted.Sender.Login != "tidelock[bot]" {
		t.Errorf("the webhook: %+v, %v", deleted, err)
	}
}

func TestWritingContentsNeedsThePermission(t *testing.T) {
	w := newWorld(t, func(o *githubtest.Options, _ *github.Options) {
		o.Permissions = map[string]string{"metadata": "read", "contents": "read", "checks": "write", "pull_requests": "write", "issues": "write"}
	})
	ctx := within(t)
	if _, err := w.pull.Merge("ada", "squash"); err != nil {
		t.Fatal(err)
	}
	if err := w.c.DeleteBranch(ctx, w.repo.ID(), "feature"); !errs.Is(err, errs.Forbidden) || w.repo.Tip("feature") == "" {
		t.Errorf("deleting a branch: %v", err)
	}
	if _, err := w.c.RevertPull(ctx, w.repo.ID(), 1, "", "", false); !errs.Is(err, errs.Forbidden) {
		t.Errorf("reverting: %v", err)
	}
}

func TestMergeThatNeedsAQueueSaysSo(t *testing.T) {
	for _, status := range []int{405, 422} {
		w := newWorld(t)
		w.gh.Faults().Refuse(githubtest.Refusal{Status: status, Times: 1, Message: "Repository rule violations found\n\nChanges must be made through the merge queue",
			Match: func(method, path string) bool { return method == "PUT" && strings.HasSuffix(path, "/merge") }})
		_, err := w.c.Merge(context.Background(), w.repo.ID(), 1, w.pull.State().HeadSHA, "squash")
		if !errs.Is(err, errs.Conflict) || !github.NeedsQueue(err) || !strings.Contains(errs.Sentence(err), "merge queue") {
			t.Errorf("%d: %v", status, err)
		}
		w.gh.Faults().Refuse(githubtest.Refusal{Status: status, Times: 1, Message: "Pull Request is not mergeable",
			Match: func(method, path string) bool { return method == "PUT" }})
		if _, err := w.c.Merge(context.Background(), w.repo.ID(), 1, w.pull.State().HeadSHA, "squash"); github.NeedsQueue(err) || !errs.Is(err, errs.Conflict) {
			t.Errorf("%d: another refusal: %v", status, err)
		}
	}
}

func TestEnqueueWhereAQueueIsRequired(t *testing.T) {
	w := newWorld(t)
	ctx := within(t)
	head := w.pull.State().HeadSHA
	if err := w.c.Enqueue(ctx, w.repo.ID(), 1, head); !errs.Is(err, errs.Conflict) {
		t.Errorf("without a queue: %v", err)
	}
	w.repo.AddRuleset(githubtest.Ruleset{Name: "queue", MergeQueue: true})
	_, err := w.c.Merge(ctx, w.repo.ID(), 1, head, "merge")
	if !github.NeedsQueue(err) || !errs.Is(err, errs.Conflict) || w.pull.State().Merged {
		t.Fatalf("merging past the queue: %v", err)
	}
	if err := w.c.Enqueue(ctx, w.repo.ID(), 1, strings.Repeat("1", 40)); !errs.Is(err, errs.Conflict) || !strings.Contains(errs.Sentence(err), "head moved") {
		t.Errorf("another head: %v", err)
	}
	for range 2 { // safe to repeat
		if err := w.c.Enqueue(ctx, w.repo.ID(), 1, head); err != nil {
			t.Fatal(err)
		}
	}
	group, err := w.repo.QueueMerge("ada", w.pull) // the queue takes it up
	if err != nil {
		t.Fatal(err)
	}
	if err := group.Merge(); err != nil || !w.pull.State().Merged {
		t.Errorf("the queue's merge: %v", err)
	}
	if err := w.c.Enqueue(ctx, w.repo.ID(), 1, head); !errs.Is(err, errs.Conflict) {
		t.Errorf("once it is merged: %v", err)
	}
}
