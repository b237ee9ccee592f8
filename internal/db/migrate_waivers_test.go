package db_test

import (
	"os"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
)

// What was accepted before findings had fingerprints stays accepted: everything
// in the one plan.
func TestMigrateKeepsWaivers(t *testing.T) {
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
		if _, err := p.UpTo(t.Context(), 3); err != nil {
			t.Fatal(err)
		}
		for _, digest := range []string{"sha256:one", "sha256:two"} {
			if _, err := d.ExecContext(t.Context(), `INSERT INTO waivers (repo_id, pull, dir, workspace, plan_digest, actor_id, client_id, actor, given_ms)
				VALUES (7, 12, 'live/net', 'default', $1, 2, 'c', '{"kind":"user","name":"grace","id":2}', 1700000000000)`, digest); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		var n, ids int
		err = d.QueryRowContext(t.Context(), `SELECT count(*), count(DISTINCT id) FROM policy_waivers WHERE client_id='c' AND repo_id=7 AND pull=12 AND dir='live/net'
			AND workspace='default' AND plan_digest IN ('sha256:one', 'sha256:two') AND fingerprint='' AND actor_id=2 AND given_ms=1700000000000 AND expires_ms=0 AND ended=''`).Scan(&n, &ids)
		if err != nil || n != 2 || ids != 2 {
			t.Errorf("%d of 2 waivers were taken over, with %d IDs (%v)", n, ids, err)
		}
	})
}
