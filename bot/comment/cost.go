package comment

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/markdown"
)

// projectCost is what one project's plan that is shown costs.
type projectCost struct {
	name string
	*cost.Estimate
}

// estimates are those of the plans to be read. changes reports whether any of
// the plans would change anything.
func estimates(v View) (all []projectCost, sum cost.Estimate, changes bool) {
	for _, p := range v.Pairs {
		shown := shownPlan(p)
		e := shown.Estimate
		if e == nil {
			continue
		}
		if len(all) == 0 {
			sum = *e
		} else {
			sum = sum.Plus(*e)
		}
		all = append(all, projectCost{shorten(p.Plan.Project.Name), e})
		changes = changes || !shown.NoChanges()
	}
	return all, sum, changes
}

// costLine is the sum over the projects, if any of it is known.
func costLine(v View) string {
	var sum cost.Estimate
	seen := false
	for _, p := range v.Pairs {
		e := p.Plan.Estimate
		if e == nil {
			continue
		}
		if !seen {
			sum, seen = *e, true
			continue
		}
		sum = sum.Plus(*e)
	}
	if !seen || (sum.Delta.IsZero() && sum.Bound == cost.BoundExact) {
		return ""
	}
	return " · " + sum.Line()
}

// costCell is the estimate's line; the column's title says that it is a month's.
func costCell(e *cost.Estimate) string {
	if e == nil {
		return ""
	}
	return strings.Replace(e.Line(), " a month", "", 1)
}

// maxCostPart is how much of a comment the cost takes in each detail, in bytes.
var maxCostPart = map[detail]int{full: 16_000, terse: 6_000, summary: 3_000, barest: 600}

// costPart is what a change's plans cost, folded away under its sum. There is
// none where nothing changes, or nothing costs.
func costPart(v View, level detail) string {
	all, sum, changes := estimates(v)
	if len(all) == 0 || !changes || !costs(sum) {
		return ""
	}
	title := "Cost: " + sum.Line() + " · " + sum.Header()
	if level == barest {
		return title + "." + pricesAsOf(sum) + elsewhere(v) + "\n\n"
	}
	if saving := savings(all); saving != "" {
		title += " · " + saving
	}
	return markdown.Fold(title, costBody(v, all, sum, level, maxCostPart[level]), false)
}

// costs reports whether there is anything to tell of an estimate.
func costs(sum cost.Estimate) bool {
	return !sum.Before.IsZero() || !sum.After.IsZero() || sum.Bound != cost.BoundExact || sum.Counts.NotPriced+sum.Counts.Usage > 0
}

// costBody has, within so many bytes, the projects with their sums, the month
// by service, what changes resource by resource, and what is not priced.
func costBody(v View, all []projectCost, sum cost.Estimate, level detail, limit int) string {
	var b strings.Builder
	b.WriteString(costTable(all, sum, limit/2))
	if by := byUse(sum); by != "" {
		b.WriteString(by + "\n\n")
	}
	if chart := costChart(all, sum.Currency); chart != "" {
		b.WriteString(chart + "\n\n")
	}
	foot := pricesOf(sum)
	room := limit - b.Len() - len(foot) - 200
	left, less := 0, false
	for _, p := range all {
		if level >= summary {
			break
		}
		part, cut := projectPart(p, len(all) == 1, level, min(room, limit*2/3))
		if part == "" {
			continue
		}
		if len(part) > room {
			left++
			continue
		}
		b.WriteString(part)
		room, less = room-len(part), less || cut
	}
	switch {
	case level >= summary:
		b.WriteString("Resource by resource it is too long for a comment." + elsewhere(v) + "\n\n")
	case left > 0:
		b.WriteString("… and " + countOf(left, "more project") + "." + elsewhere(v) + "\n\n")
	case less && v.URL != "":
		b.WriteString(strings.TrimSpace(elsewhere(v)) + "\n\n")
	}
	b.WriteString(foot)
	return strings.TrimRight(b.String(), "\n")
}

// elsewhere is where all of it stands.
func elsewhere(v View) string {
	if v.URL == "" {
		return ""
	}
	return " [Tidelock](" + v.URL + ") shows all of it."
}

// costTable has the projects, one a line, and their sum.
func costTable(all []projectCost, sum cost.Estimate, limit int) string {
	var b strings.Builder
	b.WriteString("| project | before | after | difference |\n|---|---:|---:|---:|\n")
	for i, p := range all {
		row := fmt.Sprintf("| %s | %s | %s | %s |\n", markdown.Cell(p.name), floor(p.Before, p.Estimate, lacks(*p.Estimate, false)), floor(p.After, p.Estimate, lacks(*p.Estimate, true)), costCell(p.Estimate))
		if b.Len()+len(row) > limit {
			fmt.Fprintf(&b, "| … and %d more projects | | | |\n", len(all)-i)
			break
		}
		b.WriteString(row)
	}
	if len(all) > 1 {
		lack := func(after bool) bool {
			return slices.ContainsFunc(all, func(p projectCost) bool { return lacks(*p.Estimate, after) })
		}
		fmt.Fprintf(&b, "| **together** | %s | %s | **%s** |\n", floor(sum.Before, &sum, lack(false)), floor(sum.After, &sum, lack(true)), costCell(&sum))
	}
	return b.String() + "\n"
}

