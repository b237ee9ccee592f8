package run

import (
	"context"
	"slices"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// RetryApply is a person's word that a failed or interrupted apply shall go on
// where it ended: the old run is closed as superseded and a new one of the
// same reviewed plan is queued. It may do what is left of that plan, and
// nothing else.
func (s *Store) RetryApply(ctx context.Context, tx *db.Tx, failed Run, commit, gates string, actor access.Actor) (Run, error) {
	if failed.Kind != Apply || (failed.Status != Failed && failed.Status != Interrupted) {
		return Run{}, errs.New(errs.Conflict, "The %s of %s is %s: there is nothing to try again.", failed.Kind, failed.Project.Name, failed.Status)
	}
	if err := s.move(ctx, tx, failed, Superseded, failed.Error); err != nil {
		return Run{}, err
	}
	if err := s.KeepForPerson(ctx, tx, failed); err != nil {
		return Run{}, err
	}
	r := Run{
		ID: newID(), Client: failed.Client, Change: failed.Change, Repo: failed.Repo, Pull: failed.Pull, Kind: Apply,
		Project: failed.Project, Commit: commit, Status: Queued, Actor: actor, Order: failed.Order, PlanRun: failed.PlanRun,
		InputsDigest: failed.InputsDigest, PlanDigest: failed.PlanDigest, Summary: failed.Summary,
		Options: failed.Options, Layer: failed.Layer, Gates: gates, Retry: true,
	}
	if err := s.insert(ctx, tx, &r); err != nil {
		return Run{}, err
	}
	return r, s.audit(ctx, tx, r.Client, "apply.retry", r.ID, actor, map[string]any{"project": r.Project.Name, "after": failed.ID})
}

// AddOperation queues a state operation on one project of the change.
func (s *Store) AddOperation(ctx context.Context, tx *db.Tx, c Change, p planner.Project, op planner.Operation, commit, gates string, actor access.Actor) (Run, error) {
	r := Run{
		ID: newID(), Client: c.Client, Change: c.ID, Repo: c.Repo, Pull: c.Pull, Kind: StateChange,
		Project: p, Commit: commit, Status: Queued, Actor: actor, Operation: op, Gates: gates,
	}
	if err := s.insert(ctx, tx, &r); err != nil {
		return Run{}, err
	}
	return r, s.audit(ctx, tx, r.Client, "state.queue", r.ID, actor, map[string]any{"project": p.Name, "operation": op.String()})
}

// AddDrift queues a comparison of state and world for each project, with what
// else was asked for; batch ties them together for the one reply that tells of them.
func (s *Store) AddDrift(ctx context.Context, tx *db.Tx, c Change, projects []planner.Project, o planner.Options, commit, batch string, actor access.Actor) ([]Run, error) {
	var out []Run
	for i, p := range projects {
		o := lookingOnly(p.Options).With(o)
		o.RefreshOnly = true
		r := Run{
			ID: newID(), Client: c.Client, Change: c.ID, Repo: c.Repo, Pull: c.Pull, Kind: Drift,
			Project: p, Commit: commit, Status: Queued, Actor: actor, Order: i, Batch: batch, Options: o,
		}
		if err := s.insert(ctx, tx, &r); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, s.audit(ctx, tx, c.Client, "drift.queue", c.ID, actor, map[string]any{"projects": len(projects)})
}

// Batch returns the runs of a batch, in order.
func (s *Store) Batch(ctx context.Context, q db.Querier, batch string) ([]Run, error) {
	return collect(ctx, q, scanRun, `SELECT `+runColumns+` FROM runs WHERE batch=$1 ORDER BY ord, id`, batch)
}

// BatchDone reports whether every run of the batch has ended. It reads no more
// than that takes, as each run of a batch asks when it ends.
func (s *Store) BatchDone(ctx context.Context, q db.Querier, batch string) (bool, error) {
	statuses, err := s.statuses(ctx, q, "batch", batch)
	return err == nil && !slices.ContainsFunc(statuses, func(st Status) bool { return !st.Finished() }), err
}

// CancelBatch cancels what has not ended of a batch. It returns the runs that
// the caller must stop.
func (s *Store) CancelBatch(ctx context.Context, tx *db.Tx, batch string, actor access.Actor, why string) (stop []string, err error) {
	return s.cancelAll(ctx, tx, "batch", batch, actor, why)
}

// Trust records who let the change's head be planned though it comes from a
// fork. It holds for that head alone, since a change is one.
func (s *Store) Trust(ctx context.Context, tx *db.Tx, c Change, actor access.Actor) error {
	text, err := toJSON(actor)
	if err != nil {
		return err
	}
	if _, err := exec(ctx, tx, `UPDATE changes SET trusted=$2 WHERE id=$1`, c.ID, text); err != nil {
		return err
	}
	return s.audit(ctx, tx, c.Client, "fork.trust", c.ID, actor, map[string]any{"repo": c.Repo, "pull": c.Pull, "head": c.HeadSHA})
}

// OpenGroup finds or creates the change of a merge queue's branch. It
// supersedes nothing of the pull that the branch is for, and has no comment.
func (s *Store) OpenGroup(ctx context.Context, tx *db.Tx, p Pull, ref, head, base string, actor access.Actor) (Opened, error) {
	existing, err := s.ChangeAt(ctx, tx, p.Repo, p.Number, head)
	if err == nil {
		return Opened{Change: existing}, nil
	}
	if !errs.Is(err, errs.NotFound) {
		return Opened{}, err
	}
	id, now := newID(), db.Millis(s.now())
	if _, err := exec(ctx, tx, `INSERT INTO changes (id, client_id, repo_id, pull, head_sha, base_sha, status, reason, merge_sha, group_ref, created_ms, updated_ms)
		VALUES ($1,$2,$3,$4,$5,$6,$7,'','',$8,$9,$9)`, id, p.Client, p.Repo, p.Number, head, base, Pending, ref, now); err != nil {
		return Opened{}, err
	}
	c, err := s.Change(ctx, tx, id)
	if err != nil {
		return Opened{}, err
	}
	return Opened{Change: c, Created: true}, s.audit(ctx, tx, p.Client, "group.open", id, actor, map[string]any{"repo": p.Repo, "pull": p.Number, "ref": ref, "head": head})
}

// CloseGroup ends the changes of a merge queue's branch that is no more, and
// returns the plans to be stopped.
func (s *Store) CloseGroup(ctx context.Context, tx *db.Tx, repo int64, head string) (stop []string, err error) {
	open, err := collect(ctx, tx, scanChange, `SELECT `+changeColumns+` FROM changes WHERE repo_id=$1 AND head_sha=$2 AND group_ref<>'' AND status NOT IN ($3,$4)`,
		repo, head, Outdated, Closed)
	if err != nil {
		return nil, err
	}
	for _, c := range open {
		_, running, err := s.endRuns(ctx, tx, c.ID, Canceled)
		if err != nil {
			return nil, err
		}
		stop = append(stop, running...)
		if err := s.setChange(ctx, tx, c.ID, Closed, ""); err != nil {
			return nil, err
		}
	}
	return stop, nil
}
