package budget

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/db"
)

// row is an entry as it stands in the database, with what its state is made of.
type row struct {
	Entry
	change    string // the change's status
	applyPlan string
	outcome   string
}

// state says how far a row is. Pure.
func (r row) state() State {
	newer := r.applyPlan != "" && r.applyPlan != r.Plan // planned again since
	toDo := !r.Amounts.Delta.IsZero() || r.Amounts.Bound != cost.BoundExact
	switch {
	case r.outcome == "applied" && (!newer || !toDo):
		return StateApplied
	case r.outcome != "" && !newer:
		return StateFailed
	case !r.Merged.IsZero():
		return StateMerged
	case r.outcome == "applied" && ended(r.change):
		return StateApplied
	case r.outcome != "" && ended(r.change):
		return StateFailed
	case r.change == "closed":
		return StateClosed
	case r.change == "superseded":
		return StateSuperseded
	}
	return StatePlanned
}

func ended(change string) bool { return change == "closed" || change == "superseded" }

// rows reads the ledger of a client, of all for "", by age; pending leaves out
// what is applied, closed or superseded, which is most of it.
func rows(ctx context.Context, q db.Querier, client string, pending bool) ([]row, error) {
	which := ""
	if pending {
		which = ` AND (l.outcome='' OR l.apply_plan_id<>l.plan_run_id) AND c.status NOT IN ('closed','superseded')`
	}
	rs, err := q.QueryContext(ctx, `SELECT l.change_id, l.dir, l.workspace, l.client_id, l.repo_id, l.pull, l.project, l.plan_run_id, l.plan_digest, l.planned_ms,
			l.partial, l.currency, l.before_amount, l.after_amount, l.delta_amount, l.at_least, l.bound, l.as_of, l.services,
			l.applied_ms, l.apply_plan_id, l.outcome, l.last_amounts, c.status, COALESCE(m.merged_ms, 0),
			CASE WHEN EXISTS (SELECT 1 FROM runs r WHERE r.change_id=l.change_id AND r.dir=l.dir AND r.workspace=l.workspace AND r.kind='apply' AND r.status='running') THEN 1 ELSE 0 END
		FROM cost_ledger l JOIN changes c ON c.id=l.change_id LEFT JOIN cost_merges m ON m.change_id=l.change_id
		WHERE ($1 = '' OR l.client_id=$1)`+which+` ORDER BY l.planned_ms, l.plan_run_id`, client)
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	defer rs.Close()
	var all []row
	for rs.Next() {
		var (
			r                               row
			planned, applied, merged        int64
			partial, atLeast, applying      int64
			before, after, delta, srv, last string
		)
		err := rs.Scan(&r.Change, &r.Dir, &r.Workspace, &r.Client, &r.Repo, &r.Pull, &r.Project, &r.Plan, &r.Digest, &planned,
			&partial, &r.Amounts.Currency, &before, &after, &delta, &atLeast, &r.Amounts.Bound, &r.Amounts.AsOf, &srv,
			&applied, &r.applyPlan, &r.outcome, &last, &r.change, &merged, &applying)
		if err != nil {
			return nil, fmt.Errorf("read ledger: %w", err)
		}
		r.partial, r.Amounts.AtLeast, r.applying = partial != 0, atLeast != 0, applying != 0
		r.Planned, r.Applied, r.Merged = moment(planned), moment(applied), moment(merged)
		for _, d := range []struct {
			text string
			into *decimal.Decimal
		}{{before, &r.Amounts.Before}, {after, &r.Amounts.After}, {delta, &r.Amounts.Delta}} {
			if *d.into, err = decimal.NewFromString(d.text); err != nil {
				return nil, fmt.Errorf("ledger row of change %s, %s: %w", r.Change, r.Dir, err)
			}
		}
		if err := fromJSON(srv, &r.Amounts.Services); err != nil {
			return nil, fmt.Errorf("services of change %s, %s: %w", r.Change, r.Dir, err)
		}
		if err := fromJSON(last, &r.Last); err != nil {
			return nil, fmt.Errorf("amounts of change %s, %s: %w", r.Change, r.Dir, err)
		}
		r.State = r.state()
		all = append(all, r)
	}
	return all, rs.Err()
}

// points reads how the rates of a client's projects moved, of all for "", by
// age.
func points(ctx context.Context, q db.Querier, client string) ([]Point, error) {
	rs, err := q.QueryContext(ctx, `SELECT repo_id, dir, workspace, run_id, client_id, change_id, project, at_ms, basis, partial, currency, rate, at_least, services
		FROM cost_rates WHERE ($1 = '' OR client_id=$1) ORDER BY at_ms, run_id`, client)
	if err != nil {
		return nil, fmt.Errorf("read rates: %w", err)
	}
	defer rs.Close()
	var all []Point
	for rs.Next() {
		var (
			p                Point
			at               int64
			partial, atLeast int64
			rate, services   string
		)
		if err := rs.Scan(&p.Repo, &p.Dir, &p.Workspace, &p.Run, &p.Client, &p.Change, &p.Project, &at, &p.Basis, &partial, &p.Currency, &rate, &atLeast, &services); err != nil {
			return nil, fmt.Errorf("read rates: %w", err)
		}
		p.At, p.Partial, p.AtLeast = moment(at), partial != 0, atLeast != 0
		if p.Rate, err = decimal.NewFromString(rate); err != nil {
			return nil, fmt.Errorf("rate of %s since run %s: %w", p.Dir, p.Run, err)
		}
		if err := fromJSON(services, &p.Services); err != nil {
			return nil, fmt.Errorf("services of %s since run %s: %w", p.Dir, p.Run, err)
		}
		all = append(all, p)
	}
	return all, rs.Err()
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return db.FromMillis(ms).UTC()
}

func fromJSON(text string, into any) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), into)
}
