package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"github.com/tidelock/tidelock/internal/errs"
)

// errBusy is our own finding that a lock was not to be had in time.
var errBusy = errors.New("database is busy")

// commitError marks a failed commit: whether it took effect is known only
// where the server said no.
type commitError struct{ err error }

func (e *commitError) Error() string { return "commit: " + e.err.Error() }
func (e *commitError) Unwrap() error { return e.err }

// SQLite's primary result codes, the low byte of its extended ones.
const (
	sqliteBusy    = 5
	sqliteLocked  = 6
	sqliteIOErr   = 10
	sqliteCorrupt = 11
	sqliteFull    = 13
	sqliteRefused = 19 // SQLITE_CONSTRAINT
	sqliteNotADB  = 26
	sqliteUnique  = 2067 // extended: SQLITE_CONSTRAINT_UNIQUE
	sqlitePrimary = 1555 // extended: SQLITE_CONSTRAINT_PRIMARYKEY
)

// IsUnique reports whether err is the database's refusal of a second row with
// the same key.
func IsUnique(err error) bool {
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code() == sqliteUnique || lite.Code() == sqlitePrimary
	}
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23505"
}

// refused reports whether err is SQLite's refusal of what does not fit its
// constraints: at a commit, of which nothing took effect.
func refused(err error) bool {
	var lite *sqlite.Error
	return errors.As(err, &lite) && lite.Code()&0xff == sqliteRefused
}

// retryable reports whether the whole transaction may be run again: it had no
// effect, and the cause may pass.
func retryable(err error) bool {
	if errors.Is(err, errBusy) {
		return true
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		code := lite.Code() & 0xff
		return code == sqliteBusy || code == sqliteLocked
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case "40001", "40P01", // serialization failure, deadlock
			"55P03",          // lock_timeout
			"57P01", "57P02", // the server shuts down: it rolled back
			"57P03", // the server starts up
			"53300": // too many connections
			return true
		case "25006": // read-only: the old primary after a failover
			return true
		}
		return false
	}
	var commit *commitError
	return !errors.As(err, &commit) && broken(err)
}

// broken reports whether err is a connection's end rather than a statement's.
func broken(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, sql.ErrNoRows) {
		return false
	}
	var connect *pgconn.ConnectError
	var opErr *net.OpError
	return errors.As(err, &connect) || errors.As(err, &opErr) || pgconn.SafeToRetry(err) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, driver.ErrBadConn)
}

// classify gives a database error its kind, once. What is classified already
// or is no fault of the database's comes back as it is, with op before it.
func classify(op string, err error) error {
	if err == nil {
		return nil
	}
	var known *errs.Error
	if errors.As(err, &known) {
		return err
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		switch lite.Code() & 0xff {
		case sqliteCorrupt, sqliteNotADB:
			return corrupt(fmt.Errorf("%s: %w", op, err))
		case sqliteFull:
			return errs.Wrap(errs.Unavailable, fmt.Errorf("%s: %w", op, err), "The database's disk is full. Nothing was changed.")
		case sqliteIOErr:
			return errs.Wrap(errs.Unavailable, fmt.Errorf("%s: %w", op, err), "The database's disk fails. Nothing was changed.")
		case sqliteBusy, sqliteLocked:
			return errs.Wrap(errs.Unavailable, fmt.Errorf("%s: %w", op, err), "The database is busy. Nothing was changed; try again in a moment.")
		}
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch {
		case pg.Code == "XX001" || pg.Code == "XX002": // data or index corrupted
			return corrupt(fmt.Errorf("%s: %w", op, err))
		case pg.Code == "53100": // disk full
			return errs.Wrap(errs.Unavailable, fmt.Errorf("%s: %w", op, err), "The database's disk is full. Nothing was changed.")
		}
	} else if broken(err) {
		return errs.Wrap(errs.Unavailable, fmt.Errorf("%s: %w", op, err), "The connection to the database broke off. Try again in a moment.")
	}
	return fmt.Errorf("%s: %w", op, err)
}

// corrupt is what everyone hears who meets a damaged database.
func corrupt(err error) error {
	return errs.Wrap(errs.Internal, err,
		"The database is damaged, and Tidelock does not start on it. Keep the file, and bring the last backup back with `tidelock restore`.")
}
