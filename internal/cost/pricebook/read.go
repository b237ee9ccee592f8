package pricebook

import (
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/shopspring/decimal"
)

// magic opens every book; the digit is the version of the format.
const magic = "TIDEPRICES1\n"

// maxSheet bounds what one sheet may unpack to, in bytes: a book is data, and
// a damaged one must not eat the memory.
const maxSheet = 16 << 20

// Source says where prices come from.
type Source struct {
	Name string `json:"name"`
	AsOf string `json:"as_of"` // the day (2006-01-02) or month (2006-01) the prices were read from the vendor
}

// Key names a price.
type Key struct {
	Cloud   string // aws, azure, gcp
	Service string
	Region  string // as the cloud writes it; Global for prices that have none
	SKU     string
}

// Global is the region of prices that the vendor sets once for all regions.
const Global = "global"

// Price is one list price.
type Price struct {
	Amount decimal.Decimal // per unit, in the book's currency; positive
	Unit   string          // hour, GB-month, month, …
	Source Source
	// Currency is that of the amount where it is not the book's; "" where it is.
	Currency string
}

// Sheet describes one sheet of a book.
type Sheet struct {
	Cloud, Service, Region string
	Prices                 int
	Source                 Source
}

// sheet is a sheet as it stands in the index.
type sheet struct {
	Cloud   string `json:"c"`
	Service string `json:"s"`
	Region  string `json:"r"`
	Unit    string `json:"u"`
	Source  int    `json:"f"`
	Prices  int    `json:"n"`
	Offset  int    `json:"o"` // into the body
	Length  int    `json:"l"` // packed

	once  sync.Once
	lines string
	err   error
}

type index struct {
	Currency string   `json:"currency"`
	Sources  []Source `json:"sources"`
	Sheets   []*sheet `json:"sheets"`
}

type sheetKey struct{ cloud, service, region string }

// Book is an opened book. It is safe for concurrent use.
type Book struct {
	idx  index
	body string
	by   map[sheetKey][]*sheet
}

// Open reads the index of a book that is held in data, which must not change
// afterwards; it unpacks no price.
func Open(data string) (*Book, error) {
	rest, ok := strings.CutPrefix(data, magic)
	if !ok {
		return nil, fmt.Errorf("open price book: not a price book of version 1")
	}
	if len(rest) < 4 {
		return nil, fmt.Errorf("open price book: cut short")
	}
	n := int(binary.BigEndian.Uint32([]byte(rest[:4])))
	rest = rest[4:]
	if n > len(rest) {
		return nil, fmt.Errorf("open price book: cut short: index of %d bytes, %d left", n, len(rest))
	}
	text, err := unpack(rest[:n])
	if err != nil {
		return nil, fmt.Errorf("open price book: index: %w", err)
	}
	b := &Book{body: rest[n:]}
	if err := json.Unmarshal([]byte(text), &b.idx); err != nil {
		return nil, fmt.Errorf("open price book: index: %w", err)
	}
	b.by = make(map[sheetKey][]*sheet, len(b.idx.Sheets))
	for _, s := range b.idx.Sheets {
		if s.Offset < 0 || s.Length < 0 || s.Offset > len(b.body)-s.Length || s.Source < 0 || s.Source >= len(b.idx.Sources) {
			return nil, fmt.Errorf("open price book: sheet %s/%s/%s lies outside the book", s.Cloud, s.Service, s.Region)
		}
		k := sheetKey{s.Cloud, s.Service, s.Region}
		b.by[k] = append(b.by[k], s)
	}
	return b, nil
}

// Currency returns the currency of all prices in the book, "USD".
func (b *Book) Currency() string { return b.idx.Currency }

// Sheets describes every sheet, in the book's order, without unpacking any.
func (b *Book) Sheets() []Sheet {
	out := make([]Sheet, len(b.idx.Sheets))
	for i, s := range b.idx.Sheets {
		out[i] = Sheet{s.Cloud, s.Service, s.Region, s.Prices, b.idx.Sources[s.Source]}
	}
	return out
}

// Has reports whether the book holds any price of the service in the region.
func (b *Book) Has(cloud, service, region string) bool {
	return len(b.by[sheetKey{cloud, service, region}]) > 0
}

// Lookup returns the price with exactly that key. It returns false where the
// book has none, and an error only for a damaged book.
func (b *Book) Lookup(k Key) (Price, bool, error) {
	for _, s := range b.by[sheetKey{k.Cloud, k.Service, k.Region}] {
		s.once.Do(func() { s.lines, s.err = unpack(b.body[s.Offset : s.Offset+s.Length]) })
		if s.err != nil {
			return Price{}, false, fmt.Errorf("price sheet %s/%s/%s: %w", s.Cloud, s.Service, s.Region, s.err)
		}
		amount, unit, ok := find(s.lines, k.SKU)
		if !ok {
			continue
		}
		d, err := decimal.NewFromString(amount)
		if err != nil {
			return Price{}, false, fmt.Errorf("price sheet %s/%s/%s: price of %q: %w", s.Cloud, s.Service, s.Region, k.SKU, err)
		}
		if unit == "" {
			unit = s.Unit
		}
		return Price{Amount: d, Unit: unit, Source: b.idx.Sources[s.Source]}, true, nil
	}
	return Price{}, false, nil
}

// find searches sorted lines of "sku TAB price [TAB unit] NEWLINE" by halving
// the text, not the list of lines: there is no list.
func find(lines, sku string) (amount, unit string, ok bool) {
	lo, hi := 0, len(lines) // lo stands at the start of a line, hi after the end of one
	for lo < hi {
		mid := lo + (hi-lo)/2
		start := lo + strings.LastIndexByte(lines[lo:mid], '\n') + 1
		end := start + strings.IndexByte(lines[start:], '\n')
		if end < start { // a damaged sheet; a whole one ends with a line end
			end = len(lines)
		}
		name, rest, _ := strings.Cut(lines[start:end], "\t")
		switch {
		case name == sku:
			amount, unit, _ = strings.Cut(rest, "\t")
			return amount, unit, true
		case name < sku:
			lo = end + 1
		default:
			hi = start
		}
	}
	return "", "", false
}

func unpack(packed string) (string, error) {
	r := flate.NewReader(strings.NewReader(packed))
	defer r.Close()
	var sb strings.Builder
	n, err := io.Copy(&sb, io.LimitReader(r, maxSheet+1))
	if err != nil {
		return "", err
	}
	if n > maxSheet {
		return "", fmt.Errorf("unpacks to more than %d MB", maxSheet>>20)
	}
	return sb.String(), nil
}
