package budget

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/db"
)

// Verdict is what a budget says of a change: what the projects that the budget
// looks at cost a month without it and with it. All of the change's plans that
// are still to be applied count together.
type Verdict struct {
	Budget   string          `json:"budget"`
	Month    Month           `json:"month"`
	Currency string          `json:"currency"`
	Amount   decimal.Decimal `json:"amount"`
	Before   decimal.Decimal `json:"before"` // a month, with what else is merged
	After    decimal.Decimal `json:"after"`
	Delta    decimal.Decimal `json:"delta"`
	Bound    cost.Bound      `json:"bound"`    // of Delta
	AtLeast  bool            `json:"at_least"` // of Before and After
	// Known is false where an apply of another project failed, or had no
	// estimate: Before and After then have the last rate that was known.
	Known bool `json:"known"`
	// AsOf is the day, or "from to to", of the prices of the change's plans.
	AsOf string `json:"as_of,omitempty"`
	// ProjectedBefore and Projected are what the month will cost without the
	// change, and with it applied now.
	ProjectedBefore decimal.Decimal `json:"projected_before"`
	Projected       decimal.Decimal `json:"projected"`
	Crosses         []Threshold     `json:"crosses,omitempty"` // thresholds between before and after
	// Over is set where the change raises the cost and After is over Amount;
	// MayBeOver where only what has no price could make it so. Incomparable is
	// set where amounts of the change have a currency without a rate.
	Over         bool     `json:"over"`
	MayBeOver    bool     `json:"may_be_over"`
	Incomparable bool     `json:"incomparable"`
	LeftOut      []string `json:"left_out,omitempty"` // currencies without a rate
	// Shared is set where the budget looks at other clients' projects too: its
	// amounts are nothing for this one's eyes.
	Shared     bool       `json:"shared"`
	OnExceed   string     `json:"on_exceed"`
	Owners     Owners     `json:"owners"`
	ApprovedBy []Approval `json:"approved_by,omitempty"` // words that count, one of each owner
	// Raises are the projects of the change that cost more by it.
	Raises []Key `json:"raises,omitempty"`
	// own is what an approval is for.
	own []planned
	// done are the change's entries that are applied.
	done []Entry
}

// Asks reports whether the budget keeps the change from being applied until
// its owners have approved, or would have.
func (v Verdict) Asks() bool { return v.OnExceed == Gate && (v.Over || v.Incomparable) }

// Closed reports whether owners still have to approve.
func (v Verdict) Closed() bool { return v.Asks() && len(v.ApprovedBy) < v.Owners.Needed() }

// ClosedFor reports whether the budget keeps one project's plan from being
// applied: one that does not raise the cost never is.
func (v Verdict) ClosedFor(k Key) bool { return v.Closed() && slices.Contains(v.Raises, k) }

// JudgeApply is Judge for an apply that begins in the same transaction. Those
// that could fill the same budget are judged one after another, and each sees
// what began before it: two that fit alone do not both begin where together
// they don't fit.
func (s *Store) JudgeApply(ctx context.Context, tx *db.Tx, change string) ([]Verdict, error) {
	if s == nil || len(s.budgets) == 0 {
		return nil, nil
	}
	of, err := s.subject(ctx, tx, change)
	if err != nil || of.client == "" {
		return nil, err
	}
	if err := tx.Serialize(ctx, "budgets "+s.reach(of.client)); err != nil {
		return nil, err
	}
	return s.Judge(ctx, tx, change)
}

// Judge returns what the budgets say of a change that is not wholly applied,
// in the order of the configuration. Those that look at none of its projects
// are left out.
func (s *Store) Judge(ctx context.Context, q db.Querier, change string) ([]Verdict, error) {
	if s == nil || len(s.budgets) == 0 {
		return nil, nil
	}
	of, err := s.subject(ctx, q, change)
	if err != nil || of.client == "" {
		return nil, err
	}
	l, err := s.load(ctx, q, part{client: s.reach(of.client), change: change})
	if err != nil {
		return nil, err
	}
	words, err := approvals(ctx, q, of.repo, of.pull)
	if err != nil {
		return nil, err
	}
	var out []Verdict
	for _, b := range s.budgets {
		if _, current := b.month(l.now); !current {
			continue
		}
		p, err := s.stand(ctx, l, b, change)
		if err != nil {
			return nil, err
		}
		if len(p.mine) == 0 {
			continue
		}
		v, err := p.judge(ctx, l)
		if err != nil {
			return nil, err
		}
		if v.Shared = len(p.clients) > 1; v.Shared { // what others have is not told, its currency neither
			v.LeftOut = slices.DeleteFunc(v.LeftOut, func(currency string) bool {
				return !slices.ContainsFunc(p.mine, func(e Entry) bool { return e.Amounts.Currency == currency })
			})
		}
		v.ApprovedBy = standing(words, v, of)
		out = append(out, v)
	}
	return out, nil
}

