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
type Overlay struct{ book *pricebook.Book }

// Lookup returns the imported price with exactly that key.
func (o *Overlay) Lookup(k pricebook.Key) (pricebook.Price, bool, error) { return o.book.Lookup(k) }

// Sheets describes what was imported, as cost.Catalog's Sheets does what is
// embedded.
func (o *Overlay) Sheets() []pricebook.Sheet { return o.book.Sheets() }

var listNames = map[string]string{AWS: "AWS price list, imported", Azure: "Azure retail prices, imported", GCP: "Google Cloud price list, imported"}

// Overlay reads all imported prices as of one moment.
func (s *Store) Overlay(ctx context.Context) (*Overlay, error) {
	var book *pricebook.Book
	err := s.db.Read(ctx, func(q db.Querier) error {
		imports, err := history(ctx, q, latest)
		if err != nil {
			return err
		}
		sources := map[[3]string]pricebook.Source{}
		var all []pricebook.Source
		for _, i := range imports {
			from := pricebook.Source{Name: cmp.Or(listNames[i.Cloud], i.Cloud), AsOf: i.AsOf}
			sources[[3]string{i.Cloud, i.Offer, i.Region}] = from
			if !slices.Contains(all, from) {
				all = append(all, from)
			}
		}
		// The newer first, as in the catalogue; the same ones in the same order.
		slices.SortFunc(all, func(a, b pricebook.Source) int {
			return cmp.Or(strings.Compare(b.AsOf, a.AsOf), strings.Compare(a.Name, b.Name))
		})
		w := pricebook.NewWriter("USD", all...)
		rows, err := q.QueryContext(ctx, `SELECT cloud, offer, service, region, sku, amount, unit FROM prices`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var k pricebook.Key
			var offer, amount, unit string
			if err := rows.Scan(&k.Cloud, &offer, &k.Service, &k.Region, &k.SKU, &amount, &unit); err != nil {
				return err
			}
			d, err := decimal.NewFromString(amount)
			if err != nil {
				return fmt.Errorf("price of %+v: %w", k, err)
			}
			if err := w.Add(k, d, unit, sources[[3]string{k.Cloud, offer, k.Region}]); err != nil {
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		var packed bytes.Buffer
		if _, err := w.WriteTo(&packed); err != nil {
			return err
		}
		book, err = pricebook.Open(packed.String())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read imported prices: %w", err)
	}
	return &Overlay{book}, nil
}
