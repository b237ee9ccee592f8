package db

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// checkpointer moves what stands in SQLite's write-ahead log into the database
// file, on a connection of its own and without blocking anybody. Left to
// itself SQLite does so inside whichever commit fills the log, and that one,
// a webhook perhaps, waits for two more syncs of the disk.
//
// It moves a little at a time: a disk that syncs the database file syncs the
// log after it, so whoever commits meanwhile waits for what is being moved.
type checkpointer struct {
	conn    *sql.DB
	writer  *sql.DB // all that this process writes goes through it
	cancel  context.CancelFunc
	done    chan struct{}
	written chan struct{} // has something where somebody is writing
}

const (
	// checkpointEvery is how long what was written waits at most;
	// checkpointLook is how often there is a look whether it has become
	// checkpointPages, which do not wait.
	checkpointEvery = 500 * time.Millisecond
	checkpointLook  = 50 * time.Millisecond
	checkpointPages = 512 // 2 MB
	// checkpointIdle is how often there is a look though nobody wrote here: for
	// what other processes write.
	checkpointIdle = 10 * time.Second
	// restartPages is how long the log is when it is to begin anew, which it
	// does where all of it was moved before the next commit. Under a load that
	// leaves no gap, one has to be made. SQLite's own bound is twice that.
	restartPages = 8000
)

func newCheckpointer() *checkpointer {
	return &checkpointer{done: make(chan struct{}), written: make(chan struct{}, 1)}
}

// wrote says that somebody is writing.
func (c *checkpointer) wrote() {
	select {
	case c.written <- struct{}{}:
	default:
	}
}

// start begins, for the database that writer writes to.
func (c *checkpointer) start(dsn string, writer *sql.DB) error {
	conn, err := sql.Open("sqlite", dsn)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	conn.SetMaxOpenConns(1)
	ctx, cancel := context.WithCancel(context.Background())
	c.conn, c.writer, c.cancel = conn, writer, cancel
	go c.run(ctx)
	return nil
}

func (c *checkpointer) run(ctx context.Context) {
	defer close(c.done)
	restart := restartPages
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case <-c.written:
			if !c.gather(ctx) {
				continue
			}
		case <-time.After(checkpointIdle):
		}
		// A failure costs nothing but a longer log, and whoever writes meets
		// its cause, a full disk say, in an error of their own.
		log, _ := c.checkpoint(ctx, "PASSIVE")
		switch {
		case log < restartPages/2:
			restart = restartPages
		case log >= restart:
			c.moveRest(ctx)
			restart = log + restartPages/2 // where a reader keeps the log, not each time
		}
	}
}

// gather returns once there is enough to move, or it has waited long enough;
// false where nothing was written after all, as when somebody looked for work
// and found none.
func (c *checkpointer) gather(ctx context.Context) bool {
	left := c.look(ctx, checkpointLook)
	if left == 0 {
		return c.look(ctx, checkpointEvery-checkpointLook) > 0
	}
	for waited := checkpointLook; left < checkpointPages && waited < checkpointEvery; waited += checkpointLook {
		left = c.look(ctx, checkpointLook)
	}
	return ctx.Err() == nil
}

// look returns how many pages are to be moved, in a while.
func (c *checkpointer) look(ctx context.Context, in time.Duration) int {
	select {
	case <-ctx.Done():
		return 0
	case <-time.After(in):
	}
	log, moved := c.checkpoint(ctx, "NOOP")
	return log - moved
}

// moveRest moves what was written since the last round while nobody writes.
// That is little, and whoever writes next begins the log anew.
func (c *checkpointer) moveRest(ctx context.Context) {
	hold, err := c.writer.Conn(ctx)
	if err != nil {
		return // going down
	}
	defer hold.Close()
	c.checkpoint(ctx, "PASSIVE")
}

// checkpoint returns how many pages the log has, and how many of them are moved.
func (c *checkpointer) checkpoint(ctx context.Context, mode string) (log, moved int) {
	var busy int
	if err := c.conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(`+mode+`)`).Scan(&busy, &log, &moved); err != nil {
		return 0, 0
	}
	return log, moved
}

// stop is for after start, and does nothing before it.
func (c *checkpointer) stop() {
	if c.conn == nil {
		return
	}
	c.cancel()
	<-c.done
	_ = c.conn.Close()
}
