package comment

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/markdown"
)

// The measures of what is told of a project's resources.
const (
	maxTreeLine = 240 // bytes of a line
	maxUnpriced = 20  // resources without a price
	maxAdvice   = 10
)

// projectPart is what changes in one project, resource by resource, and what is
// not priced, in so many bytes; cut tells that it is not all. A change's only
// project needs no title.
func projectPart(p projectCost, alone bool, level detail, limit int) (text string, cut bool) {
	limit -= 300 // what stands around the tree
	tree, cut := costTree(p.Estimate, level, limit*2/3)
	rest := advised(p.Estimate) + unpriced(p.Estimate, limit/3) + unread(p.Estimate)
	switch {
	case tree == "" && rest == "":
		return "", false
	case alone:
		return tree + rest, cut
	}
	title := "What changes in " + markdown.Code(p.name) + ": " + p.Line()
	if tree == "" {
		title = "Of " + markdown.Code(p.name)
	}
	return markdown.Fold(title, strings.TrimRight(tree+rest, "\n"), false), cut
}

// costTree has the resources whose cost changes, the largest change first, each
// with its lines; what stays is a count. cut tells that not all are there. Fenced, since every name in it is a
// stranger's; as a diff, whose lines are coloured.
func costTree(e *cost.Estimate, level detail, limit int) (text string, cut bool) {
	var moved []*cost.ResourceCost
	stay, kept := 0, decimal.Zero
	for i := range e.Resources {
		r := &e.Resources[i]
		switch {
		case r.Unpriced():
		case r.Changes():
			moved = append(moved, r)
		case r.After != nil && !r.After.IsZero():
			stay++
			kept = kept.Add(*r.After)
		}
	}
	if len(moved) == 0 {
		return "", false
	}
	slices.SortStableFunc(moved, func(a, b *cost.ResourceCost) int { return b.Magnitude().Cmp(a.Magnitude()) })
	var b strings.Builder
	for i, r := range moved {
		text := treeOf(*r, e.Currency, level)
		if b.Len()+len(text) > limit {
			fmt.Fprintf(&b, "  … and %s\n", countOf(len(moved)-i, "more resource"))
			cut = true
			break
		}
		b.WriteString(text)
	}
	if stay > 0 {
		verb := "stay as they are"
		if stay == 1 {
			verb = "stays as it is"
		}
		fmt.Fprintf(&b, "  %s %s: %s\n", countOf(stay, "resource"), verb, cost.Money(kept, e.Currency))
	}
	return markdown.Fenced("diff", b.String()) + "\n\n", cut
}

// treeOf is one resource and, but where the comment must be short, its lines.
func treeOf(r cost.ResourceCost, currency string, level detail) string {
	sign := r.Sign()
	var b strings.Builder
	line := func(sign, text string) { b.WriteString(sign + "   " + markdown.Abridged(text, maxTreeLine) + "\n") }
	b.WriteString(sign + " " + markdown.Abridged(r.Address, maxTreeLine/2) + "  " + r.Movement(currency) + "\n")
	if level > full {
		return b.String()
	}
	stay, kept := 0, decimal.Zero
	for _, l := range r.Lines() {
		if l.Sign == "=" {
			stay++
			kept = kept.Add(l.Delta).Add(l.After.Monthly)
			continue
		}
		c := l.Shown()
		text := markdown.OneLine(c.Name)
		if c.Detail != "" {
			text += ", " + markdown.Abridged(c.Detail, 80)
		}
		text += ": " + c.Arithmetic(currency)
		line(l.Sign, text)
		if l.Sign == "~" {
			was := "before: "
			if l.Before.Detail != "" && l.Before.Detail != c.Detail {
				was += markdown.Abridged(l.Before.Detail, 80) + ", "
			}
			line(" ", was+l.Before.Arithmetic(currency))
		}
	}
	if stay > 0 {
		b.WriteString("    " + countOf(stay, "more line") + ": " + cost.Money(kept, currency) + "\n")
	}
	if r.Note != "" {
		line(" ", "not priced wholly: "+markdown.OneLine(r.Note))
	}
	if len(r.Usage) > 0 {
		also := "also "
		if r.Status == cost.StatusUsage {
			also = ""
		}
		line(" ", also+"paid by use: "+markdown.OneLine(strings.Join(r.Usage, ", ")))
	}
	if len(r.Assumed) > 0 {
		line(" ", "taken as given: "+markdown.OneLine(strings.Join(r.Assumed, "; ")))
	}
	return b.String()
}

// unpriced lists the resources that have no price, with the reason: those that
// change, since the others are the same before and after.
func unpriced(e *cost.Estimate, limit int) string {
	var b strings.Builder
	shown, more, stay := 0, 0, 0
	for _, r := range e.Resources {
		switch {
		case !r.Unpriced():
			continue
		case !r.Changes():
			stay++
			continue
		}
		row := fmt.Sprintf("- %s: %s\n", markdown.Code(markdown.Abridged(r.Address, maxTreeLine/2)), markdown.Prose(markdown.Abridged(r.Note, maxNote)))
		if shown == maxUnpriced || b.Len()+len(row) > limit {
			more++
			continue
		}
		shown++
		b.WriteString(row)
	}
	if more > 0 {
		fmt.Fprintf(&b, "- … and %d more\n", more)
	}
	if stay > 0 {
		fmt.Fprintf(&b, "- %s that the plan does not change\n", countOf(stay, "resource"))
	}
	if b.Len() == 0 {
		return ""
	}
	return "Not priced:\n\n" + b.String() + "\n"
}

// advised lists what the catalogue proves could cost less, of the resources
// that the change's lines touch.
func advised(e *cost.Estimate) string {
	var b strings.Builder
	n := 0
	for _, a := range e.Advice {
		if !a.Touched {
			continue
		}
		if n++; n <= maxAdvice {
			fmt.Fprintf(&b, "- 💡 %s: %s **%s a month less.** %s\n", markdown.Code(markdown.Abridged(a.Address, maxTreeLine/2)),
				markdown.Prose(a.Text), cost.Money(a.Saving, e.Currency), markdown.Prose(a.Why))
		}
	}
	if n == 0 {
		return ""
	}
	if n > maxAdvice {
		fmt.Fprintf(&b, "- … and %d more\n", n-maxAdvice)
	}
	return "Could cost less:\n\n" + b.String() + "\n"
}

// unread lists what the usage file says and nothing was priced by: a typing
// error in it must not look like a saving.
func unread(e *cost.Estimate) string {
	if len(e.UsageUnread) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("In the usage file nothing was priced by:\n\n")
	for i, u := range e.UsageUnread {
		if i == maxNotes {
			fmt.Fprintf(&b, "- … and %d more\n", len(e.UsageUnread)-i)
			break
		}
		b.WriteString("- " + markdown.Code(markdown.Abridged(u, maxNote)) + "\n")
	}
	return b.String() + "\n"
}
