package costreport

import (
	"fmt"
	"html/template"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/budget"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/plot"
)

// part is what one project cost in each of the months that a chart shows.
type part struct {
	name  string
	costs []decimal.Decimal
}

// parts are what columns are stacked of: the projects, where all have the
// client's currency.
func parts(c budget.ClientReport) []part {
	var out []part
	for _, p := range c.Projects {
		if p.Currency != c.Currency && p.Currency != "" {
			return nil
		}
		one := part{name: title(p.RepoName, p.Project, p.Workspace)}
		for _, f := range p.Months {
			one.costs = append(one.costs, f.Cost)
		}
		out = append(out, one)
	}
	return out
}

// MonthsChart shows what each month cost by project, what this and the next one
// will, the budget, and what was billed.
func (c Client) MonthsChart(id string) (template.HTML, error) {
	months := append(append([]Month{}, c.Earlier...), c.Months...)
	if len(months) == 0 {
		return "", nil
	}
	chart := plot.Columns{
		ID: id, Title: "What the months cost, in " + c.Currency, Say: c.say, Brief: c.brief, Forecast: "Forecast for the whole month", Limit: "Budget", Dot: "Billed",
	}
	for _, p := range c.parts {
		chart.Parts = append(chart.Parts, p.name)
	}
	if len(c.parts) == 0 {
		chart.Parts = []string{"All projects"}
	}
	limit := c.limit()
	for i, m := range months {
		slot := c.slot(m.Figures.Month, limit, len(chart.Slots) == 0)
		known := m.Known || !m.Cost.IsZero()
		if len(chart.Slots) == 0 && i < len(c.Earlier) && m.Cost.IsZero() && m.Billed == nil {
			continue // before the ledger begins
		}
		switch {
		case !known:
		case len(c.parts) == 0:
			slot.Parts = []decimal.Decimal{m.Cost}
		default:
			for _, p := range c.parts {
				slot.Parts = append(slot.Parts, p.costs[i])
			}
		}
		if c.Forecast != nil && c.Forecast.Month == m.Figures.Month {
			rest := c.Forecast.Amount.Sub(m.Cost)
			slot.Rest = &rest
		}
		if m.Billed != nil && m.Billed.Covered.GreaterThanOrEqual(decimal.NewFromInt(1)) {
			slot.Dot = &m.Billed.Amount
		}
		chart.Slots = append(chart.Slots, slot)
	}
	if c.Next != nil {
		slot := c.slot(c.Next.Month, limit, false)
		slot.Rest = &c.Next.Amount
		chart.Slots = append(chart.Slots, slot)
	}
	return chart.Figure()
}

// slot is a month's column, yet empty.
func (c Client) slot(m budget.Month, limit *decimal.Decimal, first bool) plot.Slot {
	s := plot.Slot{Name: MonthName(m), Label: m.Start().Format("Jan"), Limit: limit}
	if first || m.Month == 1 {
		s.Second = strconv.Itoa(m.Year)
	}
	return s
}

// limit is the smallest of the budgets that look at all of the client's
// projects, nil where there is none.
func (c Client) limit() *decimal.Decimal {
	var least *decimal.Decimal
	for i, b := range c.Budgets {
		if b.Currency == c.Currency && b.Projects == len(c.Projects) && (least == nil || b.Amount.LessThan(*least)) {
			least = &c.Budgets[i].Amount
		}
	}
	return least
}

// maxBars is how many bars a chart has; what is smaller is one together.
const maxBars = 10

// ServicesChart shows what the rate at the end is made of.
func (c Client) ServicesChart(id string) (template.HTML, error) {
	if len(c.Services) == 0 {
		return "", nil
	}
	chart := plot.Bars{ID: id, Title: "What a month costs by service, in " + c.Currency, Say: c.say}
	rest := decimal.Zero
	for i, s := range c.Services {
		if i >= maxBars-1 && len(c.Services) > maxBars {
			rest = rest.Add(s.Rate)
			continue
		}
		chart.Rows = append(chart.Rows, plot.Bar{Name: s.Label, Amount: s.Rate})
	}
	if n := len(c.Services) - len(chart.Rows); n > 0 {
		chart.Rows = append(chart.Rows, plot.Bar{Name: fmt.Sprintf("%d others", n), Amount: rest})
	}
	return chart.Figure()
}

// BudgetsChart shows how much of each budget is used.
func (c Summary) BudgetsChart(id string) (template.HTML, error) {
	if len(c.Budgets) == 0 {
		return "", nil
	}
	chart := plot.Bars{ID: id, Title: "How much of the budgets is used, in percent", Say: func(d decimal.Decimal) string { return d.Round(1).String() + "\u00a0%" }}
	whole := decimal.NewFromInt(100)
	for _, b := range c.Budgets {
		if b.Used == nil {
			continue
		}
		chart.Rows = append(chart.Rows, plot.Bar{
			Name: b.Budget, Amount: *b.Used, Limit: &whole, Tone: map[string]plot.Tone{"bad": plot.Bad, "warn": plot.Warn}[b.Tone()], Note: "of " + b.AmountText(),
		})
	}
	return chart.Figure()
}

// MoversChart shows which projects' rates moved most in the months.
func (c Client) MoversChart(id string) (template.HTML, error) {
	movers := c.Movers(maxBars)
	if len(movers) == 0 {
		return "", nil
	}
	chart := plot.Bars{ID: id, Title: "How the projects' rates moved, in " + c.Currency, Say: func(d decimal.Decimal) string { return cost.Signed(d, c.Currency) }}
	for _, p := range movers {
		tone := plot.Even
		if p.Applied().IsNegative() {
			tone = plot.Good
		}
		chart.Rows = append(chart.Rows, plot.Bar{Name: p.Title(), Amount: p.Applied(), Tone: tone})
	}
	return chart.Figure()
}

// ClientsChart compares what the clients cost a month. There is none where they
// have several currencies.
func (s Statement) ClientsChart(id string) (template.HTML, error) {
	if len(s.Clients) < 2 {
		return "", nil
	}
	chart := plot.Bars{ID: id, Title: "What the clients cost a month, in " + s.Clients[0].Currency, Say: s.Clients[0].say}
	for _, c := range s.Clients {
		if c.Currency != s.Clients[0].Currency {
			return "", nil
		}
		chart.Rows = append(chart.Rows, plot.Bar{Name: c.Name, Amount: c.Last().Rate})
	}
	return chart.Figure()
}

func (c Summary) say(d decimal.Decimal) string { return cost.Money(d, c.Currency) }

// brief writes an amount for an axis: "$1.2k". The title names the currency
// where it has no sign.
func (c Summary) brief(d decimal.Decimal) string {
	sign, unit := "", ""
	if d.IsNegative() {
		sign, d = "−", d.Abs()
	}
	if c.Currency == "USD" {
		sign += "$"
	}
	for _, u := range []struct {
		name string
		size int64
	}{{"bn", 1e9}, {"M", 1e6}, {"k", 1e3}} {
		if size := decimal.NewFromInt(u.size); d.GreaterThanOrEqual(size) {
			d, unit = d.DivRound(size, 8), u.name
			break
		}
	}
	switch {
	case d.GreaterThanOrEqual(decimal.NewFromInt(100)):
		d = d.Round(0)
	case d.GreaterThanOrEqual(decimal.NewFromInt(1)):
		d = d.Round(1)
	case !d.Round(2).IsZero():
		d = d.Round(2)
	}
	return sign + d.String() + unit
}
