package db_test

import (
	"os"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
)

// What was merged, and which projects have a rate, is known of a ledger that was
// there before.
func TestMigrateFillsInTheLedger(t *testing.T) {
	dbtest.EachEmpty(t, func(t *testing.T, dsn string) {
		d := dbtest.Open(t, dsn)
		dialect, dir := goose.DialectSQLite3, "sqlite"
		if d.Dialect() == db.Postgres {
			dialect, dir = goose.DialectPostgres, "postgres"
		}
		p, err := goose.NewProvider(dialect, d.Writer(), os.DirFS("migrations/"+dir), goose.WithDisableGlobalRegistry(true))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.UpTo(t.Context(), 18); err != nil {
			t.Fatal(err)
		}
		for _, query := range []string{
			`INSERT INTO clients (id, slug, name, created_ms) VALUES ('c', 'acme', 'acme', 0)`,
			`INSERT INTO repos (id, client_id, owner, name, default_branch, created_ms) VALUES (7, 'c', 'acme', 'infra', 'main', 0)`,
			`INSERT INTO changes (id, client_id, repo_id, pull, head_sha, status, created_ms, updated_ms) VALUES ('one', 'c', 7, 1, 'h', 'ready', 0, 0), ('two', 'c', 7, 2, 'h', 'ready', 0, 0)`,
			`INSERT INTO cost_ledger (change_id, dir, workspace, client_id, repo_id, pull, project, plan_run_id, planned_ms, currency, before_amount, after_amount, delta_amount, at_least, bound)
				VALUES ('one', 'a', 'default', 'c', 7, 1, 'a', 'r1', 1, 'USD', '1', '2', '1', 0, 'exact'), ('two', 'a', 'default', 'c', 7, 2, 'a', 'r2', 1, 'USD', '1', '2', '1', 0, 'exact')`,
			`INSERT INTO cost_merges (change_id, merged_ms) VALUES ('one', 44)`,
			`INSERT INTO cost_rates (repo_id, dir, workspace, run_id, client_id, change_id, project, at_ms, basis, currency, rate, at_least)
				VALUES (7, 'a', 'default', '', 'c', 'one', 'a', 1, 'seen', 'USD', '1', 0), (7, 'a', 'default', 'r3', 'c', 'one', 'a', 2, 'applied', 'USD', '2', 0)`,
		} {
			if _, err := d.ExecContext(t.Context(), query); err != nil {
				t.Fatalf("%s: %v", query, err)
			}
		}
		if err := d.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		var one, two, projects int
		err = d.QueryRowContext(t.Context(), `SELECT (SELECT merged_ms FROM cost_ledger WHERE change_id='one'), (SELECT merged_ms FROM cost_ledger WHERE change_id='two'),
			(SELECT count(*) FROM cost_projects WHERE client_id='c' AND repo_id=7 AND dir='a' AND workspace='default')`).Scan(&one, &two, &projects)
		if err != nil || one != 44 || two != 0 || projects != 1 {
			t.Errorf("merged at %d and %d, %d projects, %v", one, two, projects, err)
		}
	})
}
