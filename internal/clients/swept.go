package clients

import (
	"context"
	"fmt"
	"time"

	"github.com/tidelock/tidelock/internal/db"
)

// Swept returns until when the repo was compared with what GitHub knows of it:
// where that never was, from when on it is known here.
func (s *Store) Swept(ctx context.Context, q db.Querier, repo int64) (time.Time, error) {
	var ms int64
	err := q.QueryRowContext(ctx, `SELECT CASE WHEN swept_ms = 0 THEN created_ms ELSE swept_ms END FROM repos WHERE id = $1`, repo).Scan(&ms)
	if err != nil {
		return time.Time{}, fmt.Errorf("repo %d: when it was compared: %w", repo, err)
	}
	return db.FromMillis(ms), nil
}

// SetSwept records that the repos were compared with what GitHub knew then.
func (s *Store) SetSwept(ctx context.Context, tx *db.Tx, at time.Time, repos ...int64) error {
	for _, id := range repos {
		if _, err := tx.ExecContext(ctx, `UPDATE repos SET swept_ms = $2 WHERE id = $1`, id, db.Millis(at)); err != nil {
			return fmt.Errorf("repo %d: note that it was compared: %w", id, err)
		}
	}
	return nil
}
