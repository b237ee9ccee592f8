package budget

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
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

// rows reads the entries of a part of the ledger, by age. Those from which
// nothing is to come are most of it: what is applied, closed or superseded, and
// what was merged and does nothing.
func rows(ctx context.Context, q db.Querier, of part) ([]row, error) {
	past := int64(math.MaxInt64)
	if !of.past.IsZero() {
		past = db.Millis(of.past)
	}
	args := []any{of.change, past}
	whose := ""
	if of.client != "" {
		whose, args = "l.client_id=$3 AND", append(args, of.client)
	}
	rs, err := q.QueryContext(ctx, `SELECT l.change_id, l.dir, l.workspace, l.client_id, l.repo_id, l.pull, l.project, l.plan_run_id, l.plan_digest, l.planned_ms,
			l.partial, l.currency, l.before_amount, l.after_amount, l.delta_amount, l.at_least, l.bound, l.as_of, l.services,
			l.applied_ms, l.apply_plan_id, l.outcome, l.last_amounts, c.status, COALESCE(m.merged_ms, 0),
			CASE WHEN EXISTS (SELECT 1 FROM runs r WHERE r.change_id=l.change_id AND r.dir=l.dir AND r.workspace=l.workspace AND r.kind='apply' AND r.status='running') THEN 1 ELSE 0 END
		FROM cost_ledger l JOIN changes c ON c.id=l.change_id LEFT JOIN cost_merges m ON m.change_id=l.change_id
		WHERE `+whose+` (l.change_id=$1 OR l.planned_ms>=$2 OR l.applied_ms>=$2 OR l.outcome='' OR l.apply_plan_id<>l.plan_run_id)
			AND (l.change_id=$1 OR l.planned_ms>=$2 OR l.applied_ms>=$2 OR m.merged_ms>=$2
				OR c.status NOT IN ('closed','superseded') AND (m.merged_ms IS NULL OR l.delta_amount<>'0' OR l.bound<>'exact'))
		ORDER BY l.planned_ms, l.plan_run_id`, args...)
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

// points reads how rates moved, by age: since a moment, and of each project
// what its rate then rests on, which begins with the last plan of all of it
// that was applied before.
func points(ctx context.Context, q db.Querier, of part) ([]Point, error) {
	args := []any{db.Millis(of.since)}
	whose := ""
	if of.client != "" {
		whose, args = " AND client_id=$2", append(args, of.client)
	}
	rs, err := q.QueryContext(ctx, `WITH base AS (
			SELECT repo_id, dir, workspace, MAX(at_ms) AS at_ms FROM cost_rates
			WHERE basis='applied' AND partial=0 AND at_ms<$1`+whose+` GROUP BY repo_id, dir, workspace)
		SELECT r.repo_id, r.dir, r.workspace, r.run_id, r.client_id, r.change_id, r.project, r.at_ms, r.basis, r.partial, r.currency, r.rate, r.at_least, r.services
		FROM cost_rates r LEFT JOIN base b ON b.repo_id=r.repo_id AND b.dir=r.dir AND b.workspace=r.workspace
		WHERE r.at_ms >= COALESCE(b.at_ms, 0)`+strings.ReplaceAll(whose, "client_id", "r.client_id")+` ORDER BY r.at_ms, r.run_id`, args...)
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
