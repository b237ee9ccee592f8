package run

import (
	"context"
	"fmt"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/policy"
)

// Waive records that the actor accepts the policy findings of exactly this
// plan: another plan of the project has another digest, and needs another
// word. Said twice, it counts once.
func (s *Store) Waive(ctx context.Context, tx *db.Tx, r Run, actor access.Actor) error {
	text, err := toJSON(actor)
	if err != nil {
		return err
	}
	n, err := exec(ctx, tx, `INSERT INTO waivers (repo_id, pull, dir, workspace, plan_digest, actor_id, client_id, actor, given_ms)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9) ON CONFLICT DO NOTHING`,
		r.Repo, r.Pull, r.Project.Dir, r.Project.Workspace, r.PlanDigest, actor.ID, r.Client, text, db.Millis(s.now()))
	if err != nil {
		return fmt.Errorf("waive the findings of %s: %w", r.Project.Name, err)
	}
	if n == 0 {
		return nil
	}
	return s.audit(ctx, tx, r.Client, "policy.waive", r.ID, actor, map[string]any{"project": r.Project.Name, "digest": r.PlanDigest})
}

// addWaivers fills in who accepted the findings of those of the runs that
// policies forbid. It asks the database for nothing where there is none.
func (s *Store) addWaivers(ctx context.Context, q db.Querier, runs []*Run) error {
	type waiver struct {
		key    Key
		digest string
		actor  access.Actor
	}
	var given []waiver
	asked := false
	for _, r := range runs {
		if r.Report == nil || r.Report.Verdict != policy.Fail || r.PlanDigest == "" {
			continue
		}
		if !asked { // they are all one pull's
			asked = true
			var err error
			given, err = collect(ctx, q, func(row scanner) (waiver, error) {
				w := waiver{key: Key{Repo: r.Repo}}
				var text string
				if err := row.Scan(&w.key.Dir, &w.key.Workspace, &w.digest, &text); err != nil {
					return w, err
				}
				return w, fromJSON(text, &w.actor)
			}, `SELECT dir, workspace, plan_digest, actor FROM waivers WHERE repo_id=$1 AND pull=$2 ORDER BY given_ms`, r.Repo, r.Pull)
			if err != nil {
				return fmt.Errorf("read waivers: %w", err)
			}
		}
		for _, w := range given {
			if w.key == r.Key() && w.digest == r.PlanDigest {
				r.Waivers = append(r.Waivers, w.actor)
			}
		}
	}
	return nil
}
