package prices

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost/pricebook"
)

// The clouds, as the catalogue writes them.
const (
	AWS   = "aws"
	Azure = "azure"
	GCP   = "gcp"
)

// maxTaken bounds how many prices one import may take: some ten times as many
// as a cloud's largest list has.
const maxTaken = 2_000_000

// Price is a list price, in its part's currency.
type Price struct {
	Key    pricebook.Key
	Amount decimal.Decimal // positive
	Unit   string
}

// Part is what is stored at once: the prices of one vendor's service in one
// region.
type Part struct {
	Cloud  string
	Offer  string // the vendor's name of the service: AmazonEC2, Virtual Machines, Compute Engine
	Region string
	// Whole says that the list has all of the part, so that what it lacks is
	// no longer sold. An answer to a narrow question is not whole.
	Whole bool
	// Currency is that of the prices; "" is USD.
	Currency string
	Prices   []Price // by key
}

// dollars is the currency of the catalogue, and of most price lists.
const dollars = "USD"

func (p Part) currency() string { return cmp.Or(p.Currency, dollars) }

// native reports whether the prices are kept apart from those in dollars.
func (p Part) native() bool { return p.currency() != dollars }

// within returns the table that the part's prices are in, with a condition on
// them and on the currency.
func (p Part) within(condition string, args ...any) (string, []any) {
	if !p.native() {
		return "prices WHERE " + condition, args
	}
	return fmt.Sprintf("prices_native WHERE %s AND currency = $%d", condition, len(args)+1), append(args, p.Currency)
}

// Told counts what was not taken, by why and family.
type Told struct {
	Why    string `json:"why"`    // dedicated, reserved, spot, …
	Family string `json:"family"` // as the vendor calls it
	Count  int    `json:"count"`
}

// Reasons for not taking a price.
const (
	whyReserved  = "reserved"
	whySpot      = "spot"
	whySavings   = "savings plan"
	whyDevTest   = "development and test"
	whyDedicated = "dedicated tenancy"
	whyIdle      = "capacity reservation"
	whySoftware  = "with further software or an own licence"
	whyZero      = "no price"
	whyCurrency  = "another currency"
	whyUnit      = "another unit"
	whyTier      = "price of a further tier"
	whyRegion    = "unknown region"
	whyDoubt     = "two prices for one thing"
	whyFuture    = "not in force yet"
	whyPart      = "only a part of its price is listed"
	whyUnmapped  = "no place in the catalogue"
	whyFiltered  = "not asked for"
)

// Result is what a list held.
type Result struct {
	Cloud string
	AsOf  string // the day the list gives itself; "" where it has none
	Seen  int    // prices that the list has
	Taken int
	Parts []Part // by offer and region
	Told  []Told // the most frequent first
}

// sink collects what a reader takes from a list.
type sink struct {
	cloud  string
	money  string                          // the currency of the prices that are taken
	wanted func(offer, region string) bool // nil: all
	whole  bool
	asOf   string
	seen   int
	taken  int
	parts  map[partKey]map[pricebook.Key]*held
	told   map[Told]int // Count is 0 in keys
	tick   func(seen, taken int)
}

type partKey struct{ offer, region string }

type held struct {
	amount decimal.Decimal
	unit   string
	since  string // from when it holds; the later one counts
	doubt  bool
	family string
}

func newSink(cloud string, o Options) *sink {
	return &sink{cloud: cloud, money: cmp.Or(o.Currency, dollars), wanted: o.wanted, whole: true, parts: map[partKey]map[pricebook.Key]*held{}, told: map[Told]int{}, tick: o.tick}
}

// see counts a price of the list.
func (s *sink) see() {
	if s.seen++; s.seen%20000 == 0 && s.tick != nil {
		s.tick(s.seen, s.taken)
	}
}

// leave counts a price that is not taken. Families are few; a list with more
// of them than any vendor has gets the rest counted together.
func (s *sink) leave(why, family string) {
	if family == "" {
		family = "without a family"
	}
	k := Told{Why: why, Family: clipped(family)}
	if _, ok := s.told[k]; !ok && len(s.told) >= 2000 {
		k.Family = "others"
	}
	s.told[k]++
}

