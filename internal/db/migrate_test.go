package db_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
)

func TestMigrateFromNothing(t *testing.T) {
	dbtest.EachEmpty(t, func(t *testing.T, dsn string) {
		d := dbtest.Open(t, dsn)
		have, want, err := d.Version(t.Context())
		if err != nil || have != 0 || want < 1 {
			t.Fatalf("before: version %d of %d, %v", have, want, err)
		}
		for range 2 { // the second finds nothing to do
			if err := d.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if have, want, err = d.Version(t.Context()); err != nil || have != want {
			t.Errorf("after: version %d of %d, %v", have, want, err)
		}
		if err := insertClient(t.Context(), d, "a"); err != nil {
			t.Error(err)
		}
	})
}

const migrateChild = "TIDELOCK_DB_TEST_MIGRATE"

// TestMigrateChild is another process that migrates.
func TestMigrateChild(t *testing.T) {
	dsn := os.Getenv(migrateChild)
	if dsn == "" {
		t.Skip("only of use to the test that starts it")
	}
	if err := dbtest.Open(t, dsn).Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestTwoProcessesMigrateAtOnce(t *testing.T) {
	dbtest.EachEmpty(t, func(t *testing.T, dsn string) {
		var all sync.WaitGroup
		for range 2 {
			all.Add(2)
			go func() {
				defer all.Done()
				cmd := exec.Command(os.Args[0], "-test.run=^TestMigrateChild$")
				cmd.Env = append(os.Environ(), migrateChild+"="+dsn)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("a process: %v\n%s", err, out)
				}
			}()
			go func() {
				defer all.Done()
				d, err := db.Open(context.Background(), dsn)
				if err != nil {
					t.Errorf("a goroutine: %v", err)
					return
				}
				defer d.Close()
				if err := d.Migrate(context.Background()); err != nil {
					t.Errorf("a goroutine: %v", err)
				}
			}()
		}
		all.Wait()
		d := dbtest.Open(t, dsn)
		if have, want, err := d.Version(t.Context()); err != nil || have != want {
			t.Errorf("version %d of %d, %v", have, want, err)
		}
		var twice int
		err := d.QueryRowContext(t.Context(), `SELECT count(*) FROM (SELECT version_id FROM goose_db_version GROUP BY version_id HAVING count(*) > 1) x`).Scan(&twice)
		if err != nil || twice != 0 {
			t.Errorf("%d versions were applied twice (%v)", twice, err)
		}
	})
}

func TestMigrateWaitsNoLongerThanItsCaller(t *testing.T) {
	d := dbtest.Postgres(t)
	conn, err := d.Writer().Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), `SELECT pg_advisory_lock(8388346167727973227)`); err != nil { // "tidelock"
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
	defer cancel()
	if err := d.Migrate(ctx); err == nil {
		t.Error("migrated while another held the lock")
	}
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	for name, query := range map[string]string{
		"ours":      `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, $1)`,
		"the queue": `INSERT INTO river_migration (line, version) VALUES ('main', 9999)`,
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				var args []any
				if strings.Contains(query, "$1") {
					args = append(args, true)
				}
				if _, err := d.ExecContext(t.Context(), query, args...); err != nil {
					t.Fatal(err)
				}
				err := d.Migrate(t.Context())
				if !errs.Is(err, errs.Conflict) {
					t.Fatalf("got %v, want a conflict", err)
				}
				if s := errs.Sentence(err); !strings.Contains(s, "9999") || !strings.Contains(s, "newer") {
					t.Errorf("the sentence is not clear: %s", s)
				}
			})
		})
	}
}

// The migrations are written twice; what they make must be one schema.
func TestBothDialectsHaveOneSchema(t *testing.T) {
	lite, pg := dbtest.SQLite(t), dbtest.Postgres(t)
	ctx := t.Context()
	read := func(d *db.DB, query string) []string {
		t.Helper()
		rows, err := d.QueryContext(ctx, query)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var lines []string
		for rows.Next() {
			var table, column, typ, def string
			var notNull, key int
			if err := rows.Scan(&table, &column, &typ, &notNull, &def, &key); err != nil {
				t.Fatal(err)
			}
			typ = strings.NewReplacer("bigint", "INTEGER", "text", "TEXT", "bytea", "BLOB").Replace(typ)
			def = strings.TrimSuffix(def, "::text")
			lines = append(lines, fmt.Sprintf("%s.%s %s notnull=%d default=%s key=%d", table, column, typ, notNull, def, key))
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		sort.Strings(lines)
		return lines
	}
	got := read(lite, `
		SELECT m.name, c.name, c.type, c."notnull", coalesce(c.dflt_value, ''), c.pk > 0
		FROM sqlite_master m JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'river%' AND m.name NOT LIKE 'goose%' AND m.name NOT LIKE 'sqlite%'`)
	want := read(pg, `
		SELECT c.table_name, c.column_name, c.data_type, CASE c.is_nullable WHEN 'NO' THEN 1 ELSE 0 END, coalesce(c.column_default, ''),
			(SELECT count(*) FROM information_schema.table_constraints t JOIN information_schema.key_column_usage k USING (constraint_name, table_name)
			 WHERE t.constraint_type = 'PRIMARY KEY' AND t.table_name = c.table_name AND k.column_name = c.column_name)
		FROM information_schema.columns c
		WHERE c.table_schema = 'public' AND c.table_name NOT LIKE 'river%' AND c.table_name NOT LIKE 'goose%'`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("columns (-postgres +sqlite):\n%s", diff)
	}
	if len(got) < 100 {
		t.Errorf("only %d columns were compared", len(got))
	}

	names := func(d *db.DB, query string) []string {
		t.Helper()
		rows, err := d.QueryContext(ctx, query)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var all []string
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				t.Fatal(err)
			}
			all = append(all, name)
		}
		return all
	}
	liteIndexes := names(lite, `SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND name NOT LIKE 'river%' ORDER BY name`)
	pgIndexes := names(pg, `SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE 'river%' AND indexname NOT LIKE 'goose%'
		AND indexname NOT LIKE '%\_pkey' AND indexname NOT LIKE '%\_key' ORDER BY indexname COLLATE "C"`)
	if diff := cmp.Diff(pgIndexes, liteIndexes); diff != "" {
		t.Errorf("indexes (-postgres +sqlite):\n%s", diff)
	}
}
