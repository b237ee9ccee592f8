package github_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/redact"
)

// world is a stand-in GitHub with one repository and one pull request, and the
// App that is installed there.
type world struct {
	gh    *githubtest.Server
	repo  *githubtest.Repo
	pull  *githubtest.Pull
	app   *github.App
	c     *github.Client
	clock *clock

	mu    sync.Mutex
	calls []string // "METHOD route status" of what the App has sent
}

// clock stands still until it is told otherwise; sleeping moves it.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept time.Duration
}

func newClock() *clock { return &clock{now: time.Now().Truncate(time.Second)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.slept += d
	return ctx.Err()
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type setting func(*githubtest.Options, *github.Options)

func newWorld(t *testing.T, settings ...setting) *world {
	t.Helper()
	w := &world{clock: newClock()}
	server := githubtest.Options{Now: w.clock.Now, WebhookSecret: "the webhook secret"}
	client := github.Options{Clock: w.clock, WebhookSecret: redact.NewSecret("the webhook secret"),
		Writes: github.Pace{Burst: 20, PerSecond: 1}} // as at github.com, although the stand-in's address is not
	client.OnCall = func(method, route string, status int, _ time.Duration) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.calls = append(w.calls, method+" "+route+" "+http.StatusText(status))
	}
	for _, set := range settings {
		set(&server, &client)
	}
	w.gh = githubtest.New(t, server)
	client.ID, client.Key, client.BaseURL = w.gh.AppID(), redact.NewSecret(w.gh.AppKey()), w.gh.APIURL()
	var err error
	if w.app, err = github.NewApp(client); err != nil {
		t.Fatal(err)
	}
	w.repo = w.gh.CreateRepo("acme", "infra", githubtest.RepoOptions{Files: githubtest.Files{"main.tf": "# one\n", "net/main.tf": "# net\n"}})
	w.repo.Commit("ada", "feature", "Change main", githubtest.Files{"main.tf": "# two\n"})
	w.pull = w.repo.Open("ada", githubtest.PullRequest{Title: "Change main", Head: "feature"})
	w.c = w.app.Installation(w.repo.Installation())
	return w
}

func (w *world) sent() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.calls...)
}

// within is how long a test waits for what must come.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// inbox receives webhooks as the bot would.
type inbox struct {
	url string

	mu     sync.Mutex
	got    []hook
	status int // what to answer; 0: 202
}

type hook struct {
	event, guid, signature string
	body                   []byte
}

func newInbox(t *testing.T) *inbox {
	in := &inbox{}
	srv := httptest.NewServer(http.HandlerFunc(in.receive))
	t.Cleanup(srv.Close)
	in.url = srv.URL
	return in
}

func (in *inbox) receive(w http.ResponseWriter, r *http.Request) {
	body := make([]byte, 0, 32<<10)
	buf := make([]byte, 8<<10)
	for {
		n, err := r.Body.Read(buf)
		body = append(body, buf[:n]...)
		if err != nil {
			break
		}
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.got = append(in.got, hook{r.Header.Get("X-GitHub-Event"), r.Header.Get("X-GitHub-Delivery"), r.Header.Get("X-Hub-Signature-256"), body})
	if in.status != 0 {
		w.WriteHeader(in.status)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

func (in *inbox) answer(status int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.status = status
}

func (in *inbox) hooks() []hook {
	in.mu.Lock()
	defer in.mu.Unlock()
	return append([]hook(nil), in.got...)
}
