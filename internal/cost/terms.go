package cost

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost/pricebook"
)

// Discount is what is taken off list prices.
type Discount struct {
	Cloud string `json:"cloud,omitempty"` // "" for all
	// Service is the catalogue's word, or its beginning up to a hyphen: "ec2"
	// is ec2-linux and ec2-windows alike. "" is all of the cloud.
	Service string          `json:"service,omitempty"`
	Percent decimal.Decimal `json:"percent"` // 0 to 100
}

// Covers reports whether a discount is on a service.
func (d Discount) Covers(cloud, service string) bool {
	return (d.Cloud == "" || d.Cloud == cloud) && (d.Service == "" || d.Service == service || strings.HasPrefix(service, d.Service+"-"))
}

// Discounts are those of one client at one time.
type Discounts []Discount

// Of returns the percentage on a service: that of the discount that says most
// closely what it is on. They are not added up; zero where there is none.
func (all Discounts) Of(cloud, service string) decimal.Decimal {
	var found *Discount
	for i, d := range all {
		if d.Covers(cloud, service) && (found == nil || closer(d, *found)) {
			found = &all[i]
		}
	}
	if found == nil {
		return decimal.Zero
	}
	return found.Percent
}

// closer reports whether a says more closely than b what it is on.
func closer(a, b Discount) bool {
	if (a.Cloud == "") != (b.Cloud == "") {
		return a.Cloud != ""
	}
	return len(a.Service) > len(b.Service)
}

var hundred = decimal.NewFromInt(100)

// Less takes a percentage off an amount, exactly.
func Less(amount, percent decimal.Decimal) decimal.Decimal {
	return amount.Mul(hundred.Sub(percent)).Shift(-2)
}

// Exchange is how the catalogue's dollars are turned into another currency.
// The zero value leaves them.
type Exchange struct {
	Currency string          `json:"currency"` // ISO 4217
	Rate     decimal.Decimal `json:"rate"`     // what one dollar is worth
	Day      string          `json:"day"`      // that the rate is of
	Source   string          `json:"source,omitempty"`
}

// Text says what the rate is: "0.92 EUR/USD of 2026-11-20".
func (x Exchange) Text() string {
	return fmt.Sprintf("%s %s/USD of %s", x.Rate, x.Currency, x.Day)
}

// Native is an overlay that also has prices which the vendor itself sets in
// other currencies. Lookup has none of them.
type Native interface {
	LookupIn(currency string, k pricebook.Key) (pricebook.Price, bool, error)
}

// terms are what an estimation makes of list prices.
type terms struct {
	discounts Discounts
	exchange  Exchange
	percents  map[[2]string]decimal.Decimal // by cloud and service, as they were found
	applied   map[[2]string]bool            // where something was taken off
	converted bool                          // some price was turned into the currency
}

func newTerms(o Options) terms {
	return terms{discounts: o.Discounts, exchange: o.Exchange, percents: map[[2]string]decimal.Decimal{}, applied: map[[2]string]bool{}}
}

// native is the currency whose own prices go before dollars; "" for none.
func (t *terms) native() string { return t.exchange.Currency }

// apply turns the list price of a component into the estimate's currency, and
// takes the discount off. native says that it is in that currency already.
func (t *terms) apply(c *Component, cloud, service string, native bool) {
	if t.exchange.Currency != "" && !native {
		c.Price = c.Price.Mul(t.exchange.Rate)
	}
	c.Native = native
	if len(t.discounts) == 0 {
		return
	}
	k := [2]string{cloud, service}
	percent, ok := t.percents[k]
	if !ok {
		percent = t.discounts.Of(cloud, service)
		t.percents[k] = percent
	}
	if percent.IsZero() {
		return
	}
	list := c.Price
	c.List, c.Discount = &list, &percent
	c.Price = Less(list, percent)
}

// use notes that a component is part of the totals.
func (t *terms) use(cloud string, c *Component) {
	if c.Discount != nil {
		t.applied[[2]string{cloud, c.Service}] = true
	}
	t.converted = t.converted || !c.Native
}

// tell writes what was done to list prices into the estimate.
func (t *terms) tell(e *Estimate) {
	if t.exchange.Currency != "" {
		e.Currency = t.exchange.Currency
		if t.converted {
			x := t.exchange
			e.Exchange = &x
		}
	}
	for k := range t.applied {
		e.Discounts = append(e.Discounts, Discount{k[0], k[1], t.percents[k]})
	}
	slices.SortFunc(e.Discounts, compareDiscounts)
}

func compareDiscounts(a, b Discount) int {
	return cmp.Or(strings.Compare(a.Cloud, b.Cloud), strings.Compare(a.Service, b.Service), a.Percent.Cmp(b.Percent))
}

// maxTold is how many services a sentence names.
const maxTold = 4

// Terms says what was done to list prices, in one line without a dot at its
// end: "with discounts of 12 % on aws ec2-linux; at 0.92 EUR/USD of
// 2026-11-20". It is "" where they are as they are listed.
func (e Estimate) Terms() string {
	var parts []string
	if len(e.Discounts) > 0 {
		byPercent := map[string][]string{}
		var order []string
		for _, d := range e.Discounts {
			p := d.Percent.String()
			if byPercent[p] == nil {
				order = append(order, p)
			}
			byPercent[p] = append(byPercent[p], strings.TrimSpace(d.Cloud+" "+d.Service))
		}
		var told []string
		for _, p := range order {
			on := byPercent[p]
			if n := len(on) - maxTold; n > 0 {
				on = append(on[:maxTold:maxTold], fmt.Sprintf("%d more", n))
			}
			told = append(told, p+"\u00a0% on "+strings.Join(on, ", "))
		}
		parts = append(parts, "with discounts of "+strings.Join(told, ", "))
	}
	if e.Exchange != nil {
		parts = append(parts, "at "+e.Exchange.Text())
	}
	return strings.Join(parts, "; ")
}

// joinTerms makes the terms of a sum out of those of its parts.
func (e *Estimate) joinTerms(o Estimate) {
	all := append(slices.Clone(e.Discounts), o.Discounts...)
	slices.SortFunc(all, compareDiscounts)
	e.Discounts = slices.CompactFunc(all, func(a, b Discount) bool { return compareDiscounts(a, b) == 0 })
	if e.Exchange == nil {
		e.Exchange = o.Exchange
	}
	for _, n := range o.Notes {
		if !slices.Contains(e.Notes, n) {
			e.Notes = append(slices.Clip(e.Notes), n)
		}
	}
}

// Digits is how many digits after the point a currency's amounts have, by ISO
// 4217.
func Digits(currency string) int32 {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	}
	return 2
}

// Told is a text of what the options make of list prices: where it is the same,
// and the prices are, the same plan is priced in the same way.
func (o Options) Told() string {
	text, err := json.Marshal([]any{o.HoursPerMonth, o.SustainedUse, o.Discounts, o.Exchange, o.Usage.Digest(), o.Notes})
	if err != nil {
		panic(err) // numbers and words
	}
	return string(text)
}
