package cost

import (
	"slices"
	"sort"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/planner/tfplan"
)

// HoursPerMonth is how many hours a month has unless Options says otherwise:
// a year's hours by twelve, as the vendors reckon.
const HoursPerMonth = 730

// Options shape an estimate. The zero value is the usual one.
type Options struct {
	HoursPerMonth int    // 0 means 730
	Usage         *Usage // what resources are expected to be used; nil where nobody says
	// SustainedUse takes off what Google takes off by itself when a machine
	// runs the whole month, for the families that it does so for.
	SustainedUse bool
	// Discounts are taken off list prices, and Exchange turns them into another
	// currency; the catalogue's own are dollars.
	Discounts Discounts
	Exchange  Exchange
	// Notes are put on the estimate as they are: what somebody who reads it
	// should know of how it was made.
	Notes []string
	// Advise has the estimate say what the catalogue proves could cost less.
	Advise bool
}

// Status says what became of a resource.
type Status string

// The statuses. Priced, free and usage are answers; the others are reasons why
// there is none, or only a part of one.
const (
	StatusPriced      Status = "priced"
	StatusFree        Status = "free"        // costs nothing by itself
	StatusUsage       Status = "usage"       // costs by use alone: nothing fixed a month
	StatusPartial     Status = "partial"     // some components are priced, others not
	StatusNoPrice     Status = "no_price"    // the type is known, the catalogue lacks the price
	StatusUnknown     Status = "unknown"     // an input isn't known before the apply
	StatusUnsupported Status = "unsupported" // the estimator doesn't know the type
)

// Bound says how the true difference relates to Estimate.Delta.
type Bound string

// The bounds.
const (
	BoundExact   Bound = "exact"    // nothing that changes is left out
	BoundAtLeast Bound = "at_least" // what is left out can only add
	BoundAtMost  Bound = "at_most"  // what is left out can only save
	BoundPartial Bound = "partial"  // what is left out can do either
)

// Estimate is what a plan's resources cost a month, before and after.
// Its JSON form is stored with the run.
type Estimate struct {
	Currency string          `json:"currency"`
	Hours    int             `json:"hours_per_month"`
	Before   decimal.Decimal `json:"before"` // a month, of what is priced
	After    decimal.Decimal `json:"after"`
	Delta    decimal.Decimal `json:"delta"` // After - Before
	// AtLeast is set when Before and After leave something out: they are then
	// lower bounds. Bound says the same of Delta, which can be exact all the
	// same when nothing changes about what is left out.
	AtLeast bool   `json:"at_least"`
	Bound   Bound  `json:"bound"`
	Counts  Counts `json:"counts"`
	// ByUse is the part of Before, After and Delta that comes from Options.Usage;
	// what is left is the baseline, which stands whatever is used. Nil where no
	// usage was given.
	ByUse *Amounts `json:"by_use,omitempty"`
	// UsageUnread says, line by line, what the usage file tells of resources or
	// amounts that nothing was priced by.
	UsageUnread []string `json:"usage_unread,omitempty"`
	// Resources are in the order of their addresses. Free resources that do
	// not change are only counted.
	Resources []ResourceCost `json:"resources"`
	// AsOf is the date, or "from to to", of the prices that were really used;
	// "" when there was none.
	AsOf     string `json:"as_of,omitempty"`
	AsOfFrom string `json:"as_of_from,omitempty"`
	AsOfTo   string `json:"as_of_to,omitempty"`
	// Sources names where those prices come from, sorted.
	Sources []string `json:"sources,omitempty"`
	// Discounts are what was taken off list prices, by service, and Exchange is
	// the rate that they were turned into Currency by; nil where none was. Terms
	// says both in a line.
	Discounts Discounts `json:"discounts,omitempty"`
	Exchange  *Exchange `json:"exchange,omitempty"`
	// Advice is what the catalogue proves could cost less; asked for with
	// Options.Advise.
	Advice []Advice `json:"advice,omitempty"`
	// Notes are sentences about how the estimate was made: a usage file that
	// could not be read, a rate that is not known.
	Notes []string `json:"notes,omitempty"`
	// Failed says why there is no estimate, "" where there is one: see
	// Unestimated.
	Failed string `json:"failed,omitempty"`
}

// Amounts are a cost a month before and after, and the difference.
type Amounts struct {
	Before decimal.Decimal `json:"before"`
	After  decimal.Decimal `json:"after"`
	Delta  decimal.Decimal `json:"delta"`
}

// Baseline is what the totals are without what comes from the usage file: what
// stands on the bill whatever is used.
func (e Estimate) Baseline() Amounts {
	b := Amounts{e.Before, e.After, e.Delta}
	if e.ByUse != nil {
		b = Amounts{b.Before.Sub(e.ByUse.Before), b.After.Sub(e.ByUse.After), b.Delta.Sub(e.ByUse.Delta)}
	}
	return b
}