// clipped is a family as it is kept, on its own bytes.
func clipped(family string) string {
	if len(family) <= 120 {
		return family
	}
	return strings.Clone(strings.ToValidUTF8(family[:120], ""))
}

// taking is a price that a reader has found the place of.
type taking struct {
	offer, family        string
	service, region, sku string
	amount, unit         string // as the list writes the amount
	factor               decimal.Decimal
	since                string
}

// take adds a price. It fails only where the list goes beyond its bounds or
// has an amount that is no number.
func (s *sink) take(t taking) error {
	if s.wanted != nil && !s.wanted(t.offer, t.region) {
		s.leave(whyFiltered, t.family)
		return nil
	}
	d, err := amount(t.amount)
	if err != nil {
		return err
	}
	if d.IsNegative() {
		return fmt.Errorf("the price %s of %s is negative", t.amount, t.sku)
	}
	if d.IsZero() {
		s.leave(whyZero, t.family)
		return nil
	}
	if !t.factor.IsZero() {
		d = d.Mul(t.factor)
	}
	if t.region == "" || len(t.region) > 64 || len(t.sku) > 256 || strings.ContainsAny(t.region+t.sku, "\t\n\r ") {
		s.leave(whyRegion, t.family)
		return nil
	}
	t.family = clipped(t.family)
	pk, k := partKey{t.offer, t.region}, pricebook.Key{Cloud: s.cloud, Service: t.service, Region: t.region, SKU: t.sku}
	if s.parts[pk] == nil {
		s.parts[pk] = map[pricebook.Key]*held{}
	}
	old := s.parts[pk][k]
	switch {
	case old == nil:
		if s.taken++; s.taken > maxTaken {
			return fmt.Errorf("it has more than %d prices", maxTaken)
		}
		s.parts[pk][k] = &held{amount: d, unit: t.unit, since: t.since, family: t.family}
	case old.since < t.since:
		*old = held{amount: d, unit: t.unit, since: t.since, family: t.family}
	case old.since == t.since && (!old.amount.Equal(d) || old.unit != t.unit):
		old.doubt = true
	}
	return nil
}

// amount reads a decimal of sensible size.
func amount(text string) (decimal.Decimal, error) {
	if len(text) > 60 {
		return decimal.Zero, fmt.Errorf("%.20s… is no price", text)
	}
	d, err := decimal.NewFromString(text)
	if err != nil || d.Exponent() < -40 || d.Exponent() > 15 || d.NumDigits() > 50 {
		return decimal.Zero, fmt.Errorf("%q is no price", text)
	}
	return d, nil
}

// result sorts what was taken.
func (s *sink) result() Result {
	r := Result{Cloud: s.cloud, AsOf: s.asOf, Seen: s.seen}
	for pk, prices := range s.parts {
		p := Part{Cloud: s.cloud, Offer: pk.offer, Region: pk.region, Whole: s.whole}
		if s.money != dollars {
			p.Currency = s.money
		}
		for k, h := range prices {
			if h.doubt {
				s.leave(whyDoubt, h.family)
				continue
			}
			p.Prices = append(p.Prices, Price{k, h.amount, h.unit})
		}
		if len(p.Prices) == 0 {
			continue
		}
		slices.SortFunc(p.Prices, func(a, b Price) int {
			return cmp.Or(strings.Compare(a.Key.Service, b.Key.Service), strings.Compare(a.Key.SKU, b.Key.SKU))
		})
		r.Taken += len(p.Prices)
		r.Parts = append(r.Parts, p)
	}
	slices.SortFunc(r.Parts, func(a, b Part) int {
		return cmp.Or(strings.Compare(a.Offer, b.Offer), strings.Compare(a.Region, b.Region))
	})
	for k, n := range s.told {
		k.Count = n
		r.Told = append(r.Told, k)
	}
	slices.SortFunc(r.Told, func(a, b Told) int {
		return cmp.Or(b.Count-a.Count, strings.Compare(a.Why, b.Why), strings.Compare(a.Family, b.Family))
	})
	return r
}
