package comment

import (
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/access"
	budgets "github.com/tidelock/tidelock/internal/budget"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/markdown/markdowntest"
	"github.com/tidelock/tidelock/internal/run"
)

func amount(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func overThousand() budgets.Verdict {
	return budgets.Verdict{
		Budget: "acme-prod", Currency: "USD", Amount: amount("1000"), Before: amount("900"), After: amount("1230.5"), Delta: amount("330.5"), Bound: cost.BoundExact,
		Known: true, Over: true, OnExceed: budgets.Gate, Owners: budgets.Owners{Who: []string{"grace", "acme/finance"}, Count: 2},
	}
}

func TestBudgetLines(t *testing.T) {
	grace := budgets.Approval{Actor: access.Actor{Kind: access.User, Name: "grace", ID: 2}}
	alan := budgets.Approval{Actor: access.Actor{Kind: access.User, Name: "alan", ID: 3}}
	for _, c := range []struct {
		name string
		bend func(v *budgets.Verdict)
		want string
	}{
		{"kept", func(v *budgets.Verdict) { v.ApprovedBy = []budgets.Approval{grace} },
			"⛔ **The budget `acme-prod` is exceeded: $1,230.50 a month with this change (+$330.50), of $1,000.00. It needs the word of 2 owners, and has 1.** Approved by 1 of 2 owners: `grace`, `acme/finance` can comment `approve-cost`."},
		{"approved", func(v *budgets.Verdict) { v.ApprovedBy = []budgets.Approval{grace, alan} },
			"✅ Budget `acme-prod`: $1,230.50 a month with this change (+$330.50), of $1,000.00. `grace`, `alan` approved this."},
		{"told", func(v *budgets.Verdict) { v.OnExceed = budgets.Warn },
			"⚠️ **Budget `acme-prod` is exceeded:** $1,230.50 a month with this change (+$330.50), of $1,000.00."},
		{"at least", func(v *budgets.Verdict) { v.OnExceed, v.Bound, v.AtLeast = budgets.Warn, cost.BoundAtLeast, true },
			"⚠️ **Budget `acme-prod` is exceeded:** at least $1,230.50 a month with this change (at least +$330.50), of $1,000.00."},
		{"perhaps", func(v *budgets.Verdict) { v.Over, v.MayBeOver, v.After = false, true, amount("950") },
			"⚠️ Budget `acme-prod`: $950.00 a month with this change (+$330.50), of $1,000.00. What has no price could put it over."},
		{"of others too", func(v *budgets.Verdict) { v.Shared, v.Owners = true, budgets.Owners{} },
			"⛔ **The budget `acme-prod` is exceeded: with this change, what it looks at costs more than it allows.** Approved by 0 of 1 owner: somebody else with the role **maintain** can comment `approve-cost`."},
		{"no rate", func(v *budgets.Verdict) {
			v.Over, v.Incomparable, v.LeftOut, v.OnExceed = false, true, []string{"EUR"}, budgets.Warn
		},
			"⚠️ The budget `acme-prod` can't be judged: what this change costs can't be compared with it: there is no rate from EUR to USD."},
		{"crossed", func(v *budgets.Verdict) {
			v.Over, v.After, v.Projected = false, amount("950"), amount("912.5")
			v.Crosses = []budgets.Threshold{{Kind: budgets.Percent, Value: amount("80")}, {Kind: budgets.Projected, Value: amount("90")}}
			v.Month = budgets.Month{Year: 2026, Month: 11}
		}, "⚠️ Budget `acme-prod`: this change takes it past 80\u00a0% and 90\u00a0% by forecast (2026-11 is then heading for $912.50): $950.00 a month with this change (+$330.50), of $1,000.00."},
		{"nothing to say", func(v *budgets.Verdict) { v.Over = false }, ""},
	} {
		v := overThousand()
		c.bend(&v)
		if got := budgetLine(v); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestThreat_BudgetLinesAreInert renders names that somebody chose to do harm.
func TestThreat_BudgetLinesAreInert(t *testing.T) {
	for _, evil := range markdowntest.Hostile {
		for _, gated := range []string{budgets.Gate, budgets.Warn} {
			v := overThousand()
			v.Budget, v.Owners.Who, v.OnExceed = evil, []string{evil}, gated
			v.ApprovedBy = []budgets.Approval{{Actor: access.Actor{Name: evil}}}
			text := budgetLines(View{Budgets: []budgets.Verdict{v}, Alerts: []budgets.Alert{{Text: "The budget " + evil + " is reached."}}})
			if bad := markdowntest.Strangers(markdowntest.Page(t, text), "ul li p strong code"); len(bad) > 0 {
				t.Errorf("%q became %v:\n%s", evil, bad, text)
			}
			if n := len(markdowntest.All(markdowntest.Page(t, text), "li")); n != 2 {
				t.Errorf("%q makes %d lines of 2:\n%s", evil, n, text)
			}
		}
	}
}

// The queue's check is not green while a budget keeps the change from being
// applied: what the queue merges would then only wait.
func TestGroupCheckAsksBudgets(t *testing.T) {
	k := budgets.Key{Repo: 7, Dir: "net", Workspace: "default"}
	v := View{Change: run.Change{Status: run.Ready, GroupRef: "gh-readonly-queue/main/pr-1-abc"}, Budgets: []budgets.Verdict{{
		Budget: "prod", Currency: "USD", Amount: amount("1000"), After: amount("1200"), Delta: amount("300"), Known: true,
		Bound: cost.BoundExact, Over: true, OnExceed: budgets.Gate, Owners: budgets.Owners{Who: []string{"grace"}}, Raises: []budgets.Key{k},
	}}}
	c := GroupCheck(v, nil)
	if c.Conclusion != "failure" || !strings.Contains(c.Title, "Over budget") || !strings.Contains(c.Summary, "`grace` comment `approve-cost`") || !strings.Contains(c.Text, "$1,200.00 a month with this change (+$300.00), of $1,000.00") {
		t.Errorf("%+v", c)
	}
	v.Budgets[0].ApprovedBy = make([]budgets.Approval, 1)
	if c := GroupCheck(v, nil); c.Conclusion != "success" {
		t.Errorf("approved: %+v", c)
	}
}
