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
	word := "is exceeded"
	if v.Incomparable {
		word = "can't be judged"
	}
	text := fmt.Sprintf("The budget %s %s: %s.", markdown.Code(v.Budget), word, v.Stands())
	if n := v.Owners.Needed(); n > 1 && v.OnExceed == budgets.Gate {
		text += fmt.Sprintf(" It needs the word of %d owners, and has %d.", n, len(v.ApprovedBy))
	}
	return text
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
		line = fmt.Sprintf("✅ %s: %s. %s approved this.", name, v.Stands(), approvers(v.ApprovedBy))
	case v.Over:
		line = fmt.Sprintf("⚠️ **%s is exceeded:** %s.", name, v.Stands())
	case v.Incomparable:
		line = "⚠️ " + Exceeded(v)
	case len(v.Crosses) > 0 && v.Shared:
		line = fmt.Sprintf("⚠️ %s: this change takes it past %s.", name, marks(v))
	case len(v.Crosses) > 0:
		line = fmt.Sprintf("⚠️ %s: this change takes it past %s: %s.", name, marks(v), v.Stands())
	}
	switch {
	case v.Incomparable:
	case v.MayBeOver && line == "" && v.Shared:
		line = fmt.Sprintf("⚠️ %s: what has no price here could put it over.", name)
	case v.MayBeOver && line == "":
		line = fmt.Sprintf("⚠️ %s: %s. What has no price could put it over.", name, v.Stands())
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
		name := v.Mark(t)
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
func overBudget(v View) []budgets.Verdict {
	if v.Phase() != run.PhasePlanned {
		return nil
	}
	return closedBudgets(v)
}

// closedBudgets returns those whose owners still have to approve.
func closedBudgets(v View) (closed []budgets.Verdict) {
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
