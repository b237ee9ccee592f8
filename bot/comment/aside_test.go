package comment

import (
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// TestDriftIsToldApartFromChange: what changed outside of Terraform and what
// fails never looks like something that the plan does.
func TestDriftIsToldApartFromChange(t *testing.T) {
	for _, tc := range []struct {
		s           tfplan.Summary
		cell, title string
	}{
		{tfplan.Summary{Update: 1}, "~1", "0 to add, 1 to change, 0 to destroy"},
		{tfplan.Summary{Update: 1, Drift: 2}, "~1; 2 changed outside of Terraform", "0 to add, 1 to change, 0 to destroy (2 changed outside of Terraform)"},
		{tfplan.Summary{Outputs: 1, BadChecks: 1}, "1 output; 1 check fails", "No changes to resources; 1 output changes (1 check fails)"},
		{tfplan.Summary{BadChecks: 2}, "no changes; 2 checks fail", "No changes. The infrastructure matches the configuration (2 checks fail)"},
		{tfplan.Summary{Create: 1, Invoke: 1, Deferred: 3, Unread: 1}, "+1 1 to invoke 3 deferred 1 not readable",
			"1 to add, 0 to change, 0 to destroy, 1 action to invoke, 3 deferred, and 1 kind of change that Tidelock can't read"},
	} {
		r := run.Run{Kind: run.Plan, Status: run.Planned, Summary: tc.s}
		if got := counts(r); got != tc.cell {
			t.Errorf("the cell of %#v: %q, want %q", tc.s, got, tc.cell)
		}
		if got := sums(r); got != tc.title {
			t.Errorf("the title of %#v: %q, want %q", tc.s, got, tc.title)
		}
	}
	r := run.Run{Kind: run.Plan, Status: run.Planned, Summary: tfplan.Summary{Drift: 1}}
	if !r.NoChanges() || strings.Contains(counts(r), "~") {
		t.Errorf("drift alone is told as a change: %q", counts(r))
	}
}