// Counts says how many resources became what. NotPriced are those with a
// status of partial, no_price, unknown or unsupported; the four others add up
// to Total.
type Counts struct {
	Priced    int `json:"priced"`
	Free      int `json:"free"`
	Usage     int `json:"usage"`
	NotPriced int `json:"not_priced"`
	Total     int `json:"total"`
	// What NotPriced is made of.
	Partial     int `json:"partial,omitempty"`
	NoPrice     int `json:"no_price,omitempty"`
	Unknown     int `json:"unknown,omitempty"`
	Unsupported int `json:"unsupported,omitempty"`
}

// ResourceCost is one resource of the plan.
type ResourceCost struct {
	Address string        `json:"address"`
	Type    string        `json:"type"`
	Action  tfplan.Action `json:"action"`
	Region  string        `json:"region,omitempty"`
	Status  Status        `json:"status"` // of the worse side
	// Before and After are the priced cost a month; nil where that side
	// exists and nothing of it is priced, zero where it does not exist or is
	// free. Delta is nil where it isn't known.
	Before *decimal.Decimal `json:"before"`
	After  *decimal.Decimal `json:"after"`
	Delta  *decimal.Decimal `json:"delta"`
	// Apart is set where both sides exist and can't be compared: neither is in
	// the totals.
	Apart bool `json:"apart,omitempty"`
	// Components make up After; of a resource that is deleted, Before. Was
	// makes up Before where that differs.
	Components []Component `json:"components,omitempty"`
	Was        []Component `json:"was,omitempty"`
	Assumed    []string    `json:"assumed,omitempty"` // what neither plan nor configuration said
	Usage      []string    `json:"usage,omitempty"`   // what is also paid, by use
	Note       string      `json:"note,omitempty"`    // why it isn't priced, or not wholly
}

// Component is one line of a resource's bill.
type Component struct {
	Name     string          `json:"name"`
	Service  string          `json:"service,omitempty"` // the catalogue's word for it, "ec2-linux"; see ServiceOf
	Detail   string          `json:"detail,omitempty"`  // "m5.large, Linux, on demand"; empty when it would show a sensitive value
	Quantity decimal.Decimal `json:"quantity"`          // in units, a month
	Unit     string          `json:"unit"`
	Price    decimal.Decimal `json:"price"`   // for one unit, in the estimate's currency, less the discount
	Monthly  decimal.Decimal `json:"monthly"` // Quantity × Price
	Source   string          `json:"source"`
	AsOf     string          `json:"as_of"`
	// List is the list price for one unit and Discount the percentage that was
	// taken off it to make Price; nil where there is no discount.
	List     *decimal.Decimal `json:"list,omitempty"`
	Discount *decimal.Decimal `json:"discount_percent,omitempty"`
	// Native is set where the vendor itself sets the price in the estimate's
	// currency, which is not the catalogue's: no rate is in it.
	Native bool `json:"native,omitempty"`
	// ByUse is set where the quantity comes from the usage file.
	ByUse bool `json:"by_use,omitempty"`
	// Assumed is what this line takes as given; the resource has it all.
	Assumed []string `json:"assumed,omitempty"`
}

// Estimate prices every managed resource of the plan. Data sources, reads and
// outputs cost nothing and are not counted. An error means that the plan's
// JSON (Raw) could not be read, or that the catalogue is damaged.
func (c *Catalog) Estimate(plan *tfplan.Plan, opts Options) (Estimate, error) {
	if opts.HoursPerMonth <= 0 {
		opts.HoursPerMonth = HoursPerMonth
	}
	cfg, err := readConfig(plan.Raw)
	if err != nil {
		return Estimate{}, err
	}
	changes := plan.Changes
	if opts.Advise {
		changes = slices.Clone(changes) // advising edits them
	}
	x := &estimation{
		catalog: c.still(), cfg: cfg, hours: decimal.NewFromInt(int64(opts.HoursPerMonth)),
		changes: changes, usage: opts.Usage, sustained: opts.SustainedUse, terms: newTerms(opts),
		index:   indexChanges(changes, func(c *tfplan.Change) bool { return joinable[c.Type] }),
		sources: map[string]bool{}, readLines: map[usagePlace]bool{}, found: map[*usageEntry]bool{},
	}
	e := Estimate{Currency: c.Currency(), Hours: opts.HoursPerMonth, Bound: BoundExact}
	e.Resources = make([]ResourceCost, 0, len(changes))
	var byUse Amounts
	adds, saves := false, false // whether what is left out can add, or save
	for i := range changes {
		ch := &changes[i]
		if ch.Mode != "managed" || ch.Action == tfplan.ActionRead {
			continue
		}
		before, after := x.price(ch, false), x.price(ch, true)
		if x.err != nil {
			return Estimate{}, x.err
		}
		r := combine(ch, before, after)
		e.Counts.add(r.Status)
		if r.Status == StatusFree && !moves(ch.Action) {
			continue
		}
		e.Resources = append(e.Resources, r)
		if !before.complete() || !after.complete() {
			e.AtLeast = true
		}
		if r.Delta == nil {
			switch {
			case !before.exists:
				adds = true
			case !after.exists:
				saves = true
			default: // both sides exist and can't be compared: left out altogether
				adds, saves = true, true
				e.Resources[len(e.Resources)-1].Apart = true
				continue
			}
		}
		e.Before = e.Before.Add(before.total())
		e.After = e.After.Add(after.total())
		byUse.Before = byUse.Before.Add(before.usedTotal())
		byUse.After = byUse.After.Add(after.usedTotal())
		x.use(before)
		x.use(after)
	}
	if len(e.Resources) == 0 {
		e.Resources = nil
	}
	e.Delta = e.After.Sub(e.Before)
	if opts.Usage != nil {
		byUse.Delta = byUse.After.Sub(byUse.Before)
		e.ByUse, e.UsageUnread = &byUse, opts.Usage.unread(x.readLines, x.found)
	}
	switch {
	case adds && saves:
		e.Bound = BoundPartial
	case adds:
		e.Bound = BoundAtLeast
	case saves:
		e.Bound = BoundAtMost
	}
	e.AsOfFrom, e.AsOfTo = x.from, x.to
	if e.AsOf = x.from; x.from != x.to {
		e.AsOf = x.from + " to " + x.to
	}
	for s := range x.sources {
		e.Sources = append(e.Sources, s)
	}
	sort.Strings(e.Sources)
	x.terms.tell(&e)
	e.Notes = opts.Notes
	if opts.Advise {
		if e.Advice, err = x.advise(); err != nil {
			return Estimate{}, err
		}
	}
	return e, nil
}

