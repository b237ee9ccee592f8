package dbtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/db"
)

// Each runs f as two subtests, "sqlite" and "postgres", each on a fresh and
// migrated database of its own. It is how a store proves that its SQL means
// the same on both.
func Each(t *testing.T, f func(t *testing.T, d *db.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, Postgres(t)) })
}

// EachDSN is Each for a test that opens the database itself, from several
// processes perhaps. The database is migrated.
func EachDSN(t *testing.T, f func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLiteDSN(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, PostgresDSN(t)) })
}

// EachEmpty is EachDSN on databases that nobody has migrated.
func EachEmpty(t *testing.T, f func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, "sqlite:"+filepath.Join(t.TempDir(), "tidelock.db")) })
	t.Run("postgres", func(t *testing.T) { f(t, EmptyPostgresDSN(t)) })
}

// SQLite returns a migrated SQLite database in t.TempDir(), closed when the
// test ends.
func SQLite(t testing.TB, opts ...db.Option) *db.DB {
	t.Helper()
	return Open(t, SQLiteDSN(t), opts...)
}

// Postgres returns a migrated database of the test process's cluster, closed
// and dropped when the test ends. It skips the test where there is no
// PostgreSQL.
func Postgres(t testing.TB, opts ...db.Option) *db.DB {
	t.Helper()
	return Open(t, PostgresDSN(t), opts...)
}

// Open opens dsn and closes it when the test ends.
func Open(t testing.TB, dsn string, opts ...db.Option) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), dsn, opts...)
	if err != nil {
		t.Fatalf("open database: %v", err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close database: %v", err)
		}
	})
	return d
}

// template is a migrated, closed SQLite file's content: copying it costs a
// tenth of migrating.
var template = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "tidelock-sqlite-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "template.db")
	if err := migrate("sqlite:" + path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// SQLiteDSN returns the DSN of a migrated SQLite file in t.TempDir().
func SQLiteDSN(t testing.TB) string {
	t.Helper()
	content, err := template()
	if err != nil {
		t.Fatalf("make the SQLite template: %v", err)
	}
	path := filepath.Join(t.TempDir(), "tidelock.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

// PostgresDSN returns the DSN of a fresh, migrated database, dropped when the
// test ends. It skips the test where there is no PostgreSQL.
func PostgresDSN(t testing.TB) string {
	t.Helper()
	return theCluster(t).database(t, true)
}

// EmptyPostgresDSN is PostgresDSN without the migration.
func EmptyPostgresDSN(t testing.TB) string {
	t.Helper()
	return theCluster(t).database(t, false)
}

func migrate(dsn string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	d, err := db.Open(ctx, dsn)
	if err != nil {
		return err
	}
	if err := d.Migrate(ctx); err != nil {
		_ = d.Close()
		return err
	}
	if err := d.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}
