package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/terminal"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// freeTypes counts the free resources of a plan by their types: those that do
// not change stand in no estimate.
func freeTypes(e cost.Estimate, plan *tfplan.Plan) map[string]int {
	listed := map[string]bool{}
	out := map[string]int{}
	for _, r := range e.Resources {
		listed[r.Address] = true
		if r.Status == cost.StatusFree {
			out[r.Type]++
		}
	}
	for i := range plan.Changes {
		ch := &plan.Changes[i]
		if e.Failed == "" && ch.Mode == "managed" && ch.Action != tfplan.ActionRead && !listed[ch.Address] {
			out[ch.Type]++
		}
	}
	return out
}

// costRow is a line of a project's table: a resource, a line of its bill, or a
// remark.
type costRow struct {
	indent                          int
	sign, name                      string
	quantity, unit, monthly, change string
}

// rows are the lines of a project.
func (p statedProject) rows(skipped bool) []costRow {
	e := p.estimate
	var out []costRow
	for _, r := range e.Resources {
		if r.Status == cost.StatusFree || r.Unpriced() && !skipped {
			continue
		}
		out = append(out, resourceRow(r, e.Currency))
		for _, l := range r.Lines() {
			out = append(out, lineRow(l, e.Currency))
		}
		for _, u := range r.Usage {
			out = append(out, costRow{indent: 1, name: u, monthly: "by use"})
		}
		if r.Note != "" {
			out = append(out, costRow{indent: 1, name: "(" + r.Note + ")"})
		}
		if skipped {
			for _, a := range r.Assumed {
				out = append(out, costRow{indent: 1, name: "(taken as given: " + a + ")"})
			}
		}
	}
	return out
}

func resourceRow(r cost.ResourceCost, currency string) costRow {
	row := costRow{sign: strings.TrimPrefix(r.Sign(), "="), name: r.Address}
	switch {
	case r.Action == tfplan.ActionDelete:
	case r.After == nil:
		row.monthly = "not known"
	case r.Status == cost.StatusUsage && r.After.IsZero():
		row.monthly = "by use"
	case r.Status == cost.StatusPartial:
		row.monthly = "at least " + cost.Money(*r.After, currency)
	default:
		row.monthly = cost.Money(*r.After, currency)
	}
	switch {
	case !r.Changes():
	case r.Delta == nil:
		row.change = "not known"
	case !r.Delta.IsZero():
		row.change = cost.Signed(*r.Delta, currency)
	}
	return row
}

func lineRow(l cost.Line, currency string) costRow {
	c := l.Shown()
	row := costRow{indent: 1, sign: strings.TrimPrefix(l.Sign, "="), name: c.Name, quantity: grouped(c.Quantity.Round(4).String()), unit: c.Unit}
	if c.Detail != "" {
		row.name += ", " + c.Detail
	}
	if c.ByUse {
		row.name += " (by the usage file)"
	}
	if l.After != nil {
		row.monthly = cost.Money(c.Monthly, currency)
	}
	if l.Sign != "=" {
		row.change = cost.Signed(l.Delta, currency)
	}
	if l.Before != nil && l.After != nil && l.Before.Detail != l.After.Detail && l.Before.Detail != "" {
		row.name += ", was " + l.Before.Detail
	}
	return row
}

