package comment

import (
	"fmt"
	"strings"

	budgets "github.com/tidelock/tidelock/internal/budget" // budget is what a template may spend
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/run"
)

// BudgetOwners names who may approve what is over a budget.
func BudgetOwners(o budgets.Owners) string {
	if len(o.Who) == 0 {
		return "somebody else with the role **maintain**"
	}
	var names []string
	for i, w := range o.Who {
		if i == maxNamed {
			names = append(names, fmt.Sprintf("%d more", len(o.Who)-i))
			break
		}
		names = append(names, markdown.Code(w))
	}
	return strings.Join(names, ", ")
}

// Exceeded says why a budget keeps a change from being applied, in a sentence
// or two.
func Exceeded(v budgets.Verdict) string {
	text := standsAt(v)
	if v.Incomparable {
		text = "what this change costs can't be compared with it: there is no rate from " + strings.Join(v.LeftOut, ", ") + " to " + v.Currency
	}
	text = fmt.Sprintf("The budget %s is exceeded: %s.", markdown.Code(v.Budget), text)
	if v.Incomparable {
		text = strings.Replace(text, " is exceeded: ", " can't be judged: ", 1)
	}
	if n := v.Owners.Needed(); n > 1 && v.OnExceed == budgets.Gate {
		text += fmt.Sprintf(" It needs the word of %d owners, and has %d.", n, len(v.ApprovedBy))
	}
	return text
}

// standsAt says where a change takes a budget: "$5,230.00 a month with this
// change (+$412.30), of $5,000.00".
func standsAt(v budgets.Verdict) string {
	if v.Shared {
		return "with this change, what it looks at costs more than it allows" // how much is several clients'
	}
	atLeast := ""
	if v.AtLeast {
		atLeast = "at least "
	}
	delta := cost.Signed(v.Delta, v.Currency)
	switch v.Bound {
	case cost.BoundAtLeast:
		delta = "at least " + delta
	case cost.BoundAtMost:
		delta = "at most " + delta
	case cost.BoundPartial:
		delta += ", as far as priced"
	}
	return fmt.Sprintf("%s%s a month with this change (%s), of %s", atLeast, cost.Money(v.After, v.Currency), delta, cost.Money(v.Amount, v.Currency))
}

// budgetLines says what the budgets have to do with the change, a line each. Those
// that have nothing to say are left out.
func budgetLines(v View) string {
	var b strings.Builder
	for _, of := range v.Budgets {
		if line := budgetLine(of); line != "" {
			b.WriteString("- " + line + "\n")
		}
	}
	for _, a := range v.Alerts {
		b.WriteString("- ⚠️ " + markdown.Prose(a.Text) + "\n")
	}
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	return b.String()
}

func budgetLine(v budgets.Verdict) string {
	name := "Budget " + markdown.Code(v.Budget)
	line := ""
	switch {
	case v.Closed():
		line = fmt.Sprintf("⛔ **%s** Approved by %d of %s: %s can comment `approve-cost`.", Exceeded(v), len(v.ApprovedBy), countOf(v.Owners.Needed(), "owner"), BudgetOwners(v.Owners))
	case v.Asks():
		line = fmt.Sprintf("✅ %s: %s. %s approved this.", name, standsAt(v), approvers(v.ApprovedBy))
	case v.Over:
		line = fmt.Sprintf("⚠️ **%s is exceeded:** %s.", name, standsAt(v))
	case v.Incomparable:
		line = "⚠️ " + Exceeded(v)
	case len(v.Crosses) > 0 && v.Shared:
		line = fmt.Sprintf("⚠️ %s: this change takes it past %s.", name, marks(v))
	case len(v.Crosses) > 0:
		line = fmt.Sprintf("⚠️ %s: this change takes it past %s: %s.", name, marks(v), standsAt(v))
	}
	switch {
	case v.Incomparable:
	case v.MayBeOver && line == "" && v.Shared:
		line = fmt.Sprintf("⚠️ %s: what has no price here could put it over.", name)
	case v.MayBeOver && line == "":
		line = fmt.Sprintf("⚠️ %s: %s. What has no price could put it over.", name, standsAt(v))
	case v.MayBeOver:
		line += " What has no price could put it over."
	}
	if line != "" && len(v.LeftOut) > 0 && !v.Incomparable {
		line += fmt.Sprintf(" Not counted: what is in %s, for which there is no rate.", strings.Join(v.LeftOut, ", "))
	}
	return line
}

// marks names the thresholds that the change crosses.
func marks(v budgets.Verdict) string {
	var names []string
	for _, t := range v.Crosses {
		name := t.Name(v.Currency)
		if t.Kind == budgets.Projected && !v.Shared {
			name += fmt.Sprintf(" (%s is then heading for %s)", v.Month, cost.Money(v.Projected, v.Currency))
		}
		names = append(names, name)
	}
	return strings.Join(names, " and ")
}

func approvers(words []budgets.Approval) string {
	var names []string
	for i, w := range words {
		if i == maxNamed {
			names = append(names, fmt.Sprintf("%d more", len(words)-i))
			break
		}
		names = append(names, person(w.Actor))
	}
	return strings.Join(names, ", ")
}

// overBudget returns the budgets that keep something of the change from being
// applied.
func overBudget(v View) (closed []budgets.Verdict) {
	if v.Phase() != run.PhasePlanned {
		return nil
	}
	for _, b := range v.Budgets {
		if b.Closed() {
			closed = append(closed, b)
		}
	}
	return closed
}

// overLine is the headline's part about budgets.
func overLine(v View) string {
	if len(overBudget(v)) == 0 {
		return ""
	}
	return " · over budget"
}
