package proposal

import (
	"context"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// Estimator says what a plan costs: Tidelock's own catalogue, or another
// program that somebody has set up. An error is one of the estimator, as that
// its program is not there; what a plan lacks stands in the estimate.
type Estimator interface {
	Estimate(ctx context.Context, plan *tfplan.Plan, opts cost.Options) (cost.Estimate, error)
}

// Catalogue estimates with Tidelock's own prices.
type Catalogue struct{ *cost.Catalog }

// Estimate is the catalogue's.
func (c Catalogue) Estimate(_ context.Context, plan *tfplan.Plan, opts cost.Options) (cost.Estimate, error) {
	return c.Catalog.Estimate(plan, opts)
}

// estimate asks the estimator. That it can't answer is no reason to withhold
// the plan from those who must judge it: the estimate then says why there is
// none, and nothing of it is known.
func (d Reader) estimate(ctx context.Context, plan *tfplan.Plan, opts cost.Options) (cost.Estimate, error) {
	e, err := d.Estimator.Estimate(ctx, plan, opts)
	if err == nil || ctx.Err() != nil || errs.Is(err, errs.Internal) {
		return e, err
	}
	return cost.Unestimated(plan, opts, d.Masker.String(errs.Sentence(err))), nil
}
