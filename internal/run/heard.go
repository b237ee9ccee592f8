package run

import (
	"context"
	"fmt"
	"time"

	"github.com/tidelock/tidelock/internal/db"
)

// Hear marks a comment's commands as obeyed, in the transaction that obeys
// them, and reports whether nobody had done so before. Where somebody had, the
// caller must do nothing: the comment came by a second way, a webhook and the
// sweep for example.
func (s *Store) Hear(ctx context.Context, tx *db.Tx, repo, comment int64) (first bool, err error) {
	n, err := exec(ctx, tx, `INSERT INTO heard (repo_id, comment_id, heard_ms) VALUES ($1,$2,$3) ON CONFLICT DO NOTHING`,
		repo, comment, db.Millis(s.now()))
	if err != nil {
		return false, fmt.Errorf("hear comment %d: %w", comment, err)
	}
	return n == 1, nil
}

// Heard reports whether the comment's commands were obeyed.
func (s *Store) Heard(ctx context.Context, q db.Querier, repo, comment int64) (bool, error) {
	var n int
	err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM heard WHERE repo_id=$1 AND comment_id=$2`, repo, comment).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("heard comment %d: %w", comment, err)
	}
	return n > 0, nil
}

// ForgetHeard drops the marks of comments heard before then: nothing asks for
// comments that old.
func (s *Store) ForgetHeard(ctx context.Context, tx *db.Tx, before time.Time) error {
	_, err := exec(ctx, tx, `DELETE FROM heard WHERE heard_ms<$1`, db.Millis(before))
	return err
}
