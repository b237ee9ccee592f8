package budget

import (
	"context"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost"
)

// history is what is known of one project: how its rate moved, and the entries
// of its changes. Everything below is pure.
type history struct {
	Key
	client, project, currency string
	points                    []Point // by age
	entries                   []Entry // by age
	folded                    []step  // of points, once they were asked for
}

// step is a rate and since when it holds.
type step struct {
	at       time.Time
	rate     decimal.Decimal
	basis    Basis
	atLeast  bool
	known    bool
	services []Service
}

// steps folds the points of a project.
func (h *history) steps() []step {
	if h.folded != nil {
		return h.folded
	}
	var all []step
	var now step
	for i, p := range h.points {
		if i > 0 && p.Basis == BasisSeen {
			continue // something was applied before the first plan was told of
		}
		now.at, now.basis, now.known = p.At, p.Basis, true
		switch {
		case p.Basis == BasisUnknown:
			now.known = false
		case p.Partial:
			now.known = len(all) > 0 && all[len(all)-1].known
			now.rate, now.services = now.rate.Add(p.Rate), nil
			now.atLeast = now.atLeast || p.AtLeast
		default:
			now.rate, now.atLeast, now.services = p.Rate, p.AtLeast, p.Services
		}
		all = append(all, now)
	}
	h.folded = all
	return all
}

// stepAt returns the last step that began before the moment.
func stepAt(steps []step, t time.Time) (step, bool) {
	for i := len(steps) - 1; i >= 0; i-- {
		if steps[i].at.Before(t) {
			return steps[i], true
		}
	}
	return step{}, false
}

// figures are a project's of one month, as of a moment: nothing after it
// counts.
func (h *history) figures(m Month, now time.Time) Figures {
	steps := h.steps()
	end := m.End()
	if now.Before(end) {
		end = now.Add(time.Millisecond) // what is of this very moment counts
	}
	f := Figures{Month: m, Known: true}
	last, ok := stepAt(steps, end)
	switch {
	case ok:
		f.Rate, f.AtLeast, f.Known = last.rate, last.atLeast, last.known
		f.rateKnown = last.known
	case len(steps) > 0:
		// Before the first plan: a project that began with nothing was not
		// there; of another nothing is known.
		f.Known = !m.Start().After(now) && steps[0].basis == BasisSeen && steps[0].rate.IsZero() && !steps[0].atLeast
	default:
		f.Known = false
	}
	f.spend(steps, m, end)
	was, had := stepAt(steps, m.Start())
	for _, s := range steps {
		if s.at.Before(m.Start()) || !s.at.Before(end) {
			continue
		}
		if s.basis != BasisSeen {
			bound := cost.BoundExact
			if !had || !s.known || !was.known || s.atLeast != was.atLeast {
				bound = cost.BoundPartial
			}
			f.AppliedCount++
			f.AppliedBound = f.AppliedBound.And(bound)
			if had {
				f.Applied = f.Applied.Add(s.rate.Sub(was.rate))
			}
		}
		was, had = s, true
	}
	f.pending(h, m, now)
	return f
}

// spend adds up what the month has cost until end.
func (f *Figures) spend(steps []step, m Month, end time.Time) {
	if end.After(m.End()) {
		end = m.End()
	}
	total := decimal.Zero
	for i, s := range steps {
		from, to := s.at, end
		if from.Before(m.Start()) {
			from = m.Start()
		}
		if i+1 < len(steps) && steps[i+1].at.Before(to) {
			to = steps[i+1].at
		}
		if !to.After(from) {
			continue
		}
		if !s.known {
			f.Known = false
		}
		f.AtLeast = f.AtLeast || s.atLeast
		total = total.Add(s.rate.Mul(decimal.NewFromInt(to.Sub(from).Milliseconds())))
		if i == 0 && s.at.After(m.Start()) && !s.rate.IsZero() {
			f.AtLeast = true // it was there before anybody looked
		}
	}
	f.Cost = total.DivRound(decimal.NewFromInt(m.End().Sub(m.Start()).Milliseconds()), 10)
}

