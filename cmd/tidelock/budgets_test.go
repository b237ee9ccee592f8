package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/budget"
)

// A pull request that costs more than the budget allows is kept from being
// applied, by whomever, until the budget's owner approves; then it is merged and
// applied, and the ledger and the budget show it. What comes after and costs
// less is not asked about.
func TestBudgetKeepsAPullRequestUntilItsOwnerApproves(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: folder(t, "repos", "acme-infra"), providers: true, env: []string{"TIDELOCK_POLICY_DISABLED=true"}, config: `
defaults { apply_before_merge = true }
budget "acme-prod" {
  client = "acme"
  amount = "1.00"
  thresholds { percent = [100] }
  owners { users = ["grace"] }
}
`})
	s.repo.Collaborator("eve", "admin")
	p := s.open("grow", folder(t, "pulls", "acme-infra", "grow-web"))
	body := s.says(p, "over budget")
	for _, want := range []string{"⛔ **The budget `acme-prod` is exceeded: ", "of $1.00.", "`grace` can comment `approve-cost`"} {
		if !strings.Contains(body, want) {
			t.Errorf("the comment lacks %q:\n%s", want, body)
		}
	}
	assertInert(t, body)
	s.check(p, "tidelock/plan", "action_required")

	p.Comment("ada", "apply")
	s.replied(p, "⛔ `budgets`: The budget `acme-prod` is exceeded: ")
	p.Comment("eve", "approve-cost")
	s.replied(p, "@eve can't approve what is over these budgets. Ask `grace` to comment `approve-cost`.")
	p.Comment("ada", "approve-cost")
	s.replied(p, "Who opened the pull request can't approve what it costs. Ask `grace`")
	if n := s.query("SELECT COUNT(*) FROM cost_approvals"); n != 0 {
		t.Fatalf("%d words stand, and nobody could say one", n)
	}
	p.Comment("grace", "approve-cost")
	s.replied(p, "Budget `acme-prod`: `grace` approves it.")
	s.says(p, "✅ Budget `acme-prod`: ")
	s.check(p, "tidelock/plan", "success")
	s.merge(p)
	s.says(p, "✅ Applied 1 project")
	s.replied(p, "⚠️ The budget acme-prod has reached 100")

	if n := s.query("SELECT COUNT(*) FROM cost_ledger WHERE outcome='applied'"); n != 1 {
		t.Errorf("the ledger has %d applied rows", n)
	}
	if n := s.query("SELECT COUNT(*) FROM events WHERE action IN ('budget.approve', 'budget.alert')"); n != 2 {
		t.Errorf("the trail has %d of the budget's events", n)
	}
	out, code := s.tidelock("cost", "budgets", "--json")
	var all []budget.Status
	if err := json.Unmarshal([]byte(out), &all); err != nil || code != 0 || len(all) != 1 || !all[0].Over || !all[0].Rate.IsPositive() || all[0].Thresholds[0].Alerted.IsZero() {
		t.Errorf("%v %d %s", err, code, out)
	}
}
