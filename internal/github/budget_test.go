package github_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// The last tenth of the hour is for applies; the stand-in counts for real.
func TestGitHub07_ApplyKeepsSpeakingWhenTheHourIsNearlySpent(t *testing.T) {
	w := newWorld(t, func(o *githubtest.Options, c *github.Options) { o.HourLimit, c.CacheBytes = 50, -1 })
	ctx := within(t)
	ordinary := 0
	for {
		_, err := w.c.Pull(ctx, w.repo.ID(), 1)
		if err != nil {
			after, ok := github.RetryAfter(err)
			if !errs.Is(err, errs.Unavailable) || !ok || after < 59*time.Minute || after > time.Hour {
				t.Fatalf("got %v, retry after %s", err, after)
			}
			if !strings.Contains(errs.Sentence(err), "kept for applies") {
				t.Errorf("the sentence is %q", errs.Sentence(err))
			}
			break
		}
		ordinary++
	}
	if ordinary != 46 { // 50 less the 4 which are fewer than a tenth
		t.Errorf("%d ordinary calls of 50", ordinary)
	}
	important := w.c.Important()
	for i := range 4 {
		if _, err := important.CreateComment(ctx, w.repo.ID(), 1, fmt.Sprint("applied ", i)); err != nil {
			t.Fatalf("important call %d: %v", i, err)
		}
	}
	sent := len(w.sent())
	_, err := important.Pull(ctx, w.repo.ID(), 1)
	if after, ok := github.RetryAfter(err); !ok || after < 59*time.Minute || len(w.sent()) != sent {
		t.Errorf("beyond the budget: %v; it was sent: %v", err, len(w.sent()) != sent)
	}
	if strings.Contains(errs.Sentence(err), "kept for applies") {
		t.Errorf("the sentence is %q", errs.Sentence(err))
	}
	// Another installation has a budget of its own.
	other := w.gh.CreateRepo("globex", "infra", githubtest.RepoOptions{})
	if _, err := w.app.Installation(other.Installation()).Repo(ctx, other.ID()); err != nil {
		t.Errorf("another installation: %v", err)
	}
	w.clock.advance(time.Hour)
	if _, err := w.c.Pull(ctx, w.repo.ID(), 1); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}

// queueClock is a clock whose sleepers wake only when the test says so.
type queueClock struct {
	mu      sync.Mutex
	now     time.Time
	asleep  int
	changed chan struct{}
}

func (c *queueClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *queueClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	until := c.now.Add(d)
	c.asleep++
	for c.now.Before(until) {
		changed := c.changed
		c.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		c.mu.Lock()
		if ctx.Err() != nil {
			break
		}
	}
	c.asleep--
	c.mu.Unlock()
	return ctx.Err()
}

func (c *queueClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *queueClock) sleepers() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asleep
}

// An important write overtakes the ordinary ones that came before it.
func TestGitHub07_ImportantWritesGoFirst(t *testing.T) {
	clock := &queueClock{now: time.Now().Truncate(time.Second), changed: make(chan struct{})}
	w := newWorld(t, func(o *githubtest.Options, c *github.Options) {
		o.Now, c.Clock = clock.Now, clock
		c.Writes = github.Pace{Burst: 1, PerSecond: 1}
	})
	ctx := within(t)
	if _, err := w.c.CreateComment(ctx, w.repo.ID(), 1, "takes the only token"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	post := func(c *github.Client, body string) {
		asleep := clock.sleepers()
		wg.Add(1)
		go func() {
			defer wg.Done()
			if _, err := c.CreateComment(ctx, w.repo.ID(), 1, body); err != nil {
				t.Errorf("%s: %v", body, err)
			}
		}()
		poll(t, func() bool { return clock.sleepers() > asleep })
	}
	post(w.c, "ordinary 1")
	post(w.c, "ordinary 2")
	post(w.c.Important(), "important")
	var order []string
	for i := range 3 {
		clock.advance(time.Second)
		poll(t, func() bool { return len(w.pull.Comments()) == i+2 })
		order = append(order, w.pull.Comments()[i+1].Body)
		// Whoever woke too early has gone back to sleep.
		poll(t, func() bool { return clock.sleepers() == 2-i })
	}
	wg.Wait()
	if got := strings.Join(order, ", "); got != "important, ordinary 1, ordinary 2" {
		t.Errorf("the order was %s", got)
	}
}

// poll waits for what other goroutines bring about.
func poll(t *testing.T, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !cond(); {
		if time.Now().After(deadline) {
			t.Fatal("it did not come to be")
		}
		time.Sleep(time.Millisecond)
	}
}

// tick is what rounding may add up to.
const tick = 10 * time.Millisecond

// 80 writes in the first minute, 500 new comments in the first hour, 900 points
// in any minute: as many as GitHub allows and no more.
func TestGitHub07_AsManyAsGitHubAllows(t *testing.T) {
	w := newWorld(t, func(_ *githubtest.Options, o *github.Options) { o.MaxWait = time.Hour })
	ctx := within(t)
	start := w.clock.Now()
	count := func(within time.Duration, send func(i int) error) int {
		for i := 0; ; i++ {
			if err := send(i); err != nil {
				t.Fatal(err)
			}
			if w.clock.Now().Sub(start) > within+tick {
				return i
			}
		}
	}
	id, err := w.c.CreateComment(ctx, w.repo.ID(), 1, "x")
	if err != nil {
		t.Fatal(err)
	}
	writes := 1 + count(time.Minute, func(i int) error { return w.c.UpdateComment(ctx, w.repo.ID(), id, fmt.Sprint(i)) })
	if writes != 80 {
		t.Errorf("%d writes in the first minute, GitHub allows 80", writes)
	}
	w.clock.advance(time.Hour)
	start = w.clock.Now()
	reads := count(time.Minute, func(int) error { _, err := w.c.Repo(ctx, w.repo.ID()); return err })
	if reads != 900 {
		t.Errorf("%d reads in a minute, GitHub allows 900", reads)
	}
}

func TestGitHub07_NewCommentsByTheHour(t *testing.T) {
	w := newWorld(t, func(_ *githubtest.Options, o *github.Options) { o.MaxWait = time.Hour })
	ctx := within(t)
	start, n := w.clock.Now(), 0
	for w.clock.Now().Sub(start) <= time.Hour+tick {
		if _, err := w.c.CreateComment(ctx, w.repo.ID(), 1, "x"); err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n-1 != 500 { // the last one went when the hour was over
		t.Errorf("%d comments in an hour, GitHub allows 500", n-1)
	}
}
