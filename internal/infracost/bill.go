package infracost

import (
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost"
)

// bill is one side of a resource, as a file has it. That of a side that does
// not exist costs nothing.
type bill struct {
	exists     bool
	components []cost.Component
	total      decimal.Decimal // of the components
	usage      []string
	lacks      []string // what is not known, in words
	noPrice    bool     // something of that has no price, where others have no quantity
	left       bool     // there are lines whose cost the file leaves open
}

func (b *bill) complete() bool { return len(b.lacks) == 0 && !b.left }

// shown is the amount as an estimate's entry has it: nil where the side exists
// and nothing of it is priced.
func (b *bill) shown() *decimal.Decimal {
	if !b.complete() && len(b.components) == 0 {
		return nil
	}
	t := b.total
	return &t
}

func (b *bill) note() string { return strings.Join(b.lacks, "; ") }

func (b *bill) sameLines(o *bill) bool {
	return slices.EqualFunc(b.components, o.components, func(x, y cost.Component) bool {
		return x.Name == y.Name && x.Detail == y.Detail && x.Quantity.Equal(y.Quantity) && x.Price.Equal(y.Price) && x.Monthly.Equal(y.Monthly)
	})
}

// lackSame reports whether the same is missing on both sides.
func (b *bill) lackSame(o *bill) bool {
	return b.exists && o.exists && !b.left && !o.left && slices.Equal(b.lacks, o.lacks)
}

// same reports whether both sides say the same, so that they cost the same
// whatever that is.
func (b *bill) same(o *bill) bool {
	return b.lackSame(o) && b.sameLines(o)
}

// read reads a side; r is nil for one that does not exist.
func (x *reading) read(r *Resource) *bill {
	b := &bill{}
	if r == nil {
		return b
	}
	b.exists = true
	from := priceSource{name: sourceName, asOf: x.day}
	ours := r.words()
	if ours.Status != "" {
		from = priceSource{ours: true, name: strings.Join(ours.From, ", "), asOf: ours.AsOf}
	}
	b.read(r, "", from)
	if len(b.components)+len(b.usage)+len(b.lacks) == 0 && !b.left {
		switch {
		case r.MonthlyCost != nil && !r.MonthlyCost.IsZero():
			b.add(cost.Component{Name: "Monthly cost", Quantity: decimal.NewFromInt(1), Unit: "month", Price: r.MonthlyCost.Decimal, Monthly: r.MonthlyCost.Decimal, Source: from.name, AsOf: from.asOf})
		case r.MonthlyCost == nil && ours.Status != cost.StatusUsage:
			b.lacks = append(b.lacks, "the file has no cost of it")
		}
	}
	return b
}

// priceSource says whose prices a resource's are.
type priceSource struct {
	ours       bool // this package wrote the resource
	name, asOf string
}

func (b *bill) add(c cost.Component) {
	b.components = append(b.components, c)
	b.total = b.total.Add(c.Monthly)
}

func (b *bill) read(r *Resource, prefix string, from priceSource) {
	for _, c := range r.Components {
		name, detail, _ := cutDetail(prefix + c.Name)
		counted := c.MonthlyCost != nil && !c.PriceNotFound
		switch {
		case from.ours && c.Price == nil && c.MonthlyQuantity == nil && !c.UsageBased:
			b.lacks = append(b.lacks, c.Name) // in words
			b.noPrice = b.noPrice || c.PriceNotFound
		case from.ours && !counted && c.MonthlyQuantity != nil:
			b.left = true
		case c.PriceNotFound:
			b.lacks, b.noPrice = append(b.lacks, "no price for "+prefix+c.Name), true
		case counted && c.MonthlyCost.IsZero() && (c.MonthlyQuantity == nil || c.MonthlyQuantity.IsZero()):
			// none of it
		case counted:
			line := cost.Component{Name: name, Detail: detail, Unit: c.Unit, Monthly: c.MonthlyCost.Decimal, Source: from.name, AsOf: from.asOf, ByUse: c.UsageBased}
			line.Quantity, line.Price = decimal.NewFromInt(1), line.Monthly
			if c.MonthlyQuantity != nil && c.Price != nil {
				line.Quantity, line.Price = c.MonthlyQuantity.Decimal, c.Price.Decimal
			}
			b.add(line)
		case c.UsageBased, c.Price != nil:
			b.usage = append(b.usage, prefix+c.Name) // nobody said how much
		default:
			b.lacks = append(b.lacks, "not known: "+prefix+c.Name)
		}
	}
	for i := range r.Parts {
		p := &r.Parts[i]
		if len(p.Components)+len(p.Parts) == 0 && p.MonthlyCost != nil && !p.MonthlyCost.IsZero() {
			b.add(cost.Component{Name: prefix + p.Name, Quantity: decimal.NewFromInt(1), Unit: "month", Price: p.MonthlyCost.Decimal, Monthly: p.MonthlyCost.Decimal, Source: from.name, AsOf: from.asOf})
		}
		b.read(p, prefix+p.Name+": ", from)
	}
}

// statusOf tells from the sides how well a resource is priced. What the file
// says itself counts where it fits.
func statusOf(before, after *bill, said cost.Status) cost.Status {
	status := cost.StatusUsage
	for _, b := range []*bill{before, after} {
		if s := b.status(); b.exists && rank[s] > rank[status] {
			status = s
		}
	}
	complete := before.complete() && after.complete()
	if rank[said] > 0 && complete == (rank[said] <= rank[cost.StatusPriced]) {
		return said
	}
	return status
}

// rank orders statuses from the best known to the least.
var rank = map[cost.Status]int{
	cost.StatusUsage: 1, cost.StatusPriced: 2, cost.StatusPartial: 3, cost.StatusNoPrice: 4, cost.StatusUnknown: 5,
}

func (b *bill) status() cost.Status {
	fixed := slices.ContainsFunc(b.components, func(c cost.Component) bool { return !c.ByUse })
	switch {
	case !b.complete() && len(b.components) > 0:
		return cost.StatusPartial
	case !b.complete() && b.noPrice:
		return cost.StatusNoPrice
	case !b.complete():
		return cost.StatusUnknown
	case fixed, len(b.usage) == 0 && len(b.components) == 0:
		return cost.StatusPriced
	}
	return cost.StatusUsage
}
