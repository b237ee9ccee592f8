package budget

import (
	"context"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
)

// years fills the ledger with what a client of 500 projects leaves in some years:
// 20,000 merged pull requests of two heads each, of which the first was superseded,
// with 100,000 rows in all, of which every second is applied; and ten open ones.
// It returns the change of one of these.
func years(t testing.TB, d *db.DB, repo clients.Repo, now time.Time) string {
	t.Helper()
	const numbers = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < `
	first := now.Add(-20_010 * time.Hour)
	for _, q := range []struct {
		query string
		args  []any
	}{
		{numbers + `20010) INSERT INTO pulls (repo_id, number, client_id, author, author_id, head_sha, state, merged, updated_ms)
			SELECT $1, i, $2, 'ada', 1, 'h2', CASE WHEN i > 20000 THEN 'open' ELSE 'closed' END, CASE WHEN i > 20000 THEN 0 ELSE 1 END, 0 FROM n`,
			[]any{repo.ID, repo.ClientID}},
		{numbers + `40020) INSERT INTO changes (id, client_id, repo_id, pull, head_sha, status, created_ms, updated_ms)
			SELECT 'c' || CAST(100000 + i AS TEXT), $2, $1, (i + 1) / 2, 'h' || CAST(i % 2 AS TEXT), CASE WHEN i % 2 = 1 THEN 'superseded' ELSE 'ready' END, 0, 0 FROM n`,
			[]any{repo.ID, repo.ClientID}},
		{numbers + `100050) INSERT INTO cost_ledger (change_id, dir, workspace, client_id, repo_id, pull, project, plan_run_id, plan_digest, planned_ms, currency,
				before_amount, after_amount, delta_amount, at_least, bound, as_of, applied_ms, apply_run_id, apply_plan_id, outcome, merged_ms)
			SELECT 'c' || CAST(100000 + (i - 1) % 40020 + 1 AS TEXT), 'p' || CAST(i % 499 AS TEXT), 'default', $2, $1, ((i - 1) % 40020 + 2) / 2, 'p', 'r' || CAST(1000000 + i AS TEXT), 'd',
				$3 + ((i - 1) % 40020) * CAST(1800000 AS BIGINT), 'USD', '100', '101', '1', 0, 'exact', '2026-01-01',
				CASE WHEN i % 2 = 0 AND (i - 1) % 40020 < 40000 THEN $3 + ((i - 1) % 40020) * CAST(1800000 AS BIGINT) ELSE 0 END,
				CASE WHEN i % 2 = 0 AND (i - 1) % 40020 < 40000 THEN 's' || CAST(1000000 + i AS TEXT) ELSE '' END,
				CASE WHEN i % 2 = 0 AND (i - 1) % 40020 < 40000 THEN 'r' || CAST(1000000 + i AS TEXT) ELSE '' END,
				CASE WHEN i % 2 = 0 AND (i - 1) % 40020 < 40000 THEN 'applied' ELSE '' END,
				CASE WHEN i % 2 = 0 AND (i - 1) % 40020 < 40000 THEN $3 + ((i - 1) % 40020) * CAST(1800000 AS BIGINT) ELSE 0 END FROM n`,
			[]any{repo.ID, repo.ClientID, db.Millis(first)}},
		{`INSERT INTO cost_merges (change_id, merged_ms) SELECT DISTINCT change_id, merged_ms FROM cost_ledger WHERE merged_ms <> 0`, nil},
		{`INSERT INTO cost_rates (repo_id, dir, workspace, run_id, client_id, change_id, project, at_ms, basis, currency, rate, at_least)
			SELECT repo_id, dir, workspace, apply_run_id, client_id, change_id, project, applied_ms, 'applied', 'USD', '101', 0 FROM cost_ledger WHERE outcome = 'applied'`, nil},
		{`INSERT INTO cost_projects (client_id, repo_id, dir, workspace) SELECT DISTINCT client_id, repo_id, dir, workspace FROM cost_rates`, nil},
	} {
		if _, err := d.ExecContext(t.Context(), q.query, q.args...); err != nil {
			t.Fatalf("%v\n%s", err, q.query)
		}
	}
	if d.Dialect() == db.Postgres {
		if _, err := d.ExecContext(t.Context(), `ANALYZE`); err != nil {
			t.Fatal(err)
		}
	}
	return "c140020"
}

// BenchmarkJudge is what judging one change costs in a ledger of 100,000 rows.
func BenchmarkJudge(b *testing.B) {
	for name, open := range map[string]func(testing.TB, ...db.Option) *db.DB{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, open(b), thousand("acme"))
			change := years(b, w.db, w.repo, w.now)
			for b.Loop() {
				var said []Verdict
				err := w.db.Read(b.Context(), func(q db.Querier) (err error) {
					said, err = w.store.Judge(context.WithoutCancel(b.Context()), q, change)
					return err
				})
				if err != nil || len(said) != 1 {
					b.Fatal(len(said), err)
				}
			}
		})
	}
}
