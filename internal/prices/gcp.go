package prices

import (
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost/pricebook"
)

// googleSKU is one SKU of the Cloud Billing Catalog, as far as it decides
// where its price belongs.
type googleSKU struct {
	description                   string
	service, family, group, usage string
	regions                       []string
	unit, since                   string
	rates                         []googleRate
	prices                        int // how many times it has a price; the last one counts
}

type googleRate struct{ start, currency, units, nanos string }

// googleList collects what becomes a price only together.
type googleList struct {
	s     *sink
	parts map[googlePart]googleParts
}

type googlePart struct{ offer, family, region string }

// googleParts are the prices of a family's cores and memory; nil for those
// that the list lacks.
type googleParts struct{ core, memory *taking }

// read reads one page and returns the token of the next one, "" for the last.
func (g *googleList) read(r io.Reader, now time.Time) (next string, err error) {
	j := newJSONReader(r)
	return j.page("skus", "nextPageToken", "Google's Cloud Billing Catalog", func() error {
		sku, err := j.googleSKU()
		if err != nil {
			return err
		}
		g.s.see()
		if err := g.take(sku, now); err != nil {
			return j.bad("%v", err)
		}
		return nil
	})
}

func (j *jsonReader) googleSKU() (googleSKU, error) {
	var s googleSKU
	err := j.object(func(key string) error {
		var err error
		switch key {
		case "description":
			s.description, err = j.scalar()
		case "category":
			return j.fields(map[string]*string{"serviceDisplayName": &s.service, "resourceFamily": &s.family, "resourceGroup": &s.group, "usageType": &s.usage})
		case "serviceRegions":
			return j.array(func() error {
				region, err := j.scalar()
				if s.regions = append(s.regions, region); len(s.regions) > 1000 {
					return j.bad("more than 1000 regions of one SKU")
				}
				return err
			})
		case "pricingInfo":
			return j.array(func() error {
				s.prices++
				s.rates, s.since, s.unit = nil, "", ""
				return j.object(func(key string) error {
					var err error
					switch key {
					case "effectiveTime":
						s.since, err = j.scalar()
						return err
					case "pricingExpression":
						return j.googleExpression(&s)
					}
					return j.skip()
				})
			})
		default:
			return j.skip()
		}
		return err
	})
	return s, err
}

func (j *jsonReader) googleExpression(s *googleSKU) error {
	return j.object(func(key string) error {
		var err error
		switch key {
		case "usageUnit":
			s.unit, err = j.scalar()
			return err
		case "tieredRates":
			return j.array(func() error {
				var r googleRate
				err := j.object(func(key string) error {
					var err error
					switch key {
					case "startUsageAmount":
						r.start, err = j.scalar()
						return err
					case "unitPrice":
						return j.fields(map[string]*string{"currencyCode": &r.currency, "units": &r.units, "nanos": &r.nanos})
					}
					return j.skip()
				})
				if s.rates = append(s.rates, r); len(s.rates) > 100 {
					return j.bad("more than 100 tiers of one SKU")
				}
				return err
			})
		}
		return j.skip()
	})
}

// googleUnits turn Google's units into the catalogue's.
var googleUnits = map[string]string{
	"h": "hour", "mo": "month", "GiBy.mo": "GB-month", "GiBy.h": "GB-hour", "GiBy": "GB",
}

