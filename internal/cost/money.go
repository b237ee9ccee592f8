package cost

import (
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// Money writes an amount with its currency, rounded to the currency's own
// digits, with thousands apart: "$1,234.50", "-$3.00", "EUR 12.00", "JPY 1,850".
// An amount that is not zero and would round to it is rounded up to a hundredth
// of the last digit, "$0.0001", so that something never reads as nothing.
func Money(amount decimal.Decimal, currency string) string {
	sign := ""
	if amount.IsNegative() {
		sign = "-"
	}
	return sign + unsigned(amount, currency)
}

// Signed is Money with a plus before what is not negative, save for exactly
// zero: "+$412.30", "-$3.00", "$0.00".
func Signed(amount decimal.Decimal, currency string) string {
	if amount.IsPositive() {
		return "+" + unsigned(amount, currency)
	}
	return Money(amount, currency)
}

func unsigned(amount decimal.Decimal, currency string) string {
	digits := Digits(currency)
	text := amount.Abs().StringFixed(digits)
	if !amount.IsZero() && amount.Abs().Round(digits).IsZero() {
		text = amount.Abs().RoundUp(digits + 2).StringFixed(digits + 2)
	}
	units, cents, pointed := strings.Cut(text, ".")
	var b strings.Builder
	if currency == "USD" {
		b.WriteByte('$')
	} else {
		b.WriteString(currency + " ")
	}
	for i, c := range units {
		if i > 0 && (len(units)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	if !pointed {
		return b.String()
	}
	return b.String() + "." + cents
}

// Percent returns the change in percent of what the project cost before, to
// the nearest whole. There is none when it cost nothing before, when the amount
// before or the change is not known wholly, or when a change would round to none.
func (e Estimate) Percent() (int64, bool) {
	if !e.Before.IsPositive() || e.AtLeast || e.Bound != BoundExact {
		return 0, false
	}
	p := e.Delta.Mul(decimal.NewFromInt(100)).DivRound(e.Before, 0)
	return p.IntPart(), !p.IsZero() || e.Delta.IsZero()
}

// Line says in one line what the change does to the month's bill:
// "+$412.30 a month, +18 %", "no change in cost", "at least +$70.08 a month",
// "no fixed cost", "cost not known". It holds no text from the plan.
func (e Estimate) Line() string {
	if e.Delta.IsZero() {
		switch {
		case e.Bound == BoundExact && e.Counts.Priced+e.Counts.NotPriced == 0 && e.After.IsZero():
			if e.Counts.Usage > 0 {
				return "no fixed cost" // what is used costs, and nobody said how much
			}
			return "no cost"
		case e.Bound == BoundExact:
			return "no change in cost"
		}
		return "cost not known"
	}
	s := bounded(Signed(e.Delta, e.Currency)+" a month", e.Bound)
	if p, ok := e.Percent(); ok {
		return s + ", " + percent(p)
	}
	return s
}

// Difference writes a difference with how far it is known: "+$3.00", "at least
// +$3.00", and "not known" where nothing of it has a price.
func Difference(amount decimal.Decimal, bound Bound, currency string) string {
	if amount.IsZero() && bound != BoundExact && bound != "" {
		return "not known"
	}
	return bounded(Signed(amount, currency), bound)
}

// bounded says of a difference how it relates to the true one.
func bounded(text string, bound Bound) string {
	switch bound {
	case BoundAtLeast:
		return "at least " + text
	case BoundAtMost:
		return "at most " + text
	case BoundPartial:
		return text + ", as far as priced"
	}
	return text
}

// PercentOf writes a part of a whole in percent with its sign, to the nearest
// whole: "+18 %". The whole must not be zero.
func PercentOf(part, of decimal.Decimal) string {
	return percent(part.Mul(decimal.NewFromInt(100)).DivRound(of, 0).IntPart())
}

// percent writes a percentage with its sign; the space is a no-break one, as
// a line must not end between number and sign.
func percent(p int64) string {
	sign := ""
	if p >= 0 {
		sign = "+"
	}
	return sign + strconv.FormatInt(p, 10) + "\u00a0%"
}

// Header says how much of the plan the estimate covers:
// "priced 18 of 23; 3 free; 2 not priced".
func (e Estimate) Header() string {
	c := e.Counts
	parts := []string{"priced " + strconv.Itoa(c.Priced) + " of " + strconv.Itoa(c.Total)}
	for _, p := range []struct {
		n    int
		what string
	}{{c.Free, "free"}, {c.Usage, "by use"}, {c.NotPriced, "not priced"}} {
		if p.n > 0 {
			parts = append(parts, strconv.Itoa(p.n)+" "+p.what)
		}
	}
	return strings.Join(parts, "; ")
}

// Totals says what the project costs a month after the change, and before:
// "at least $1,234.50 a month, before $822.20".
func (e Estimate) Totals() string {
	s := Money(e.After, e.Currency) + " a month, before " + Money(e.Before, e.Currency)
	if e.AtLeast {
		return "at least " + s
	}
	return s
}
