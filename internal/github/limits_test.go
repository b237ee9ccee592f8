package github_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/github/githubtest"
)

func TestGitHub07_WritesAreSpaced(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	for i := range 20 {
		if _, err := w.c.CreateComment(ctx, w.repo.ID(), 1, fmt.Sprintf("comment %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	// Minting the token was a write of the App's, not of this installation's.
	if w.clock.slept != 0 {
		t.Fatalf("the burst waited %s", w.clock.slept)
	}
	for i := range 5 {
		if _, err := w.c.CreateComment(ctx, w.repo.ID(), 1, fmt.Sprintf("later %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if w.clock.slept < 4900*time.Millisecond || w.clock.slept > 5100*time.Millisecond {
		t.Errorf("five writes after the burst waited %s, want 5s", w.clock.slept)
	}
	// Reading is not held up by writing.
	before := w.clock.slept
	if _, err := w.c.Pull(ctx, w.repo.ID(), 1); err != nil || w.clock.slept != before {
		t.Errorf("a read waited %s (%v)", w.clock.slept-before, err)
	}
}

// A wait that is too long for a worker comes back as an error that says how
// long, and nothing is sent.
func TestGitHub07_LongWaitsAreHandedBack(t *testing.T) {
	w := newWorld(t, func(_ *githubtest.Options, o *github.Options) {
		o.Writes = github.Pace{Burst: 1, PerSecond: 0.02}
	})
	ctx := context.Background()
	if _, err := w.c.CreateComment(ctx, w.repo.ID(), 1, "first"); err != nil {
		t.Fatal(err)
	}
	sent := len(w.sent())
	_, err := w.c.CreateComment(ctx, w.repo.ID(), 1, "second")
	after, ok := github.RetryAfter(err)
	if !errs.Is(err, errs.Unavailable) || !ok || after < 49*time.Second || after > 51*time.Second {
		t.Fatalf("got %v, retry after %s (%v); want unavailable for 50s", err, after, ok)
	}
	if len(w.sent()) != sent {
		t.Error("a request was sent all the same")
	}
	w.clock.advance(after)
	if _, err := w.c.CreateComment(ctx, w.repo.ID(), 1, "second"); err != nil {
		t.Errorf("after waiting as told: %v", err)
	}
}

func TestGitHub07_SpacingOff(t *testing.T) {
	w := newWorld(t, func(_ *githubtest.Options, o *github.Options) { o.Writes.Off = true })
	for i := range 40 {
		if _, err := w.c.CreateComment(context.Background(), w.repo.ID(), 1, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if w.clock.slept != 0 {
		t.Errorf("waited %s", w.clock.slept)
	}
}

func TestGitHub08_LimitsComeAs403And429(t *testing.T) {
	for _, status := range []int{http.StatusForbidden, http.StatusTooManyRequests} {
		for name, c := range map[string]struct {
			fault   func(*world) func()
			primary bool
			want    time.Duration
		}{
			"primary":                       {func(w *world) func() { return w.gh.Faults().Primary(status, w.clock.Now().Add(20*time.Minute)) }, true, 20 * time.Minute},
			"secondary with Retry-After":    {func(w *world) func() { return w.gh.Faults().Secondary(status, 1, 90*time.Second) }, false, 90 * time.Second},
			"secondary without Retry-After": {func(w *world) func() { return w.gh.Faults().Secondary(status, 1, 0) }, false, time.Minute},
			"secondary with Retry-After date": {func(w *world) func() {
				return w.gh.Faults().Refuse(githubtest.Refusal{Status: status, Times: 1, Header: map[string]string{
					"Retry-After": w.clock.Now().Add(2 * time.Minute).UTC().Format(http.TimeFormat)}})
			}, false, 2 * time.Minute},
		} {
			t.Run(fmt.Sprintf("%d %s", status, name), func(t *testing.T) {
				w := newWorld(t)
				ctx := context.Background()
				if _, err := w.c.Pull(ctx, w.repo.ID(), 1); err != nil {
					t.Fatal(err)
				}
				defer c.fault(w)()
				_, err := w.c.Pull(ctx, w.repo.ID(), 1)
				var limit *github.LimitError
				after, ok := github.RetryAfter(err)
				if !errs.Is(err, errs.Unavailable) || !ok || !errors.As(err, &limit) || limit.Primary != c.primary || after != c.want {
					t.Fatalf("got %v: retry after %s (%v), want %s", err, after, ok, c.want)
				}
				sent := len(w.sent())
				w.clock.advance(c.want - 15*time.Second)
				if _, err := w.c.Pull(ctx, w.repo.ID(), 1); !errs.Is(err, errs.Unavailable) {
					t.Errorf("too early: %v, want unavailable", err)
				}
				if len(w.sent()) != sent {
					t.Error("a request was sent while the limit lasts")
				}
				w.clock.advance(15 * time.Second)
				if _, err := w.c.Pull(ctx, w.repo.ID(), 1); err != nil {
					t.Errorf("after the wait: %v", err)
				}
			})
		}
	}
}

// A 403 that speaks of no limit is a refusal and blocks nothing.
func TestGitHub08_PlainForbiddenIsNoLimit(t *testing.T) {
	w := newWorld(t)
	w.gh.Faults().Refuse(githubtest.Refusal{Status: 403, Times: 1, Message: "Resource not accessible by integration",
		Match: func(method, _ string) bool { return method == "PATCH" }})
	ctx := context.Background()
	id, err := w.c.CreateComment(ctx, w.repo.ID(), 1, "x")
	if err != nil {
		t.Fatal(err)
	}
	err = w.c.UpdateComment(ctx, w.repo.ID(), id, "y")
	if _, limited := github.RetryAfter(err); limited || !errs.Is(err, errs.Forbidden) {
		t.Errorf("got %v, want forbidden and no limit", err)
	}
	if err := w.c.UpdateComment(ctx, w.repo.ID(), id, "y"); err != nil {
		t.Error(err)
	}
}

func TestFault18_ServerErrorsAreUnavailable(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	up := w.gh.Faults().Down()
	if _, err := w.c.Pull(ctx, w.repo.ID(), 1); !errs.Is(err, errs.Unavailable) {
		t.Errorf("503: %v, want unavailable", err)
	}
	up()
	if _, err := w.c.Pull(ctx, w.repo.ID(), 1); err != nil {
		t.Errorf("up again: %v", err)
	}
	w.gh.Faults().Refuse(githubtest.Refusal{Status: 503, Times: 1, Header: map[string]string{"Retry-After": "30"}})
	_, err := w.c.Pull(ctx, w.repo.ID(), 1)
	if after, ok := github.RetryAfter(err); !ok || after != 30*time.Second {
		t.Errorf("503 with Retry-After: %v, %s", err, after)
	}
	_ = w.gh.Close()
	if _, err := w.c.Pull(ctx, w.repo.ID(), 1); !errs.Is(err, errs.Unavailable) {
		t.Errorf("nobody there: %v, want unavailable", err)
	}
}

// The hour's budget runs out for real: the stand-in counts.
func TestFault19_PrimaryLimitWaitsForTheReset(t *testing.T) {
	w := newWorld(t, func(o *githubtest.Options, c *github.Options) { o.HourLimit, c.CacheBytes = 5, -1 })
	ctx := context.Background()
	for range 5 {
		if _, err := w.c.Pull(ctx, w.repo.ID(), 1); err != nil {
			t.Fatal(err)
		}
	}
	// The fifth answer said that none remain: the sixth is not even sent.
	sent := len(w.sent())
	_, err := w.c.Pull(ctx, w.repo.ID(), 1)
	after, ok := github.RetryAfter(err)
	if !errs.Is(err, errs.Unavailable) || !ok || after < 59*time.Minute || after > time.Hour {
		t.Fatalf("got %v, retry after %s", err, after)
	}
	if len(w.sent()) != sent {
		t.Error("the sixth request was sent")
	}
	w.clock.advance(after)
	if _, err := w.c.Pull(ctx, w.repo.ID(), 1); err != nil {
		t.Errorf("after the reset: %v", err)
	}
}

func TestFault20_SecondaryLimitSlowsWrites(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	if _, err := w.c.CreateComment(ctx, w.repo.ID(), 1, "one"); err != nil {
		t.Fatal(err)
	}
	w.gh.Faults().Secondary(http.StatusForbidden, 1, 70*time.Second)
	_, err := w.c.CreateComment(ctx, w.repo.ID(), 1, "two")
	after, ok := github.RetryAfter(err)
	if !ok || after != 70*time.Second {
		t.Fatalf("got %v, %s", err, after)
	}
	w.clock.advance(after)
	start := w.clock.Now()
	for i := range 4 {
		if _, err := w.c.CreateComment(ctx, w.repo.ID(), 1, fmt.Sprint("again ", i)); err != nil {
			t.Fatal(err)
		}
	}
	if took := w.clock.Now().Sub(start); took < 6*time.Second {
		t.Errorf("four writes after a secondary limit took %s: no slower than before", took)
	}
	w.clock.advance(11 * time.Minute)
	start = w.clock.Now()
	for i := range 10 {
		if _, err := w.c.CreateComment(ctx, w.repo.ID(), 1, fmt.Sprint("much later ", i)); err != nil {
			t.Fatal(err)
		}
	}
	if took := w.clock.Now().Sub(start); took != 0 {
		t.Errorf("eleven minutes later ten writes still took %s", took)
	}
}

// Without a word on how long, each secondary limit in a row waits longer.
func TestFault20_BackoffGrows(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	if _, err := w.c.Pull(ctx, w.repo.ID(), 1); err != nil {
		t.Fatal(err)
	}
	w.gh.Faults().Secondary(http.StatusTooManyRequests, 3, 0)
	var waits []string
	for range 3 {
		_, err := w.c.Pull(ctx, w.repo.ID(), 1)
		after, _ := github.RetryAfter(err)
		waits = append(waits, after.String())
		w.clock.advance(after)
	}
	if got := strings.Join(waits, " "); got != "1m0s 2m0s 4m0s" {
		t.Errorf("waits %s", got)
	}
	if _, err := w.c.Pull(ctx, w.repo.ID(), 1); err != nil {
		t.Error(err)
	}
}

func TestFault21_TokenExpiresInMidRun(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	first, err := w.c.Token(ctx, w.repo.ID())
	if err != nil {
		t.Fatal(err)
	}
	again, _ := w.c.Token(ctx, w.repo.ID())
	if again != first {
		t.Error("a good token was thrown away")
	}
	w.clock.advance(54 * time.Minute)
	if again, _ = w.c.Token(ctx, w.repo.ID()); again != first {
		t.Error("replaced with six minutes left")
	}
	w.clock.advance(2 * time.Minute) // four minutes left
	second, err := w.c.Token(ctx, w.repo.ID())
	if err != nil || second == first {
		t.Errorf("not replaced with four minutes left (%v)", err)
	}
	// Revoked, without our knowing: the call is made with a new one.
	w.gh.Faults().ExpireTokens()
	if _, err := w.c.Pull(ctx, w.repo.ID(), 1); err != nil {
		t.Errorf("after the token was revoked: %v", err)
	}
	third, _ := w.c.Token(ctx, w.repo.ID())
	if third == second {
		t.Error("the revoked token is kept")
	}
	// When even new tokens are refused there is no end-less retrying.
	w.gh.Faults().Refuse(githubtest.Refusal{Status: 401, Message: "Bad credentials", Match: func(m, p string) bool { return m == "GET" }})
	sent := len(w.sent())
	if _, err := w.c.Pull(ctx, w.repo.ID(), 1); !errs.Is(err, errs.Forbidden) {
		t.Errorf("got %v, want forbidden", err)
	}
	if n := len(w.sent()) - sent; n != 3 { // refused, new token, refused
		t.Errorf("%d requests, want 3: %v", n, w.sent()[sent:])
	}
}

// A redirect to another host must not carry the token there.
func TestThreat_TokenLeakageByRedirect(t *testing.T) {
	seen := make(chan string, 1)
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header.Get("Authorization")
		fmt.Fprint(w, `{}`)
	}))
	defer evil.Close()
	// A different host name than the API's: by address and by name.
	target := strings.Replace(evil.URL, "127.0.0.1", "localhost", 1)
	w := newWorld(t)
	ctx := context.Background()
	token, err := w.c.Token(ctx, w.repo.ID())
	if err != nil {
		t.Fatal(err)
	}
	w.gh.Faults().Refuse(githubtest.Refusal{Status: 302, Times: 1, Header: map[string]string{"Location": target}})
	_, _ = w.c.Pull(ctx, w.repo.ID(), 1)
	select {
	case got := <-seen:
		if got != "" {
			t.Errorf("another host was shown the credentials (%d characters)", len(got))
		}
	default:
		t.Skip("localhost does not resolve here")
	}
	for _, format := range []string{"%v", "%s", "%+v", "%#v", "%q"} {
		if strings.Contains(fmt.Sprintf(format, token), token.Reveal()) {
			t.Errorf("%s prints the token", format)
		}
	}
}
