package web

import (
	"slices"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/run"
)

// costParts is an estimate as a page shows it: the month by service, what
// changes resource by resource, what has no price, and what could cost less.
type costParts struct {
	Currency string
	Chart    string // bars of text
	Changes  []costBranch
	Stay     int    // resources that cost the same as before
	Kept     string // and how much
	Unpriced []cost.ResourceCost
	ByUse    *cost.Amounts
	Baseline cost.Amounts
	Advice   []cost.Advice
	Terms    string
	Notes    []string
	Unread   []string
}

// costBranch is a resource whose cost changes, with those lines of its bill
// that do.
type costBranch struct {
	Sign, Movement string
	cost.ResourceCost
	Lines []costLeaf
	Stay  int // lines that don't
}

type costLeaf struct {
	Sign   string
	Shown  cost.Component
	Text   string // its arithmetic
	Before string // that before the change, where there is another
}

// partsOf is nil where there is nothing to show.
func partsOf(e *cost.Estimate) *costParts {
	if e == nil || e.Counts.Total == 0 {
		return nil
	}
	p := costParts{
		Currency: e.Currency, Chart: cost.Chart(e.ByService(), e.Currency), ByUse: e.ByUse, Baseline: e.Baseline(), Advice: e.Advice,
		Terms: e.Terms(), Notes: e.Notes, Unread: e.UsageUnread,
	}
	var kept decimal.Decimal
	for _, r := range e.Resources {
		switch {
		case r.Unpriced():
			p.Unpriced = append(p.Unpriced, r)
		case r.Changes():
			p.Changes = append(p.Changes, branchOf(r, e.Currency))
		case r.After != nil && !r.After.IsZero():
			p.Stay++
			kept = kept.Add(*r.After)
		}
	}
	p.Kept = cost.Money(kept, e.Currency)
	slices.SortStableFunc(p.Changes, func(a, b costBranch) int { return b.Magnitude().Cmp(a.Magnitude()) })
	return &p
}

func branchOf(r cost.ResourceCost, currency string) costBranch {
	b := costBranch{Sign: r.Sign(), Movement: r.Movement(currency), ResourceCost: r}
	for _, l := range r.Lines() {
		if l.Sign == "=" {
			b.Stay++
			continue
		}
		leaf := costLeaf{Sign: l.Sign, Shown: l.Shown()}
		leaf.Text = leaf.Shown.Arithmetic(currency)
		if l.Sign == "~" {
			leaf.Before = l.Before.Arithmetic(currency)
			if l.Before.Detail != "" && l.Before.Detail != leaf.Shown.Detail {
				leaf.Before = l.Before.Detail + ", " + leaf.Before
			}
		}
		b.Lines = append(b.Lines, leaf)
	}
	return b
}

// Class is the style of a branch's or a line's sign.
func (b costBranch) Class() string { return signClass(b.Sign) }

// Class is as a branch's.
func (l costLeaf) Class() string { return signClass(l.Sign) }

func signClass(sign string) string {
	return map[string]string{"+": "add", "-": "del", "~": "mod"}[sign]
}

// CostParts is the run's estimate in its parts.
func (r runView) CostParts() *costParts { return partsOf(r.Estimate) }

// totalCost is what a change does over all its projects.
func totalCost(pairs []run.Pair) *costView {
	sum := total(pairs)
	v := viewCost(sum)
	if v == nil {
		return nil
	}
	var lists [][]cost.ServiceAmount
	for _, p := range pairs {
		if e := p.Plan.Estimate; e != nil && e.Currency == sum.Currency {
			lists = append(lists, e.ByService())
		}
	}
	v.Services = cost.MergeServices(lists...)
	return v
}
