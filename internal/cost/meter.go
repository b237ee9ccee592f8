package cost

import (
	"sort"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost/pricebook"
)

// meter is something that is paid for as it is used: a key of the usage file,
// and what its amount is multiplied with.
type meter struct {
	key, name    string
	service, sku string
	tiers        []tier // instead of sku: prices that change with the amount
	hourly       bool   // the amount is of things that are there all month, and the price by the hour
}

// tier is a part of an amount that has a price of its own. upTo is where it
// ends, in the usage file's unit; "" for the last. A tier without an SKU is
// given away by the price list.
type tier struct{ upTo, sku string }

// meters bills what the usage file says, and notes what it does not.
func (s *side) meters(ms ...meter) {
	for _, m := range ms {
		q, ok := s.amount(m.key)
		if !ok {
			s.byUse(strings.ToLower(m.name[:1]) + m.name[1:])
			continue
		}
		s.used(m, q)
	}
}

// amount returns what the usage file says under a key.
func (s *side) amount(key string) (decimal.Decimal, bool) {
	if s.usage == nil {
		return decimal.Zero, false
	}
	v, ok := s.usage.values[key]
	if !ok {
		return decimal.Zero, false
	}
	s.read(key, v)
	return v.number, true
}

// read notes that a value of the usage file was asked for.
func (s *side) read(key string, v usageValue) {
	s.x.readLines[v.usagePlace] = true
	for o := v.over; o != nil; o = o.over {
		s.x.readLines[o.usagePlace] = true // what it says would have been priced too
	}
	if s.asked == nil {
		s.asked = map[string]bool{}
	}
	s.asked[key] = true
}

// usageHelpers are keys that cost nothing by themselves: they say how other
// amounts are counted.
var usageHelpers = map[string]bool{
	"vcpu_count": true, "request_size_kb": true, "message_size_kb": true, "memory_mb": true, "request_duration_ms": true,
	"execution_duration_ms": true, "workflow_duration_ms": true, "average_request_duration_ms": true, "concurrent_requests_per_instance": true,
	"sms_notification_price": true, "instances": true, "nodes": true, "monthly_hrs": true, "parameter_storage_hrs": true,
	"max_request_units_utilization_percentage": true,
}

// unpricedUsage notes what the usage file expects of the resource and nothing
// was priced by: it may cost, and nobody knows how much.
func (s *side) unpricedUsage() {
	if s.usage == nil {
		return
	}
	var keys []string
	for key, v := range s.usage.values {
		last := key[strings.LastIndexByte(key, '.')+1:]
		if !s.asked[key] && v.number.IsPositive() && !usageHelpers[last] {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	for _, key := range keys {
		s.bill.missing = append(s.bill.missing, missing{key, "usage", "by use", s.bill.region, s.usage.values[key].number})
	}
}

// word returns what the usage file says under a key that takes a word.
func (s *side) word(key string) string {
	if s.usage == nil {
		return ""
	}
	v, ok := s.usage.values[key]
	if !ok {
		return ""
	}
	s.read(key, v)
	return strings.ToLower(v.text)
}

// used bills an amount of a meter, in its own unit a month.
func (s *side) used(m meter, q decimal.Decimal) {
	s.metered = true
	if len(m.tiers) == 0 {
		s.chargeUse(m, m.sku, q)
		return
	}
	from := decimal.Zero
	for _, t := range m.tiers {
		part := q.Sub(from)
		if t.upTo != "" {
			end := figure(t.upTo)
			part = decimal.Min(q, end).Sub(from)
			from = end
		}
		if !part.IsPositive() {
			return
		}
		if t.sku != "" {
			s.chargeUse(m, t.sku, part)
		}
	}
}

// chargeUse bills an amount that is used in a month. Prices for a thousand or
// a million are for as many of the amount.
func (s *side) chargeUse(m meter, sku string, q decimal.Decimal) {
	if q.IsZero() {
		return
	}
	if m.hourly {
		q = q.Mul(s.x.hours)
	}
	s.chargeAs(m.name, "", m.service, sku, q, func(p *pricebook.Price, q decimal.Decimal) decimal.Decimal {
		return q.Div(manyOf(p.Unit))
	}, true)
}

// manyOf returns how many things a unit like "1M requests" has.
func manyOf(unit string) decimal.Decimal {
	number, _, ok := strings.Cut(unit, " ")
	if !ok {
		return one()
	}
	scale := int32(0)
	switch {
	case strings.HasSuffix(number, "k"):
		scale, number = 3, strings.TrimSuffix(number, "k")
	case strings.HasSuffix(number, "M"):
		scale, number = 6, strings.TrimSuffix(number, "M")
	}
	d, err := decimal.NewFromString(number)
	if err != nil || !d.IsPositive() {
		return one()
	}
	return d.Shift(scale)
}

// chunks returns how many times each of n things is counted that is metered in
// pieces of a size, by the usage file's word on how large things are.
func (s *side) chunks(key string, size int, n decimal.Decimal) decimal.Decimal {
	if kb, ok := s.amount(key); ok && kb.IsPositive() {
		return n.Mul(kb.Div(whole(size)).Ceil())
	}
	return n
}

// count returns how many there are of something: what the usage file says, or
// else n.
func (s *side) count(key string, n decimal.Decimal, known bool) (decimal.Decimal, bool) {
	if q, ok := s.amount(key); ok {
		s.assume(q.String() + " " + key + ", as the usage file says")
		return q, true
	}
	return n, known
}

// runs returns how many hours a month something runs: all, unless the usage
// file says otherwise.
func (s *side) runs(key string) decimal.Decimal {
	if q, ok := s.amount(key); ok {
		s.assume(q.String() + " hours a month, as the usage file says")
		return q
	}
	return s.x.hours
}
