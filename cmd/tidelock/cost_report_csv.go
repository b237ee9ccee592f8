package main

import (
	"encoding/csv"
	"io"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/costreport"
)

// costColumns are the columns of the report as CSV. New ones come at the end.
var costColumns = []string{
	"level", "client", "repository", "project", "directory", "workspace", "budget", "month", "currency", "rate", "cost", "applied", "merged", "open",
	"forecast", "forecast_method", "budget_amount", "used_percent", "billed", "billed_part", "known", "at_least",
	"applied_bound", "merged_bound", "open_bound",
}

// writeCostCSV writes a line for each month of each client and of each of its
// projects, and one for each budget: the first column says which. An amount
// that nobody knows is an empty cell.
func writeCostCSV(w io.Writer, s costreport.Statement) error {
	out := csv.NewWriter(w)
	if err := out.Write(costColumns); err != nil {
		return err
	}
	line := func(cells map[string]string) error {
		row := make([]string, len(costColumns))
		for i, name := range costColumns {
			row[i] = cells[name]
		}
		return out.Write(row)
	}
	for _, c := range s.Clients {
		slug := inert(c.Slug)
		for _, m := range c.Months {
			cells := costCells(m, c.Currency)
			cells["level"], cells["client"] = "client", slug
			if f := c.Forecast; f != nil && f.Month == m.Figures.Month {
				cells["forecast"], cells["forecast_method"] = plainAmount(f.Amount), f.Method
			}
			if err := line(cells); err != nil {
				return err
			}
		}
		for _, b := range c.Budgets {
			if err := line(budgetCells(b, slug)); err != nil {
				return err
			}
		}
		for _, p := range c.Projects {
			for _, m := range p.Months {
				cells := costCells(m, p.Currency)
				cells["level"], cells["client"], cells["repository"], cells["project"] = "project", slug, inert(p.Repo), inert(p.Project)
				cells["directory"], cells["workspace"] = inert(p.Dir), inert(p.Workspace)
				if err := line(cells); err != nil {
					return err
				}
			}
		}
	}
	for _, b := range s.Budgets {
		if err := line(budgetCells(b, "")); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// budgetCells are a budget's; client is "" where it looks at several.
func budgetCells(b costreport.Budget, client string) map[string]string {
	cells := map[string]string{
		"level": "budget", "client": client, "budget": inert(b.Budget), "month": b.Month.String(), "currency": inert(b.Currency), "rate": plainAmount(b.Rate),
		"cost": plainAmount(b.Cost), "merged": plainAmount(b.Merged), "forecast": plainAmount(b.Projected), "forecast_method": b.Method,
		"budget_amount": plainAmount(b.Amount), "known": yesNo(b.Known), "at_least": yesNo(b.AtLeast),
	}
	cells["merged_bound"] = string(b.MergedBound)
	if b.Used != nil {
		cells["used_percent"] = b.Used.String()
	}
	return cells
}

func costCells(m costreport.Month, currency string) map[string]string {
	cells := map[string]string{
		"month": m.Figures.Month.String(), "currency": inert(currency), "applied": plainAmount(m.Applied), "merged": plainAmount(m.Merged), "open": plainAmount(m.Open),
		"known": yesNo(m.Known), "at_least": yesNo(m.AtLeast),
	}
	if m.Known || !m.Rate.IsZero() {
		cells["rate"] = plainAmount(m.Rate)
	}
	if m.Known || !m.Cost.IsZero() {
		cells["cost"] = plainAmount(m.Cost)
	}
	cells["applied_bound"], cells["merged_bound"], cells["open_bound"] = string(m.AppliedBound), string(m.MergedBound), string(m.OpenBound)
	if b := m.Billed; b != nil {
		cells["billed"], cells["billed_part"] = plainAmount(b.Amount), b.Covered.String()
	}
	return cells
}

// plainAmount writes an amount for machines, with cents.
func plainAmount(d decimal.Decimal) string {
	if d = d.Round(6); d.Equal(d.Round(2)) {
		return d.StringFixed(2)
	}
	return d.String()
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
