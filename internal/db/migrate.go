package db

import (
	"context"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"golang.org/x/sys/unix"

	"github.com/tidelock/tidelock/internal/errs"
)

//go:embed migrations
var migrations embed.FS

// advisoryLock is the key under which PostgreSQL nodes take turns to migrate:
// "tidelock" in ASCII.
const advisoryLock = 0x746964656c6f636b

// Migrate brings the database to this binary's version, River's tables
// included. It only goes forward. Processes that call it at once take turns,
// and the later ones find nothing to do. It waits for its turn until ctx ends.
//
// A database that a newer Tidelock migrated is left alone: errs.Conflict.
func (d *DB) Migrate(ctx context.Context) error {
	unlock, err := d.lockMigrations(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer unlock()

	// Under the lock: the version may have changed while we waited for it.
	have, want, err := d.Version(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if have > want {
		return newer(have, want)
	}
	p, err := d.provider()
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := d.migrateRiver(ctx); err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return classify("migrate", err)
	}
	return nil
}

// Version tells which version the database has, 0 when it is empty, and which
// this binary wants. It changes nothing.
func (d *DB) Version(ctx context.Context) (have, want int64, err error) {
	p, err := d.provider()
	if err != nil {
		return 0, 0, err
	}
	for _, s := range p.ListSources() {
		want = max(want, s.Version)
	}
	table, err := d.hasTable(ctx, goose.DefaultTablename)
	if err != nil || !table {
		return 0, want, err
	}
	err = d.reader.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version`).Scan(&have)
	return have, want, classify("read database version", err)
}

func newer(have, want int64) error {
	return errs.New(errs.Conflict, "The database has version %d and this Tidelock knows versions up to %d: a newer Tidelock has used it. "+
		"Start that one, or bring back a backup from before the upgrade with `tidelock restore`.", have, want)
}

func (d *DB) provider() (*goose.Provider, error) {
	dialect := goose.DialectSQLite3
	if d.dialect == Postgres {
		dialect = goose.DialectPostgres
	}
	dir, err := fs.Sub(migrations, "migrations/"+string(d.dialect))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(dialect, d.writer, dir, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
}

func (d *DB) hasTable(ctx context.Context, name string) (bool, error) {
	query := `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = $1`
	if d.dialect == Postgres {
		query = `SELECT count(*) FROM pg_catalog.pg_class WHERE oid = to_regclass($1)`
	}
	var n int
	err := d.reader.QueryRowContext(ctx, query, name).Scan(&n)
	return n > 0, classify("read database version", err)
}

// migrateRiver brings the queue's tables up. They have versions of their own,
// and a newer one is as much a newer database as ours.
func (d *DB) migrateRiver(ctx context.Context) error {
	if d.dialect == Postgres {
		return riverUp(ctx, d, func(c *rivermigrate.Config) (migrator, error) {
			return rivermigrate.New(riverpgxv5.New(d.pool), c)
		})
	}
	return riverUp(ctx, d, func(c *rivermigrate.Config) (migrator, error) {
		return rivermigrate.New(riversqlite.New(d.writer), c)
	})
}

// migrator is rivermigrate.Migrator without its type parameter.
type migrator interface {
	AllVersions() []rivermigrate.Migration
	Migrate(context.Context, rivermigrate.Direction, *rivermigrate.MigrateOpts) (*rivermigrate.MigrateResult, error)
}

func riverUp(ctx context.Context, d *DB, open func(*rivermigrate.Config) (migrator, error)) error {
	m, err := open(&rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("migrate the queue: %w", err)
	}
	want := 0
	for _, v := range m.AllVersions() {
		want = max(want, v.Version)
	}
	table, err := d.hasTable(ctx, "river_migration")
	if err != nil {
		return err
	}
	if table {
		var have int
		if err := d.reader.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM river_migration`).Scan(&have); err != nil {
			return classify("migrate the queue", err)
		}
		if have > want {
			return newer(int64(have), int64(want))
		}
		if have == want {
			return nil
		}
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return classify("migrate the queue", err)
	}
	return nil
}

// lockMigrations waits until no other process migrates this database. The
// lock ends with the process that holds it, however that ends.
func (d *DB) lockMigrations(ctx context.Context) (unlock func(), err error) {
	if d.dialect == Postgres {
		return d.lockPostgres(ctx)
	}
	return lockFile(ctx, d.lock)
}

// lockFile waits for the lock on the file at path, which stays behind when the
// lock ends: removing it would let a third process lock a new one while a
// second still waits for the old.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	err = poll(ctx, func() (bool, error) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock: %w", err)
	}
	return func() { _ = f.Close() }, nil
}

func (d *DB) lockPostgres(ctx context.Context) (unlock func(), err error) {
	conn, err := d.writer.Conn(ctx)
	if err != nil {
		return nil, classify("lock", err)
	}
	// Asked again and again rather than waited for: lock_timeout would end the
	// wait while another node's long migration still goes on.
	err = poll(ctx, func() (got bool, err error) {
		err = conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, int64(advisoryLock)).Scan(&got)
		return got, err
	})
	if err != nil {
		_ = conn.Close()
		return nil, classify("lock", err)
	}
	return func() {
		// The lock belongs to the session, and the session goes back to the
		// pool: a failed unlock must not leave it there.
		if _, err := conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, int64(advisoryLock)); err != nil {
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
		_ = conn.Close()
	}, nil
}

// poll calls try every 50 ms until it is true, fails, or ctx ends.
func poll(ctx context.Context, try func() (bool, error)) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := try()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
