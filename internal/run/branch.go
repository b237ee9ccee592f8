package run

import (
	"context"
	"fmt"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// A change is a pull at one head commit, save for one kind: what is looked at
// on a schedule is of no pull, but of the tip of a branch. Such a change has
// Branch, and no comment, no checks and no locks; its runs are drift checks.

// OpenBranch finds or creates the change of a branch at its tip. One that is
// there has the branch's name of today: it may have been renamed.
func (s *Store) OpenBranch(ctx context.Context, tx *db.Tx, client string, repo int64, branch, tip string) (Change, error) {
	existing, err := s.ChangeAt(ctx, tx, repo, 0, tip)
	if err != nil && !errs.Is(err, errs.NotFound) || existing.Branch == branch {
		return existing, err
	}
	now := db.Millis(s.now())
	if _, err := exec(ctx, tx, `INSERT INTO changes (id, client_id, repo_id, pull, head_sha, base_sha, status, reason, merge_sha, branch, created_ms, updated_ms)
		VALUES ($1,$2,$3,0,$4,$4,$5,'','',$6,$7,$7) ON CONFLICT (repo_id, pull, head_sha) DO UPDATE SET branch=excluded.branch`,
		newID(), client, repo, tip, Ready, branch, now); err != nil {
		return Change{}, fmt.Errorf("open change of branch %s: %w", branch, err)
	}
	return s.ChangeAt(ctx, tx, repo, 0, tip)
}

// lookingOnly returns those of a project's own options that a comparison of
// state and world can be made with: it neither destroys nor replaces, and it
// reads everything.
func lookingOnly(o planner.Options) planner.Options {
	o.Destroy, o.NoRefresh, o.Replace = false, false, nil
	return o
}

// WatchRuns returns the newest drift checks that no pull asked for, of one
// repository or (0) of all, of one project's directory or ("") of all.
func (s *Store) WatchRuns(ctx context.Context, q db.Querier, repo int64, dir string, limit int) ([]Run, error) {
	return collect(ctx, q, scanRun, `SELECT `+runColumns+` FROM runs WHERE kind=$1 AND pull=0 AND (CAST($2 AS BIGINT) = 0 OR repo_id=$2) AND ($3 = '' OR dir=$3)
		ORDER BY id DESC LIMIT $4`, Drift, repo, dir, limit)
}

// ForgetWatchRuns deletes drift checks that no pull asked for and that ended
// before then, but those that keep names, at most so many at once. It returns
// the ID, Client and LogBlob of what it deleted, so that the caller can delete
// the logs; changes that are left without a run go with them.
func (s *Store) ForgetWatchRuns(ctx context.Context, tx *db.Tx, before time.Time, keep map[string]bool, limit int) ([]Run, error) {
	old, err := collect(ctx, tx, func(row scanner) (r Run, err error) {
		err = row.Scan(&r.ID, &r.Client, &r.LogBlob)
		return r, err
	}, `SELECT id, client_id, log_blob FROM runs WHERE kind=$1 AND pull=0 AND finished_ms<>0 AND finished_ms<$2 ORDER BY id LIMIT $3`,
		Drift, db.Millis(before), limit+len(keep))
	if err != nil {
		return nil, fmt.Errorf("forget drift checks: %w", err)
	}
	var gone []Run
	for _, r := range old {
		if keep[r.ID] || len(gone) == limit {
			continue
		}
		if _, err := exec(ctx, tx, `DELETE FROM runs WHERE id=$1`, r.ID); err != nil {
			return nil, fmt.Errorf("forget drift check %s: %w", r.ID, err)
		}
		gone = append(gone, r)
	}
	_, err = exec(ctx, tx, `DELETE FROM changes WHERE branch<>'' AND created_ms<$1 AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.change_id=changes.id)`, db.Millis(before))
	return gone, err
}
