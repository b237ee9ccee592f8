package run

import (
	"context"
	"fmt"
	"time"

	"github.com/tidelock/tidelock/internal/db"
)

// Judged calls each for the plans with a report that were made since then, the
// oldest first, whether their JSON was kept or not: those of pulls and those of
// drift checks. Of plans that stood for several commits only the first counts.
// client and repo narrow it down; "" and 0 do not. It reads page by page, so
// that each may take its time.
func (s *Store) Judged(ctx context.Context, q db.Querier, client string, repo int64, since time.Time, each func(Run) error) error {
	const page = 100
	after, last := db.Millis(since), ""
	for {
		runs, err := collect(ctx, q, scanRun, `SELECT `+runColumns+` FROM runs
			WHERE report<>'' AND since_sha='' AND kind IN ($1, $2)
			AND ($3='' OR client_id=$3) AND ($4=0 OR repo_id=$4) AND (created_ms>$5 OR (created_ms=$5 AND id>$6))
			ORDER BY created_ms, id LIMIT $7`, Plan, Drift, client, repo, after, last, page)
		if err != nil {
			return fmt.Errorf("read judged plans: %w", err)
		}
		for _, r := range runs {
			if err := each(r); err != nil {
				return err
			}
			after, last = db.Millis(r.Created), r.ID
		}
		if len(runs) < page {
			return nil
		}
	}
}
