package run

import (
	"context"
	"fmt"

	"github.com/tidelock/tidelock/internal/db"
)

// LastPlans returns the newest plan of each project of the pull that ended
// well, whatever commit it is of.
func (s *Store) LastPlans(ctx context.Context, q db.Querier, repo int64, pull int) (map[Key]Run, error) {
	runs, err := collect(ctx, q, scanRun, `SELECT `+runColumns+` FROM runs WHERE repo_id=$1 AND pull=$2 AND kind=$3 AND status=$4
		AND NOT EXISTS (SELECT 1 FROM runs n WHERE n.repo_id=runs.repo_id AND n.dir=runs.dir AND n.workspace=runs.workspace
			AND n.pull=runs.pull AND n.kind=runs.kind AND n.status=runs.status
			AND (n.created_ms>runs.created_ms OR n.created_ms=runs.created_ms AND n.id>runs.id))`, repo, pull, Plan, Planned)
	if err != nil {
		return nil, fmt.Errorf("earlier plans of %d#%d: %w", repo, pull, err)
	}
	out := make(map[Key]Run, len(runs))
	for _, r := range runs {
		out[r.Key()] = r
	}
	return out, nil
}

// SetMadeWith keeps what a plan was made with beside code, options and state.
func (s *Store) SetMadeWith(ctx context.Context, tx *db.Tx, id, hash string) error {
	_, err := exec(ctx, tx, `UPDATE runs SET made_with=$2 WHERE id=$1`, id, hash)
	return err
}

// MayStand notes an earlier plan that stands for a queued one if the state is
// still the same, which only Terraform can tell.
func (s *Store) MayStand(ctx context.Context, tx *db.Tx, r, from Run) error {
	_, err := exec(ctx, tx, `UPDATE runs SET earlier_run=$2 WHERE id=$1`, r.ID, from.ID)
	return err
}

// Reuse ends a queued or running plan with what an earlier plan of the same
// project came to. The caller has proven that nothing which shapes it has changed since.
func (s *Store) Reuse(ctx context.Context, tx *db.Tx, r, from Run) error {
	since, made := from.Since, from.Made
	if since == "" {
		since, made = from.Commit, from.Finished
	}
	done := from
	done.ID, done.Client, done.Change, done.Commit, done.Status, done.Actor = r.ID, r.Client, r.Change, r.Commit, r.Status, r.Actor
	if err := s.Finish(ctx, tx, done, Planned); err != nil {
		return err
	}
	_, err := exec(ctx, tx, `UPDATE runs SET made_with=$2, since_sha=$3, made_ms=$4, tool=$5, started_ms=CASE WHEN started_ms=0 THEN finished_ms ELSE started_ms END WHERE id=$1`,
		r.ID, from.MadeWith, since, db.Millis(made), from.Tool)
	if err != nil {
		return fmt.Errorf("reuse the plan of %s: %w", r.Project.Name, err)
	}
	return nil
}
