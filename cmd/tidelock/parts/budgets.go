package parts

import (
	"context"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/budget"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/internal/prices"
)

// Budgets returns the ledger with the configuration's budgets.
func Budgets(c config.Config, d *db.DB, trail *access.Trail) *budget.Store {
	return budget.NewStore(d, trail, budget.Options{
		Budgets: c.Budgets,
		Convert: converter(c.Cost.Rates),
		Environment: func(t budget.Target) string {
			return c.Policies.EnvironmentOf(policyset.Target{Client: t.Client, Repo: t.Repo, Project: t.Project, Dir: t.Dir, Workspace: t.Workspace})
		},
	})
}

// converter turns amounts into other currencies by the rates of the
// configuration and the database, all of which are of US dollars.
type converter prices.Rates

// Convert implements budget.Converter.
func (c converter) Convert(ctx context.Context, q db.Querier, amount decimal.Decimal, from, to, day string) (decimal.Decimal, bool, error) {
	of := func(currency string) (decimal.Decimal, bool, error) {
		if currency == "USD" {
			return decimal.NewFromInt(1), true, nil
		}
		stored, err := prices.StoredRates(ctx, q, currency)
		if err != nil {
			return decimal.Zero, false, err
		}
		r, ok := slices.Concat(prices.Rates(c), stored).On(currency, day)
		return r.Value, ok, nil
	}
	a, ok, err := of(from)
	if err != nil || !ok {
		return decimal.Zero, false, err
	}
	b, ok, err := of(to)
	if err != nil || !ok {
		return decimal.Zero, false, err
	}
	if !a.IsPositive() {
		return decimal.Zero, false, errs.New(errs.Invalid, "The rate of %s is not positive.", from)
	}
	return amount.Mul(b).DivRound(a, 16), true, nil
}