// pending adds what is merged and open.
func (f *Figures) pending(h *history, m Month, now time.Time) {
	for _, e := range h.entries {
		switch e.State {
		case StateMerged:
			if MonthOf(e.Merged) == m {
				f.Merged, f.MergedBound = f.Merged.Add(e.moved), f.MergedBound.And(e.bound())
				f.MergedCount++
			}
		case StatePlanned:
			if MonthOf(now) == m {
				f.Open, f.OpenBound = f.Open.Add(e.moved), f.OpenBound.And(e.bound())
				f.OpenCount++
			}
		}
	}
}

// settle gives entries the state that shows only beside others of the project:
// what was merged before something else was applied is part of that.
func (h *history) settle() {
	var applied time.Time
	for _, p := range h.points {
		if p.Basis == BasisApplied && !p.Partial {
			applied = p.At
		}
	}
	for i := range h.entries {
		e := &h.entries[i]
		if e.State == StateMerged && (e.Planned.Before(applied) || e.Amounts.Delta.IsZero() && e.Amounts.Bound == cost.BoundExact) {
			e.State = StateSuperseded
		}
	}
}

// Plus adds the figures of another project for the same month.
func (f Figures) Plus(o Figures) Figures {
	f.Rate, f.Cost = f.Rate.Add(o.Rate), f.Cost.Add(o.Cost)
	f.Applied, f.Merged, f.Open = f.Applied.Add(o.Applied), f.Merged.Add(o.Merged), f.Open.Add(o.Open)
	f.AppliedCount, f.MergedCount, f.OpenCount = f.AppliedCount+o.AppliedCount, f.MergedCount+o.MergedCount, f.OpenCount+o.OpenCount
	f.AppliedBound, f.MergedBound, f.OpenBound = f.AppliedBound.And(o.AppliedBound), f.MergedBound.And(o.MergedBound), f.OpenBound.And(o.OpenBound)
	f.AtLeast, f.Known = f.AtLeast || o.AtLeast, f.Known && o.Known
	return f
}

// times returns the figures in another currency.
func (f Figures) times(rate decimal.Decimal) Figures {
	for _, d := range []*decimal.Decimal{&f.Rate, &f.Cost, &f.Applied, &f.Merged, &f.Open} {
		*d = d.Mul(rate)
	}
	return f
}

// oneCurrency turns what a project has in another currency than its newest
// rate into that, by the rate of the day: the server's currency may have been
// set to another one since. Where no rate is known, what was before is not
// known either, and a change's difference is lost.
func (h *history) oneCurrency(ctx context.Context, x *exchange) error {
	kept := make([]Point, 0, len(h.points))
	for _, p := range h.points {
		rate, err := x.rate(ctx, p.Currency)
		if err != nil {
			return err
		}
		if rate == nil {
			kept = kept[:0]
			continue
		}
		if p.Currency != h.currency && p.Currency != "" {
			p.Rate, p.Services = p.Rate.Mul(*rate), slices.Clone(p.Services)
			for i := range p.Services {
				p.Services[i].Rate = p.Services[i].Rate.Mul(*rate)
			}
		}
		kept = append(kept, p)
	}
	h.points = kept
	for i := range h.entries {
		e := &h.entries[i]
		rate, err := x.rate(ctx, e.Amounts.Currency)
		if err != nil {
			return err
		}
		if e.lost = rate == nil; e.lost {
			e.moved = decimal.Zero
		} else {
			e.moved = e.Amounts.Delta.Mul(*rate)
		}
	}
	return nil
}

// histories sorts rows and points to their projects, in the order of their keys.
func histories(entries []row, points []Point) []*history {
	at := map[Key]*history{}
	var all []*history
	of := func(k Key, client string) *history {
		h := at[k]
		if h == nil {
			h = &history{Key: k, client: client}
			at[k] = h
			all = append(all, h)
		}
		return h
	}
	for _, p := range points {
		h := of(p.Key, p.Client)
		h.points = append(h.points, p)
		h.project = p.Project
		if p.Currency != "" {
			h.currency = p.Currency
		}
	}
	for _, r := range entries {
		h := of(r.Key, r.Client)
		r.Entry.moved = r.Amounts.Delta
		h.entries = append(h.entries, r.Entry)
		h.project = r.Project
		if h.currency == "" {
			h.currency = r.Amounts.Currency
		}
	}
	for _, h := range all {
		h.settle()
	}
	return all
}
