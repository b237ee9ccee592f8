package budget

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
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

// open is the condition of what something is still to come from, as far as
// entries and their changes tell.
const open = `(l.outcome='' OR l.apply_plan_id<>l.plan_run_id)
	AND c.status NOT IN ('closed','superseded') AND (m.merged_ms IS NULL OR l.delta_amount<>'0' OR l.bound<>'exact')`

// presentQuery finds the changes that can have such entries, by indexes alone,
// so that the past costs nothing: those of open pull requests, those that are
// merged and not applied, and those that are being applied.
// The joins stand in the order in which SQLite is to make them, and repeated
// names cost less than sorting all to leave them out.
const presentQuery = `SELECT c.id FROM pulls p CROSS JOIN changes c
			WHERE p.state='open' AND WHOSE p.client_id AND c.repo_id=p.repo_id AND c.pull=p.number AND c.status NOT IN ('closed','superseded')
		UNION ALL SELECT a.change_id FROM cost_ledger a
			WHERE a.merged_ms<>0 AND (a.outcome='' OR a.apply_plan_id<>a.plan_run_id) AND (a.delta_amount<>'0' OR a.bound<>'exact') AND WHOSE a.client_id
		UNION ALL SELECT r.change_id FROM runs r WHERE r.status='running' AND r.kind='apply'`

// whoseIs puts the client, the parameter of the number, in place of WHOSE, and
// what is always true where all clients are meant.
func whoseIs(query, client string, number int) string {
	is := "'' <> "
	if client != "" {
		is = "$" + strconv.Itoa(number) + " = "
	}
	return strings.ReplaceAll(query, "WHOSE ", is)
}

// ofClient is the client as a query's last argument, nothing for all.
func ofClient(client string, args ...any) []any {
	if client == "" {
		return args
	}
	return append(args, client)
}

// batch is how many changes' entries are read at a time.
const batch = 256

// rows reads the entries of a part of the ledger, by age. Those from which
// nothing is to come are most of it: what is applied, closed or superseded, and
// what was merged and does nothing.
func rows(ctx context.Context, q db.Querier, of part) ([]row, error) {
	if !of.past.IsZero() {
		return someRows(ctx, q, of.client, `l.planned_ms>=$1 OR l.applied_ms>=$1 OR m.merged_ms>=$1 AND (l.outcome='' OR l.apply_plan_id<>l.plan_run_id) OR `+open, db.Millis(of.past))
	}
	ids := []string{}
	err := db.Each(ctx, q, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		ids = append(ids, id)
		return err
	}, whoseIs(presentQuery, of.client, 1), ofClient(of.client)...)
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	if of.change != "" {
		ids = append(ids, of.change)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	var all []row
	for some := range slices.Chunk(ids, batch) {
		// As many parameters as a few lengths have, so that the statement is one of
		// a few.
		list, args := []string{}, []any{of.change}
		for n := 0; n < len(some) || n&(n-1) != 0; n++ {
			args = append(args, some[min(n, len(some)-1)])
			list = append(list, "$"+strconv.Itoa(len(args)))
		}
		// Whose they are is looked at here: an index on clients finds too many.
		found, err := someRows(ctx, q, "", `l.change_id IN (`+strings.Join(list, ",")+`) AND (l.change_id=$1 OR `+open+`)`, args...)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	if of.client != "" {
		all = slices.DeleteFunc(all, func(r row) bool { return r.Client != of.client })
	}
	slices.SortStableFunc(all, func(a, b row) int { return cmp.Or(a.Planned.Compare(b.Planned), strings.Compare(a.Plan, b.Plan)) })
	return all, nil
}

// someRows reads the entries that fit the condition, by age. l is the entry, c
// its change, and m when that was merged.
func someRows(ctx context.Context, q db.Querier, client, which string, args ...any) ([]row, error) {
	args = ofClient(client, args...)
	rs, err := q.QueryContext(ctx, whoseIs(`SELECT l.change_id, l.dir, l.workspace, l.client_id, l.repo_id, l.pull, l.project, l.plan_run_id, l.plan_digest, l.planned_ms,
			l.partial, l.currency, l.before_amount, l.after_amount, l.delta_amount, l.at_least, l.bound, l.as_of, l.services,
			l.applied_ms, l.apply_plan_id, l.outcome, l.last_amounts, c.status, COALESCE(m.merged_ms, 0),
			CASE WHEN EXISTS (SELECT 1 FROM runs r WHERE r.change_id=l.change_id AND r.dir=l.dir AND r.workspace=l.workspace AND r.kind='apply' AND r.status='running') THEN 1 ELSE 0 END
		FROM cost_ledger l JOIN changes c ON c.id=l.change_id LEFT JOIN cost_merges m ON m.change_id=l.change_id
		WHERE WHOSE l.client_id AND (`+which+`)
		ORDER BY l.planned_ms, l.plan_run_id`, client, len(args)), args...)
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

// ratesQuery finds how the rates of projects moved since what they rested on at a
// moment, by indexes: a look for each project, not one for each apply there ever
// was. What it rested on is reckoned each time, so that an apply that is told of
// late is in its place.
const ratesQuery = `WITH base AS MATERIALIZED (
			SELECT p.repo_id, p.dir, p.workspace, COALESCE((SELECT MAX(b.at_ms) FROM cost_rates b WHERE b.repo_id=p.repo_id AND b.dir=p.dir AND b.workspace=p.workspace
				AND b.basis='applied' AND b.partial=0 AND b.at_ms<$1 AND WHOSE b.client_id), 0) AS at_ms
			FROM (SELECT DISTINCT repo_id, dir, workspace FROM cost_projects WHERE WHOSE client_id) p)
		SELECT r.repo_id, r.dir, r.workspace, r.run_id, r.client_id, r.change_id, r.project, r.at_ms, r.basis, r.partial, r.currency, r.rate, r.at_least, r.services
		FROM base JOIN cost_rates r ON r.repo_id=base.repo_id AND r.dir=base.dir AND r.workspace=base.workspace AND r.at_ms>=base.at_ms
		WHERE WHOSE r.client_id ORDER BY r.at_ms, r.run_id`

// points reads how rates moved, by age: since a moment, and of each project
// what its rate then rests on, which begins with the last plan of all of it
// that was applied before.
func points(ctx context.Context, q db.Querier, of part) ([]Point, error) {
	rs, err := q.QueryContext(ctx, whoseIs(ratesQuery, of.client, 2), ofClient(of.client, db.Millis(of.since))...)
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
