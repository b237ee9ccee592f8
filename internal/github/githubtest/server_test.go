package githubtest_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/github/githubtest"
)

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// receiver collects webhooks, as events.
type receiver struct {
	url string
	mu  sync.Mutex
	all []received
}

type received struct {
	github.Event
	guid string
	good bool
}

func receive(t *testing.T, s *githubtest.Server) *receiver {
	rc := &receiver{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e, err := github.ParseEvent(r.Header.Get("X-GitHub-Event"), body)
		if err != nil {
			t.Errorf("the stand-in sends what cannot be parsed: %v", err)
		}
		mac := r.Header.Get("X-Hub-Signature-256")
		rc.mu.Lock()
		defer rc.mu.Unlock()
		rc.all = append(rc.all, received{e, r.Header.Get("X-GitHub-Delivery"), mac == sum("s", body)})
	}))
	t.Cleanup(srv.Close)
	rc.url = srv.URL
	if err := s.Quiet(within(t)); err != nil {
		t.Fatal(err)
	}
	s.SetWebhook(srv.URL, "s")
	return rc
}

// take returns what has come since the last time.
func (rc *receiver) take(t *testing.T, s *githubtest.Server) []received {
	t.Helper()
	if err := s.Quiet(within(t)); err != nil {
		t.Fatal(err)
	}
	rc.mu.Lock()
	defer rc.mu.Unlock()
	out := rc.all
	rc.all = nil
	return out
}

func names(all []received) string {
	var out []string
	for _, e := range all {
		out = append(out, strings.TrimSuffix(e.Kind+"."+e.Action, "."))
	}
	return strings.Join(out, " ")
}