// moves reports whether an action can change what its object costs.
func moves(a tfplan.Action) bool {
	return a != tfplan.ActionNoop && a != tfplan.ActionMove && a != tfplan.ActionImport
}

func (c *Counts) add(s Status) {
	c.Total++
	switch s {
	case StatusPriced:
		c.Priced++
	case StatusFree:
		c.Free++
	case StatusUsage:
		c.Usage++
	default:
		c.NotPriced++
		switch s {
		case StatusPartial:
			c.Partial++
		case StatusNoPrice:
			c.NoPrice++
		case StatusUnknown:
			c.Unknown++
		case StatusUnsupported:
			c.Unsupported++
		}
	}
}

// combine makes one resource's entry from its two sides.
func combine(ch *tfplan.Change, before, after *bill) ResourceCost {
	r := ResourceCost{Address: ch.Address, Type: ch.Type, Action: ch.Action}
	last := after // the side that is shown
	if !after.exists {
		last = before
	}
	r.Region = last.region
	r.Status = worse(before, after)
	r.Before, r.After = before.shown(), after.shown()
	r.Components, r.Assumed, r.Usage = last.components, last.assumed, last.usage
	if after.exists && before.exists && !sameComponents(before.components, after.components) {
		r.Was = before.components
	}
	r.Note = last.note()
	if last == after && before.exists && before.note() != r.Note && !before.complete() {
		if r.Note != "" {
			r.Note += "; "
		}
		r.Note += "before: " + before.note()
	}
	if ch.Action == tfplan.ActionForget {
		r.Note = "no longer managed here; goes on costing the same"
	}
	if comparable(before, after) {
		d := after.total().Sub(before.total())
		r.Delta = &d
	}
	return r
}

// rank orders statuses from the best known to the least.
var rank = map[Status]int{
	StatusFree: 0, StatusUsage: 1, StatusPriced: 2, StatusPartial: 3, StatusNoPrice: 4, StatusUnknown: 5, StatusUnsupported: 6,
}

func worse(a, b *bill) Status {
	switch {
	case !a.exists:
		return b.status
	case !b.exists:
		return a.status
	case rank[a.status] > rank[b.status]:
		return a.status
	}
	return b.status
}

// comparable reports whether the difference between the sides is known: both
// are complete, or what is missing is the same on both and cancels.
func comparable(before, after *bill) bool {
	if before.complete() && after.complete() {
		return true
	}
	if !before.exists || !after.exists || before.status == StatusUnsupported && !before.same(after) {
		return false
	}
	if len(before.unknown) > 0 || len(after.unknown) > 0 || before.unsupported != after.unsupported || len(before.missing) != len(after.missing) {
		return before.same(after)
	}
	for i, m := range before.missing {
		n := after.missing[i]
		if m.sku == "" && !before.same(after) {
			return false // nothing says of how much there is no price
		}
		if m.name != n.name || m.service != n.service || m.sku != n.sku || m.region != n.region || !m.quantity.Equal(n.quantity) {
			return false
		}
	}
	return true
}

func sameComponents(a, b []Component) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Name != b[i].Name || a[i].Detail != b[i].Detail || !a[i].Quantity.Equal(b[i].Quantity) || !a[i].Price.Equal(b[i].Price) {
			return false
		}
	}
	return true
}
