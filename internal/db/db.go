package db

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/tidelock/tidelock/internal/errs"
)

// Dialect names the kind of database.
type Dialect string

// The dialects.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// Querier runs statements: a *Tx inside its transaction, a *DB outside any.
// A store's unexported functions take a Querier, so that they serve both.
type Querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// DB is an open database. It is safe for concurrent use.
//
// On SQLite it holds two pools: one connection that writes, since SQLite has
// one writer at a time and a Go queue is fairer and wakes sooner than SQLite's
// busy handler, and a few that read, so that no reader waits behind a write.
type DB struct {
	dialect Dialect
	writer  *sql.DB
	reader  *sql.DB // the same as writer on PostgreSQL
	pool    *pgxpool.Pool
	lock    string // SQLite: the file beside the database that openers and migrations lock
	ckpt    *checkpointer
	guard   *guard   // SQLite, of a server: what is known of the file
	car     carriage // SQLite: of transactions that share a commit
	tries   int      // of one transaction
	wait    time.Duration
}

// Option changes how Open sets the database up. The defaults suit a server;
// tests shorten the waits.
type Option func(*options)

type options struct {
	wait    time.Duration
	tries   int
	readers int
	whole   bool
	served  func(why string)
}

// Busy sets how long one try of a transaction waits for a lock that somebody
// else holds, and how many tries there are. The product bounds how long a
// caller waits for a locked database; the default, 2.5 s and 3 tries, keeps it
// below the 10 s after which GitHub gives a delivery up.
func Busy(wait time.Duration, tries int) Option {
	return func(o *options) { o.wait, o.tries = wait, max(tries, 1) }
}

// Open opens the database that dsn names and checks that it answers. Of an
// SQLite file it looks at the header and the schema; see Whole and Served for
// more. It does not migrate.
//
// dsn is "sqlite:PATH" (the file and its folder are made if they are missing,
// readable by their owner alone) or a "postgres://" URL as libpq reads it. The
// error is errs.Invalid for a DSN that is wrong, errs.Unavailable for a server
// that does not answer, and names the restore command for a corrupt file. No
// error shows the DSN's password.
func Open(ctx context.Context, dsn string, opts ...Option) (*DB, error) {
	o := options{wait: 2500 * time.Millisecond, tries: 3, readers: max(4, runtime.NumCPU())}
	for _, opt := range opts {
		opt(&o)
	}
	scheme, rest, _ := strings.Cut(dsn, ":")
	switch scheme {
	case "sqlite":
		return openSQLite(ctx, rest, o)
	case "postgres", "postgresql":
		return openPostgres(ctx, dsn, o)
	}
	return nil, errs.New(errs.Invalid, "The database must be given as sqlite:PATH or postgres://USER@HOST/NAME.")
}

func openSQLite(ctx context.Context, path string, o options) (*DB, error) {
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return nil, errs.New(errs.Invalid, "The database sqlite: needs the path of a file, as in sqlite:/var/lib/tidelock/tidelock.db.")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "The folder of the database can't be made.")
	}
	// SQLite would make the file readable by all; it holds other people's plans.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "The database file can't be opened for writing.")
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}

	d := &DB{dialect: SQLite, lock: path + ".lock", ckpt: newCheckpointer(), tries: o.tries, wait: o.wait}
	// Two processes that open a new file at once would both turn it to WAL,
	// and one of them would fail.
	unlock, err := lockFile(ctx, d.lock)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	defer unlock()
	var met func(error)
	if o.served != nil {
		d.guard = &guard{path: path}
		met = d.guard.met
	}
	writer, err := sqliteConnector(sqliteDSN(path, o.wait, false), d.ckpt.wrote, met)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	reader, err := sqliteConnector(sqliteDSN(path, o.wait, true), nil, met)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	d.writer, d.reader = sql.OpenDB(writer), sql.OpenDB(reader)
	d.writer.SetMaxOpenConns(1)
	d.reader.SetMaxOpenConns(o.readers)
	d.reader.SetMaxIdleConns(2)
	d.reader.SetConnMaxIdleTime(5 * time.Minute)
	err = d.checkSQLite(ctx, o)
	if err == nil {
		err = d.ckpt.start(sqliteDSN(path, o.wait, false), d.writer)
	}
	if err != nil {
		d.guard = nil // which would note that all is well
		_ = d.Close()
		return nil, err
	}
	return d, nil
}

