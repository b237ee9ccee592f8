package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/budget"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/terminal"
)

// newCostBudgetsCommand returns `tidelock cost budgets`.
func newCostBudgetsCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "budgets",
		Short: "Say how the server's budgets stand",
		Long: "Works on the server's database: of each budget it tells the amount, what the projects that it looks at cost a\n" +
			"month now, what the month has cost so far and where it is heading, which thresholds are reached, and who\n" +
			"approves what goes over it. It needs the settings data_dir and database, and nothing of GitHub.",
		Example: "  tidelock cost budgets\n  tidelock cost budgets --json | jq '.[] | select(.over)'",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.costBudgets(cmd.Context(), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (p *program) costBudgets(ctx context.Context, asJSON bool) error {
	d, err := p.openDesk(ctx, "")
	if err != nil {
		return err
	}
	defer d.close()
	all, err := d.budget.Budgets(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		if all == nil {
			all = []budget.Status{}
		}
		return writeJSON(p.stdout, all)
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(p.stdout, "The configuration has no budget that is for now. A block budget \"NAME\" makes one; docs/budgets.md has an example.")
		return err
	}
	return writeBudgetStates(p.stdout, all)
}

// writeBudgetStates shows budgets to people.
func writeBudgetStates(w io.Writer, all []budget.Status) error {
	var b strings.Builder
	for i, s := range all {
		if i > 0 {
			b.WriteString("\n")
		}
		atLeast := ""
		if s.AtLeast {
			atLeast = "at least "
		}
		state := "within the budget"
		if s.Over {
			state = "OVER THE BUDGET"
		}
		fmt.Fprintf(&b, "%s  %s for %s: %s\n", terminal.Clean(s.Budget), cost.Money(s.Amount, s.Currency), s.Month, state)
		line := func(name, format string, args ...any) {
			fmt.Fprintf(&b, "  %-11s %s\n", name, terminal.Clean(fmt.Sprintf(format, args...)))
		}
		used := s.Rate.Add(s.Merged)
		share := used.Shift(2).DivRound(s.Amount, 0).String() + " %"
		line("a month", "%s%s, %s of it (%s)", atLeast, cost.Money(used, s.Currency), share, counted(s.Projects, "project"))
		if s.MergedBound != "" && s.MergedBound != cost.BoundExact || !s.Merged.IsZero() {
			line("", "of that, merged and not applied yet: %s", cost.Difference(s.Merged, s.MergedBound, s.Currency))
		}
		line("so far", "%s%s", atLeast, cost.Money(s.Cost, s.Currency))
		line("forecast", "%s%s (%s)", atLeast, cost.Money(s.Projected, s.Currency), s.Method)
		for _, t := range s.Thresholds {
			switch {
			case !t.Alerted.IsZero():
				line("threshold", "%s: told of on %s", t.Name(s.Currency), t.Alerted.UTC().Format("2006-01-02 15:04 MST"))
			case t.Crossed:
				line("threshold", "%s: reached", t.Name(s.Currency))
			default:
				line("threshold", "%s: not reached", t.Name(s.Currency))
			}
		}
		if s.OnExceed == budget.Gate {
			line("over it", "not applied before approve-cost by %d of: %s", s.Needed, s.Owners)
		} else {
			line("over it", "told, and applied all the same")
		}
		if !s.Known {
			line("not known", "an apply failed or had no estimate, or the figures begin within the month")
		}
		if len(s.LeftOut) > 0 {
			line("left out", "what is in %s, for which there is no rate to %s", strings.Join(s.LeftOut, ", "), s.Currency)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
