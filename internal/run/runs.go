package run

import (
	"context"
	"fmt"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

const runColumns = `id, client_id, change_id, repo_id, pull, kind, spec, commit_sha, status, actor, node_id, ord, plan_run_id,
	inputs_digest, plan_digest, earlier_run, made_with, since_sha, made_ms, state_lineage, state_serial, plan_blob, plan_json_blob, log_blob,
	summary, diff, report, estimate, error, progress_done, progress_total, created_ms, started_ms, finished_ms,
	options, operation, layer, gates, stop_actor, retry, batch, resources, tool, progress, steps, peak_memory`

func scanRun(row scanner) (Run, error) {
	var (
		r                                      Run
		spec, actor, summary, report, estimate string
		options, operation, stop, resources    string
		now                                    string
		created, started, finished, retry      int64
		made                                   int64
	)
	err := row.Scan(&r.ID, &r.Client, &r.Change, &r.Repo, &r.Pull, &r.Kind, &spec, &r.Commit, &r.Status, &actor, &r.Node, &r.Order, &r.PlanRun,
		&r.InputsDigest, &r.PlanDigest, &r.Earlier, &r.MadeWith, &r.Since, &made, &r.StateLineage, &r.StateSerial, &r.PlanBlob, &r.PlanJSONBlob, &r.LogBlob,
		&summary, &r.Diff, &report, &estimate, &r.Error, &r.Done, &r.Total, &created, &started, &finished,
		&options, &operation, &r.Layer, &r.Gates, &stop, &retry, &r.Batch, &resources, &r.Tool,
		&now, &r.Steps, &r.PeakMemory)
	r.Retry = retry != 0
	if err != nil {
		return Run{}, err
	}
	r.Created = db.FromMillis(created)
	if made != 0 {
		r.Made = db.FromMillis(made)
	}
	if started != 0 {
		r.Started = db.FromMillis(started)
	}
	if finished != 0 {
		r.Finished = db.FromMillis(finished)
	}
	for _, part := range []struct {
		text string
		into any
	}{
		{spec, &r.Project}, {actor, &r.Actor}, {summary, &r.Summary}, {report, &r.Report}, {estimate, &r.Estimate},
		{options, &r.Options}, {operation, &r.Operation}, {stop, &r.StopActor}, {resources, &r.Resources}, {now, &r.Now},
	} {
		if err := fromJSON(part.text, part.into); err != nil {
			return Run{}, fmt.Errorf("run %s: %w", r.ID, err)
		}
	}
	return r, nil
}

// Run returns a run by its ID; errs.NotFound if there is none.
func (s *Store) Run(ctx context.Context, q db.Querier, id string) (Run, error) {
	r, err := one(ctx, q, scanRun, "That run is not known here.", `SELECT `+runColumns+` FROM runs WHERE id=$1`, id)
	if err != nil {
		return r, err
	}
	return r, s.addWaivers(ctx, q, []*Run{&r})
}

func (s *Store) runsOf(ctx context.Context, q db.Querier, change string) ([]Run, error) {
	runs, err := collect(ctx, q, scanRun, `SELECT `+runColumns+` FROM runs WHERE change_id=$1 ORDER BY ord, created_ms, id`, change)
	if err != nil {
		return nil, err
	}
	all := make([]*Run, len(runs))
	for i := range runs {
		all[i] = &runs[i]
	}
	return runs, s.addWaivers(ctx, q, all)
}

// Runs returns every run of a change, by place and age.
func (s *Store) Runs(ctx context.Context, q db.Querier, change string) ([]Run, error) {
	return s.runsOf(ctx, q, change)
}

// Settled reports whether nothing of the change is under way: every run has
// come to an end, or waits for another pull's lock or another project. It reads
// no more than that takes, as each run of a change asks when it ends.
func (s *Store) Settled(ctx context.Context, q db.Querier, change string) (bool, error) {
	statuses, err := s.statuses(ctx, q, "change_id", change)
	for _, st := range statuses {
		if !st.Finished() && st != Blocked && st != Deferred {
			return false, err
		}
	}
	return err == nil, err
}

// statuses returns those that runs have whose column has the value.
func (s *Store) statuses(ctx context.Context, q db.Querier, column, value string) ([]Status, error) {
	return collect(ctx, q, func(row scanner) (st Status, err error) {
		err = row.Scan(&st)
		return st, err
	}, `SELECT DISTINCT status FROM runs WHERE `+column+`=$1`, value)
}

// History returns the newest runs, of one client or (client "") of all.
func (s *Store) History(ctx context.Context, q db.Querier, client string, limit int) ([]Run, error) {
	return collect(ctx, q, scanRun, `SELECT `+runColumns+` FROM runs WHERE ($1 = '' OR client_id=$1) ORDER BY created_ms DESC, id DESC LIMIT $2`, client, limit)
}

// Pair is what a change did with one project: its newest plan, and the newest
// apply if there was one.
type Pair struct {
	Plan  *Run
	Apply *Run
}

// over reports whether an apply has nothing more to say once there is a newer
// plan of its project.
func (r Run) over() bool {
	return r.Status == Superseded || r.Status == Canceled || r.Status == Applied
}

// Pairs folds a change's runs to one pair a project, in order.
func Pairs(runs []Run) []Pair {
	at := map[Key]int{}
	var pairs []Pair
	for i := range runs {
		r := &runs[i]
		n, ok := at[r.Key()]
		if !ok {
			n = len(pairs)
			at[r.Key()] = n
			pairs = append(pairs, Pair{})
		}
		p := &pairs[n]
		switch {
		case r.Kind == Plan && (p.Plan == nil || !r.Created.Before(p.Plan.Created)):
			p.Plan = r
			if p.Apply != nil && p.Apply.PlanRun != r.ID && p.Apply.over() {
				p.Apply = nil // the plan was made after it
			}
		case r.Kind == Apply && (p.Apply == nil || !r.Created.Before(p.Apply.Created)):
			p.Apply = r
		}
	}
	kept := pairs[:0]
	for _, p := range pairs {
		if p.Plan != nil {
			kept = append(kept, p)
		}
	}
	return kept
}

// Wanted is a project to plan, with the digest of the files that shape its
// plan.
type Wanted struct {
	Project      planner.Project
	Commit       string
	InputsDigest string
	Options      planner.Options
}

// AddPlans creates a queued plan run for each project of the change and makes
// the change Ready. A project that depends on another of the change gets a
// Deferred one: see Due. Earlier unfinished or finished plans of the same
// projects are superseded; the ones that were running are returned for
// stopping. notes says what is wrong in the repository but kept nothing from
// being planned.
func (s *Store) AddPlans(ctx context.Context, tx *db.Tx, c Change, wanted []Wanted, notes string, actor access.Actor) (created []Run, stop []string, err error) {
	old, err := s.runsOf(ctx, tx, c.ID)
	if err != nil {
		return nil, nil, err
	}
	layers, err := layersOf(old, wanted)
	if err != nil {
		return nil, nil, err
	}
	replaced := map[Key]bool{}
	for i, w := range wanted {
		r := Run{
			ID: newID(), Client: c.Client, Change: c.ID, Repo: c.Repo, Pull: c.Pull, Kind: Plan,
			Project: w.Project, Commit: w.Commit, Status: Queued, Actor: actor, Order: i, InputsDigest: w.InputsDigest,
			Options: w.Options, Layer: layers[w.Project.Key()],
		}
		if r.Layer > 0 {
			r.Status = Deferred
		}
		for _, o := range old { // a plan asked for again keeps its place in the comment
			if o.Key() == r.Key() {
				r.Order = o.Order
			}
		}
		if err := s.insert(ctx, tx, &r); err != nil {
			return nil, nil, err
		}
		replaced[r.Key()] = true
		created = append(created, r)
	}
	for _, o := range old {
		if !replaced[o.Key()] || !o.Status.CanBecome(o.Kind, Superseded) || (o.Kind != Plan && o.Kind != Apply) {
			continue
		}
		if o.Kind == Apply && o.Status == Interrupted {
			continue // only a person's word ends it
		}
		if o.Status == Running {
			stop = append(stop, o.ID)
		}
		if err := s.move(ctx, tx, o, Superseded, ""); err != nil {
			return nil, nil, err
		}
	}
	if err := s.setChange(ctx, tx, c.ID, Ready, ""); err != nil {
		return nil, nil, err
	}
	if _, err := exec(ctx, tx, `UPDATE changes SET notes=$2 WHERE id=$1`, c.ID, notes); err != nil {
		return nil, nil, err
	}
	return created, stop, s.audit(ctx, tx, c.Client, "plan.queue", c.ID, actor, map[string]any{"projects": len(wanted)})
}

// layersOf returns the layers of a change's projects once the wanted ones are
// planned.
func layersOf(old []Run, wanted []Wanted) (map[string]int, error) {
	var projects []planner.Project
	have := map[string]bool{}
	for _, w := range wanted {
		projects = append(projects, w.Project)
		have[w.Project.Key()] = true
	}
	for _, p := range Pairs(old) {
		if k := p.Plan.Project.Key(); !have[k] && p.Plan.Status != Superseded {
			projects = append(projects, p.Plan.Project)
		}
	}
	return planner.Layers(projects)
}

// AddApply creates a queued apply run, at the commit, for a finished plan; it
// is Deferred where the plans before it must be applied first: see Due. There
// is one apply for a plan at most: asked again, it returns the one that exists
// and false. One that was canceled had done nothing, and counts for none.
// gates is what let it through.
func (s *Store) AddApply(ctx context.Context, tx *db.Tx, plan Run, commit, gates string, actor access.Actor) (Run, bool, error) {
	existing, err := one(ctx, tx, scanRun, "", `SELECT `+runColumns+` FROM runs WHERE plan_run_id=$1 AND status NOT IN ($2,$3)`, plan.ID, Superseded, Canceled)
	if err == nil {
		return existing, false, nil
	}
	if !errs.Is(err, errs.NotFound) {
		return Run{}, false, err
	}
	if plan.Kind != Plan || plan.Status != Planned {
		return Run{}, false, errs.New(errs.Conflict, "Project %s has no finished plan to apply.", plan.Project.Name)
	}
	r := Run{
		ID: newID(), Client: plan.Client, Change: plan.Change, Repo: plan.Repo, Pull: plan.Pull, Kind: Apply,
		Project: plan.Project, Commit: commit, Status: Queued, Actor: actor, Order: plan.Order, PlanRun: plan.ID,
		InputsDigest: plan.InputsDigest, PlanDigest: plan.PlanDigest, Summary: plan.Summary,
		Options: plan.Options, Layer: plan.Layer, Gates: gates, Tool: plan.Tool,
	}
	runs, err := s.runsOf(ctx, tx, plan.Change)
	if err != nil {
		return Run{}, false, err
	}
	if len(before(Pairs(runs), plan)) > 0 {
		r.Status = Deferred
	}
	if err := s.insert(ctx, tx, &r); err != nil {
		return Run{}, false, err
	}
	return r, true, s.audit(ctx, tx, r.Client, "apply.queue", r.ID, actor, map[string]any{"project": r.Project.Name, "plan": plan.ID, "digest": plan.PlanDigest})
}

func (s *Store) insert(ctx context.Context, tx *db.Tx, r *Run) error {
	texts := make([]string, 5)
	for i, v := range []any{r.Project, r.Actor, r.Summary, r.Options, r.Operation} {
		text, err := toJSON(v)
		if err != nil {
			return err
		}
		texts[i] = text
	}
	r.Created = db.FromMillis(db.Millis(s.now()))
	_, err := exec(ctx, tx, `INSERT INTO runs (id, client_id, change_id, repo_id, pull, kind, project, dir, workspace, spec, commit_sha, status, actor,
			ord, plan_run_id, inputs_digest, plan_digest, summary, created_ms, options, operation, layer, gates, retry, batch, tool)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26)`,
		r.ID, r.Client, r.Change, r.Repo, r.Pull, r.Kind, r.Project.Name, r.Project.Dir, r.Project.Workspace, texts[0], r.Commit, r.Status, texts[1],
		r.Order, r.PlanRun, r.InputsDigest, r.PlanDigest, texts[2], db.Millis(r.Created), texts[3], texts[4], r.Layer, r.Gates, flag(r.Retry), r.Batch, r.Tool)
	if err != nil {
		return fmt.Errorf("create %s of %s: %w", r.Kind, r.Project.Name, err)
	}
	return nil
}

// move takes r from the status it was read with to next, or fails with
// errs.Conflict when the table forbids it or another worker moved it first.
func (s *Store) move(ctx context.Context, tx *db.Tx, r Run, next Status, why string) error {
	if !r.Status.CanBecome(r.Kind, next) {
		return errs.New(errs.Conflict, "The %s of %s is %s and can't become %s.", r.Kind, r.Project.Name, r.Status, next)
	}
	now := db.Millis(s.now())
	var started, finished int64
	if next == Running || next == Checking {
		started = now
	}
	if next.Finished() {
		finished = now
	}
	n, err := exec(ctx, tx, `UPDATE runs SET status=$3, error=$4,
			started_ms=CASE WHEN CAST($5 AS BIGINT)=0 THEN started_ms ELSE CAST($5 AS BIGINT) END, finished_ms=$6
		WHERE id=$1 AND status=$2`, r.ID, r.Status, next, why, started, finished)
	if err != nil {
		return fmt.Errorf("run %s to %s: %w", r.ID, next, err)
	}
	if n == 0 {
		return errs.New(errs.Conflict, "The %s of %s was changed by someone else at the same moment.", r.Kind, r.Project.Name)
	}
	s.tell(tx, r, next)
	if r.Status == Checking && next.Finished() {
		return s.KeepForPerson(ctx, tx, r) // it had marked the lock if Terraform refused it once
	}
	return nil
}

// Begin moves a queued run to Running (a plan) or Checking (an apply, or a
// state operation) on the node.
func (s *Store) Begin(ctx context.Context, tx *db.Tx, r Run, node string) (Run, error) {
	next, why := Running, ""
	if r.Kind == Apply || r.Kind == StateChange {
		next = Checking
	}
	if r.Status == Checking {
		why = r.Error // what it still waits for
	}
	if err := s.move(ctx, tx, r, next, why); err != nil {
		return r, err
	}
	if _, err := exec(ctx, tx, `UPDATE runs SET node_id=$2, progress_done=0, progress_total=0, progress='' WHERE id=$1`, r.ID, node); err != nil {
		return r, err
	}
	return s.Run(ctx, tx, r.ID)
}

// Intend stores that an apply is about to start: from here on it is never
// started again unless its journal proves that nothing did. The fence must be
// the one under which the lock was taken. What the gates said last is kept with
// it.
func (s *Store) Intend(ctx context.Context, tx *db.Tx, r Run, fence int64) (Run, error) {
	if err := s.holdLock(ctx, tx, r, fence); err != nil {
		return r, err
	}
	if err := s.move(ctx, tx, r, Running, ""); err != nil {
		return r, err
	}
	if _, err := exec(ctx, tx, `UPDATE runs SET gates=$2 WHERE id=$1`, r.ID, r.Gates); err != nil {
		return r, err
	}
	if err := s.audit(ctx, tx, r.Client, string(r.Kind)+".start", r.ID, r.Actor, map[string]any{"project": r.Project.Name, "digest": r.PlanDigest, "fence": fence}); err != nil {
		return r, err
	}
	return s.Run(ctx, tx, r.ID)
}

// Recheck takes a running apply back to Checking: Terraform refused to begin,
// so nothing was applied. why is for people.
func (s *Store) Recheck(ctx context.Context, tx *db.Tx, r Run, why string) (Run, error) {
	if err := s.move(ctx, tx, r, Checking, why); err != nil {
		return r, err
	}
	return s.Run(ctx, tx, r.ID)
}

// Block makes a run wait for a lock that another pull holds.
func (s *Store) Block(ctx context.Context, tx *db.Tx, r Run, holder Lock) error {
	return s.move(ctx, tx, r, Blocked, fmt.Sprintf("Waits for #%d, which holds the lock since %s. It starts by itself when that is released.",
		holder.Pull, holder.Taken.UTC().Format("2006-01-02 15:04 MST")))
}

// Unblock queues a run that waited for a lock.
func (s *Store) Unblock(ctx context.Context, tx *db.Tx, r Run) error {
	return s.move(ctx, tx, r, Queued, "")
}

// Waiting returns the runs of live changes that wait for the project's lock,
// the oldest first.
func (s *Store) Waiting(ctx context.Context, q db.Querier, k Key) ([]Run, error) {
	return collect(ctx, q, scanRun, `SELECT `+runColumns+` FROM runs WHERE repo_id=$1 AND dir=$2 AND workspace=$3 AND status=$4 ORDER BY created_ms, id`,
		k.Repo, k.Dir, k.Workspace, Blocked)
}

// Requeue sends a plan back to the queue: its worker died, or it can't be made
// now; why is for people.
func (s *Store) Requeue(ctx context.Context, tx *db.Tx, r Run, why string) (Run, error) {
	if err := s.move(ctx, tx, r, Queued, why); err != nil {
		return r, err
	}
	return s.Run(ctx, tx, r.ID)
}

// Finish stores how a run ended: final is its last status, r carries the
// outcome (digests, blobs, summary, report, estimate, error). The audit event
// is part of the transaction: no audit row, no end.
func (s *Store) Finish(ctx context.Context, tx *db.Tx, r Run, final Status) error {
	if err := s.move(ctx, tx, r, final, r.Error); err != nil {
		return err
	}
	texts := make([]string, 4)
	for i, v := range []any{r.Summary, r.Report, r.Estimate, r.Resources} {
		text, err := toJSON(v)
		if err != nil {
			return fmt.Errorf("finish run %s: %w", r.ID, err)
		}
		texts[i] = text
	}
	if _, err := exec(ctx, tx, `UPDATE runs SET plan_digest=$2, state_lineage=$3, state_serial=$4, plan_blob=$5, plan_json_blob=$6,
			log_blob=$7, summary=$8, diff=$9, report=$10, estimate=$11, resources=$12, steps=$13, peak_memory=$14 WHERE id=$1`,
		r.ID, r.PlanDigest, r.StateLineage, r.StateSerial, r.PlanBlob, r.PlanJSONBlob, r.LogBlob, texts[0], r.Diff, texts[1], texts[2], texts[3],
		r.Steps, r.PeakMemory); err != nil {
		return fmt.Errorf("finish run %s: %w", r.ID, err)
	}
	if err := s.reconcile(ctx, tx, r, final); err != nil {
		return err
	}
	return s.audit(ctx, tx, r.Client, string(r.Kind)+"."+string(final), r.ID, r.Actor,
		map[string]any{"project": r.Project.Name, "digest": r.PlanDigest, "summary": r.Summary, "error": r.Error})
}

// Cancel ends a run that has not finished. A running plan must be stopped by
// the caller; a running apply can't be canceled here: see AskStop.
func (s *Store) Cancel(ctx context.Context, tx *db.Tx, r Run, actor access.Actor, why string) error {
	if r.underWay() {
		return errs.New(errs.Conflict, "The %s of %s is under way: it must be stopped first.", r.Kind, r.Project.Name)
	}
	if err := s.move(ctx, tx, r, Canceled, why); err != nil {
		return err
	}
	return s.audit(ctx, tx, r.Client, string(r.Kind)+".cancel", r.ID, actor, map[string]any{"project": r.Project.Name, "why": why})
}

// CancelClient cancels what has not finished of a client, but applies that
// run. It returns the plans that the caller must stop.
func (s *Store) CancelClient(ctx context.Context, tx *db.Tx, client string, actor access.Actor, why string) (stop []string, err error) {
	return s.cancelAll(ctx, tx, "client_id", client, actor, why)
}

// CancelRepo does the same for a repository.
func (s *Store) CancelRepo(ctx context.Context, tx *db.Tx, repo int64, actor access.Actor, why string) (stop []string, err error) {
	return s.cancelAll(ctx, tx, "repo_id", repo, actor, why)
}

// cancelAll cancels the runs whose column has the value.
func (s *Store) cancelAll(ctx context.Context, tx *db.Tx, column string, value any, actor access.Actor, why string) (stop []string, err error) {
	open, err := collect(ctx, tx, scanRun, `SELECT `+runColumns+` FROM runs WHERE `+column+`=$1 AND status IN ($2,$3,$4,$5,$6)`,
		value, Queued, Blocked, Deferred, Checking, Running)
	if err != nil {
		return nil, fmt.Errorf("cancel runs of %s %v: %w", column, value, err)
	}
	for _, r := range open {
		if !r.Status.CanBecome(r.Kind, Canceled) || r.underWay() {
			continue
		}
		if r.Status == Running {
			stop = append(stop, r.ID)
		}
		if err := s.Cancel(ctx, tx, r, actor, why); err != nil {
			return nil, err
		}
	}
	return stop, nil
}

// Wish is what others want of a run that is under way.
type Wish struct {
	Status Status       // Superseded or Canceled: nobody wants it any more
	Stop   access.Actor // who asked for it to be stopped; zero if nobody did
}

// Wish returns what a worker asks for while it waits.
func (s *Store) Wish(ctx context.Context, q db.Querier, id string) (Wish, error) {
	var (
		w    Wish
		stop string
	)
	if err := q.QueryRowContext(ctx, `SELECT status, stop_actor FROM runs WHERE id=$1`, id).Scan(&w.Status, &stop); err != nil {
		return w, err
	}
	return w, fromJSON(stop, &w.Stop)
}

// AskStop asks whoever watches a running apply to stop it. What it has done by
// then stays done: the run ends as Failed, or as Canceled if that is nothing.
func (s *Store) AskStop(ctx context.Context, tx *db.Tx, r Run, actor access.Actor) error {
	text, err := toJSON(actor)
	if err != nil {
		return err
	}
	n, err := exec(ctx, tx, `UPDATE runs SET stop_actor=$2 WHERE id=$1 AND status=$3`, r.ID, text, Running)
	if err != nil || n == 0 {
		return err
	}
	return s.audit(ctx, tx, r.Client, string(r.Kind)+".stop", r.ID, actor, map[string]any{"project": r.Project.Name})
}

// Note writes an audit event about a run that changes no row of its own.
func (s *Store) Note(ctx context.Context, tx *db.Tx, r Run, action string, detail any) error {
	return s.audit(ctx, tx, r.Client, action, r.ID, r.Actor, detail)
}
