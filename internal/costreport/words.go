package costreport

import (
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/budget"
	"github.com/tidelock/tidelock/internal/cost"
)

// none stands where there is nothing to tell; unknown where nobody knows.
const (
	none    = "–"
	unknown = "not known"
)

// figure writes an amount with how far it is known.
func figure(amount decimal.Decimal, currency string, known, atLeast bool) string {
	text := cost.Money(amount, currency)
	switch {
	case amount.IsZero() && (!known || atLeast):
		return unknown // "at least nothing" says nothing
	case !known:
		return "about " + text
	case atLeast:
		return "at least " + text
	}
	return text
}

// RateText is what it costs a month as of the month's end.
func (m Month) RateText() string { return figure(m.Rate, m.currency, m.Known, m.AtLeast) }

// CostText is what the month has cost.
func (m Month) CostText() string { return figure(m.Cost, m.currency, m.Known, m.AtLeast) }

// AppliedText, MergedText and OpenText are the differences of what was applied,
// of what is merged, and of what is open.
func (m Month) AppliedText() string {
	return delta(m.Applied, m.AppliedBound, m.AppliedCount, m.currency)
}

// MergedText is the difference of what is merged and not applied.
func (m Month) MergedText() string { return delta(m.Merged, m.MergedBound, m.MergedCount, m.currency) }

// OpenText is the difference of what is planned in open pull requests.
func (m Month) OpenText() string { return delta(m.Open, m.OpenBound, m.OpenCount, m.currency) }

func delta(amount decimal.Decimal, bound cost.Bound, count int, currency string) string {
	if count == 0 {
		return none
	}
	return cost.Difference(amount, bound, currency)
}

// BilledText is what the cloud billed, beside what was estimated.
func (m Month) BilledText() string {
	b := m.Billed
	if b == nil {
		return none
	}
	text := cost.Money(b.Amount, b.Currency)
	switch {
	case b.Beyond != nil && m.Cost.IsPositive():
		text += " (" + cost.PercentOf(*b.Beyond, m.Cost) + ")"
	case b.Covered.LessThan(decimal.NewFromInt(1)) && !b.Through.IsZero():
		text += " up to " + b.Through.UTC().Format("2 Jan")
	}
	return text
}

// Name is the month as people write it: "November 2026".
func (m Month) Name() string { return MonthName(m.Figures.Month) }

// MonthName writes a month as people do: "November 2026".
func MonthName(m budget.Month) string { return m.Start().Format("January 2006") }

// Period names the months of the report.
func (s Statement) Period() string {
	if s.From == s.To {
		return MonthName(s.To)
	}
	return MonthName(s.From) + " to " + MonthName(s.To)
}

// Stamp is when the report was made.
func (s Statement) Stamp() string { return s.AsOf.UTC().Format("2 January 2006 15:04 MST") }

// Several reports whether the report is of more than one month.
func (s Statement) Several() bool { return s.From != s.To }

// DeltaText is what the change does to the bill.
func (c Change) DeltaText() string {
	if c.Currency == "" {
		return unknown
	}
	return cost.Difference(c.Delta, c.Bound, c.Currency)
}

// AfterText is what the project costs with the change.
func (c Change) AfterText() string {
	if c.Currency == "" {
		return unknown
	}
	return cost.Money(c.After, c.Currency)
}

// StateText is how far the change is.
func (c Change) StateText() string {
	switch c.State {
	case budget.StatePlanned:
		return "open"
	case budget.StateMerged:
		return "merged, not applied"
	case budget.StateFailed:
		return "apply failed"
	}
	return string(c.State)
}

// Date is the day of the change.
func (c Change) Date() string { return c.At.UTC().Format(time.DateOnly) }

// UsedText is how much of the budget the rate uses.
func (b Budget) UsedText() string {
	if b.Used == nil {
		return none
	}
	return b.Used.String() + "\u00a0%"
}