// sqliteDSN puts every pragma into the DSN, so that no connection of a pool is
// ever without them.
func sqliteDSN(path string, wait time.Duration, readOnly bool) string {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": {
		fmt.Sprintf("busy_timeout(%d)", wait.Milliseconds()),
		"journal_mode(WAL)",
		"synchronous(FULL)", // an acknowledged webhook survives the power cut
		"foreign_keys(1)",
		"trusted_schema(0)",
		// The checkpointer does it before; this bounds the WAL, 64 MB, where it
		// can't.
		"wal_autocheckpoint(16000)",
	}}
	if readOnly {
		q.Set("_txlock", "deferred")
		q.Add("_pragma", "query_only(1)")
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

func openPostgres(ctx context.Context, dsn string, o options) (*DB, error) {
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		// pgx masks the password in its own text.
		return nil, errs.Wrap(errs.Invalid, err, "The database URL can't be read.")
	}
	if !strings.Contains(dsn, "pool_max_conns") {
		cfg.MaxConns = int32(max(16, 4*runtime.NumCPU()))
	}
	params := cfg.ConnConfig.RuntimeParams
	if params["lock_timeout"] == "" {
		params["lock_timeout"] = fmt.Sprint(o.wait.Milliseconds())
	}
	if params["application_name"] == "" {
		params["application_name"] = "tidelock"
	}
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, classify("open database", err)
	}
	d := &DB{dialect: Postgres, pool: pool, writer: stdlib.OpenDBFromPool(pool), tries: o.tries, wait: o.wait}
	d.reader = d.writer
	if err := pool.Ping(ctx); err != nil {
		_ = d.Close()
		return nil, errs.Wrap(errs.Unavailable, fmt.Errorf("open database: %w", err), "The PostgreSQL server does not answer.")
	}
	return d, nil
}

// Dialect tells which kind of database this is. Only this package and what
// drives River may branch on it.
func (d *DB) Dialect() Dialect { return d.dialect }

// Writer returns the pool that writes: on SQLite a pool of one connection. It
// is for River, which brings its own statements; everyone else uses Tx.
func (d *DB) Writer() *sql.DB { return d.writer }

// Pool returns PostgreSQL's own pool, nil on SQLite. It is for River.
func (d *DB) Pool() *pgxpool.Pool { return d.pool }

// Close closes all connections, after the statements that run have ended.
func (d *DB) Close() error {
	if d.ckpt != nil {
		d.ckpt.stop()
	}
	err := d.reader.Close()
	if d.writer != d.reader {
		if werr := d.writer.Close(); err == nil {
			err = werr
		}
	}
	if d.pool != nil {
		d.pool.Close()
	}
	if d.guard != nil && err == nil {
		d.guard.close()
	}
	return err
}

// ExecContext runs one statement in a transaction of its own, with Tx's
// retries.
func (d *DB) ExecContext(ctx context.Context, query string, args ...any) (res sql.Result, err error) {
	err = d.Tx(ctx, func(tx *Tx) error {
		res, err = tx.ExecContext(ctx, query, args...)
		return err
	})
	return res, err
}

// QueryContext reads what is committed. A statement that writes, INSERT …
// RETURNING too, belongs in a Tx; SQLite refuses it here.
func (d *DB) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return d.reader.QueryContext(ctx, query, args...)
}

// QueryRowContext is QueryContext for at most one row.
func (d *DB) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return d.reader.QueryRowContext(ctx, query, args...)
}

// Millis returns t as the database keeps it: milliseconds since 1970, 0 for
// the zero time.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// FromMillis returns the time that Millis turned into ms, in UTC; the zero
// time for 0.
func FromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
