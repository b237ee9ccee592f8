package proposal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/internal/prices"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfplan"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// Reader reads plans: it has them judged and priced. All but Terms and
// PublicURL is needed.
type Reader struct {
	Policies  *policyset.Sets
	Estimator Estimator
	Terms     *prices.Terms  // how each client's plans are priced; nil is at list prices
	Masker    *redact.Masker // of what must not be shown
	PublicURL string         // of the server, for the pages of rules; "" for none
}

// Failed fills in why there is no plan.
func (d Reader) Failed(r *run.Run, result tfrun.Result) {
	r.Error = d.Masker.String(result.Error)
	if r.Error == "" {
		r.Error = "The plan ended without saying why. Its log has what Terraform printed."
	}
}

// maxDiff is how much of a plan's text is kept, in bytes: more than a comment
// can hold.
const maxDiff = 96 << 10

// Read fills in what the plan says, what the policies say of it, and what it
// costs. A plan that they could not judge gets a report that says so, and which
// forbids it: never an error that would have it judged again and again.
func (d Reader) Read(ctx context.Context, r *run.Run, result tfrun.Result, plan *tfplan.Plan, facts Facts) error {
	r.PlanDigest, r.Summary = result.PlanDigest, result.Summary
	r.StateLineage, r.StateSerial = result.StateLineage, result.StateSerial
	r.Diff = d.Text(plan)
	terms, err := d.CostOptions(ctx, facts, r.Project)
	if err != nil {
		return err
	}
	own, err := ownUsage(ctx, facts, r.Project)
	if err != nil {
		return err
	}
	if own != "" {
		terms.Notes = append(slices.Clone(terms.Notes), own)
	}
	terms.Advise = true
	estimate, err := d.estimate(ctx, plan, terms)
	if err != nil {
		return err
	}
	facts.Plan, facts.Cost = plan, costOf(estimate)
	if result.StateLineage != "" {
		facts.State = &policy.State{Lineage: result.StateLineage, Serial: result.StateSerial}
	}
	report, err := d.judge(ctx, facts, r.Project)
	var later factError
	if err != nil && ctx.Err() == nil && !errors.As(err, &later) {
		report, err = policy.Unjudged(err), nil
	}
	if err != nil {
		return err
	}
	r.Report, r.Estimate = &report, &estimate
	return nil
}

// ReadJSON reads a plan's JSON from a file.
func ReadJSON(path string) (*tfplan.Plan, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	defer f.Close()
	return tfplan.ParsePlan(f)
}

// Text is the plan as a reviewer reads it, masked, and cut at a change's end
// to what is kept of it.
func (d Reader) Text(p *tfplan.Plan) string {
	return d.Masker.String(tfplan.Text(p, tfplan.TextOptions{Limit: maxDiff, DiffOptions: tfplan.DiffOptions{Exclaim: true}}))
}