// git runs git as somebody whose token is given, "" for nobody.
func git(dir, token string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=ada", "GIT_AUTHOR_EMAIL=a@a", "GIT_COMMITTER_NAME=ada", "GIT_COMMITTER_EMAIL=a@a"}
	if token != "" {
		cmd.Env = append(cmd.Env, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=http.extraHeader",
			"GIT_CONFIG_VALUE_0=Authorization: Basic "+base64.StdEncoding.EncodeToString([]byte("x-access-token:"+token)))
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("git %s: %w: %s", args[0], err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

func must(t *testing.T) func(string, error) string {
	return func(out string, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// A person clones, commits and pushes with git, opens a pull request, pushes
// again, forces a push and deletes the branch. GitHub tells of it all.
func TestPushedPullRequest(t *testing.T) {
	s := githubtest.New(t, githubtest.Options{})
	r := s.CreateRepo("acme", "infra", githubtest.RepoOptions{Files: githubtest.Files{"main.tf": "# one\n"}})
	r.Collaborator("ada", "write")
	rc := receive(t, s)
	token, ok := s.Person("ada").Token, must(t)
	dir := filepath.Join(t.TempDir(), "work")
	ok(git(filepath.Dir(dir), token, "clone", "-q", r.CloneURL(), dir))
	change := func(text string, args ...string) string {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		ok(git(dir, "", append([]string{"commit", "-q", "-a", "-m", text}, args...)...))
		return ok(git(dir, "", "rev-parse", "HEAD"))
	}
	ok(git(dir, "", "switch", "-q", "-c", "feature/x"))
	one := change("# two\n")
	ok(git(dir, token, "push", "-q", "origin", "feature/x"))
	if got := rc.take(t, s); names(got) != "push" || !got[0].Created || got[0].After != one || got[0].Ref != "refs/heads/feature/x" || got[0].Sender.Login != "ada" || !got[0].good {
		t.Fatalf("a new branch: %+v", got)
	}
	p := r.Open("ada", githubtest.PullRequest{Title: "Two", Head: "feature/x"})
	if got := rc.take(t, s); names(got) != "pull_request.opened" || got[0].Pull.HeadSHA != one || got[0].Pull.BaseSHA != r.Tip("main") {
		t.Fatalf("opened: %+v", got)
	}
	if r.Ref("refs/pull/1/head") != one {
		t.Error("refs/pull/1/head is not the head")
	}
	if err := s.Wait(within(t), func() bool { return p.State().Mergeable != nil }); err != nil {
		t.Fatal(err)
	}
	if parents := ok(git(r.Dir(), "", "log", "-1", "--format=%P", "refs/pull/1/merge")); parents != r.Tip("main")+" "+one {
		t.Errorf("the test merge has the parents %s", parents)
	}

	two := change("# three\n")
	ok(git(dir, token, "push", "-q", "origin", "feature/x"))
	got := rc.take(t, s)
	if names(got) != "push pull_request.synchronize" || got[0].Forced || got[1].Before != one || got[1].After != two || got[1].Pull.HeadSHA != two {
		t.Fatalf("a push: %+v", got)
	}
	three := change("# four\n", "--amend")
	if _, err := git(dir, token, "push", "-q", "origin", "feature/x"); err == nil {
		t.Error("a push that is no fast-forward was taken without force")
	}
	ok(git(dir, token, "push", "-q", "--force", "origin", "feature/x"))
	got = rc.take(t, s)
	if names(got) != "push pull_request.synchronize" || !got[0].Forced || got[1].Before != two || got[1].After != three {
		t.Fatalf("a forced push: %+v", got)
	}
	// What was pushed before can still be fetched by its hash, as at GitHub.
	ok(git(dir, token, "fetch", "-q", r.CloneURL(), two))
	// GitHub's own refs are not to be pushed to.
	if _, err := git(dir, token, "push", "-q", "origin", "HEAD:refs/pull/1/head"); err == nil {
		t.Error("refs/pull can be pushed to")
	}
	ok(git(dir, token, "push", "-q", "origin", "--delete", "feature/x"))
	got = rc.take(t, s)
	if names(got) != "push pull_request.closed" || !got[0].Deleted || strings.Trim(got[0].After, "0") != "" || got[1].Pull.Merged {
		t.Fatalf("deleted: %+v", got)
	}
}

func TestGitHub22_ForcedPushIsMarked(t *testing.T) {
	s := githubtest.New(t, githubtest.Options{})
	r := s.CreateRepo("acme", "infra", githubtest.RepoOptions{})
	one := r.Commit("ada", "f", "one", githubtest.Files{"a": "1"})
	r.Open("ada", githubtest.PullRequest{Title: "f", Head: "f"})
	rc := receive(t, s)
	two := r.CommitOn("ada", "f", "main", "other", githubtest.Files{"a": "2"})
	got := rc.take(t, s)
	if names(got) != "push pull_request.synchronize" || !got[0].Forced || got[1].Before != one || got[1].After != two {
		t.Errorf("got %+v", got)
	}
}

func TestGitHub23_RetargetTellsTheOldBase(t *testing.T) {
	s := githubtest.New(t, githubtest.Options{})
	r := s.CreateRepo("acme", "infra", githubtest.RepoOptions{})
	main := r.Tip("main")
	r.Commit("ada", "release", "r", githubtest.Files{"r": "1"})
	r.Commit("ada", "f", "one", githubtest.Files{"a": "1"})
	p := r.Open("ada", githubtest.PullRequest{Title: "f", Head: "f"})
	rc := receive(t, s)
	p.Retarget("ada", "release")
	got := rc.take(t, s)
	if names(got) != "pull_request.edited" || got[0].BaseFrom == nil || got[0].BaseFrom.Ref != "main" || got[0].BaseFrom.SHA != main ||
		got[0].Pull.BaseRef != "release" || got[0].Pull.BaseSHA != r.Tip("release") {
		t.Errorf("got %+v", got)
	}
	p.Edit("ada", "new title")
	if got := rc.take(t, s); names(got) != "pull_request.edited" || got[0].BaseFrom != nil {
		t.Errorf("an edit of the title passes for a new base: %+v", got)
	}
}

func TestGitHub24_BranchDeletionIsAPushOfZeros(t *testing.T) {
	s := githubtest.New(t, githubtest.Options{})
	r := s.CreateRepo("acme", "infra", githubtest.RepoOptions{})
	one := r.Commit("ada", "f", "one", githubtest.Files{"a": "1"})
	rc := receive(t, s)
	r.Branch("ada", "f", "")
	got := rc.take(t, s)
	if names(got) != "push" || !got[0].Deleted || got[0].Before != one || got[0].After != strings.Repeat("0", 40) {
		t.Errorf("got %+v", got)
	}
	if r.Tip("f") != "" {
		t.Error("the branch is still there")
	}
}

func TestGitHub25_ForksAreFetchedFromTheBase(t *testing.T) {
	s := githubtest.New(t, githubtest.Options{})
	r := s.CreateRepo("acme", "infra", githubtest.RepoOptions{Files: githubtest.Files{"main.tf": "#\n"}})
	rc := receive(t, s)
	fork := r.Fork("mallory")
	if fork.Installation() != 0 {
		t.Error("the App is installed on the fork")
	}
	sha := fork.Commit("mallory", "evil", "evil", githubtest.Files{"main.tf": "# evil\n"})
	p := r.Open("mallory", githubtest.PullRequest{Title: "Harmless", Head: "evil", From: fork})
	got := rc.take(t, s)
	if names(got) != "pull_request.opened" || !got[0].Pull.FromFork() || got[0].Pull.HeadRepoID != fork.ID() || got[0].Repo.ID != r.ID() {
		t.Fatalf("got %+v", got)
	}
	if r.Ref("refs/pull/1/head") != sha {
		t.Error("the base repository has not got the head")
	}
	next := fork.Commit("mallory", "evil", "more", githubtest.Files{"x.tf": "#\n"})
	got = rc.take(t, s)
	if names(got) != "pull_request.synchronize" || got[0].After != next || r.Ref("refs/pull/1/head") != next {
		t.Fatalf("a push to the fork: %+v", got)
	}
	if err := s.Wait(within(t), func() bool { return p.State().Mergeable != nil }); err != nil {
		t.Fatal(err)
	}
	if !*p.State().Mergeable {
		t.Error("cannot be merged")
	}
}

// The three ways of merging make the commits that they are known for.
func TestMergeMethods(t *testing.T) {
	for method, want := range map[string]struct{ parents, commits int }{"merge": {2, 3}, "squash": {1, 1}, "rebase": {1, 2}} {
		t.Run(method, func(t *testing.T) {
			s := githubtest.New(t, githubtest.Options{})
			long := strings.Repeat("line\n", 30)
			r := s.CreateRepo("acme", "infra", githubtest.RepoOptions{Files: githubtest.Files{"a.tf": long, "b/c.tf": "c\n"}})
			r.Commit("ada", "f", "one", githubtest.Files{"a.tf": "first\n" + long})
			r.Commit("ada", "f", "two", githubtest.Files{"b/d.tf": "d\n"})
			// The base moves on, in the same file but elsewhere: a merge for git.
			r.Commit("bob", "main", "base", githubtest.Files{"a.tf": long + "last\n", "b/c.tf": githubtest.Delete()})
			before := r.Tip("main")
			p := r.Open("ada", githubtest.PullRequest{Title: "Two commits", Head: "f"})
			// What the server tries in the background is through before git looks
			// at everything that there is.
			if err := s.Wait(within(t), func() bool { return p.State().Mergeable != nil }); err != nil {
				t.Fatal(err)
			}
			rc := receive(t, s)
			sha, err := p.Merge("bob", method)
			if err != nil {
				t.Fatal(err)
			}
			got := rc.take(t, s)
			if names(got) != "pull_request.closed push" || !got[0].Pull.Merged || got[0].Pull.MergeSHA != sha || got[1].Ref != "refs/heads/main" || got[1].After != sha || got[1].Before != before {
				t.Errorf("webhooks: %+v", got)
			}
			ok := must(t)
			if n := len(strings.Fields(ok(git(r.Dir(), "", "log", "-1", "--format=%P", "main")))); n != want.parents {
				t.Errorf("%d parents, want %d", n, want.parents)
			}
			if n := ok(git(r.Dir(), "", "rev-list", "--count", before+"..main")); n != fmt.Sprint(want.commits) {
				t.Errorf("%s commits came, want %d", n, want.commits)
			}
			if text, _ := r.File("main", "a.tf"); text != "first\n"+long+"last\n" {
				t.Errorf("a.tf is %q", text)
			}
			if _, there := r.File("main", "b/c.tf"); there {
				t.Error("a deleted file is back")
			}
			if _, there := r.File("main", "b/d.tf"); !there {
				t.Error("b/d.tf is missing")
			}
			ok(git(r.Dir(), "", "fsck", "--strict", "--no-dangling"))
		})
	}
}

// Faults of the deliveries do what they say.
func TestDeliveryFaults(t *testing.T) {
	s := githubtest.New(t, githubtest.Options{})
	r := s.CreateRepo("acme", "infra", githubtest.RepoOptions{})
	r.Commit("ada", "f", "one", githubtest.Files{"a": "1"})
	p := r.Open("ada", githubtest.PullRequest{Title: "f", Head: "f"})
	rc := receive(t, s)
	bodies := func() string {
		var out []string
		for _, e := range rc.take(t, s) {
			mark := e.Comment.Body
			if !e.good {
				mark += "!"
			}
			out = append(out, mark)
		}
		return strings.Join(out, " ")
	}
	p.Comment("ada", "a")
	s.Faults().Drop(1)
	p.Comment("ada", "b")
	p.Comment("ada", "c")
	if got := bodies(); got != "a c" && got != "b c" {
		t.Errorf("dropped: %s", got)
	}
	logged := len(s.Deliveries())
	s.Faults().Omit(1)
	p.Comment("ada", "d")
	if got := bodies(); got != "" || len(s.Deliveries()) != logged {
		t.Errorf("omitted: %q, and the log grew by %d", got, len(s.Deliveries())-logged)
	}
	s.Faults().Duplicate(1, 2)
	p.Comment("ada", "e")
	if got := bodies(); got != "e e e" {
		t.Errorf("duplicated: %s", got)
	}
	s.Faults().Reorder(3)
	p.Comment("ada", "f")
	p.Comment("ada", "g")
	p.Comment("ada", "h")
	if got := bodies(); got != "h g f" {
		t.Errorf("reordered: %s", got)
	}
	s.Faults().BadSignature(1)
	p.Comment("ada", "i")
	p.Comment("ada", "j")
	if got := bodies(); got != "i! j" {
		t.Errorf("badly signed: %s", got)
	}
}

// The bot's own comments and checks cause webhooks as a person's do.
func TestOwnActsAreTold(t *testing.T) {
	s := githubtest.New(t, githubtest.Options{})
	r := s.CreateRepo("acme", "infra", githubtest.RepoOptions{})
	r.Commit("ada", "f", "one", githubtest.Files{"a": "1"})
	p := r.Open("ada", githubtest.PullRequest{Title: "f", Head: "f"})
	rc := receive(t, s)
	app := client(t, s)
	c := app.Installation(r.Installation())
	ctx := within(t)
	id, err := c.CreateComment(ctx, r.ID(), 1, "x")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.UpdateComment(ctx, r.ID(), id, "y"); err != nil {
		t.Fatal(err)
	}
	check, err := c.CreateCheck(ctx, r.ID(), github.Check{Name: "plan", HeadSHA: p.State().HeadSHA, Status: "in_progress", ExternalID: "e",
		Actions: []github.CheckAction{{Label: "Plan again", Description: "Plans again", Identifier: "replan"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.UpdateCheck(ctx, r.ID(), check, github.Check{Conclusion: "success", Status: "completed"}); err != nil {
		t.Fatal(err)
	}
	p.Rerun("ada", check)
	p.Press("ada", check, "replan")
	got := rc.take(t, s)
	if names(got) != "issue_comment.created issue_comment.edited check_run.created check_run.completed check_suite.completed check_run.rerequested check_run.requested_action" {
		t.Fatalf("got %s", names(got))
	}
	for _, e := range got[:4] {
		if e.Sender.Login != "tidelock[bot]" || e.Sender.Type != "Bot" {
			t.Errorf("%s by %+v", e.Kind, e.Sender)
		}
	}
	if e := got[6]; e.Check.Identifier != "replan" || e.Check.ExternalID != "e" || e.Check.AppID != s.AppID() || e.Sender.Login != "ada" {
		t.Errorf("the button: %+v", e.Check)
	}
}

func TestInstallationsAreTold(t *testing.T) {
	s := githubtest.New(t, githubtest.Options{})
	r := s.CreateRepo("acme", "infra", githubtest.RepoOptions{NoApp: true})
	rc := receive(t, s)
	id := s.Install("acme", r)
	more := s.CreateRepo("acme", "more", githubtest.RepoOptions{})
	s.RemoveRepo(more)
	r.Rename("platform")
	s.Suspend(id)
	r.Commit("ada", "main", "unheard", githubtest.Files{"a": "1"}) // a suspended App hears of nothing
	s.Unsuspend(id)
	s.Uninstall(id)
	got := rc.take(t, s)
	want := "installation.created installation_repositories.added installation_repositories.removed repository.renamed installation.suspend installation.unsuspend installation.deleted"
	if names(got) != want {
		t.Fatalf("got  %s\nwant %s", names(got), want)
	}
	if e := got[0]; e.Installation.ID != id || e.Installation.Account != "acme" || len(e.Added) != 1 || e.Added[0].ID != r.ID() || e.Added[0].FullName() != "acme/infra" {
		t.Errorf("created: %+v", e)
	}
	if e := got[1]; len(e.Added) != 1 || e.Added[0].ID != more.ID() {
		t.Errorf("added: %+v", e)
	}
	if e := got[2]; len(e.Removed) != 1 || e.Removed[0].ID != more.ID() {
		t.Errorf("removed: %+v", e)
	}
	if e := got[3]; e.Repo.Name != "platform" {
		t.Errorf("renamed: %+v", e)
	}
	if !got[4].Installation.Suspended {
		t.Errorf("suspend: %+v", got[4])
	}
	if e := got[6]; len(e.Removed) != 1 || len(e.Added) != 0 {
		t.Errorf("deleted: %+v", e)
	}
}

// Who may do what: tokens of people and of nobody.
func TestGitAccess(t *testing.T) {
	s := githubtest.New(t, githubtest.Options{})
	private := s.CreateRepo("acme", "infra", githubtest.RepoOptions{})
	public := s.CreateRepo("acme", "open", githubtest.RepoOptions{Public: true})
	private.Collaborator("reader", "read")
	private.Collaborator("writer", "write")
	push := func(r *githubtest.Repo, login string) error {
		dir := filepath.Join(t.TempDir(), "w")
		token := s.Person(login).Token
		if _, err := git(filepath.Dir(dir), token, "clone", "-q", r.CloneURL(), dir); err != nil {
			return err
		}
		if _, err := git(dir, "", "commit", "-q", "--allow-empty", "-m", "x"); err != nil {
			return err
		}
		_, err := git(dir, token, "push", "-q", "origin", "HEAD:refs/heads/by-"+login)
		return err
	}
	read := func(r *githubtest.Repo, token string) error {
		_, err := git(t.TempDir(), token, "ls-remote", "-q", r.CloneURL())
		return err
	}
	for what, c := range map[string]struct {
		err  error
		fine bool
	}{
		"nobody reads private":   {read(private, ""), false},
		"nobody reads public":    {read(public, ""), true},
		"a stranger reads":       {read(private, s.Person("stranger").Token), false},
		"a bad token reads":      {read(private, "ghp_nonsense"), false},
		"a reader reads":         {read(private, s.Person("reader").Token), true},
		"a reader pushes":        {push(private, "reader"), false},
		"a writer pushes":        {push(private, "writer"), true},
		"a stranger pushes open": {push(public, "stranger"), false},
	} {
		if (c.err == nil) != c.fine {
			t.Errorf("%s: %v", what, c.err)
		}
	}
	if private.Tip("by-writer") == "" || private.Tip("by-reader") != "" {
		t.Error("the branches are not what was allowed")
	}
	// The former name leads to the present one, for git too.
	old := private.CloneURL()
	private.Rename("platform")
	if _, err := git(t.TempDir(), s.Person("reader").Token, "ls-remote", "-q", old); err != nil {
		t.Errorf("by the former name: %v", err)
	}
}

func TestGitHub26_FormerNamesAreRedirected(t *testing.T) {
	s := githubtest.New(t, githubtest.Options{})
	r := s.CreateRepo("acme", "infra", githubtest.RepoOptions{})
	r.Commit("ada", "f", "x", githubtest.Files{"a": "1"})
	id := r.Open("ada", githubtest.PullRequest{Title: "f", Head: "f"}).Comment("ada", "hi")
	r.Rename("platform")
	r.Collaborator("ada", "write")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for method, want := range map[string]int{"GET": http.StatusMovedPermanently, "PATCH": http.StatusTemporaryRedirect} {
		path := fmt.Sprintf("/issues/comments/%d", id)
		req, _ := http.NewRequest(method, s.APIURL()+"/repos/acme/infra"+path, strings.NewReader(`{"body":"x"}`))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+s.Person("ada").Token)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if to := fmt.Sprintf("%s/repositories/%d%s", s.APIURL(), r.ID(), path); resp.StatusCode != want || resp.Header.Get("Location") != to {
			t.Errorf("%s: %d to %s, want %d to %s", method, resp.StatusCode, resp.Header.Get("Location"), want, to)
		}
	}
}

func TestGitHub10_TooLongACommentIsRefused(t *testing.T) {
	s := githubtest.New(t, githubtest.Options{})
	r := s.CreateRepo("acme", "infra", githubtest.RepoOptions{})
	r.Collaborator("ada", "write")
	r.Commit("ada", "f", "x", githubtest.Files{"a": "1"})
	p := r.Open("ada", githubtest.PullRequest{Title: "f", Head: "f"})
	for n, want := range map[int]int{65536: 201, 65537: 422} {
		body, _ := json.Marshal(map[string]string{"body": strings.Repeat("ü", n)})
		req, _ := http.NewRequest("POST", fmt.Sprintf("%s/repositories/%d/issues/1/comments", s.APIURL(), r.ID()), bytes.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+s.Person("ada").Token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%d characters: %d, want %d", n, resp.StatusCode, want)
		}
	}
	if n := len(p.Comments()); n != 1 {
		t.Errorf("%d comments", n)
	}
}
