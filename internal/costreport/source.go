package costreport

import (
	"context"

	"github.com/tidelock/tidelock/internal/actuals"
	"github.com/tidelock/tidelock/internal/budget"
)

// Source is where statements come from.
type Source struct {
	Ledger *budget.Store
	Bills  *actuals.Store // nil: nothing is told of what was billed
}

// Statement asks for a report of one client, by its ID, or of all for "". What
// was billed is told of one client for all months that its chart shows, of
// several for those asked for alone: each bill is read row by row.
func (s Source) Statement(ctx context.Context, a Asked, client string) (Statement, error) {
	q := a.Query(client)
	r, err := s.Ledger.Report(ctx, q)
	if err != nil {
		return Statement{}, err
	}
	var bills []actuals.Month
	if s.Bills != nil {
		from := q.From
		if client == "" {
			from = a.From
		}
		for _, c := range r.Clients {
			for _, m := range budget.Months(from, a.To) {
				b, err := s.Bills.ByProject(ctx, c.Slug, m.String())
				if err != nil {
					return Statement{}, err
				}
				bills = append(bills, b)
			}
		}
	}
	st := New(a, r, bills)
	if client != "" || a.Project != "" || a.To != budget.MonthOf(r.AsOf) {
		return st, nil
	}
	all, err := s.Ledger.Budgets(ctx)
	if err != nil {
		return Statement{}, err
	}
	for _, b := range all {
		if b.Shared {
			st.Budgets = append(st.Budgets, newBudget(b))
		}
	}
	return st, nil
}
