package budget

import (
	"context"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/db"
)

// ledger is what is known of a client's projects, or of all, at one moment.
type ledger struct {
	q     db.Querier // by which it was read, while that lasts
	all   []*history
	names map[string]ClientReport // by client ID
	repos map[int64]string        // owner/name
	now   time.Time
}

// part says how much of the ledger is read. What the past months were made of
// is most of it, and of no use to what is asked of the present one.
type part struct {
	client string // "" for all
	change string // all entries of this one too; "" for none
	// since is from when on rates are read, with those that were in force then;
	// zero is the beginning of the present month.
	since time.Time
	// past is from when on also entries are read from which nothing is to come;
	// zero for none.
	past time.Time
}

// load reads a part of the ledger.
func (s *Store) load(ctx context.Context, q db.Querier, of part) (*ledger, error) {
	l := &ledger{q: q, now: s.now().UTC()}
	switch {
	case s.whole:
		of.since, of.past = time.UnixMilli(0), time.UnixMilli(0)
	case of.since.IsZero():
		of.since = MonthOf(l.now).Start()
	}
	entries, err := rows(ctx, q, of)
	if err != nil {
		return nil, err
	}
	moves, err := points(ctx, q, of)
	if err != nil {
		return nil, err
	}
	l.all = histories(entries, moves)
	if l.names, l.repos, err = owners(ctx, q, of.client); err != nil {
		return nil, err
	}
	for _, h := range l.all {
		if err := h.oneCurrency(ctx, s.exchange(q, h.currency, l.now)); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// target is a project as scopes look at it.
func (s *Store) target(l *ledger, h *history) Target {
	t := Target{Client: l.names[h.client].Slug, Repo: l.repos[h.Repo], Project: h.project, Dir: h.Dir, Workspace: h.Workspace}
	if s.environment != nil {
		t.Environment = s.environment(t)
	}
	return t
}

// position is a budget as it stands, in the budget's currency. Where it is
// reckoned without a change, what that change is about is left out of it.
type position struct {
	budget   Budget
	month    Month
	rate     decimal.Decimal // a month
	merged   decimal.Decimal // on top of it, with what is being applied
	bound    cost.Bound      // of merged; "" where there is none
	spent    decimal.Decimal // in the month, so far
	projects int
	clients  map[string]bool
	atLeast  bool
	known    bool
	x        *exchange

	rateKnown bool // of rate alone
	// Of the change that is left out, the entries that are still to come and
	// those that are applied.
	mine, done []Entry
}

// month returns the month that a budget is about now, and whether it is not
// over.
func (b Budget) month(now time.Time) (Month, bool) {
	present := MonthOf(now)
	if b.Month.IsZero() {
		return present, true
	}
	return b.Month, !b.Month.Before(present)
}

// stand adds up what a budget looks at. Of change, the entries are left out
// that are still to come, and of their projects the rates: what the change's
// plans found there counts instead.
func (s *Store) stand(ctx context.Context, l *ledger, b Budget, change string) (*position, error) {
	m, _ := b.month(l.now)
	p := &position{budget: b, month: m, known: true, rateKnown: true, clients: map[string]bool{}}
	p.x = s.exchange(l.q, b.Currency, l.now)
	present := MonthOf(l.now)
	for _, h := range l.all {
		if !b.Scope.Holds(s.target(l, h)) {
			continue
		}
		p.projects++
		p.clients[h.client] = true
		replaced := false
		for _, e := range h.entries {
			switch {
			case e.Change != change:
			case e.State == StatePlanned || e.State == StateMerged:
				p.mine = append(p.mine, e)
				replaced = !e.partial && e.Amounts.Currency != ""
			case e.State == StateApplied:
				p.done = append(p.done, e)
			}
		}
		rate, err := p.x.rate(ctx, h.currency)
		if err != nil {
			return nil, err
		}
		if rate == nil {
			continue
		}
		f := h.figures(present, l.now).times(*rate)
		p.spent = p.spent.Add(f.Cost)
		if !replaced {
			p.rate, p.atLeast = p.rate.Add(f.Rate), p.atLeast || f.AtLeast
			p.rateKnown = p.rateKnown && f.rateKnown
		}
		p.known = p.known && f.Known
		for _, e := range h.entries {
			if (e.State == StateMerged || e.applying) && e.Change != change {
				p.merged = p.merged.Add(e.moved.Mul(*rate))
				p.bound = p.bound.And(e.bound())
				p.atLeast = p.atLeast || e.bound() != cost.BoundExact
			}
		}
	}
	return p, nil
}

// projected is what the month will cost if it costs so much a month from now
// on.
func (p *position) projected(l *ledger, rate decimal.Decimal) decimal.Decimal {
	return Expect(p.month, l.now, p.spent, rate, decimal.Zero, nil).Amount
}

// Budgets returns how every budget stands now, in the order of the
// configuration. Budgets for a month that is over are left out.
func (s *Store) Budgets(ctx context.Context) ([]Status, error) {
	if len(s.budgets) == 0 {
		return nil, nil
	}
	var out []Status
	err := s.db.Read(ctx, func(q db.Querier) error {
		l, err := s.load(ctx, q, part{})
		if err != nil {
			return err
		}
		out, err = s.statuses(ctx, q, l, nil)
		return err
	})
	return out, err
}

// statuses returns those of the budgets that look at one of the projects, of
// all where hs is nil.
func (s *Store) statuses(ctx context.Context, q db.Querier, l *ledger, hs []*history) ([]Status, error) {
	told, err := alerted(ctx, q)
	if err != nil {
		return nil, err
	}
	var out []Status
	for _, b := range s.budgets {
		if _, current := b.month(l.now); !current {
			continue
		}
		if hs != nil && !slices.ContainsFunc(hs, func(h *history) bool { return b.Scope.Holds(s.target(l, h)) }) {
			continue
		}
		p, err := s.stand(ctx, l, b, "")
		if err != nil {
			return nil, err
		}
		out = append(out, p.status(l, told))
	}
	return out, nil
}

func (p *position) status(l *ledger, told map[alertKey]time.Time) Status {
	b := p.budget
	f := Expect(p.month, l.now, p.spent, p.rate, p.merged, nil)
	st := Status{
		Budget: b.Name, Month: p.month, Currency: b.Currency, Amount: b.Amount, Rate: p.rate, Merged: p.merged, MergedBound: p.bound, Cost: p.spent,
		Projected: f.WithMerged, Method: f.Method, Projects: p.projects, AtLeast: p.atLeast, Known: p.known, LeftOut: p.x.leftOut(), Shared: len(p.clients) > 1,
		OnExceed: b.OnExceed, Owners: b.Owners.String(), Needed: b.Owners.Needed(),
	}
	if MonthOf(l.now).Before(p.month) {
		st.Cost = decimal.Zero
	}
	sum := p.rate.Add(p.merged)
	st.Over = sum.GreaterThan(b.Amount)
	for _, t := range b.thresholds() {
		reached := sum
		if t.Kind == Projected {
			reached = st.Projected
		}
		t.Crossed = reached.GreaterThanOrEqual(t.Amount)
		t.Alerted = told[alertKey{b.Name, p.month.String(), t.key()}]
		st.Thresholds = append(st.Thresholds, t)
	}
	return st
}
