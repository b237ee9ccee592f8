package github_test

import (
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// used is what GitHub has counted against the hour of the repository's
// installation.
func (w *world) used(t *testing.T) (n int) {
	t.Helper()
	for _, c := range w.gh.Calls() {
		if c.Status != http.StatusNotModified && !strings.HasPrefix(c.Path, "/app") {
			n++
		}
	}
	return n
}

func TestGitHub09_WhatStillHoldsCostsNothing(t *testing.T) {
	w := newWorld(t, func(o *githubtest.Options, _ *github.Options) { o.HourLimit = 4 })
	ctx := within(t)
	// GitHub tells the first reader that it does not know yet; then nothing moves.
	first, err := w.c.PullMergeable(ctx, w.repo.ID(), 1)
	if err != nil {
		t.Fatal(err)
	}
	before, waited := w.used(t), len(w.sent()) // its own looks while it waited are none of these
	for range 20 {                             // five times what the hour allows
		p, err := w.c.Pull(ctx, w.repo.ID(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if p.HeadSHA != first.HeadSHA || p.Title != "Change main" || p.Mergeable == nil {
			t.Fatalf("what was kept is not what was read: %+v", p)
		}
	}
	if n := w.used(t) - before; n != 0 {
		t.Errorf("twenty unchanged reads cost %d of the budget", n)
	}
	if n := strings.Count(strings.Join(w.sent()[waited:], "\n"), "Not Modified"); n != 20 {
		t.Errorf("%d answers were 304, want 20: GitHub is asked every time", n)
	}
	// What changes is seen at once.
	w.pull.Edit("ada", "Change main again")
	p, err := w.c.Pull(ctx, w.repo.ID(), 1)
	if err != nil || p.Title != "Change main again" {
		t.Errorf("after an edit: %q, %v", p.Title, err)
	}
	if p, err = w.c.Pull(ctx, w.repo.ID(), 1); err != nil || p.Title != "Change main again" {
		t.Errorf("and again: %q, %v", p.Title, err)
	}
}

// Lists come with the address of their next page; it is kept with them.
func TestGitHub09_PagesAreKeptWhole(t *testing.T) {
	w := newWorld(t)
	ctx := within(t)
	for i := range 230 {
		w.pull.Comment("ada", fmt.Sprint("chatter ", i))
	}
	for round := range 2 {
		before := len(w.sent())
		if id, err := w.c.FindComment(ctx, w.repo.ID(), 1, "no such marker"); err != nil || id != 0 {
			t.Fatal(id, err)
		}
		var pages []string
		for _, call := range w.sent()[before:] {
			if strings.HasPrefix(call, "GET") {
				pages = append(pages, call)
			}
		}
		if len(pages) != 3 {
			t.Errorf("round %d read %d pages, want 3: %v", round, len(pages), pages)
		}
		if all304 := !slices.ContainsFunc(pages, func(s string) bool { return !strings.HasSuffix(s, "Not Modified") }); all304 != (round == 1) {
			t.Errorf("round %d: %v", round, pages)
		}
	}
}

// Two installations, and two tokens of one, never see each other's answers.
func TestThreat_AnswersAreKeptForNobodyElse(t *testing.T) {
	w := newWorld(t)
	ctx := within(t)
	if _, err := w.c.Pull(ctx, w.repo.ID(), 1); err != nil {
		t.Fatal(err)
	}
	theirs := w.gh.CreateRepo("globex", "infra", githubtest.RepoOptions{})
	other := w.app.Installation(theirs.Installation())
	before := len(w.sent())
	if _, err := other.Pull(ctx, w.repo.ID(), 1); err == nil {
		t.Fatal("another installation read the pull request")
	}
	for _, call := range w.sent()[before:] {
		if strings.Contains(call, "Not Modified") {
			t.Errorf("another installation was asked about a kept answer: %s", call)
		}
	}
	// Whoever loses access gets nothing out of the cache.
	w.gh.RemoveRepo(w.repo)
	if p, err := w.c.Pull(ctx, w.repo.ID(), 1); !errs.Is(err, errs.NotFound) {
		t.Errorf("after the repository was taken away: %+v, %v", p, err)
	}
}

// The tag goes with the token at GitHub: after its renewal the answer is read
// anew, and then kept again.
func TestGitHub09_ANewTokenReadsAnew(t *testing.T) {
	w := newWorld(t)
	ctx := within(t)
	status := func() string {
		if _, err := w.c.Repo(ctx, w.repo.ID()); err != nil {
			t.Fatal(err)
		}
		all := w.sent()
		return all[len(all)-1]
	}
	status()
	if got := status(); !strings.HasSuffix(got, "Not Modified") {
		t.Errorf("the second read: %s", got)
	}
	w.gh.Faults().ExpireTokens()
	if got := status(); !strings.HasSuffix(got, "OK") {
		t.Errorf("with another token: %s", got)
	}
	if got := status(); !strings.HasSuffix(got, "Not Modified") {
		t.Errorf("and once more: %s", got)
	}
}

func TestGitHub09_TheCacheIsBounded(t *testing.T) {
	const room = 64 << 10
	w := newWorld(t, func(_ *githubtest.Options, o *github.Options) { o.CacheBytes = room })
	ctx := within(t)
	ids := make([]int64, 20)
	for i := range ids {
		ids[i] = w.pull.Comment("ada", strings.Repeat(fmt.Sprint(i), 10_000))
	}
	read := func(i int) string {
		if _, err := w.c.Comment(ctx, w.repo.ID(), ids[i]); err != nil {
			t.Fatal(err)
		}
		all := w.sent()
		return all[len(all)-1]
	}
	for i := range ids {
		read(i)
	}
	if got := read(19); !strings.HasSuffix(got, "Not Modified") {
		t.Errorf("the last one is not kept: %s", got)
	}
	if got := read(0); !strings.HasSuffix(got, "OK") {
		t.Errorf("the first one of 200 KB is still kept in 64 KB: %s", got)
	}
}

// Many at once, under the race detector too.
func TestConditionalRequestsAtOnce(t *testing.T) {
	w := newWorld(t, func(_ *githubtest.Options, o *github.Options) { o.Writes.Off = true })
	ctx := within(t)
	var wg sync.WaitGroup
	for range 4 * runtime.NumCPU() {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 10 {
				if p, err := w.c.Pull(ctx, w.repo.ID(), 1); err != nil || p.Number != 1 {
					t.Errorf("%+v, %v", p, err)
				}
			}
		}()
	}
	wg.Wait()
}