// grouped sets thousands apart: "1,000,000.5".
func grouped(number string) string {
	whole, rest, dot := strings.Cut(number, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if dot {
		whole += "." + rest
	}
	return sign + whole
}

// cells are a row's columns, with nothing in them that could move a cursor.
func (r costRow) cells() [5]string {
	sign := " "
	if r.sign != "" {
		sign = r.sign
	}
	clean := func(text string) string {
		return terminal.Clean(strings.NewReplacer("\n", " ", "\t", " ", "\v", " ", "\f", " ").Replace(text))
	}
	return [5]string{strings.Repeat("  ", r.indent) + sign + " " + clean(r.name), r.quantity, clean(r.unit), r.monthly, r.change}
}

// writeRows lines rows up: numbers to the right. A remark is as long as it is.
func writeRows(w *strings.Builder, rows []costRow) {
	heads := [5]string{"  RESOURCE", "QUANTITY", "UNIT", "MONTHLY", "CHANGE"}
	changes := slices.ContainsFunc(rows, func(r costRow) bool { return r.change != "" })
	var widths [5]int
	lines := [][5]string{heads}
	for _, r := range rows {
		lines = append(lines, r.cells())
	}
	for _, cells := range lines {
		for i, c := range cells {
			if i > 0 || strings.Join(cells[1:], "") != "" {
				widths[i] = max(widths[i], utf8.RuneCountInString(c))
			}
		}
	}
	for _, cells := range lines {
		var line strings.Builder
		for i, c := range cells {
			if i == 4 && !changes {
				continue
			}
			pad := strings.Repeat(" ", max(widths[i]-utf8.RuneCountInString(c), 0))
			if i > 0 {
				line.WriteString("  ")
			}
			if i == 0 || i == 2 {
				line.WriteString(c + pad)
			} else {
				line.WriteString(pad + c)
			}
		}
		w.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// writeTable prints a statement for people.
func (s *costStatement) writeTable(out io.Writer) error {
	var w strings.Builder
	for _, p := range s.projects {
		title := "Project " + p.name
		if p.path != "" && p.path != "-" && p.path != p.name {
			title += " (" + p.path + ")"
		}
		w.WriteString(terminal.Clean(title) + "\n")
		if rows := p.rows(s.skipped); len(rows) > 0 {
			w.WriteString("\n")
			writeRows(&w, rows)
		}
		w.WriteString("\n")
		for _, line := range p.summary(s.compared != "") {
			w.WriteString("  " + terminal.Clean(line) + "\n")
		}
		if s.skipped {
			p.writeFree(&w)
		}
		w.WriteString("\n")
	}
	if len(s.projects) > 1 {
		w.WriteString("All projects\n\n")
		for _, line := range (statedProject{estimate: s.total, sum: s.lacks()}).summary(s.compared != "") {
			w.WriteString("  " + terminal.Clean(line) + "\n")
		}
		w.WriteString("\n")
	}
	if s.compared != "" {
		w.WriteString(terminal.Clean("Compared with "+s.compared+".") + "\n")
	}
	w.WriteString(s.asOf() + "\n")
	if n := s.total.Counts.NotPriced; n > 0 && !s.skipped && s.total.Failed == "" {
		w.WriteString("--show-skipped lists what is not priced, with the reason.\n")
	}
	for _, n := range s.allNotes() {
		w.WriteString("note: " + terminal.Clean(n) + "\n")
	}
	_, err := io.WriteString(out, w.String())
	return err
}

// summary is what a project comes to: totals, the difference, and how much of
// it is priced.
func (p statedProject) summary(compared bool) []string {
	e := p.estimate
	if e.Failed != "" {
		return []string{"Cost not known: " + e.Failed}
	}
	before := "before: "
	if compared {
		before = "in the older estimate: "
	}
	was, is := p.totals()
	out := []string{
		fmt.Sprintf("Total:  %s; %s%s", is, before, was),
		"Change: " + e.Line(),
	}
	if e.ByUse != nil {
		b := e.Baseline()
		out = append(out, fmt.Sprintf("Of it:  %s whatever is used, %s by the usage file", cost.Money(b.After, e.Currency), cost.Money(e.ByUse.After, e.Currency)))
	}
	return append(out, e.Header())
}

// totals writes what a project cost and what it will, a month.
func (p statedProject) totals() (before, after string) {
	lacks := p.lacks()
	return totalText(p.estimate.Before, p.estimate.Currency, lacks[0]), totalText(p.estimate.After, p.estimate.Currency, lacks[1])
}

// lacks reports whether something has no price of what was, and of what will
// be.
func (p statedProject) lacks() [2]bool {
	if p.sum != nil {
		return *p.sum
	}
	e := p.estimate
	lacks := [2]bool{e.Failed != "", e.Failed != ""}
	for _, r := range e.Resources {
		if r.Status != cost.StatusPriced && r.Status != cost.StatusFree && r.Status != cost.StatusUsage {
			lacks[0] = lacks[0] || r.Action != tfplan.ActionCreate
			lacks[1] = lacks[1] || r.Action != tfplan.ActionDelete
		}
	}
	return lacks
}

// lacks is that of all projects together.
func (s *costStatement) lacks() *[2]bool {
	var all [2]bool
	for _, p := range s.projects {
		for side, lacks := range p.lacks() {
			all[side] = all[side] || lacks
		}
	}
	return &all
}

// totalText writes a total: one that leaves something out is the least that it
// can be, and not known where nothing of it has a price.
func totalText(total decimal.Decimal, currency string, lacks bool) string {
	switch {
	case lacks && total.IsZero():
		return "not known"
	case lacks:
		return "at least " + cost.Money(total, currency) + " a month"
	}
	return cost.Money(total, currency) + " a month"
}

// writeFree lists what costs nothing, by its type.
func (p statedProject) writeFree(w *strings.Builder) {
	if len(p.free) == 0 {
		return
	}
	var parts []string
	for _, typ := range slices.Sorted(maps.Keys(p.free)) {
		parts = append(parts, fmt.Sprintf("%d × %s", p.free[typ], typ))
	}
	w.WriteString("  free: " + terminal.Clean(strings.Join(parts, ", ")) + "\n")
}
