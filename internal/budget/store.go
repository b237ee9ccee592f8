package budget

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/db"
)

// Store keeps the ledger, what was approved, and which thresholds were told.
type Store struct {
	db      *db.DB
	trail   *access.Trail
	budgets []Budget
	convert Converter
	now     func() time.Time

	environment func(Target) string
	whole       bool // a test reads all of the ledger, to compare
}

// Converter turns amounts into other currencies by a dated rate.
type Converter interface {
	// Convert returns the amount in the currency to, by the rate of a day
	// (2006-01-02), and whether there is one. It reads by q and nothing else:
	// within a transaction a second connection may never come.
	Convert(ctx context.Context, q db.Querier, amount decimal.Decimal, from, to, day string) (decimal.Decimal, bool, error)
}

// Options are what a store needs beside its database.
type Options struct {
	Budgets []Budget
	Convert Converter        // nil: amounts of different currencies can't be compared
	Now     func() time.Time // nil means time.Now
	// Environment returns the name of a project's environment, "" for none. nil:
	// no project has one.
	Environment func(Target) string
}

// NewStore returns a store on a migrated database.
func NewStore(d *db.DB, trail *access.Trail, o Options) *Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Store{db: d, trail: trail, budgets: o.Budgets, convert: o.Convert, now: o.Now, environment: o.Environment}
}

// Subject is the project and change that a row is of.
type Subject struct {
	Key
	Client  string
	Change  string
	Pull    int
	Project string // display name
}

// Plan is a plan that ended well.
type Plan struct {
	Subject
	Run     string // IDs sort by age: the newest counts
	Digest  string
	Partial bool // it was made of some resources alone, so Before and After are too
	// Estimate is nil, or a failed one, where there is none.
	Estimate *cost.Estimate
	At       time.Time
}

// Planned writes a plan into its change's row. An older plan than the one that
// stands there changes nothing, so the order in which plans are told does not
// matter. The first plan of a project also begins its history.
func (s *Store) Planned(ctx context.Context, tx *db.Tx, p Plan) error {
	a := amountsIn(p.Estimate)
	services, err := json.Marshal(a.Services)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO cost_ledger (change_id, dir, workspace, client_id, repo_id, pull, project, plan_run_id, plan_digest, planned_ms,
			partial, currency, before_amount, after_amount, delta_amount, at_least, bound, as_of, services, merged_ms)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,COALESCE((SELECT merged_ms FROM cost_merges WHERE change_id=$1),0))
		ON CONFLICT (change_id, dir, workspace) DO UPDATE SET project=excluded.project, plan_run_id=excluded.plan_run_id, plan_digest=excluded.plan_digest,
			planned_ms=excluded.planned_ms, partial=excluded.partial, currency=excluded.currency, before_amount=excluded.before_amount,
			after_amount=excluded.after_amount, delta_amount=excluded.delta_amount, at_least=excluded.at_least, bound=excluded.bound,
			as_of=excluded.as_of, services=excluded.services
		WHERE cost_ledger.plan_run_id < excluded.plan_run_id`,
		p.Change, p.Dir, p.Workspace, p.Client, p.Repo, p.Pull, p.Project, p.Run, p.Digest, db.Millis(p.At),
		flag(p.Partial), a.Currency, a.Before.String(), a.After.String(), a.Delta.String(), flag(a.AtLeast), string(a.Bound), a.AsOf, string(services)); err != nil {
		return fmt.Errorf("ledger row of plan %s: %w", p.Run, err)
	}
	if a.Currency == "" || p.Partial {
		return nil
	}
	return s.seen(ctx, tx, p, a)
}

// seen begins a project's history with what its first plan found there.
func (s *Store) seen(ctx context.Context, tx *db.Tx, p Plan, a Amounts) error {
	if err := rated(ctx, tx, p.Subject); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO cost_rates (repo_id, dir, workspace, run_id, client_id, change_id, project, at_ms, basis, currency, rate, at_least)
		VALUES ($1,$2,$3,'',$4,$5,$6,$7,$8,$9,$10,$11)
		ON CONFLICT (repo_id, dir, workspace, run_id) DO UPDATE SET change_id=excluded.change_id, project=excluded.project, at_ms=excluded.at_ms,
			currency=excluded.currency, rate=excluded.rate, at_least=excluded.at_least
		WHERE excluded.at_ms < cost_rates.at_ms`,
		p.Repo, p.Dir, p.Workspace, p.Client, p.Change, p.Project, db.Millis(p.At), string(BasisSeen), a.Currency, a.Before.String(), flag(a.AtLeast))
	if err != nil {
		return fmt.Errorf("first rate of %s: %w", p.Project, err)
	}
	return nil
}

