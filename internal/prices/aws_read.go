package prices

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// What waits for its price is bounded: how many products, and how many bytes
// there are of each.
const (
	maxProducts = maxTaken
	maxProduct  = 1024
)

// readAWSJSON reads an offer file: its products, then what they cost. Only
// products that have a place in the catalogue are kept meanwhile.
func readAWSJSON(r io.Reader, s *sink, now time.Time) error {
	j := newJSONReader(r)
	offer, told, terms := "", false, false
	kept := map[string]place{}
	var p awsProduct
	attributes := p.attributes()
	err := j.object(func(key string) error {
		var err error
		switch key {
		case "offerCode":
			if offer, err = j.scalar(); err == nil && !offerName.MatchString(offer) {
				err = j.bad("%q is no name of an offer", short(offer))
			}
			return err
		case "publicationDate":
			text, err := j.scalar()
			s.asOf = day(text)
			return err
		case "products":
			if offer == "" {
				return j.bad("offerCode must come before products, as in AWS's own files")
			}
			told = true
			return j.object(func(sku string) error {
				p = awsProduct{}
				if err := j.object(func(key string) error {
					switch key {
					case "productFamily":
						var err error
						p.family, err = j.scalar()
						return err
					case "attributes":
						return j.fields(attributes)
					}
					return j.skip()
				}); err != nil {
					return err
				}
				s.see()
				to, why := awsPlace(offer, &p)
				if why != "" {
					s.leave(why, p.family)
					return nil
				}
				if n := len(sku) + len(to.family) + len(to.region) + len(to.service) + len(to.sku); n > maxProduct {
					return j.bad("the names of the product %q have %d bytes", short(sku), n)
				}
				if kept[sku] = to; len(kept) > maxProducts {
					return j.bad("more than %d products", maxProducts)
				}
				return nil
			})
		case "terms":
			if !told {
				return j.bad("products must come before terms, as in AWS's own files")
			}
			terms = true
			return j.object(func(kind string) error {
				if kind != "OnDemand" {
					return j.object(func(string) error {
						s.leave(whyReserved, kind)
						return j.skip()
					})
				}
				return j.object(func(sku string) error {
					to, ok := kept[sku]
					if !ok {
						return j.skip()
					}
					return j.object(func(string) error { return j.awsTerm(offer, to, s, now) })
				})
			})
		}
		return j.skip()
	})
	if err == nil {
		err = j.end()
	}
	switch {
	case err != nil:
		return err
	case !told || !terms:
		return j.bad("it has no products or no terms: this is no offer file of AWS's price list")
	}
	return nil
}

// awsTerm reads one offer of a product: its prices, one each tier.
func (j *jsonReader) awsTerm(offer string, to place, s *sink, now time.Time) error {
	since := ""
	var found []awsTerm
	err := j.object(func(key string) error {
		switch key {
		case "effectiveDate":
			var err error
			since, err = j.scalar()
			return err
		case "priceDimensions":
			return j.object(func(string) error {
				var t awsTerm
				err := j.object(func(key string) error {
					var err error
					switch key {
					case "unit":
						t.unit, err = j.scalar()
					case "beginRange":
						t.begin, err = j.scalar()
					case "pricePerUnit":
						return j.object(func(currency string) error {
							amount, err := j.scalar()
							if currency == "USD" {
								t.usd, t.inDollars = amount, true
							}
							return err
						})
					default:
						return j.skip()
					}
					return err
				})
				if found = append(found, t); len(found) > 1000 {
					return j.bad("more than 1000 prices of one product")
				}
				return err
			})
		}
		return j.skip()
	})
	if err != nil {
		return err
	}
	for _, t := range found {
		t.since = since
		if err := s.awsTake(offer, to, t, now); err != nil {
			return j.bad("%v", err)
		}
	}
	return nil
}

// lineGuard bounds how far a CSV reader may read for one row: a quote that is
// never closed would else take the whole file into memory.
type lineGuard struct {
	r    io.Reader
	left int
}

// maxRow is the length of a row of CSV, with what is read ahead.
const maxRow = 1 << 20