// reach returns the client whose ledger is enough to judge a change of it: ""
// where a budget may look beyond.
func (s *Store) reach(client string) string {
	for _, b := range s.budgets {
		if b.Scope.Client == "" || strings.ContainsAny(b.Scope.Client, `*?[{\`) {
			return ""
		}
	}
	return client
}

// judge says what the budget says of the entries of one change. p is how the
// budget stands without them.
func (p *position) judge(ctx context.Context, l *ledger) (Verdict, error) {
	b, mine := p.budget, p.mine
	v := Verdict{
		Budget: b.Name, Month: p.month, Currency: b.Currency, Amount: b.Amount, Bound: cost.BoundExact, AtLeast: p.atLeast, Known: p.rateKnown, AsOf: asOf(mine),
		OnExceed: b.OnExceed, Owners: b.Owners, own: plansOf(mine), done: p.done,
	}
	v.Before = p.rate.Add(p.merged)
	v.After = v.Before
	for _, e := range mine {
		v.Bound = v.Bound.And(e.bound())
		v.AtLeast = v.AtLeast || e.Amounts.AtLeast || e.Amounts.Currency == ""
		rate, err := p.x.rate(ctx, e.Amounts.Currency)
		if err != nil {
			return v, err
		}
		raises := e.Amounts.Delta.IsPositive()
		if rate == nil {
			if v.Incomparable = v.Incomparable || raises || e.bound() != cost.BoundExact; raises || e.bound() != cost.BoundExact {
				v.Raises = append(v.Raises, e.Key)
			}
			continue
		}
		v.Delta = v.Delta.Add(e.Amounts.Delta.Mul(*rate))
		if e.partial {
			v.After = v.After.Add(e.Amounts.Delta.Mul(*rate))
		} else {
			v.Before = v.Before.Add(e.Amounts.Before.Mul(*rate))
			v.After = v.After.Add(e.Amounts.After.Mul(*rate))
		}
		if raises {
			v.Raises = append(v.Raises, e.Key)
		}
	}
	v.LeftOut = p.x.leftOut()
	v.ProjectedBefore, v.Projected = p.projected(l, v.Before), p.projected(l, v.After)
	for _, t := range b.thresholds() {
		before, after := v.Before, v.After
		if t.Kind == Projected {
			before, after = v.ProjectedBefore, v.Projected
		}
		if before.LessThan(t.Amount) && after.GreaterThanOrEqual(t.Amount) {
			t.Crossed = true
			v.Crosses = append(v.Crosses, t)
		}
	}
	v.Over = v.Delta.IsPositive() && v.After.GreaterThan(b.Amount)
	v.MayBeOver = !v.Over && (v.Bound == cost.BoundAtLeast || v.Bound == cost.BoundPartial)
	return v, nil
}

// bound says how an entry's difference relates to the true one: of a plan
// without an estimate, or in a currency without a rate, nothing is known.
func (e Entry) bound() cost.Bound {
	if e.Amounts.Currency == "" || e.lost {
		return cost.BoundPartial
	}
	return cmp.Or(e.Amounts.Bound, cost.BoundExact)
}

// asOf spans the days of the prices of several entries.
func asOf(of []Entry) string {
	var sum cost.Estimate
	for _, e := range of {
		from, to, ok := strings.Cut(e.Amounts.AsOf, " to ")
		if !ok {
			to = from
		}
		sum = sum.Plus(cost.Estimate{AsOfFrom: from, AsOfTo: to})
	}
	return sum.AsOf
}