// rated notes that a project has a rate.
func rated(ctx context.Context, tx *db.Tx, of Subject) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO cost_projects (client_id, repo_id, dir, workspace) VALUES ($1,$2,$3,$4) ON CONFLICT DO NOTHING`,
		of.Client, of.Repo, of.Dir, of.Workspace); err != nil {
		return fmt.Errorf("note project %s: %w", of.Project, err)
	}
	return nil
}

// Merged notes when a change was merged: once, however often it is told.
func (s *Store) Merged(ctx context.Context, tx *db.Tx, change string, at time.Time) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO cost_merges (change_id, merged_ms) VALUES ($1,$2) ON CONFLICT (change_id) DO NOTHING`, change, db.Millis(at)); err != nil {
		return fmt.Errorf("note merge of change %s: %w", change, err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE cost_ledger SET merged_ms=(SELECT merged_ms FROM cost_merges WHERE change_id=$1) WHERE change_id=$1`, change); err != nil {
		return fmt.Errorf("note merge of change %s: %w", change, err)
	}
	return nil
}

// Apply is an apply that ended.
type Apply struct {
	Subject
	Run    string
	Plan   string // the run whose plan was applied
	Digest string
	// Done is set where it ended well. An apply that did nothing at all is not
	// told of here.
	Done     bool
	Destroy  bool // of everything
	Partial  bool
	Estimate *cost.Estimate // of the plan; nil, or failed, where there is none
	Planned  time.Time      // when the plan ended
	At       time.Time
}

// Applied writes how an apply ended: into its change's row, and as the
// project's rate from now on. An older apply than the one that stands there
// changes nothing but the history.
func (s *Store) Applied(ctx context.Context, tx *db.Tx, a Apply) error {
	// A row that has no plan yet gets this one's; one that has keeps the newest.
	if err := s.Planned(ctx, tx, Plan{Subject: a.Subject, Run: a.Plan, Digest: a.Digest, Partial: a.Partial, Estimate: a.Estimate, At: a.Planned}); err != nil {
		return err
	}
	amounts := amountsIn(a.Estimate)
	outcome, basis, rate := "applied", BasisApplied, amounts.After
	switch {
	case !a.Done:
		outcome, basis, rate = "failed", BasisUnknown, decimal.Zero
	case a.Destroy && !a.Partial:
		rate, amounts.AtLeast, amounts.Services = decimal.Zero, false, nil
	case amounts.Currency == "":
		basis = BasisUnknown
	case a.Partial:
		rate, amounts.Services = amounts.Delta, nil
	}
	last, err := json.Marshal(amounts)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE cost_ledger SET applied_ms=$4, apply_run_id=$5, apply_plan_id=$6, outcome=$7, last_amounts=$8
		WHERE change_id=$1 AND dir=$2 AND workspace=$3 AND apply_run_id<$5`,
		a.Change, a.Dir, a.Workspace, db.Millis(a.At), a.Run, a.Plan, outcome, string(last)); err != nil {
		return fmt.Errorf("ledger row of apply %s: %w", a.Run, err)
	}
	services, err := json.Marshal(amounts.Services)
	if err != nil {
		return err
	}
	if err := rated(ctx, tx, a.Subject); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO cost_rates (repo_id, dir, workspace, run_id, client_id, change_id, project, at_ms, basis, partial, currency, rate, at_least, services)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14) ON CONFLICT (repo_id, dir, workspace, run_id) DO NOTHING`,
		a.Repo, a.Dir, a.Workspace, a.Run, a.Client, a.Change, a.Project, db.Millis(a.At), string(basis), flag(a.Partial), amounts.Currency, rate.String(),
		flag(amounts.AtLeast), string(services)); err != nil {
		return fmt.Errorf("rate after apply %s: %w", a.Run, err)
	}
	return nil
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
