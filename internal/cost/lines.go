package cost

import (
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/planner/tfplan"
)

// Line is a line of a resource's bill as it was and as it will be. One of the
// two is nil where there was or will be none.
type Line struct {
	Sign   string          `json:"sign"` // +, -, ~, or = where it stays as it is
	Before *Component      `json:"before,omitempty"`
	After  *Component      `json:"after,omitempty"`
	Delta  decimal.Decimal `json:"delta"`
}

// Shown is the line that is there: that after the change, where there is one.
func (l Line) Shown() Component {
	if l.After != nil {
		return *l.After
	}
	return *l.Before
}

// Lines sets the two sides of a resource's bill beside each other: lines of the
// same name are the same thing, in their order where there are several. The
// deltas make up After - Before of what is priced.
func (r ResourceCost) Lines() []Line {
	before, after := r.Sides()
	was := map[string][]*Component{}
	for i := range before {
		c := &before[i]
		was[c.Name] = append(was[c.Name], c)
	}
	var out []Line
	for i := range after {
		l := Line{Sign: "+", After: &after[i], Delta: after[i].Monthly}
		if q := was[l.After.Name]; len(q) > 0 {
			l.Before, was[l.After.Name] = q[0], q[1:]
			l.Sign, l.Delta = "~", l.After.Monthly.Sub(l.Before.Monthly)
			if sameComponents([]Component{*l.Before}, []Component{*l.After}) {
				l.Sign = "="
			}
		}
		out = append(out, l)
	}
	for i := range before {
		c := &before[i]
		if q := was[c.Name]; len(q) > 0 && q[0] == c {
			was[c.Name] = q[1:]
			out = append(out, Line{Sign: "-", Before: c, Delta: c.Monthly.Neg()})
		}
	}
	return out
}

// Sign says what happens to a resource: + where it is made, - where it is
// destroyed, ~ where it is or may become another, = where it stays.
func (r ResourceCost) Sign() string {
	switch {
	case r.Action == tfplan.ActionCreate:
		return "+"
	case r.Action == tfplan.ActionDelete:
		return "-"
	case r.Action == tfplan.ActionUpdate || r.Action == tfplan.ActionReplace:
		return "~"
	case r.Changes():
		return "~" // what it is joined to becomes another
	}
	return "="
}

// Changes reports whether the change does something to what the resource costs,
// or may.
func (r ResourceCost) Changes() bool {
	switch {
	case r.Action == tfplan.ActionCreate || r.Action == tfplan.ActionDelete:
		return r.Status != StatusFree
	case r.Delta == nil:
		return true
	}
	return !r.Delta.IsZero() || len(r.Was) > 0
}

// Unpriced reports whether nothing of the resource is priced on any side,
// though it may cost something.
func (r ResourceCost) Unpriced() bool {
	switch r.Status {
	case StatusNoPrice, StatusUnknown, StatusUnsupported, StatusPartial:
		return len(r.Components) == 0 && len(r.Was) == 0
	}
	return false
}

// UnitPrice writes a price for one unit with all its digits, "$0.0832": rounding
// it would make the arithmetic beside it wrong.
func UnitPrice(price decimal.Decimal, currency string) string {
	text := price.String()
	if price.Exponent() < -12 { // of a currency's rate
		text = price.Round(12).String()
	}
	if currency == "USD" {
		return "$" + text
	}
	return currency + " " + text
}

// Quantity writes how many of a unit: "730 hours", "1 month", "100 GB-months".
func Quantity(n decimal.Decimal, unit string) string {
	text := n.Round(4).String()
	if unit == "" {
		return text
	}
	if last := unit[len(unit)-1]; !n.Equal(decimal.NewFromInt(1)) && last >= 'a' && last <= 'z' && last != 's' && !strings.Contains(unit, " ") {
		unit += "s"
	}
	return text + " " + unit
}

// Movement says in a few words what a change does to a resource's month:
// "+$30.37 ($30.37 → $60.74)", "at least +$210.24", "by use".
func (r ResourceCost) Movement(currency string) string {
	amount := func(d *decimal.Decimal) string {
		if d == nil {
			return "not priced"
		}
		return Money(*d, currency)
	}
	var before, after decimal.Decimal
	if r.Before != nil {
		before = *r.Before
	}
	if r.After != nil {
		after = *r.After
	}
	both := amount(r.Before) + " → " + amount(r.After)
	switch sign := r.Sign(); {
	case r.Delta == nil && sign == "+":
		return "at least " + Signed(after, currency)
	case r.Delta == nil && sign == "-":
		return "at least " + Signed(before.Neg(), currency)
	case r.Delta == nil:
		return "not known: " + both + ", as far as priced"
	case r.Status == StatusUsage && r.Delta.IsZero():
		return "by use"
	case sign == "~":
		return Signed(*r.Delta, currency) + " (" + both + ")"
	}
	return Signed(*r.Delta, currency)
}

// Arithmetic is how a line comes to its amount: "730 hours × $0.0832 = $60.74".
func (c Component) Arithmetic(currency string) string {
	text := Quantity(c.Quantity, c.Unit) + " × " + UnitPrice(c.Price, currency) + " = " + Money(c.Monthly, currency)
	if c.Discount != nil {
		text += ", " + c.Discount.String() + "\u00a0% less than listed"
	}
	if c.ByUse {
		text += ", by use"
	}
	return text
}

// Magnitude is how far a change moves what a resource costs a month; where that
// is not known, how much of it is priced.
func (r ResourceCost) Magnitude() decimal.Decimal {
	if r.Delta != nil {
		return r.Delta.Abs()
	}
	var most decimal.Decimal
	for _, side := range []*decimal.Decimal{r.Before, r.After} {
		if side != nil {
			most = decimal.Max(most, *side)
		}
	}
	return most
}