// take finds a SKU its place in each of its regions.
func (g *googleList) take(k googleSKU, now time.Time) error {
	family := k.family + "/" + k.group
	rule, groups := googlePlace(k)
	switch {
	case k.usage == "Preemptible":
		g.s.leave(whySpot, family)
		return nil
	case strings.HasPrefix(k.usage, "Commit"):
		g.s.leave(whyReserved, family)
		return nil
	case strings.Contains(k.description, "Sole Tenancy") || strings.Contains(k.description, "Sole-Tenant"):
		g.s.leave(whyDedicated, family)
		return nil
	case k.usage != "OnDemand" || rule == nil:
		g.s.leave(whyUnmapped, family)
		return nil
	case k.prices != 1 || len(k.rates) == 0:
		g.s.leave(whyDoubt, family)
		return nil
	}
	unit := googleUnits[k.unit]
	if unit == "" || unit != rule.unit {
		g.s.leave(whyUnit, family+" ("+k.unit+")")
		return nil
	}
	price := ""
	for _, r := range k.rates {
		if r.currency != "USD" {
			g.s.leave(whyCurrency, family)
			return nil
		}
		text, err := googleAmount(r)
		if err != nil {
			return err
		}
		switch {
		case price == "" || price == "0": // an allowance that is given to each account stands before the price
			price = text
		case text != price:
			g.s.leave(whyTier, family)
		}
	}
	if day(k.since) > now.UTC().Format(time.DateOnly) {
		g.s.leave(whyFuture, family)
		return nil
	}
	for _, region := range k.regions {
		if region = strings.ToLower(region); region == "global" {
			region = pricebook.Global
		}
		t := taking{offer: k.service, family: family, service: rule.service, region: region, sku: rule.place(groups), amount: price, unit: unit}
		if rule.shape == "" {
			if err := g.s.take(t); err != nil {
				return err
			}
			continue
		}
		if err := g.keep(rule.shape, rule.memory, t); err != nil {
			return err
		}
	}
	return nil
}

// googleAmount puts units and nanos together.
func googleAmount(r googleRate) (string, error) {
	if r.units == "" {
		r.units = "0"
	}
	if r.nanos == "" {
		r.nanos = "0"
	}
	units, err := amount(r.units)
	if err != nil {
		return "", err
	}
	nanos, err := amount(r.nanos)
	if err != nil {
		return "", err
	}
	return units.Add(nanos.Shift(-9)).String(), nil
}

// keep holds what an hour of a core or of memory costs, until the list is read.
func (g *googleList) keep(shape string, memory bool, t taking) error {
	k := googlePart{t.offer, shape, t.region}
	if len(g.parts) > 10000 {
		return errTooMany
	}
	have := g.parts[k]
	at := &have.core
	if memory {
		at = &have.memory
	}
	if *at != nil && (*at).amount != t.amount {
		(*at).amount = "" // two prices: neither counts
	} else if *at == nil {
		*at = &t
	}
	g.parts[k] = have
	return nil
}

// finish makes the prices of machines of those of their parts.
func (g *googleList) finish() error {
	for k, p := range g.parts {
		if p.core == nil || p.memory == nil {
			g.s.leave(whyPart, k.family+" machines")
			continue
		}
		if p.core.amount == "" || p.memory.amount == "" {
			g.s.leave(whyDoubt, k.family+" machines")
			continue
		}
		core, err := amount(p.core.amount)
		if err != nil {
			return err
		}
		memory, err := amount(p.memory.amount)
		if err != nil {
			return err
		}
		if !core.IsPositive() || !memory.IsPositive() {
			g.s.leave(whyZero, k.family+" machines")
			continue
		}
		for _, m := range googleShapes[k.family] {
			t := *p.core
			t.sku, t.unit = m.name, "hour"
			t.amount = m.cpus.Mul(core).Add(m.memory.Mul(memory)).String()
			if err := g.s.take(t); err != nil {
				return err
			}
		}
	}
	return nil
}

// googleRule finds SKUs by their description, which has no key of Google's own
// beside it. The pattern must fit wholly up to where it happens.
type googleRule struct {
	offer   string
	pattern string
	service string
	sku     string
	unit    string
	shape   string // of machines: the family whose cores or memory this is
	memory  bool
	match   *regexp.Regexp
}

// place fills the groups of the pattern in.
func (r *googleRule) place(groups []string) string {
	sku := r.sku
	for i, g := range groups {
		sku = strings.ReplaceAll(sku, "$"+string(rune('1'+i)), strings.ToLower(g))
	}
	return sku
}

func googlePlace(k googleSKU) (*googleRule, []string) {
	for i := range googleRules {
		r := &googleRules[i]
		if r.offer != k.service {
			continue
		}
		if m := r.match.FindStringSubmatch(k.description); m != nil {
			return r, m[1:]
		}
	}
	return nil, nil
}

type googleShape struct {
	name         string
	cpus, memory decimal.Decimal // memory in GB
}
