package prices

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost/pricebook"
	"github.com/tidelock/tidelock/internal/db"
)

// Overlay is what was imported at one moment, for cost.Catalog's With. It is
// held packed, and answers from memory.
type Overlay struct {
	book    *pricebook.Book
	natives map[string]*pricebook.Book // by currency
}

// Lookup returns the imported price with exactly that key.
func (o *Overlay) Lookup(k pricebook.Key) (pricebook.Price, bool, error) { return o.book.Lookup(k) }

// LookupIn returns the imported price that the vendor sets in a currency.
func (o *Overlay) LookupIn(currency string, k pricebook.Key) (pricebook.Price, bool, error) {
	book := o.natives[currency]
	if book == nil {
		return pricebook.Price{}, false, nil
	}
	return book.Lookup(k)
}

// Natives describes what was imported in other currencies, by currency.
func (o *Overlay) Natives() map[string][]pricebook.Sheet {
	out := map[string][]pricebook.Sheet{}
	for currency, book := range o.natives {
		out[currency] = book.Sheets()
	}
	return out
}

// Sheets describes what was imported, as cost.Catalog's Sheets does what is
// embedded.
func (o *Overlay) Sheets() []pricebook.Sheet { return o.book.Sheets() }

var listNames = map[string]string{AWS: "AWS price list, imported", Azure: "Azure retail prices, imported", GCP: "Google Cloud price list, imported"}

// Overlay reads all imported prices as of one moment.
func (s *Store) Overlay(ctx context.Context) (*Overlay, error) {
	over := &Overlay{natives: map[string]*pricebook.Book{}}
	err := s.db.Read(ctx, func(q db.Querier) error {
		of, err := ages(ctx, q)
		if err != nil {
			return err
		}
		if over.book, err = bookOf(ctx, q, dollars, of); err != nil {
			return err
		}
		for p := range of {
			if p.currency == dollars || over.natives[p.currency] != nil {
				continue
			}
			if over.natives[p.currency], err = bookOf(ctx, q, p.currency, of); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read imported prices: %w", err)
	}
	return over, nil
}

// bookOf packs the imported prices in one currency.
func bookOf(ctx context.Context, q db.Querier, currency string, of map[partAge]string) (*pricebook.Book, error) {
	sources := map[partAge]pricebook.Source{}
	var all []pricebook.Source
	for p, day := range of {
		if p.currency != currency {
			continue
		}
		from := pricebook.Source{Name: cmp.Or(listNames[p.cloud], p.cloud), AsOf: day}
		sources[p] = from
		if !slices.Contains(all, from) {
			all = append(all, from)
		}
	}
	// The newer first, as in the catalogue; the same ones in the same order.
	slices.SortFunc(all, func(a, b pricebook.Source) int {
		return cmp.Or(strings.Compare(b.AsOf, a.AsOf), strings.Compare(a.Name, b.Name))
	})
	w := pricebook.NewWriter(currency, all...)
	from, args := Part{Currency: currency}.within("1 = 1")
	rows, err := q.QueryContext(ctx, `SELECT cloud, offer, service, region, sku, amount, unit FROM `+from, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var k pricebook.Key
		var offer, amount, unit string
		if err := rows.Scan(&k.Cloud, &offer, &k.Service, &k.Region, &k.SKU, &amount, &unit); err != nil {
			return nil, err
		}
		d, err := decimal.NewFromString(amount)
		if err != nil {
			return nil, fmt.Errorf("price of %+v: %w", k, err)
		}
		if err := w.Add(k, d, unit, sources[partAge{currency, k.Cloud, offer, k.Region}]); err != nil {
			return nil, err
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	if _, err := w.WriteTo(&packed); err != nil {
		return nil, err
	}
	return pricebook.Open(packed.String())
}
