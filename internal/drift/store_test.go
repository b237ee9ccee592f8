package drift

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// world is a store with a client, a repository and a clock that the test turns.
type world struct {
	*Store
	t      *testing.T
	db     *db.DB
	client string
	repo   int64
	clock  time.Time
}

func newWorld(t *testing.T, d *db.DB) *world {
	w := &world{t: t, db: d, repo: 7_000_000_000, clock: noon} // more than 32 bits
	w.Store = NewStore(d, access.NewTrail(d), func() time.Time { return w.clock })
	w.tx(func(tx *db.Tx) error {
		store := clients.NewStore(d)
		c, err := store.Ensure(t.Context(), tx, clients.Installation{ID: 41, Account: "acme"})
		if err != nil {
			return err
		}
		w.client = c.ID
		_, err = store.EnsureRepo(t.Context(), tx, c, clients.Repo{ID: w.repo, Owner: "acme", Name: "infra", DefaultBranch: "main"})
		return err
	})
	return w
}

func (w *world) tx(f func(*db.Tx) error) {
	w.t.Helper()
	if err := w.db.Tx(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) watch(all ...Watch) {
	w.t.Helper()
	w.tx(func(tx *db.Tx) error { return w.SaveWatches(w.t.Context(), tx, w.client, w.repo, all, "d", "") })
}

func (w *world) unread(since time.Time, defaults string) []int64 {
	w.t.Helper()
	all, err := w.Unread(w.t.Context(), w.db, since, defaults, 10)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func TestSchedulesAreReadAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		if got := w.unread(noon.Add(-time.Hour), "d"); !slices.Equal(got, []int64{w.repo}) {
			t.Fatalf("never read: %v", got)
		}
		w.watch(Watch{Cron: "0 6 * * *", Remediate: "issue"})
		if got := w.unread(noon.Add(-time.Hour), "d"); got != nil {
			t.Errorf("just read: %v", got)
		}
		if got := w.unread(noon.Add(-time.Hour), "other"); got == nil {
			t.Error("with other defaults: not read again")
		}
		w.tx(func(tx *db.Tx) error { return w.Stale(t.Context(), tx, w.repo) })
		if got := w.unread(noon.Add(-time.Hour), "d"); got == nil {
			t.Error("the branch has moved: not read again")
		}
		// What can't be read changes nothing.
		w.tx(func(tx *db.Tx) error {
			return w.SaveWatches(t.Context(), tx, w.client, w.repo, nil, "d", "It is broken.")
		})
		all, err := w.Watches(t.Context(), d, w.repo)
		r, errRepo := w.Repo(t.Context(), d, w.repo)
		if err != nil || errRepo != nil || len(all) != 1 || all[0].Cron != "0 6 * * *" || r.Problem != "It is broken." || !r.Read.Equal(noon) {
			t.Errorf("watches %+v, %v; repository %+v, %v", all, err, r, errRepo)
		}
	})
}

// However many servers look at the clock at once, a tick begins one check.
func TestATickBeginsOneCheck(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.watch(Watch{Cron: "0 6 * * *", Remediate: "issue"}, Watch{Dir: "live/db", Workspace: "default", Cron: "30 5 * * *", Remediate: "issue"})
		w.clock = noon.Add(24 * time.Hour)
		if due, err := w.DueRepos(t.Context(), d); err != nil || !slices.Equal(due, []int64{w.repo}) {
			t.Fatalf("due: %v, %v", due, err)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		var begun []Check
		for range 8 {
			wg.Go(func() {
				err := d.Tx(context.Background(), func(tx *db.Tx) error {
					c, ok, err := w.Tick(context.Background(), tx, w.repo)
					if err == nil && ok {
						mu.Lock()
						defer mu.Unlock()
						begun = append(begun, c)
					}
					return err
				})
				if err != nil && !errs.Is(err, errs.Conflict) && !errs.Is(err, errs.Unavailable) {
					t.Errorf("tick: %v", err)
				}
			})
		}
		wg.Wait()
		checks, err := w.Checks(t.Context(), d, w.repo, 10)
		if err != nil || len(checks) != 1 || len(begun) != 1 || !checks[0].Wanted.Rest || !slices.Equal(checks[0].Wanted.Keys, []string{"live/db:default"}) || checks[0].Status != Queued {
			t.Fatalf("checks %+v, begun %+v, %v", checks, begun, err)
		}
		if due, err := w.DueRepos(t.Context(), d); err != nil || due != nil {
			t.Errorf("due again at once: %v, %v", due, err)
		}

		// While it lasts, the next tick passes; when it is through, it does not.
		tick := func() bool {
			var ok bool
			w.tx(func(tx *db.Tx) (err error) { _, ok, err = w.Tick(t.Context(), tx, w.repo); return err })
			return ok
		}
		w.clock = w.clock.Add(24 * time.Hour)
		if tick() {
			t.Error("a second check beside the first")
		}
		w.tx(func(tx *db.Tx) error {
			for _, m := range [][2]CheckStatus{{Queued, Running}, {Running, Done}} {
				if ok, err := w.Move(t.Context(), tx, checks[0].ID, m[0], m[1], "c0ffee", ""); err != nil || !ok {
					t.Errorf("%s to %s: %v, %v", m[0], m[1], ok, err)
				}
			}
			if ok, err := w.Move(t.Context(), tx, checks[0].ID, Running, Done, "", ""); err != nil || ok {
				t.Errorf("ended twice: %v, %v", ok, err)
			}
			return nil
		})
		if c, err := w.Check(t.Context(), d, checks[0].ID); err != nil || c.Commit != "c0ffee" || c.Status != Done || c.Finished.IsZero() {
			t.Errorf("check %+v, %v", c, err)
		}
		w.clock = w.clock.Add(24 * time.Hour)
		if !tick() {
			t.Error("no check after the first")
		}
		// What somebody asked for of a few projects does not stand for all of them.
		last, err := w.Checks(t.Context(), d, w.repo, 1)
		if err != nil {
			t.Fatal(err)
		}
		w.tx(func(tx *db.Tx) error {
			if ok, err := w.Move(t.Context(), tx, last[0].ID, Queued, Broken, "", ""); err != nil || !ok {
				t.Errorf("to failed: %v, %v", ok, err)
			}
			_, err := w.Ask(t.Context(), tx, w.client, w.repo, Everything("live/*"), BySchedule)
			return err
		})
		w.clock = w.clock.Add(24 * time.Hour)
		if !tick() {
			t.Error("the tick was lost to a check of something else")
		}
		// Somebody suspends the installation: nothing is due.
		w.clock = w.clock.Add(24 * time.Hour)
		w.tx(func(tx *db.Tx) error {
			return clients.NewStore(d).SetStatus(t.Context(), tx, w.client, clients.Suspended)
		})
		if due, err := w.DueRepos(t.Context(), d); err != nil || due != nil {
			t.Errorf("of a suspended client: %v, %v", due, err)
		}
	})
}

