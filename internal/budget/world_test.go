package budget

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/db"
)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// at is a moment of November 2026, as "02 15:04".
func at(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", "2026-11-"+text)
	if err != nil {
		panic(err)
	}
	return t
}

var november = Month{2026, time.November}

// world is a store with a client, a repository and a clock that the test turns.
type world struct {
	t     testing.TB
	db    *db.DB
	store *Store
	trail *access.Trail
	repo  clients.Repo
	other clients.Repo // of another client
	now   time.Time
	runs  int
}

func newWorld(t testing.TB, d *db.DB, budgets ...Budget) *world {
	t.Helper()
	w := &world{t: t, db: d, trail: access.NewTrail(d), now: at("10 12:00")}
	w.store = NewStore(d, w.trail, Options{Budgets: budgets, Now: func() time.Time { return w.now }})
	w.repo, w.other = w.client("acme", 7), w.client("bolt", 8)
	return w
}

func (w *world) tx(f func(ctx context.Context, tx *db.Tx) error) {
	w.t.Helper()
	if err := w.db.Tx(w.t.Context(), func(tx *db.Tx) error { return f(w.t.Context(), tx) }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) client(account string, repo int64) (r clients.Repo) {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx *db.Tx) error {
		store := clients.NewStore(w.db)
		c, err := store.Ensure(ctx, tx, clients.Installation{ID: repo, Account: account})
		if err != nil {
			return err
		}
		r, err = store.EnsureRepo(ctx, tx, c, clients.Repo{ID: repo, Owner: account, Name: "infra", DefaultBranch: "main"})
		return err
	})
	return r
}

// change makes a pull request with one change, and returns the change.
func (w *world) change(repo clients.Repo, pull int) string {
	w.t.Helper()
	id := fmt.Sprintf("change-%d-%d", repo.ID, pull)
	w.exec(`INSERT INTO pulls (repo_id, number, client_id, author, author_id, head_sha, updated_ms) VALUES ($1,$2,$3,'ada',1,'h',0)`, repo.ID, pull, repo.ClientID)
	w.exec(`INSERT INTO changes (id, client_id, repo_id, pull, head_sha, status, created_ms, updated_ms) VALUES ($1,$2,$3,$4,'h','ready',0,0)`, id, repo.ClientID, repo.ID, pull)
	return id
}

func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
}

func (w *world) query(query string, args ...any) (n int) {
	w.t.Helper()
	if err := w.db.QueryRowContext(w.t.Context(), query, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// run returns the next run's ID: they sort by age.
func (w *world) run() string {
	w.runs++
	return fmt.Sprintf("run-%04d", w.runs)
}

func (w *world) subject(repo clients.Repo, change string, pull int, dir string) Subject {
	return Subject{Key: Key{repo.ID, dir, "default"}, Client: repo.ClientID, Change: change, Pull: pull, Project: dir}
}

// estimate is one in dollars of which everything is priced.
func estimate(before, after string) *cost.Estimate {
	e := &cost.Estimate{Currency: "USD", Hours: 730, Before: dec(before), After: dec(after), Bound: cost.BoundExact, AsOf: "2026-11-01"}
	e.Delta = e.After.Sub(e.Before)
	return e
}

// planned tells of a plan of the change's project, and returns it.
func (w *world) planned(s Subject, e *cost.Estimate) Plan {
	w.t.Helper()
	p := Plan{Subject: s, Run: w.run(), Digest: "digest-" + fmt.Sprint(w.runs), Estimate: e, At: w.now}
	w.tx(func(ctx context.Context, tx *db.Tx) error { return w.store.Planned(ctx, tx, p) })
	return p
}

// tell tells of a plan.
func (w *world) tell(p Plan) {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx *db.Tx) error { return w.store.Planned(ctx, tx, p) })
}

func (w *world) merged(change string) {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx *db.Tx) error { return w.store.Merged(ctx, tx, change, w.now) })
}

func applyOf(p Plan, run string, done bool, when time.Time) Apply {
	return Apply{Subject: p.Subject, Run: run, Plan: p.Run, Digest: p.Digest, Done: done, Partial: p.Partial, Estimate: p.Estimate, Planned: p.At, At: when}
}

func (w *world) applied(p Plan, done bool) {
	w.t.Helper()
	a := applyOf(p, w.run(), done, w.now)
	w.tx(func(ctx context.Context, tx *db.Tx) error { return w.store.Applied(ctx, tx, a) })
}

func (w *world) report(from, to Month) Report {
	w.t.Helper()
	r, err := w.store.Report(w.t.Context(), Query{From: from, To: to})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// equal compares amounts whatever their digits.
func equal(t *testing.T, what string, got decimal.Decimal, want string) {
	t.Helper()
	if !got.Equal(dec(want)) {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}
