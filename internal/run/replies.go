package run

import (
	"context"
	"fmt"
	"time"

	"github.com/tidelock/tidelock/internal/db"
)

// Reply is a comment of the bot's that becomes old: an answer to a command, or
// the comment of an earlier head. It is folded away when a newer plan of its
// pull has settled.
type Reply struct {
	Client  string
	Repo    int64
	Pull    int
	Comment int64  // GitHub's
	Node    string // GitHub's global ID of it, to fold it away
	Posted  time.Time
}

// SaveReply records a reply that was posted. Said twice, it counts once.
func (s *Store) SaveReply(ctx context.Context, r Reply) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := exec(ctx, tx, `INSERT INTO replies (repo_id, comment_id, pull, client_id, node_id, folded, posted_ms)
			VALUES ($1,$2,$3,$4,$5,0,$6) ON CONFLICT DO NOTHING`, r.Repo, r.Comment, r.Pull, r.Client, r.Node, db.Millis(s.now()))
		if err != nil {
			return fmt.Errorf("save reply %d: %w", r.Comment, err)
		}
		return nil
	})
}

// Unfolded returns the pull's replies that were posted before the time and are
// not folded away, the oldest first.
func (s *Store) Unfolded(ctx context.Context, q db.Querier, repo int64, pull int, before time.Time) ([]Reply, error) {
	return collect(ctx, q, func(row scanner) (Reply, error) {
		var (
			r      Reply
			posted int64
		)
		err := row.Scan(&r.Client, &r.Repo, &r.Pull, &r.Comment, &r.Node, &posted)
		r.Posted = db.FromMillis(posted)
		return r, err
	}, `SELECT client_id, repo_id, pull, comment_id, node_id, posted_ms FROM replies
		WHERE repo_id=$1 AND pull=$2 AND folded=0 AND posted_ms<$3 ORDER BY posted_ms, comment_id`, repo, pull, db.Millis(before))
}

// SetFolded records that a reply was folded away, or is gone.
func (s *Store) SetFolded(ctx context.Context, r Reply) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := exec(ctx, tx, `UPDATE replies SET folded=1 WHERE repo_id=$1 AND comment_id=$2`, r.Repo, r.Comment)
		return err
	})
}

// busyRow is the name under which stands, among what was posted for a change,
// since when it is under way.
const busyRow = "(busy)"

// BusySince returns since when something of the change has been under way
// without a break: now, if it was at rest.
func (s *Store) BusySince(ctx context.Context, tx *db.Tx, change string) (time.Time, error) {
	if _, err := exec(ctx, tx, `INSERT INTO checks (change_id, name, check_id, state) VALUES ($1,$2,$3,'') ON CONFLICT (change_id, name) DO NOTHING`,
		change, busyRow, db.Millis(s.now())); err != nil {
		return time.Time{}, fmt.Errorf("change %s: %w", change, err)
	}
	var since int64
	err := tx.QueryRowContext(ctx, `SELECT check_id FROM checks WHERE change_id=$1 AND name=$2`, change, busyRow).Scan(&since)
	return db.FromMillis(since), err
}

// AtRest records that nothing of the change is under way.
func (s *Store) AtRest(ctx context.Context, tx *db.Tx, change string) error {
	_, err := exec(ctx, tx, `DELETE FROM checks WHERE change_id=$1 AND name=$2`, change, busyRow)
	return err
}

// Began returns since when the change has been under way, as Checks told it;
// the zero time where it is at rest.
func Began(posted map[string]Check) time.Time {
	if row, ok := posted[busyRow]; ok {
		return db.FromMillis(row.ID)
	}
	return time.Time{}
}

// SaveShared records what was posted of something that all heads of the pull
// share: what earlier heads had said of it holds no longer.
func (s *Store) SaveShared(ctx context.Context, c Change, row Check) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		if _, err := exec(ctx, tx, `DELETE FROM checks WHERE name=$3 AND change_id IN (SELECT id FROM changes WHERE repo_id=$1 AND pull=$2)`,
			c.Repo, c.Pull, row.Name); err != nil {
			return err
		}
		_, err := exec(ctx, tx, `INSERT INTO checks (change_id, name, check_id, state) VALUES ($1,$2,$3,$4)`, c.ID, row.Name, row.ID, row.State)
		return err
	})
}

// Waits reports whether an unfinished run waits for something outside of
// itself, and says for what: nothing happens until that does.
func (r Run) Waits() bool {
	switch r.Status {
	case Blocked, Deferred:
		return true
	case Queued, Checking:
		return r.Error != ""
	}
	return false
}

// UnderWay reports whether any plan or apply of the change is being worked on,
// or is about to be: neither at an end nor one that Waits.
func (s *Store) UnderWay(ctx context.Context, q db.Querier, change string) (bool, error) {
	var n int
	err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM runs WHERE change_id=$1 AND kind IN ($5,$6) AND (status=$2 OR (status IN ($3,$4) AND error=''))`,
		change, Running, Queued, Checking, Plan, Apply).Scan(&n)
	return n > 0, err
}

// PostedFor returns what was last posted under names of the pattern (SQL's
// LIKE) for any change of the pull, by name: the comments that stay while
// heads come and go.
func (s *Store) PostedFor(ctx context.Context, q db.Querier, repo int64, pull int, like string) (map[string]Check, error) {
	all, err := collect(ctx, q, func(row scanner) (Check, error) {
		var c Check
		return c, row.Scan(&c.Name, &c.ID, &c.State)
	}, `SELECT checks.name, checks.check_id, checks.state FROM checks JOIN changes ON changes.id=checks.change_id
		WHERE changes.repo_id=$1 AND changes.pull=$2 AND checks.name LIKE $3 ORDER BY checks.check_id`, repo, pull, like)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]Check, len(all))
	for _, c := range all {
		byName[c.Name] = c // of several, the newest: GitHub's IDs grow
	}
	return byName, nil
}