func TestWhatIsKnownOfProjects(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		note := func(dir string, s Status, digest string) {
			t.Helper()
			w.clock = w.clock.Add(time.Minute)
			w.tx(func(tx *db.Tx) error {
				return w.Note(t.Context(), tx, w.client, w.repo, Found{Check: "c", Run: "r", Project: planner.Project{Name: dir, Dir: dir, Workspace: "default"}, Status: s, Digest: digest, At: w.clock})
			})
		}
		note("live/db", Clean, "")
		note("live/web", Drifted, "x")
		all, err := w.Projects(t.Context(), d, "", w.repo)
		if err != nil || len(all) != 2 || all[1].Status != Drifted {
			t.Fatalf("%+v, %v", all, err)
		}
		if err := w.SetRemedy(t.Context(), all[1], 12, "x"); err != nil {
			t.Fatal(err)
		}
		since := w.clock
		note("live/web", Drifted, "y")
		if all, err = w.Projects(t.Context(), d, w.client, 0); err != nil || all[1].Remedy != 12 || all[1].RemedyDigest != "x" || all[1].Digest != "y" || !all[1].Since.Equal(since) {
			t.Errorf("a remedy outlives a check: %+v, %v", all, err)
		}
		w.tx(func(tx *db.Tx) error {
			return w.Drop(t.Context(), tx, w.repo, func(key string) bool { return key == "live/web:default" })
		})
		if all, err = w.Projects(t.Context(), d, "", 0); err != nil || len(all) != 1 {
			t.Errorf("after one is gone: %+v, %v", all, err)
		}
		// Its pull request must be closed before the other one is forgotten.
		gone := func() []Project {
			w.tx(func(tx *db.Tx) error {
				return w.Drop(t.Context(), tx, w.repo, func(string) bool { return false })
			})
			left, err := w.Projects(t.Context(), d, "", 0)
			if err != nil {
				t.Fatal(err)
			}
			return left
		}
		left := gone()
		if len(left) != 1 || Remedied(left[0], true, Remedy{There: true, Open: true}) != Retract {
			t.Fatalf("one with a pull request: %+v", left)
		}
		if err := w.SetRemedy(t.Context(), left[0], 0, ""); err != nil {
			t.Fatal(err)
		}
		if left = gone(); left != nil {
			t.Errorf("for good: %+v", left)
		}
		if err := w.trail.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestOneWorkerTells(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		begin := func(node string) error { return w.BeginTelling(t.Context(), w.client, w.repo, node, time.Minute) }
		if err := begin("a"); err != nil {
			t.Fatal(err)
		}
		if err := begin("b"); !errors.Is(err, ErrBusy) {
			t.Errorf("a second one: %v", err)
		}
		w.tx(func(tx *db.Tx) error { return w.DropTelling(t.Context(), tx, "b") })
		if err := begin("b"); !errors.Is(err, ErrBusy) {
			t.Errorf("another node's claim was dropped: %v", err)
		}
		w.tx(func(tx *db.Tx) error { return w.DropTelling(t.Context(), tx, "a") }) // it was killed and comes back
		if err := begin("b"); err != nil {
			t.Error(err)
		}
		if err := w.EndTelling(t.Context(), w.repo, "Issues are disabled."); err != nil {
			t.Fatal(err)
		}
		if err := begin("a"); err != nil {
			t.Error(err)
		}
		w.clock = w.clock.Add(2 * time.Minute) // whoever held it is gone for good
		if err := begin("b"); err != nil {
			t.Error(err)
		}
		r, err := w.Repo(t.Context(), d, w.repo)
		if err != nil || r.Trouble != "Issues are disabled." {
			t.Fatalf("%+v, %v", r, err)
		}
		if err := w.SetIssue(t.Context(), r, Issue{Number: 5, State: IssueOpen, Shown: "h"}); err != nil {
			t.Fatal(err)
		}
		if r, err = w.Repo(t.Context(), d, w.repo); err != nil || r.Issue != (Issue{Number: 5, State: IssueOpen, Shown: "h"}) {
			t.Errorf("%+v, %v", r, err)
		}
	})
}
