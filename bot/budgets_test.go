package bot

import (
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/bot/command"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/budget"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/gate"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
)

// exceeded is what a budget says that the project net exceeds.
func exceeded(name string, owners ...string) budget.Verdict {
	d := decimal.NewFromInt
	return budget.Verdict{Budget: name, Currency: "USD", Amount: d(1000), After: d(1200), Delta: d(300), Bound: cost.BoundExact, Known: true, Over: true,
		OnExceed: budget.Gate, Owners: budget.Owners{Who: owners}, Raises: []budget.Key{{Repo: 7, Dir: "net", Workspace: "default"}}}
}

// Who may approve what, and what they are told.
func TestApproveCost(t *testing.T) {
	graces, two := exceeded("prod", "grace"), exceeded("prod", "grace", "acme/finance")
	two.Owners.Count = 2
	anyone, told := exceeded("all"), exceeded("told", "grace")
	told.OnExceed = budget.Warn
	said := two
	said.ApprovedBy = []budget.Approval{{Actor: access.Actor{Kind: access.User, Name: "grace", ID: 2}}}
	net := []run.Pair{judgedPlan("net", nil)}
	for _, tt := range []struct {
		name    string
		author  bool
		pairs   []run.Pair
		budgets []budget.Verdict
		owner   map[string]bool
		want    string
		told    []string
		untold  string
	}{
		{name: "an owner", pairs: net, budgets: []budget.Verdict{graces}, owner: map[string]bool{"prod": true}, want: "approve prod", told: []string{"Budget `prod`: `grace` approves it. It holds for later plans too that cost no more."}},
		{name: "a stranger", pairs: net, budgets: []budget.Verdict{graces}, told: []string{"**Nothing was approved.** @grace can't approve", "Ask `grace` to comment `approve-cost`."}},
		{name: "the author", author: true, pairs: net, budgets: []budget.Verdict{graces, anyone}, owner: map[string]bool{"prod": true, "all": true}, told: []string{"Who opened the pull request can't approve what it costs. Ask `grace`, and somebody else with the role **maintain** to comment"}},
		{name: "the first of two", pairs: net, budgets: []budget.Verdict{two}, owner: map[string]bool{"prod": true}, want: "approve prod", told: []string{"1 more owner must approve it too. Ask `grace`, `acme/finance`"}},
		{name: "who has said so", pairs: net, budgets: []budget.Verdict{said}, owner: map[string]bool{"prod": true}, told: []string{"you have approved this already. 1 more owner must"}},
		{name: "one of two budgets", pairs: net, budgets: []budget.Verdict{graces, anyone}, owner: map[string]bool{"prod": true}, want: "approve prod", told: []string{"Budget `all`: that is others' to approve."}},
		{name: "what is only told", pairs: net, budgets: []budget.Verdict{told}, owner: map[string]bool{"told": true}, told: []string{"No budget keeps this change"}},
		{name: "nothing", pairs: net, told: []string{"No budget keeps this change"}},
		{name: "before there is a plan", budgets: []budget.Verdict{graces}, owner: map[string]bool{"prod": true}, told: []string{"There is no plan yet"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sender, id := "grace", int64(2)
			if tt.author {
				sender, id = "ada", 1
			}
			f := Facts{Pull: openPull(), Role: github.RoleRead, Change: &run.Change{ID: "ch"}, Pairs: tt.pairs, Budgets: tt.budgets, BudgetOwner: tt.owner,
				Gate: gate.Facts{Actor: gate.Actor{Login: sender, ID: id}}}
			f.Pull.AuthorID = 1
			expect(t, decideCommand(command.Parse("approve-cost", "tidelock")[0], sender, f), tt.want, tt.told, tt.untold)
		})
	}
}

// Whoever gave a word takes it back; whose it was, the store knows.
func TestRevokeCost(t *testing.T) {
	f := Facts{Pull: openPull(), Role: github.RoleRead, Change: &run.Change{ID: "ch"}, Gate: gate.Facts{Actor: gate.Actor{Login: "grace", ID: 2}}}
	if got := names(decideCommand(command.Parse("revoke-cost", "tidelock")[0], "grace", f)); strings.Join(got, "; ") != "revoke cost of ch" {
		t.Errorf("%v", got)
	}
	f.Change = nil
	expect(t, decideCommand(command.Parse("revoke-cost", "tidelock")[0], "grace", f), "", []string{"nothing here whose cost"}, "")
}

// A budget closes the gate of what raises the cost, and nothing else's; no
// repository can turn that off.
func TestBudgetGate(t *testing.T) {
	f := Facts{Settings: Settings{ApplyBeforeMerge: true, Budgets: true}, Pull: openPull(), Role: github.RoleWrite, Change: &run.Change{ID: "ch"},
		Pairs: []run.Pair{pair(run.Planned, policy.Pass)}, Budgets: []budget.Verdict{exceeded("prod", "grace")}}
	key := f.Pairs[0].Plan.Key()
	f.Budgets[0].Raises = []budget.Key{budget.Key(key)}
	apply := func() string {
		t.Helper()
		return strings.Join(names(decideCommand(command.Parse("apply", "tidelock")[0], "eve", f)), "; ")
	}
	if got := apply(); !strings.Contains(got, "⛔ `budgets`: The budget `prod` is exceeded") || !strings.Contains(got, "`grace` can comment `approve-cost`") {
		t.Errorf("an apply: %s", got)
	}
	f.Budgets[0].Raises = []budget.Key{{Repo: 7, Dir: "other"}} // this plan makes nothing dearer
	if got := apply(); !strings.HasPrefix(got, "apply") {
		t.Errorf("what is cheaper: %s", got)
	}
	f.Budgets[0].Raises = []budget.Key{budget.Key(key)}
	f.Budgets[0].ApprovedBy = make([]budget.Approval, 1)
	if got := apply(); !strings.HasPrefix(got, "apply") {
		t.Errorf("approved: %s", got)
	}
	// What is stored with a change, or said by a repository, turns nothing off.
	s, err := settingsOf(run.Change{Settings: `{"budgets":false,"Budgets":false}`}, Settings{Budgets: true})
	if err != nil || !s.rules(gate.ActApply, true).Budgets || !s.rules(gate.ActDestroy, false).Budgets || s.rules(gate.ActPlan, false).Budgets {
		t.Errorf("%+v, %v", s, err)
	}
}