// RateText, AmountText and ProjectedText are the budget's figures.
func (b Budget) RateText() string { return figure(b.Rate, b.Currency, b.Known, b.AtLeast) }

// AmountText is how much the budget is.
func (b Budget) AmountText() string { return cost.Money(b.Amount, b.Currency) }

// ProjectedText is what the month will cost.
func (b Budget) ProjectedText() string { return figure(b.Projected, b.Currency, b.Known, b.AtLeast) }

// MergedText is what is merged on top of the rate.
func (b Budget) MergedText() string {
	if b.MergedBound == "" {
		return none
	}
	return cost.Difference(b.Merged, b.MergedBound, b.Currency)
}

// Word says how the budget stands: "over", "past 80 %" or "within".
func (b Budget) Word() string {
	if b.Over {
		return "over"
	}
	if t := b.highest(); t != nil {
		return "past " + t.Name(b.Currency)
	}
	if !b.Known {
		return unknown
	}
	return "within"
}

// Tone is what the word's colour is: bad, warn, good or mute.
func (b Budget) Tone() string {
	switch {
	case b.Over:
		return "bad"
	case b.highest() != nil:
		return "warn"
	case !b.Known:
		return "mute"
	}
	return "good"
}

// highest is the crossed threshold of the largest amount.
func (b Budget) highest() *budget.Threshold {
	var top *budget.Threshold
	for i, t := range b.Thresholds {
		if t.Crossed && (top == nil || t.Amount.GreaterThan(top.Amount)) {
			top = &b.Thresholds[i]
		}
	}
	return top
}

// RateText is what the service costs a month.
func (s Service) RateText(currency string) string { return cost.Money(s.Rate, currency) }

// Outlook is a forecast in words.
type Outlook struct {
	Month  string // "November 2026"
	Amount string
	Method string
	Merged string // with what is merged, "" where that is the same
	Trend  string // "" where there is none
	Line   string // how the trend was reckoned
}

// Outlooks are the client's forecasts.
func (c Summary) Outlooks() []Outlook {
	var out []Outlook
	for _, f := range []*budget.Forecast{c.Forecast, c.Next} {
		if f == nil {
			continue
		}
		o := Outlook{Month: MonthName(f.Month), Amount: figure(f.Amount, c.Currency, f.Known, f.AtLeast), Method: f.Method}
		if !f.WithMerged.Equal(f.Amount) {
			o.Merged = figure(f.WithMerged, c.Currency, f.Known, f.AtLeast)
		}
		if f.Trend != nil {
			o.Trend, o.Line = cost.Money(*f.Trend, c.Currency), f.TrendMethod
		}
		out = append(out, o)
	}
	return out
}

// Notes are what must be known to read the client's figures.
func (c Client) Notes() []string {
	var out []string
	if len(c.LeftOut) > 0 && len(c.Months) > 0 {
		out = append(out, "Projects in "+strings.Join(c.LeftOut, ", ")+" are not in the sums: no rate into "+c.Currency+" is known.")
	}
	if len(c.Months) == 0 {
		out = append(out, "The projects have several currencies ("+strings.Join(c.LeftOut, ", ")+"), so there is no sum.")
	}
	var broken []string
	for _, p := range c.Projects {
		if p.Basis == budget.BasisUnknown {
			broken = append(broken, p.Title())
		}
	}
	if len(broken) > 0 {
		out = append(out, "An apply failed or had no estimate in "+strings.Join(broken, ", ")+": the figure is the last one that was known.")
	}
	for _, name := range c.Shared {
		out = append(out, "The budget "+name+" looks at other clients' projects too, so its amounts are not told here.")
	}
	for _, b := range c.Budgets {
		if len(b.LeftOut) > 0 {
			out = append(out, "The budget "+b.Budget+" leaves out projects in "+strings.Join(b.LeftOut, ", ")+".")
		}
	}
	return out
}
