package cost_test

import (
	"testing"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost"
)

func TestPlus(t *testing.T) {
	d := decimal.NewFromInt
	a := cost.Estimate{Currency: "USD", Before: d(10), After: d(15), Delta: d(5), Bound: cost.BoundExact, Counts: cost.Counts{Priced: 1, Total: 1}, AsOfFrom: "2024-01", AsOfTo: "2024-01"}
	b := cost.Estimate{Currency: "USD", Before: d(1), After: d(4), Delta: d(3), Bound: cost.BoundAtLeast, AtLeast: true, Counts: cost.Counts{NotPriced: 1, Total: 1}, AsOfFrom: "2026-07", AsOfTo: "2026-07"}
	sum := a.Plus(b)
	if !sum.Delta.Equal(d(8)) || !sum.AtLeast || sum.Bound != cost.BoundAtLeast || sum.Counts.Total != 2 || sum.AsOf != "2024-01 to 2026-07" {
		t.Errorf("%+v", sum)
	}
	if got := sum.Line(); got != "at least +$8.00 a month" {
		t.Errorf("Line = %q", got)
	}
	b.Bound = cost.BoundAtMost
	if got := sum.Plus(b).Bound; got != cost.BoundPartial {
		t.Errorf("at least and at most make %q", got)
	}
}

// TestBoundsAdd: in whatever order, and what is nothing changes nothing.
func TestBoundsAdd(t *testing.T) {
	for _, c := range [][3]cost.Bound{
		{"", "", ""}, {"", cost.BoundExact, cost.BoundExact}, {"", cost.BoundAtMost, cost.BoundAtMost},
		{cost.BoundExact, cost.BoundAtLeast, cost.BoundAtLeast}, {cost.BoundAtLeast, cost.BoundAtLeast, cost.BoundAtLeast},
		{cost.BoundAtLeast, cost.BoundAtMost, cost.BoundPartial}, {cost.BoundPartial, cost.BoundExact, cost.BoundPartial},
	} {
		if a, b := c[0].And(c[1]), c[1].And(c[0]); a != c[2] || b != c[2] {
			t.Errorf("%q and %q: %q and %q, want %q", c[0], c[1], a, b, c[2])
		}
	}
}