var errRow = fmt.Errorf("a row of more than %d bytes: perhaps a quote is not closed", maxRow)

func (g *lineGuard) Read(p []byte) (int, error) {
	if g.left <= 0 {
		return 0, errRow
	}
	n, err := g.r.Read(p[:min(len(p), g.left)])
	g.left -= n
	return n, err
}

// readAWSCSV reads an offer file's other shape: a few lines about the file, a
// head, and a row each price.
func readAWSCSV(r io.Reader, s *sink, now time.Time) error {
	guard := &lineGuard{r: r}
	c := csv.NewReader(guard)
	c.FieldsPerRecord, c.ReuseRecord = -1, true
	offer, rows := "", 0
	var p awsProduct
	var t awsTerm
	var kind, currency, relates string
	columns := p.columns()
	for name, to := range map[string]*string{
		"termtype": &kind, "startingrange": &t.begin, "unit": &t.unit, "priceperunit": &t.usd, "currency": &currency, "effectivedate": &t.since, "relatedto": &relates,
	} {
		columns[name] = to
	}
	var at []*string // by column; nil for those that nobody asks for
	for {
		guard.left = maxRow
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			var parse *csv.ParseError
			if errors.As(err, &parse) {
				return &syntaxError{Line: parse.Line, What: parse.Err.Error()}
			}
			if errors.Is(err, errRow) {
				return &syntaxError{Line: rows + 1, What: err.Error()}
			}
			return err
		}
		line, _ := c.FieldPos(0)
		rows = line
		if at == nil {
			switch {
			case len(row) == 2 && row[0] == "OfferCode":
				if offer = strings.Clone(row[1]); !offerName.MatchString(offer) {
					return &syntaxError{Line: line, What: fmt.Sprintf("%q is no name of an offer", short(offer))}
				}
			case len(row) == 2 && row[0] == "Publication Date":
				s.asOf = strings.Clone(day(row[1]))
			case len(row) > 2:
				for _, name := range row {
					at = append(at, columns[strings.ToLower(strings.TrimSpace(name))])
				}
				for _, need := range []*string{&kind, &t.usd, &t.unit, &currency, &p.family, &p.usage} {
					if !contains(at, need) {
						return &syntaxError{Line: line, What: "the head lacks one of TermType, PricePerUnit, Unit, Currency, Product Family and usageType: this is no offer file of AWS's price list"}
					}
				}
			}
			if at != nil && offer == "" {
				return &syntaxError{Line: line, What: "no line OfferCode stands above the head"}
			}
			continue
		}
		if len(row) != len(at) {
			return &syntaxError{Line: line, What: fmt.Sprintf("a row of %d columns under a head of %d", len(row), len(at))}
		}
		p, t = awsProduct{}, awsTerm{}
		for i, field := range row {
			if at[i] != nil {
				*at[i] = field
			}
		}
		s.see()
		if err := s.awsRow(offer, kind, currency, p, t, now); err != nil {
			return &syntaxError{Line: line, What: err.Error()}
		}
	}
	if at == nil {
		return &syntaxError{Line: max(rows, 1), What: "it has no head: this is no offer file of AWS's price list"}
	}
	return nil
}

// awsRow takes a row of CSV. The row's memory is used again for the next one,
// so what is kept is copied.
func (s *sink) awsRow(offer, kind, currency string, p awsProduct, t awsTerm, now time.Time) error {
	if kind != "OnDemand" {
		s.leave(whyReserved, strings.Clone(p.family))
		return nil
	}
	to, why := awsPlace(offer, &p)
	to.family = strings.Clone(to.family)
	if why != "" {
		s.leave(why, to.family)
		return nil
	}
	to.region, to.service, to.sku = strings.Clone(to.region), strings.Clone(to.service), strings.Clone(to.sku)
	t.inDollars, t.since = currency == "USD", strings.Clone(t.since)
	return s.awsTake(offer, to, t, now)
}

func contains(all []*string, one *string) bool {
	for _, p := range all {
		if p == one {
			return true
		}
	}
	return false
}
