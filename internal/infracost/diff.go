package infracost

import (
	"encoding/json"
	"strings"

	"github.com/shopspring/decimal"
)

// difference is what changes about a resource, nil where nothing does. Either
// side may be nil. What is not known on a side that is there is not known of
// the difference.
func difference(past, now *Resource) *Resource {
	if past == nil && now == nil {
		return nil
	}
	shown := now
	if now == nil {
		shown = past
	}
	out := &Resource{Name: shown.Name, Type: shown.Type, Metadata: map[string]json.RawMessage{}}
	var was, is []Component
	if past != nil {
		was = past.Components
	}
	if now != nil {
		is = now.Components
	}
	changed := false
	taken := make([]bool, len(is))
	for i := range was {
		at := partner(was[i].Name, is, taken)
		var other *Component
		if at >= 0 {
			taken[at], other = true, &is[at]
		}
		if c, differs := apart(&was[i], other); differs {
			out.Components, changed = append(out.Components, c), true
		}
	}
	for i := range is {
		if taken[i] {
			continue
		}
		if c, differs := apart(nil, &is[i]); differs {
			out.Components, changed = append(out.Components, c), true
		}
	}
	pick := func(of func(*Resource) *Amount) *Amount {
		var a, b *Amount
		if past != nil {
			a = of(past)
		}
		if now != nil {
			b = of(now)
		}
		return minus(b, a, now != nil, past != nil)
	}
	out.HourlyCost = pick(func(r *Resource) *Amount { return r.HourlyCost })
	out.MonthlyCost = pick(func(r *Resource) *Amount { return r.MonthlyCost })
	out.MonthlyUsageCost = usageApart(past, now)
	if !changed {
		return nil
	}
	return out
}

// usageApart is the difference of what is paid by use, nil where no side has
// any.
func usageApart(past, now *Resource) *Amount {
	var is, was decimal.Decimal
	some := false
	if past != nil && past.MonthlyUsageCost != nil {
		was, some = past.MonthlyUsageCost.Decimal, true
	}
	if now != nil && now.MonthlyUsageCost != nil {
		is, some = now.MonthlyUsageCost.Decimal, true
	}
	if !some {
		return nil
	}
	return amount(is.Sub(was))
}

// partner finds the component that one of the other side became: one of the
// same name, else one that is the same up to what stands in brackets.
func partner(name string, in []Component, taken []bool) int {
	for i, c := range in {
		if !taken[i] && c.Name == name {
			return i
		}
	}
	head, _, detailed := strings.Cut(name, " (")
	for i, c := range in {
		if other, _, ok := strings.Cut(c.Name, " ("); ok && detailed && !taken[i] && other == head {
			return i
		}
	}
	return -1
}

// minus is after less before. A side that does not exist has nothing, which is
// zero; one that exists and has no amount is not known.
func minus(after, before *Amount, isThere, wasThere bool) *Amount {
	if isThere && after == nil || wasThere && before == nil {
		return nil
	}
	var a, b decimal.Decimal
	if after != nil {
		a = after.Decimal
	}
	if before != nil {
		b = before.Decimal
	}
	return amount(a.Sub(b))
}

// apart is the difference of two components, of which one may be nil.
func apart(was, is *Component) (Component, bool) {
	shown := is
	if is == nil {
		shown = was
	}
	out := Component{Name: shown.Name, Unit: shown.Unit, UsageBased: shown.UsageBased, PriceNotFound: shown.PriceNotFound}
	if was != nil && is != nil {
		out.Name = renamed(was.Name, is.Name)
	}
	differs := out.Name != shown.Name || was == nil || is == nil
	for _, f := range []struct {
		to *(*Amount)
		of func(*Component) *Amount
	}{
		{&out.HourlyQuantity, func(c *Component) *Amount { return c.HourlyQuantity }},
		{&out.MonthlyQuantity, func(c *Component) *Amount { return c.MonthlyQuantity }},
		{&out.Price, func(c *Component) *Amount { return c.Price }},
		{&out.HourlyCost, func(c *Component) *Amount { return c.HourlyCost }},
		{&out.MonthlyCost, func(c *Component) *Amount { return c.MonthlyCost }},
	} {
		var a, b *Amount
		if is != nil {
			a = f.of(is)
		}
		if was != nil {
			b = f.of(was)
		}
		*f.to = minus(a, b, is != nil, was != nil)
		if (a == nil) != (b == nil) || *f.to != nil && !(*f.to).IsZero() {
			differs = true
		}
	}
	return out, differs
}

// renamed writes what became of a name: "Instance usage (a → b, Linux)".
func renamed(was, is string) string {
	head, a, ok := cutDetail(was)
	other, b, ok2 := cutDetail(is)
	if was == is || !ok || !ok2 || head != other {
		return is
	}
	from, to := strings.Split(a, ", "), strings.Split(b, ", ")
	if len(from) != len(to) {
		return head + " (" + a + ") → (" + b + ")"
	}
	for i := range to {
		if from[i] != to[i] {
			to[i] = from[i] + " → " + to[i]
		}
	}
	return head + " (" + strings.Join(to, ", ") + ")"
}

// cutDetail takes "Instance usage (m5.large, Linux)" apart.
func cutDetail(name string) (head, detail string, ok bool) {
	head, rest, ok := strings.Cut(name, " (")
	detail, closed := strings.CutSuffix(rest, ")")
	if !ok || !closed {
		return name, "", false
	}
	return head, detail, true
}
