package infracost

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// sourceName is what estimates call the place where the prices come from.
const sourceName = "Infracost"

// Estimate is what a project of the file says, as Tidelock writes estimates.
// Unsupported resources, which a file only counts, are entries by type. Where
// the file has no past, all of it is new.
func (r Root) Estimate(p Project) cost.Estimate {
	x := r.reading(p)
	past := p.PastBreakdown != nil && len(p.PastBreakdown.Resources) > 0
	if s := p.Summary; s != nil {
		x.e.Counts.Total += whole(s.NoPrice)
		x.e.Counts.Free += whole(s.NoPrice)
		listed := 0
		for _, typ := range slices.Sorted(maps.Keys(s.UnsupportedCounts)) {
			n := max(s.UnsupportedCounts[typ], 0)
			listed += n
			x.unsupported(n, cost.ResourceCost{Address: fmt.Sprintf("%d × %s", n, typ), Type: typ})
		}
		if more := whole(s.Unsupported) - listed; more > 0 {
			x.unsupported(more, cost.ResourceCost{Address: fmt.Sprintf("%d more", more)})
		}
		// As many of the same types on both sides are taken for the same ones.
		if x.e.Counts.Unsupported > 0 && (p.older == nil || !maps.Equal(p.older.UnsupportedCounts, s.UnsupportedCounts)) {
			x.adds, x.saves = true, x.saves || past
		}
	}
	return x.finish()
}

func whole(n *int) int {
	if n == nil {
		return 0
	}
	return max(*n, 0)
}

// reading is an estimate in the making.
type reading struct {
	e           cost.Estimate
	day         string // of the file: Infracost asks for the prices of the day
	adds, saves bool   // whether what is left out can add, or save
	sources     map[string]bool
}

// reading reads all resources that a project lists.
func (r Root) reading(p Project) *reading {
	x := &reading{
		e:       cost.Estimate{Currency: r.Currency, Hours: p.hours(), Bound: cost.BoundExact},
		sources: map[string]bool{},
	}
	if !r.TimeGenerated.IsZero() {
		x.day = r.TimeGenerated.UTC().Format(time.DateOnly)
	}
	if p.Metadata != nil {
		for _, d := range p.Metadata.Errors {
			// A project that it gave up has the type "error", and its reason
			// need not be marked as one: so with a pricing service that does
			// not answer, where the program ends well all the same.
			if (d.IsError || p.Metadata.Type == "error") && x.e.Failed == "" {
				x.e.Failed = d.Message
			}
		}
	}
	was, is := p.PastBreakdown.byName(), p.Breakdown.byName()
	names := maps.Clone(was)
	maps.Copy(names, is)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		x.resource(was[name], is[name])
	}
	return x
}

func (b *Breakdown) byName() map[string]*Resource {
	out := map[string]*Resource{}
	if b == nil {
		return out
	}
	for i := range b.Resources {
		name := b.Resources[i].Name
		for n := 2; out[name] != nil; n++ { // nothing is dropped
			name = fmt.Sprintf("%s (%d)", b.Resources[i].Name, n)
		}
		out[name] = &b.Resources[i]
	}
	return out
}

// hours is how many hours the file's months have: what its quantities tell.
func (p Project) hours() int {
	for _, b := range []*Breakdown{p.Breakdown, p.PastBreakdown} {
		if b == nil {
			continue
		}
		for i := range b.Resources {
			for _, c := range b.Resources[i].Components {
				h, m := c.HourlyQuantity, c.MonthlyQuantity
				if h == nil || m == nil || !h.IsPositive() || !m.IsPositive() {
					continue
				}
				if n := m.Div(h.Decimal).Round(0); n.IsPositive() && n.LessThanOrEqual(decimal.NewFromInt(744)) {
					return int(n.IntPart())
				}
			}
		}
	}
	return cost.HoursPerMonth
}

func (x *reading) resource(was, is *Resource) {
	before, after := x.read(was), x.read(is)
	shown, last := is, after
	if is == nil {
		shown, last = was, before
	}
	ours := shown.words()
	r := cost.ResourceCost{
		Address: shown.Name, Type: shown.Type, Action: actionOf(before, after, ours.Action), Status: statusOf(before, after, ours.Status), Region: ours.Region,
		Before: before.shown(), After: after.shown(), Components: last.components, Assumed: ours.Assumed, Usage: last.usage, Note: last.note(),
	}
	if r.Type == "" {
		r.Type = typeOf(shown.Name)
	}
	if was != nil && is != nil && !before.sameLines(after) {
		r.Was = before.components
	}
	if last == after && was != nil && !before.complete() && before.note() != r.Note {
		r.Note = strings.TrimPrefix(r.Note+"; before: "+before.note(), "; ")
	}
	x.e.AtLeast = x.e.AtLeast || !before.complete() || !after.complete()
	// What is missing on both sides in the same way cancels. Of another program's
	// file that is known only where nothing else changes either; ours says it.
	same := before.same(after) && ours.Status == "" || before.lackSame(after) && ours.Delta != nil
	if before.complete() && after.complete() || same {
		d := after.total.Sub(before.total)
		r.Delta = &d
	}
	x.count(r.Status, 1)
	x.e.Resources = append(x.e.Resources, r)
	switch {
	case r.Delta != nil:
	case was == nil:
		x.adds = true
	case is == nil:
		x.saves = true
	default: // left out altogether: one side alone would look like a change
		x.adds, x.saves = true, true
		x.e.Resources[len(x.e.Resources)-1].Apart = true
		return
	}
	x.e.Before, x.e.After = x.e.Before.Add(before.total), x.e.After.Add(after.total)
	x.use(before.components, func(a *cost.Amounts) *decimal.Decimal { return &a.Before })
	x.use(after.components, func(a *cost.Amounts) *decimal.Decimal { return &a.After })
}