// lacks reports whether something of what there is before, or after, has no
// price.
func lacks(e cost.Estimate, after bool) bool {
	return e.Failed != "" || slices.ContainsFunc(e.Resources, func(r cost.ResourceCost) bool {
		if after {
			return r.After == nil
		}
		return r.Before == nil
	})
}

// floor is a total, which is a lower bound where something is left out. Where
// nothing of what there is has a price, it is not known.
func floor(d decimal.Decimal, e *cost.Estimate, lacks bool) string {
	switch {
	case d.IsZero() && lacks:
		return "not known"
	case e.AtLeast && !d.IsZero():
		return "≥\u00a0" + cost.Money(d, e.Currency)
	}
	return cost.Money(d, e.Currency)
}

// byUse sets what the usage file says apart from what stands whatever is used.
func byUse(sum cost.Estimate) string {
	if sum.ByUse == nil {
		return ""
	}
	amounts := func(a cost.Amounts) string {
		return fmt.Sprintf("%s → %s (%s)", cost.Money(a.Before, sum.Currency), cost.Money(a.After, sum.Currency), cost.Signed(a.Delta, sum.Currency))
	}
	return "Whatever is used: " + amounts(sum.Baseline()) + ". By use, as the usage file has it: " + amounts(*sum.ByUse) + "."
}

// costChart is the month by service. Projects in another currency than the
// sum's are not in it.
func costChart(all []projectCost, currency string) string {
	var lists [][]cost.ServiceAmount
	for _, p := range all {
		if p.Currency == currency {
			lists = append(lists, p.ByService())
		}
	}
	chart := cost.Chart(cost.MergeServices(lists...), currency)
	if chart == "" {
		return ""
	}
	return "The month by service:\n\n" + markdown.Fenced("text", chart)
}

// pricesAsOf is the sentence that no cost stands without.
func pricesAsOf(e cost.Estimate) string {
	if e.AsOf == "" {
		return ""
	}
	return " Prices as of " + markdown.Prose(e.AsOf) + "."
}

// pricesOf says what the prices are: how old, whose, and what was done to them.
func pricesOf(e cost.Estimate) string {
	text := fmt.Sprintf("A month has %d hours.", e.Hours)
	if e.AsOf != "" {
		what := "list prices"
		if terms := e.Terms(); terms != "" {
			what += " " + markdown.Prose(terms)
		}
		text = fmt.Sprintf("Prices as of %s: %s, for a month of %d hours.", markdown.Prose(e.AsOf), what, e.Hours)
	}
	var b strings.Builder
	b.WriteString(text + "\n\n")
	for i, n := range e.Notes {
		if i == maxNotes {
			fmt.Fprintf(&b, "- … and %d more\n", len(e.Notes)-i)
			break
		}
		b.WriteString("- ⚠️ " + markdown.Sentences(markdown.Abridged(n, maxNote)) + "\n")
	}
	return b.String()
}

// maxNotes and maxNote are how many notes are shown, and how much of each in
// bytes.
const (
	maxNotes = 8
	maxNote  = 300
)

// savings says in short what the resources that the change touches could do
// without.
func savings(all []projectCost) string {
	var sum decimal.Decimal
	currency := ""
	for _, p := range all {
		for _, a := range p.Advice {
			if !a.Touched || currency != "" && currency != p.Currency {
				continue
			}
			currency = p.Currency
			sum = sum.Add(a.Saving)
		}
	}
	if currency == "" {
		return ""
	}
	return "could cost " + cost.Money(sum, currency) + " less"
}

// Cost tells what the change's plans cost, from the estimates that were
// made with them: the reply to `cost`. Pure.
func Cost(v View) string {
	v.Pairs = arranged(v.Pairs)
	for level := full; level < summary; level++ {
		if text := costReply(v, level); len(text) <= maxComment {
			return text
		}
	}
	return costReply(v, summary)
}

func costReply(v View, level detail) string {
	all, sum, _ := estimates(v)
	if len(all) == 0 {
		return "There is no estimate yet: it is made with the plan. Comment `plan`."
	}
	header := sum.Header()
	return markdown.Calm(fmt.Sprintf("### 💰 %s\n\n%s.\n\n%s\n\n<sub>commit %s</sub>\n", sum.Line(), strings.ToUpper(header[:1])+header[1:],
		costBody(v, all, sum, level, maxComment-2000), Short(v.Change.Target())))
}
