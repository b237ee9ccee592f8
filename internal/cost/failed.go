package cost

import (
	"cmp"
	"slices"

	"github.com/tidelock/tidelock/planner/tfplan"
)

// Unestimated is the estimate of a plan that could not be estimated: nothing of
// it is known, and no resource is priced. why is a sentence for people. Its
// totals are no zero but "cost not known", as Bound and AtLeast say.
func Unestimated(plan *tfplan.Plan, opts Options, why string) Estimate {
	e := Estimate{
		Currency: cmp.Or(opts.Exchange.Currency, "USD"), Hours: cmp.Or(max(opts.HoursPerMonth, 0), HoursPerMonth),
		AtLeast: true, Bound: BoundPartial, Failed: why, Notes: append(slices.Clone(opts.Notes), "The cost could not be estimated: "+why),
	}
	for i := range plan.Changes {
		if ch := &plan.Changes[i]; ch.Mode == "managed" && ch.Action != tfplan.ActionRead {
			e.Counts.add(StatusUnknown)
		}
	}
	return e
}
