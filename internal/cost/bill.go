package cost

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost/pricebook"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// estimation is one run over one plan.
type estimation struct {
	catalog  *Catalog
	cfg      *config
	hours    decimal.Decimal
	index    *changeIndex
	err      error // the catalogue is damaged
	from, to string
	sources  map[string]bool

	changes   []tfplan.Change
	all       *changeIndex                // of all types; made when it is first needed
	named     map[*module]map[string]bool // what a module's expressions refer to
	scaled    [2]map[*tfplan.Change]view  // autoscalers by their groups, before and after
	tasks     [2]map[*tfplan.Change]view  // the same of services of ECS
	addressed map[*module]map[string]bool // what a module's instances have as their address
	usage     *Usage
	sustained bool
	terms     terms
	readLines map[usagePlace]bool  // of the usage files, that something was priced by
	found     map[*usageEntry]bool // of the usage files, that the plan has a resource for
}

// use notes the date and source of every price of a bill that counts.
func (x *estimation) use(b *bill) {
	for i := range b.components {
		c := &b.components[i]
		x.terms.use(b.cloud, c)
		if x.from == "" || c.AsOf < x.from {
			x.from = c.AsOf
		}
		if c.AsOf > x.to {
			x.to = c.AsOf
		}
		x.sources[c.Source] = true
	}
}

// bill is one side of one resource, priced.
type bill struct {
	exists      bool
	cloud       string
	status      Status
	region      string
	components  []Component
	missing     []missing
	unknown     []string // attributes
	assumed     []string
	usage       []string
	unsupported bool
	sensitive   bool  // an attribute that was read is sensitive: show no detail
	joined      []any // values of other resources that the price depends on
	from        []*tfplan.Change
	values      string // what the price depends on, to compare sides that can't be priced
}

// missing is a component that the catalogue has no price for.
type missing struct {
	name, service, sku, region string
	quantity                   decimal.Decimal
}

// complete reports whether nothing of the side is left out. A side that does
// not exist is complete: it costs nothing.
func (b *bill) complete() bool {
	return !b.exists || b.status == StatusPriced || b.status == StatusFree || b.status == StatusUsage
}

func (b *bill) total() decimal.Decimal {
	var t decimal.Decimal
	for _, c := range b.components {
		t = t.Add(c.Monthly)
	}
	return t
}

// usedTotal is the part of the total that comes from the usage file.
func (b *bill) usedTotal() decimal.Decimal {
	var t decimal.Decimal
	for _, c := range b.components {
		if c.ByUse {
			t = t.Add(c.Monthly)
		}
	}
	return t
}

// shown is the total as a resource's entry has it: nil where the side exists
// and nothing of it is priced.
func (b *bill) shown() *decimal.Decimal {
	if !b.complete() && b.status != StatusPartial {
		return nil
	}
	t := b.total()
	return &t
}

// same reports whether two sides have the same values altogether, so that
// they cost the same whatever that is.
func (b *bill) same(o *bill) bool { return b.values != "" && b.values == o.values }

func (b *bill) note() string {
	var parts []string
	if b.unsupported {
		return "this type of resource isn't supported"
	}
	if len(b.unknown) > 0 {
		parts = append(parts, "not known before the apply: "+strings.Join(b.unknown, ", "))
	}
	for _, m := range b.missing {
		switch {
		case b.sensitive:
			return strings.Join(append(parts, "no price for a part of it"), "; ")
		case m.sku == "":
			parts = append(parts, "no price for "+m.name)
		case m.region == "":
			parts = append(parts, fmt.Sprintf("no price for %s (%s)", m.name, m.sku))
		default:
			parts = append(parts, fmt.Sprintf("no price for %s (%s) in %s", m.name, m.sku, m.region))
		}
	}
	return strings.Join(parts, "; ")
}

// settle gives the bill its status once the pricer has had its say.
func (b *bill) settle(priced, metered bool) {
	switch {
	case b.unsupported:
		b.status = StatusUnsupported
	case len(b.unknown)+len(b.missing) > 0 && len(b.components) > 0:
		b.status = StatusPartial
	case len(b.unknown) > 0:
		b.status = StatusUnknown
	case len(b.missing) > 0:
		b.status = StatusNoPrice
	case priced:
		b.status = StatusPriced
	case len(b.usage) > 0 || metered:
		b.status = StatusUsage
	default:
		b.status = StatusFree
	}
}

// price bills one side of a change.
func (x *estimation) price(ch *tfplan.Change, after bool) *bill {
	if ch.Action == tfplan.ActionForget {
		after = false // what is forgotten goes on existing, and costing
	}
	v := sideView(ch, after)
	if v.value == nil {
		return &bill{}
	}
	b := &bill{exists: true}
	s := &side{view: v, x: x, ch: ch, after: after, bill: b}
	v.side = s
	s.view = v
	b.cloud = s.cloud()
	kind := kindOf(ch.Type)
	if x.usage != nil {
		s.usage = x.usageOf(ch)
	}
	switch {
	case kind.price != nil:
		kind.price(s)
	case kind.meters != nil:
		s.meters(kind.meters...)
	case kind.usage != "":
		s.byUse(kind.usage)
	case kind.free:
	default:
		b.unsupported = true
	}
	if !b.unsupported {
		s.unpricedUsage()
	}
	b.settle(s.priced, s.metered)
	if !b.complete() {
		b.values = x.fingerprint(s)
	}
	return b
}

// fingerprint tells whether what can't be priced stays as it is. It is made
// for such sides alone, since it costs as much as the rest together.
func (x *estimation) fingerprint(s *side) string {
	if len(s.bill.joined) == 0 && !moves(s.ch.Action) {
		return "unchanged"
	}
	// What was decoded from JSON can be encoded again.
	text, err := json.Marshal([]any{s.value, s.after && tfplan.MaskCovers(s.ch.Unknown), s.bill.joined})
	if err != nil {
		return ""
	}
	return string(text)
}

