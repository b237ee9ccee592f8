package pricebook

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/shopspring/decimal"
)

// Writer collects prices and writes them as a book. The same prices from the
// same sources give the same bytes, in whatever order they were added.
type Writer struct {
	currency string
	sources  []Source
	sheets   map[writeKey]map[string]line
	count    int
}

type writeKey struct {
	sheetKey
	source int
}

type line struct{ amount, unit string }

// NewWriter returns a writer of a book in the currency, "USD", with prices
// from the sources. Where several have the same price, the one that stands
// first is found.
func NewWriter(currency string, sources ...Source) *Writer {
	return &Writer{currency: currency, sources: sources, sheets: map[writeKey]map[string]line{}}
}

// Len returns how many prices were added.
func (w *Writer) Len() int { return w.count }

// Add adds a price. The same key may be added from several sources. It refuses
// prices that are not positive, two prices for one key from one source, a
// source that NewWriter was not told of, and names with tabs or line ends in
// them.
func (w *Writer) Add(k Key, amount decimal.Decimal, unit string, from Source) error {
	if k.Cloud == "" || k.Service == "" || k.Region == "" || k.SKU == "" || unit == "" || from.Name == "" || from.AsOf == "" {
		return fmt.Errorf("add price %+v per %q from %+v: something is empty", k, unit, from)
	}
	if strings.ContainsAny(k.SKU+unit, "\t\n") {
		return fmt.Errorf("add price %+v: tab or line end in a name", k)
	}
	if !amount.IsPositive() {
		return fmt.Errorf("add price %+v: %s is not a price", k, amount)
	}
	src := -1
	for i, s := range w.sources {
		if s == from {
			src = i
		}
	}
	if src < 0 {
		return fmt.Errorf("add price %+v: unknown source %+v", k, from)
	}
	wk := writeKey{sheetKey{k.Cloud, k.Service, k.Region}, src}
	if w.sheets[wk] == nil {
		w.sheets[wk] = map[string]line{}
	}
	if old, ok := w.sheets[wk][k.SKU]; ok {
		if old == (line{amount.String(), unit}) {
			return nil
		}
		return fmt.Errorf("add price %+v: %s per %s, but it was %s per %s before", k, amount, unit, old.amount, old.unit)
	}
	w.sheets[wk][k.SKU] = line{amount.String(), unit}
	w.count++
	return nil
}

// WriteTo writes the book.
func (w *Writer) WriteTo(out io.Writer) (int64, error) {
	keys := make([]writeKey, 0, len(w.sheets))
	for k := range w.sheets {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool {
		a, b := keys[i], keys[j]
		if a.cloud != b.cloud {
			return a.cloud < b.cloud
		}
		if a.service != b.service {
			return a.service < b.service
		}
		if a.region != b.region {
			return a.region < b.region
		}
		return a.source < b.source
	})
	idx := index{Currency: w.currency, Sources: w.sources}
	var body bytes.Buffer
	for _, k := range keys {
		unit, text := w.text(k)
		packed, err := pack(text)
		if err != nil {
			return 0, err
		}
		idx.Sheets = append(idx.Sheets, &sheet{
			Cloud: k.cloud, Service: k.service, Region: k.region, Unit: unit, Source: k.source,
			Prices: len(w.sheets[k]), Offset: body.Len(), Length: len(packed),
		})
		body.Write(packed)
	}
	text, err := json.Marshal(idx)
	if err != nil {
		return 0, err
	}
	head, err := pack(string(text))
	if err != nil {
		return 0, err
	}
	var b bytes.Buffer
	b.WriteString(magic)
	_ = binary.Write(&b, binary.BigEndian, uint32(len(head))) // a bytes.Buffer takes everything
	b.Write(head)
	b.Write(body.Bytes())
	return b.WriteTo(out)
}

// text returns the sheet's commonest unit, which its lines leave out, and its
// lines.
func (w *Writer) text(k writeKey) (unit, text string) {
	units := map[string]int{}
	skus := make([]string, 0, len(w.sheets[k]))
	for sku, l := range w.sheets[k] {
		units[l.unit]++
		skus = append(skus, sku)
	}
	for u, n := range units {
		if n > units[unit] || n == units[unit] && u < unit {
			unit = u
		}
	}
	sort.Strings(skus)
	var sb strings.Builder
	for _, sku := range skus {
		l := w.sheets[k][sku]
		sb.WriteString(sku + "\t" + l.amount)
		if l.unit != unit {
			sb.WriteString("\t" + l.unit)
		}
		sb.WriteByte('\n')
	}
	return unit, sb.String()
}

func pack(text string) ([]byte, error) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(w, text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
