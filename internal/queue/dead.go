package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// DeadJob is a job that is not tried again unless a person says so.
type DeadJob struct {
	ID       int64
	Kind     string
	Lane     string
	Args     json.RawMessage
	Attempts int
	Error    string // of the last attempt
	Created  time.Time
	Died     time.Time
}

// Dead returns the jobs that were set aside, the latest first, at most limit
// (up to 1,000). They are kept for 30 days.
func (q *Queue) Dead(ctx context.Context, limit int) ([]DeadJob, error) {
	c, err := q.engine()
	if err != nil {
		return nil, err
	}
	res, err := c.list(ctx, river.NewJobListParams().
		States(rivertype.JobStateCancelled, rivertype.JobStateDiscarded).
		OrderBy(river.JobListOrderByFinalizedAt, river.SortOrderDesc).First(min(max(limit, 1), 1000)))
	if err != nil {
		return nil, fmt.Errorf("list dead jobs: %w", err)
	}
	var dead []DeadJob
	for _, row := range res.Jobs {
		d := DeadJob{ID: row.ID, Kind: row.Kind, Lane: row.Queue, Args: row.EncodedArgs, Attempts: row.Attempt, Created: row.CreatedAt}
		if n := len(row.Errors); n > 0 {
			d.Error = row.Errors[n-1].Error
		}
		if row.FinalizedAt != nil {
			d.Died = *row.FinalizedAt
		}
		dead = append(dead, d)
	}
	return dead, nil
}

// Retry puts a dead job back into its lane for one more attempt at least. The
// error is errs.NotFound for a job that does not exist, errs.Conflict where a
// job with the same key waits already.
func (q *Queue) Retry(ctx context.Context, id int64) error {
	c, err := q.engine()
	if err != nil {
		return err
	}
	switch err := c.retry(ctx, id); {
	case errors.Is(err, river.ErrNotFound):
		return errs.Wrap(errs.NotFound, err, "There is no such job.")
	case db.IsUnique(err):
		return errConflict(err)
	case err != nil:
		return fmt.Errorf("retry job %d: %w", id, err)
	}
	for lane := range q.o.Lanes {
		q.waker.wake(lane)
	}
	return nil
}

// Counts returns how many jobs are in each state: "waiting" (ready, or for a
// later time), "retrying" (after a failure), "running", "dead", and "done"
// within the last hour.
func (q *Queue) Counts(ctx context.Context) (map[string]int, error) {
	rows, err := q.o.DB.QueryContext(ctx, `SELECT CAST(state AS TEXT), count(*) FROM river_job GROUP BY state`)
	if err != nil {
		return nil, fmt.Errorf("count jobs: %w", err)
	}
	defer rows.Close()
	counts := map[string]int{"waiting": 0, "retrying": 0, "running": 0, "dead": 0, "done": 0}
	for rows.Next() {
		var state string
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return nil, fmt.Errorf("count jobs: %w", err)
		}
		switch rivertype.JobState(state) {
		case rivertype.JobStateAvailable, rivertype.JobStateScheduled, rivertype.JobStatePending:
			counts["waiting"] += n
		case rivertype.JobStateRetryable:
			counts["retrying"] += n
		case rivertype.JobStateRunning:
			counts["running"] += n
		case rivertype.JobStateCancelled, rivertype.JobStateDiscarded:
			counts["dead"] += n
		case rivertype.JobStateCompleted:
			counts["done"] += n
		}
	}
	return counts, rows.Err()
}
