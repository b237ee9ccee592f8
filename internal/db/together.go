package db

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// A commit on SQLite waits for the disk, and nobody else writes meanwhile.
// Where the disk is slow for a moment, others gather. So a transaction that
// allows it carries what gathered while it waited, each in a savepoint, and
// one sync of the disk serves all of them.

// carriage is where transactions gather that may share a commit.
type carriage struct {
	mu      sync.Mutex
	driven  bool // somebody is driving, or about to
	waiting []*rider
}

// rider is a transaction that waits for its turn, and then for its commit.
type rider struct {
	told  chan word
	ended chan error // what its function returned
}

// word is what a rider is told: that it has the transaction now, that it drives
// the next one, or how the commit ended.
type word struct {
	tx    *Tx
	drive bool
	err   error
}

// maxRiders bounds what one commit carries: the first waits for the last.
const maxRiders = 32

var (
	// errThrown is of one that did well and was undone by another's end.
	errThrown = errors.New("db: the transaction that was to carry it was undone")
	errEnded  = errors.New("db: the function of the transaction ended without returning")
)

// Together is Tx for what many do at the same moment: on SQLite it may share
// its commit with others that are done together. Each sees what those before it
// did, is undone without them when its function fails, and returns once all of
// it is on the disk.
//
// The functions run one after the other, each where it was called; none may
// wait for anything that a caller of Together holds meanwhile, a mutex say.
func (d *DB) Together(ctx context.Context, fn func(tx *Tx) error) error {
	if d.dialect != SQLite {
		return d.Tx(ctx, fn)
	}
	alone := false
	return d.again(ctx, func(int) (after []func(), err error) {
		if !alone {
			after, err = d.join(ctx, fn)
			if alone = true; !errors.Is(err, errThrown) {
				return after, err
			}
		}
		return d.once(ctx, fn)
	})
}

// join waits for its turn, and drives if that is what it gets.
func (d *DB) join(ctx context.Context, fn func(tx *Tx) error) ([]func(), error) {
	c := &d.car
	c.mu.Lock()
	if !c.driven {
		c.driven = true
		c.mu.Unlock()
		return d.drive(ctx, fn)
	}
	r := &rider{told: make(chan word, 1), ended: make(chan error, 1)}
	c.waiting = append(c.waiting, r)
	c.mu.Unlock()

	limit := time.NewTimer(d.wait)
	defer limit.Stop()
	var t word
	select {
	case t = <-r.told:
	case <-ctx.Done():
		if c.leave(r) {
			return nil, ctx.Err()
		}
		t = <-r.told
	case <-limit.C:
		if c.leave(r) {
			return nil, fmt.Errorf("no turn came within %v: %w", d.wait, errBusy)
		}
		t = <-r.told
	}
	switch {
	case t.drive:
		return d.drive(ctx, fn)
	case t.tx == nil:
		return nil, t.err
	}
	if err := r.ride(t.tx, fn); err != nil {
		return nil, err
	}
	end := <-r.told
	return t.tx.after, end.err
}

// ride runs fn, and tells the driver how it ended even where it does not return.
func (r *rider) ride(tx *Tx, fn func(tx *Tx) error) (err error) {
	err = errEnded
	defer func() { r.ended <- err }()
	err = fn(tx)
	return err
}

// leave takes a rider out whose turn has not come.
func (c *carriage) leave(r *rider) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, w := range c.waiting {
		if w == r {
			c.waiting = append(c.waiting[:i], c.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// next returns who waits longest, nil for nobody.
func (c *carriage) next() *rider {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		return nil
	}
	r := c.waiting[0]
	c.waiting = c.waiting[1:]
	return r
}

// handOver has who waits longest drive, or nobody where nobody waits.
func (c *carriage) handOver() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.driven = len(c.waiting) > 0; c.driven {
		c.waiting[0].told <- word{drive: true}
		c.waiting = c.waiting[1:]
	}
}

// drive runs fn in a transaction, and then whoever gathered meanwhile.
func (d *DB) drive(ctx context.Context, fn func(tx *Tx) error) (after []func(), err error) {
	defer d.car.handOver()
	conn, err := d.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	// Who drives carries others: it does not stop because its own caller left.
	stx, err := conn.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	var riders []*rider
	fate := errThrown
	defer func() { // also where fn panicked or called runtime.Goexit
		if fate != nil {
			_ = stx.Rollback()
		}
		for _, r := range riders {
			r.told <- word{err: fate}
		}
	}()
	own := &Tx{Tx: stx, conn: conn, dialect: d.dialect}
	if failed, err := apart(ctx, own, func() error { return fn(own) }); failed != nil {
		return nil, failed
	} else if err != nil {
		return nil, &commitError{err}
	}
	for len(riders) < maxRiders {
		r := d.car.next()
		if r == nil {
			break
		}
		failed, err := apart(ctx, own, func() error {
			r.told <- word{tx: &Tx{Tx: stx, conn: conn, dialect: d.dialect}}
			return <-r.ended
		})
		if failed == nil {
			riders = append(riders, r)
		}
		if err != nil {
			return nil, errThrown
		}
	}
	if err := stx.Commit(); err != nil {
		fate = &commitError{err}
		if refused(err) && len(riders) > 0 {
			fate = errThrown // one of them is at fault, and alone it hears so
		}
		return nil, fate
	}
	fate = nil
	return own.after, nil
}

// apart runs do in a savepoint of the transaction, which is undone where it
// fails. err says that the transaction itself is gone, as it is when a statement
// is interrupted or the disk is full.
func apart(ctx context.Context, tx *Tx, do func() error) (failed, err error) {
	ctx = context.WithoutCancel(ctx)
	exec := func(query string) {
		if err == nil {
			_, err = tx.ExecContext(ctx, query)
		}
	}
	if exec(`SAVEPOINT apart`); err != nil {
		return nil, err
	}
	if failed = do(); failed != nil {
		exec(`ROLLBACK TO apart`)
	}
	exec(`RELEASE apart`)
	return failed, err
}
