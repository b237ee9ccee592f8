package queue

import (
	"context"
	"fmt"

	"github.com/tidelock/tidelock/internal/db"
)

// Waiting returns how many jobs of a lane could start now and have no worker
// yet, on any node. What sleeps until later does not count.
func (q *Queue) Waiting(ctx context.Context, lane string) (int, error) {
	now := `now()`
	if q.o.DB.Dialect() == db.SQLite {
		now = `datetime('now', 'subsec')`
	}
	var n int
	if err := q.o.DB.QueryRowContext(ctx, `SELECT count(*) FROM river_job WHERE state = 'available' AND queue = $1 AND scheduled_at <= `+now, lane).Scan(&n); err != nil {
		return 0, fmt.Errorf("jobs that wait in %s: %w", lane, err)
	}
	return n, nil
}
