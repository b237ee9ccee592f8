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
type checkpointer struct {
	conn   *sql.DB
	cancel context.CancelFunc
	done   chan struct{}
}

// checkpointEvery is short enough that the log stays small under a burst.
// With nothing to move, a round is a look at shared memory.
const checkpointEvery = 500 * time.Millisecond

func startCheckpointer(dsn string) (*checkpointer, error) {
	conn, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	conn.SetMaxOpenConns(1)
	ctx, cancel := context.WithCancel(context.Background())
	c := &checkpointer{conn, cancel, make(chan struct{})}
	go c.run(ctx)
	return c, nil
}

func (c *checkpointer) run(ctx context.Context) {
	defer close(c.done)
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			// A failure costs nothing but a longer log, and whoever writes
			// meets its cause, a full disk say, in an error of their own.
			_, _ = c.conn.ExecContext(ctx, `PRAGMA wal_checkpoint(PASSIVE)`)
		}
	}
}

func (c *checkpointer) stop() {
	c.cancel()
	<-c.done
	_ = c.conn.Close()
}