// usageOf finds what the usage file says of a resource.
func (x *estimation) usageOf(ch *tfplan.Change) *usageEntry {
	for _, address := range []string{ch.Address, ch.PrevAddress} {
		if address == "" {
			continue
		}
		x.usage.find(address, x.found)
	}
	return x.usage.of(ch.Address, ch.Type)
}

// side is what a pricer works on: the values of one side of one resource, and
// the bill it writes.
type side struct {
	view
	x      *estimation
	ch     *tfplan.Change
	after  bool
	bill   *bill
	priced bool // something was priced, if only with a quantity of zero

	usage   *usageEntry     // what the usage file says of the resource; nil for nothing
	metered bool            // something was billed by it
	asked   map[string]bool // keys of it that were asked for
	pending []string        // assumed since the last component

	regionDone bool
}

// cloud is the catalogue's word for the resource's cloud.
func (s *side) cloud() string {
	switch {
	case strings.HasPrefix(s.ch.Type, "aws_"):
		return "aws"
	case strings.HasPrefix(s.ch.Type, "azurerm_"):
		return "azure"
	}
	return "gcp"
}

// region returns where the resource is, "" where that isn't known.
func (s *side) region() string {
	if !s.regionDone {
		s.regionDone = true
		s.bill.region = s.findRegion()
	}
	return s.bill.region
}

// charge bills n things of a SKU. What the catalogue counts by the hour or
// day is multiplied with the month; everything else is n units a month. A
// price that the catalogue lacks makes the bill incomplete.
func (s *side) charge(name, detail, service, sku string, n decimal.Decimal) {
	s.chargeHours(name, detail, service, sku, n, s.x.hours)
}

// chargeHours is charge for what does not run the whole month.
func (s *side) chargeHours(name, detail, service, sku string, n, hours decimal.Decimal) {
	s.chargeAs(name, detail, service, sku, n, func(p *pricebook.Price, n decimal.Decimal) decimal.Decimal {
		switch {
		case p.Unit == "hour" || strings.HasSuffix(p.Unit, "-hour"):
			return n.Mul(hours)
		case p.Unit == "day":
			return n.Mul(hours).Div(decimal.NewFromInt(24))
		}
		return n
	}, false)
}

// chargeAs looks a price up and bills as much of its unit as quantity makes of
// n.
func (s *side) chargeAs(name, detail, service, sku string, n decimal.Decimal, quantity func(*pricebook.Price, decimal.Decimal) decimal.Decimal, byUse bool) {
	if s.x.err != nil {
		return
	}
	cloud := s.cloud()
	region := s.region()
	p, ok, err := s.x.catalog.priceIn(s.x.terms.native(), cloud, service, region, sku)
	switch {
	case err != nil:
		s.x.err = err
	case ok:
		q := quantity(&p, n) // may change the price, by a documented factor
		s.add(name, detail, service, p, q, byUse)
	case n.IsZero():
		s.priced = s.priced || !byUse // none of it costs nothing, whatever one costs
	case region == "":
		s.notKnown("region")
	default:
		s.bill.missing = append(s.bill.missing, missing{name, service, sku, region, n})
	}
}

// add writes a line of the bill: q of the price's unit.
func (s *side) add(name, detail, service string, p pricebook.Price, q decimal.Decimal, byUse bool) {
	if !byUse {
		s.priced = true
	}
	if q.IsZero() {
		return
	}
	if s.bill.sensitive {
		detail = ""
	}
	c := Component{
		Name: name, Service: service, Detail: detail, Quantity: q, Unit: p.Unit, Price: p.Amount,
		Source: p.Source.Name, AsOf: p.Source.AsOf, ByUse: byUse, Assumed: s.pending,
	}
	s.x.terms.apply(&c, s.cloud(), service, p.Currency != "")
	c.Monthly = q.Mul(c.Price)
	s.bill.components = append(s.bill.components, c)
	s.pending = nil
}

// inRegion does what it is told to as if the resource were in another region:
// what a replica costs is what it costs there.
func (s *side) inRegion(region string, do func()) {
	home, done := s.bill.region, s.regionDone
	s.bill.region, s.regionDone = region, true
	do()
	s.bill.region, s.regionDone = home, done
}

// lacks notes a component that no catalogue of ours has.
func (s *side) lacks(name string) {
	s.bill.missing = append(s.bill.missing, missing{name: name, quantity: decimal.NewFromInt(1)})
}

// notKnown notes an attribute that pricing needs and the plan does not tell.
func (s *side) notKnown(attribute string) {
	for _, a := range s.bill.unknown {
		if a == attribute {
			return
		}
	}
	s.bill.unknown = append(s.bill.unknown, attribute)
}

// assume notes what was taken as given.
func (s *side) assume(what string) {
	if s.bill.sensitive {
		what = "a documented default" // the words may hold what was read
	}
	for _, a := range s.bill.assumed {
		if a == what {
			return
		}
	}
	s.bill.assumed = append(s.bill.assumed, what)
	s.pending = append(s.pending, what)
}

// byUse notes what is paid by use, beside or instead of a fixed cost.
func (s *side) byUse(what string) {
	for _, u := range s.bill.usage {
		if u == what {
			return
		}
	}
	s.bill.usage = append(s.bill.usage, what)
}

func one() decimal.Decimal            { return decimal.NewFromInt(1) }
func whole(n int) decimal.Decimal     { return decimal.NewFromInt(int64(n)) }
func figure(s string) decimal.Decimal { return decimal.RequireFromString(s) }
