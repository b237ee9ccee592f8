package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/tidelock/tidelock/internal/errs"
)

// Tx is a transaction that Tx of DB began. It must not outlive the function
// that it was given to.
type Tx struct {
	*sql.Tx
	conn    *sql.Conn
	dialect Dialect
	after   []func()
}

// AfterCommit has f called once the transaction is committed, and never if it
// is not. f must not fail: it is for waking someone up, not for work that may
// not be lost.
func (tx *Tx) AfterCommit(f func()) { tx.after = append(tx.after, f) }

// Pgx gives f PostgreSQL's own connection, on which this transaction is open,
// and keeps the transaction's other statements away meanwhile. River inserts
// its jobs through it. It fails on SQLite.
func (tx *Tx) Pgx(f func(*pgx.Conn) error) error {
	return tx.conn.Raw(func(c any) error {
		pg, ok := c.(*stdlib.Conn)
		if !ok {
			return errors.New("db: not a PostgreSQL transaction")
		}
		return f(pg.Conn())
	})
}

// Serialize lets one transaction at a time past it of those that give the same
// name: the next waits until this one has ended, and reads from then on what it
// left. On SQLite, where one transaction writes at any time, there is nothing
// to wait for.
func (tx *Tx) Serialize(ctx context.Context, name string) error {
	if tx.dialect != Postgres {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, name); err != nil {
		return fmt.Errorf("serialize %s: %w", name, err)
	}
	return nil
}

// Tx runs fn in a transaction, which commits when fn returns nil and is rolled
// back otherwise, also when fn panics. The error is fn's own, wrapped at most.
//
// Where the database is busy, in a deadlock, or broke off before the commit,
// fn is called again, up to the bound that Busy sets; then the error is
// errs.Unavailable. So fn may run more than once: it must have no effect
// outside tx, or one that repeating does not change. A connection that breaks
// off in mid-commit is not tried again, since nobody knows whether it took
// effect: that too is errs.Unavailable, and whoever repeats the whole act must
// find its own traces.
func (d *DB) Tx(ctx context.Context, fn func(tx *Tx) error) error {
	return d.again(ctx, func(int) ([]func(), error) { return d.once(ctx, fn) })
}

// again tries a transaction until it has ended in one way or the other. try
// returns what is to be done after its commit.
func (d *DB) again(ctx context.Context, try func(number int) (after []func(), err error)) error {
	for number := 1; ; number++ {
		after, err := try(number)
		if err == nil {
			for _, f := range after {
				f()
			}
			return nil
		}
		if ctx.Err() != nil || !retryable(err) {
			return classify("transaction", err)
		}
		if number >= d.tries {
			return errs.Wrap(errs.Unavailable, fmt.Errorf("transaction: %d tries: %w", number, err),
				"The database is busy. Nothing was changed; try again in a moment.")
		}
		pause := time.Duration(number) * (10*time.Millisecond + rand.N(20*time.Millisecond))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// Read gives fn one consistent view of what is committed: everything that fn
// reads is as of one moment, whatever others write meanwhile. It waits for no
// writer, and fn can't write.
func (d *DB) Read(ctx context.Context, fn func(q Querier) error) error {
	var opts *sql.TxOptions
	if d.dialect == Postgres {
		opts = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	tx, err := d.reader.BeginTx(ctx, opts)
	if err != nil {
		return classify("read", err)
	}
	defer func() { _ = tx.Rollback() }() // there is nothing to commit
	return classify("read", fn(tx))
}

// once runs fn in one transaction.
func (d *DB) once(ctx context.Context, fn func(tx *Tx) error) ([]func(), error) {
	conn, err := d.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	tx := &Tx{Tx: stx, conn: conn, dialect: d.dialect}
	done := false
	defer func() {
		if !done {
			_ = stx.Rollback() // fn panicked or called runtime.Goexit
		}
	}()
	if err := fn(tx); err != nil {
		done = true
		// The rollback's own error says nothing that fn's does not.
		_ = stx.Rollback()
		return nil, err
	}
	done = true
	if err := stx.Commit(); err != nil {
		_ = stx.Rollback() // SQLite leaves the transaction open when COMMIT finds it busy
		return nil, &commitError{err}
	}
	return tx.after, nil
}

// acquire takes a connection, and waits for one no longer than a locked
// database is waited for: with SQLite's single writer the queue for it is a
// lock like any other.
func (d *DB) acquire(ctx context.Context) (*sql.Conn, error) {
	waitCtx, cancel := context.WithTimeout(ctx, d.wait)
	defer cancel()
	conn, err := d.writer.Conn(waitCtx)
	if err != nil && ctx.Err() == nil && waitCtx.Err() != nil {
		return nil, fmt.Errorf("no connection became free within %v: %w", d.wait, errBusy)
	}
	return conn, err
}
