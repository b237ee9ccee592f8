package cost

import (
	_ "embed"
	"maps"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/cost/pricebook"
)

// To make the catalogue again from collected price files (see gen):
//
//	PRICES=/path/to/folder go generate ./internal/cost
//
//go:generate go run ./gen -from $PRICES -out catalog.book

//go:embed catalog.book
var embedded string

// Catalog answers what a thing costs at list price. It is safe for concurrent
// use; unpacked sheets stay, so keep one for the process.
type Catalog struct {
	book *pricebook.Book
	over Overlay // nil for none
}

// Overlay holds prices in the catalogue's currency that go before the embedded
// ones, such as those that were imported. Lookup must answer from memory and be
// safe for concurrent use.
type Overlay interface {
	Lookup(k pricebook.Key) (pricebook.Price, bool, error)
}

// Moving is an overlay whose prices change while it is used. Now returns those
// of this moment: an estimate is made of one list from its first price to its
// last, or a change of prices would look like one of the plan.
type Moving interface {
	Overlay
	Now() Overlay
}

// still returns the catalogue as it is at this moment.
func (c *Catalog) still() *Catalog {
	if m, ok := c.over.(Moving); ok {
		return c.With(m.Now())
	}
	return c
}

// With returns the catalogue with prices that go before its own; the catalogue
// itself stays as it is. A second overlay takes the place of the first.
func (c *Catalog) With(over Overlay) *Catalog { return &Catalog{book: c.book, over: over} }

// Lookup returns the price with exactly that key, the overlay's where it has
// one.
func (c *Catalog) Lookup(k pricebook.Key) (pricebook.Price, bool, error) {
	if c.over != nil {
		if p, ok, err := c.over.Lookup(k); ok || err != nil {
			return p, ok, err
		}
	}
	return c.book.Lookup(k)
}

// NewCatalog opens the embedded catalogue. It reads the index alone, which
// takes some two milliseconds and a few hundred KB; prices are unpacked by
// region and service when they are first asked for.
func NewCatalog() (*Catalog, error) {
	b, err := pricebook.Open(embedded)
	if err != nil {
		return nil, err
	}
	return &Catalog{book: b}, nil
}

// Currency is the currency of all prices, "USD".
func (c *Catalog) Currency() string { return c.book.Currency() }

// Sheets says what the catalogue covers: one entry for each cloud, service,
// region and source, with the number of prices and their date.
func (c *Catalog) Sheets() []pricebook.Sheet { return c.book.Sheets() }

// price returns the list price of one SKU in one region, or the vendor's
// price for all regions where it sets just one. An unknown region ("") can
// have only the latter. It never falls back to another region.
func (c *Catalog) price(cloud, service, region, sku string) (pricebook.Price, bool, error) {
	return c.priceIn("", cloud, service, region, sku)
}

// lookupIn returns the price with exactly that key, the vendor's own in a
// currency where the overlay has one, and else that in dollars.
func (c *Catalog) lookupIn(currency string, k pricebook.Key) (pricebook.Price, bool, error) {
	if n, ok := c.over.(Native); ok && currency != "" {
		if p, ok, err := n.LookupIn(currency, k); ok || err != nil {
			p.Currency = currency
			return p, ok, err
		}
	}
	return c.Lookup(k)
}

// priceIn is price, with the vendor's own prices in a currency before those in
// dollars; "" asks for dollars.
func (c *Catalog) priceIn(currency, cloud, service, region, sku string) (pricebook.Price, bool, error) {
	if region != "" {
		p, ok, err := c.lookupIn(currency, pricebook.Key{Cloud: cloud, Service: service, Region: region, SKU: sku})
		if ok || err != nil {
			return p, ok, err
		}
	}
	if apart(cloud, region) {
		return pricebook.Price{}, false, nil
	}
	return c.lookupIn(currency, pricebook.Key{Cloud: cloud, Service: service, Region: pricebook.Global, SKU: sku})
}

// apart reports whether a region belongs to a part of the cloud with price
// lists of its own (China, governments), for which "all regions" does not
// hold.
func apart(cloud, region string) bool {
	switch cloud {
	case "aws":
		return strings.HasPrefix(region, "cn-") || strings.Contains(region, "-gov-") || strings.Contains(region, "-iso")
	case "azure":
		return strings.HasPrefix(region, "china") || strings.HasPrefix(region, "usgov") || strings.HasPrefix(region, "usdod")
	}
	return false
}

// Services are the catalogue's words for the services of a cloud, sorted.
func (c *Catalog) Services(cloud string) []string {
	seen := map[string]bool{}
	for _, s := range c.Sheets() {
		if s.Cloud == cloud {
			seen[s.Service] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}