// use notes the prices that count, and what of the amounts is paid by use.
func (x *reading) use(components []cost.Component, side func(*cost.Amounts) *decimal.Decimal) {
	for _, c := range components {
		if c.ByUse {
			if x.e.ByUse == nil {
				x.e.ByUse = &cost.Amounts{}
			}
			sum := side(x.e.ByUse)
			*sum = sum.Add(c.Monthly)
		}
		if c.AsOf != "" && (x.e.AsOfFrom == "" || c.AsOf < x.e.AsOfFrom) {
			x.e.AsOfFrom = c.AsOf
		}
		x.e.AsOfTo = max(x.e.AsOfTo, c.AsOf)
		x.sources[c.Source] = true
	}
}

func (x *reading) count(s cost.Status, n int) {
	c := &x.e.Counts
	c.Total += n
	switch s {
	case cost.StatusPriced:
		c.Priced += n
		return
	case cost.StatusFree:
		c.Free += n
		return
	case cost.StatusUsage:
		c.Usage += n
		return
	case cost.StatusPartial:
		c.Partial += n
	case cost.StatusNoPrice:
		c.NoPrice += n
	case cost.StatusUnknown:
		c.Unknown += n
	default:
		c.Unsupported += n
	}
	c.NotPriced += n
}

// unsupported adds n resources of a type that Infracost does not know.
func (x *reading) unsupported(n int, r cost.ResourceCost) {
	if n == 0 {
		return
	}
	r.Status, r.Note = cost.StatusUnsupported, "Infracost does not support this type of resource"
	if r.Action == "" {
		r.Action = tfplan.ActionNoop
	}
	x.e.AtLeast = true
	x.count(r.Status, n)
	x.e.Resources = append(x.e.Resources, r)
}

// finish settles what depends on all resources.
func (x *reading) finish() cost.Estimate {
	e := &x.e
	e.Delta = e.After.Sub(e.Before)
	if e.ByUse != nil {
		e.ByUse.Delta = e.ByUse.After.Sub(e.ByUse.Before)
	}
	if e.Failed != "" {
		e.AtLeast, x.adds, x.saves = true, true, true
	}
	switch {
	case x.adds && x.saves:
		e.Bound = cost.BoundPartial
	case x.adds:
		e.Bound = cost.BoundAtLeast
	case x.saves:
		e.Bound = cost.BoundAtMost
	}
	if e.AsOf = e.AsOfFrom; e.AsOfTo != e.AsOfFrom {
		e.AsOf = e.AsOfFrom + " to " + e.AsOfTo
	}
	e.Sources = slices.Sorted(maps.Keys(x.sources))
	return *e
}

// words are what Tidelock wrote of a resource; those of another program's file
// have no status.
func (r *Resource) words() words {
	var w words
	if raw, ok := r.Metadata[metadataKey]; !ok || json.Unmarshal(raw, &w) != nil {
		return words{}
	}
	return w
}

// typeOf is the type of an address: "module.a.aws_instance.b[0]".
func typeOf(address string) string {
	parts := strings.Split(address, ".")
	for i := 0; i+1 < len(parts); i++ {
		if parts[i] != "module" && (i == 0 || parts[i-1] != "module") {
			return parts[i]
		}
	}
	return ""
}

// actionOf tells from the sides what becomes of a resource. What the file says
// itself counts where it fits.
func actionOf(before, after *bill, said tfplan.Action) tfplan.Action {
	switch {
	case !before.exists:
		return tfplan.ActionCreate
	case !after.exists:
		return tfplan.ActionDelete
	case slices.Contains([]tfplan.Action{tfplan.ActionUpdate, tfplan.ActionReplace, tfplan.ActionMove, tfplan.ActionImport, tfplan.ActionForget, tfplan.ActionNoop}, said):
		return said
	case before.same(after):
		return tfplan.ActionNoop
	}
	return tfplan.ActionUpdate
}
