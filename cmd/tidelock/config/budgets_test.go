package config

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/cmd/tidelock/config/configtest"
	"github.com/tidelock/tidelock/internal/budget"
)

const someBudgets = `
environment "prod" { repos = ["acme/*"] }
budget "acme-prod" {
  amount      = "5000.00"
  currency    = "EUR"
  client      = "acme"
  environment = "prod"
  repos       = ["acme/*"]
  projects    = ["net*"]
  thresholds {
    percent   = [50, "80.5"]
    absolute  = ["4000"]
    projected = [100]
  }
  owners {
    users = ["grace"]
    teams = ["acme/finance"]
    count = 2
  }
}
budget "all" {
  amount    = 100000
  month     = "2026-12"
  on_exceed = "warn"
}
`

func TestConfigBudgets(t *testing.T) {
	_, file := configtest.Good(t, someBudgets)
	l := Read(file, nil, NeedAll)
	if len(l.Problems) > 0 {
		t.Fatal(l.Problems)
	}
	all := l.Config.Budgets
	if len(all) != 2 {
		t.Fatalf("%+v", all)
	}
	b := all[0]
	if b.Name != "acme-prod" || !b.Amount.Equal(decimal.NewFromInt(5000)) || b.Currency != "EUR" || b.OnExceed != budget.Gate || b.Scope.Environment != "prod" ||
		fmt.Sprint(b.Owners) != "grace, acme/finance" || b.Owners.Needed() != 2 || len(b.Thresholds) != 4 || b.Thresholds[1].Value.String() != "80.5" || b.Thresholds[3].Kind != budget.Projected {
		t.Errorf("%+v", b)
	}
	if all[1].Currency != "USD" || all[1].Month.String() != "2026-12" || all[1].OnExceed != budget.Warn || all[1].Owners.String() != "role maintain" {
		t.Errorf("%+v", all[1])
	}
	// What is shown is read again as the same.
	var shown strings.Builder
	if err := l.Write(&shown); err != nil || !strings.Contains(shown.String(), "# from "+b.Place+"\nbudget \"acme-prod\" {\n") {
		t.Errorf("%v\n%s", err, shown.String())
	}
	_, again := configtest.Good(t, "environment \"prod\" { repos = [\"acme/*\"] }\n"+budgetHCL(all[0])+budgetHCL(all[1]))
	back := Read(again, nil, NeedAll)
	if len(back.Problems) > 0 || len(back.Config.Budgets) != 2 || budgetHCL(back.Config.Budgets[0])+budgetHCL(back.Config.Budgets[1]) != budgetHCL(all[0])+budgetHCL(all[1]) {
		t.Errorf("%v\n%s", back.Problems, budgetHCL(b))
	}
	text, err := json.Marshal(l.JSON())
	if err != nil || !strings.Contains(string(text), `"budget.all":{"value":"budget`) {
		t.Errorf("%v %s", err, text)
	}
}

func TestConfigBudgetsProblemsHaveTheirPlaces(t *testing.T) {
	for block, want := range map[string]string{
		`budget "a" {}`:                                                                   `:7:1: the budget "a" needs an amount`,
		`budget "a" { amount = "1e9999999" }`:                                             `:7:1: the budget "a" needs an amount such as "5000.00"`,
		`budget "a" { amount = -5 }`:                                                      `:7:1: the budget "a" needs an amount`,
		`budget "a" { amount = "0.00" }`:                                                  `:7:1: the budget "a" has the amount 0; it must be more than 0.`,
		`budget "a" { amount = null }`:                                                    `:7:1: the budget "a" needs an amount`,
		`budget "a b" { amount = 1 }`:                                                     `:7:1: the budget "a b" has a name that can't be used`,
		"budget \"a\u202e\" { amount = 1 }":                                               `:7:1: the budget`,
		`budget "a" { amont = 1 }`:                                                        `:7:`,
		`budget { amount = 1 }`:                                                           `:7:8: `,
		"budget \"a\" {\n amount = 1\n currency = \"eur\"\n}":                             `:7:1: the budget "a" has the currency "eur"`,
		"budget \"a\" {\n amount = 1\n period = \"year\"\n}":                              `:7:1: the budget "a" has the period "year"`,
		"budget \"a\" {\n amount = 1\n month = \"12/2026\"\n}":                            `:7:1: the budget "a" has the month "12/2026"`,
		"budget \"a\" {\n amount = 1\n on_exceed = \"stop\"\n}":                           `:7:1: the budget "a" has on_exceed "stop"`,
		"budget \"a\" {\n amount = 1\n repos = [\"acme\"]\n}":                             `:7:1: the budget "a" has "acme" in repos, which matches no repository`,
		"budget \"a\" {\n amount = 1\n projects = [\"[\"]\n}":                             `:7:1: the budget "a" has "[" in projects, which is not a pattern.`,
		"budget \"a\" {\n amount = 1\n environment = \"nowhere\"\n}":                      `:7:1: the budget "a" is for the environment "nowhere"`,
		"budget \"a\" {\n amount = 1\n thresholds {\n  percent = [0]\n }\n}":              `:7:1: the budget "a" has a threshold in percent, number 1, that is no amount`,
		"budget \"a\" {\n amount = 1\n thresholds {\n  percent = [50, 50.0]\n }\n}":       `:7:1: the budget "a" has the threshold 50 twice`,
		"budget \"a\" {\n amount = 1\n thresholds {\n  percent = 50\n }\n}":               `:7:1: the budget "a" has thresholds in percent that are no list`,
		"budget \"a\" {\n amount = 1\n thresholds {\n  projected = [2000]\n }\n}":         `:7:1: the budget "a" has the threshold 2000 in projected`,
		"budget \"a\" {\n amount = 1\n owners {\n  users = [\"@ada\"]\n }\n}":             `:7:1: the budget "a" has "@ada" among the users`,
		"budget \"a\" {\n amount = 1\n owners {\n  teams = [\"finance\"]\n }\n}":          `:7:1: the budget "a" has "finance" among the teams`,
		"budget \"a\" {\n amount = 1\n owners {\n  users = [\"ada\"]\n  count = 2\n }\n}": `:7:1: the budget "a" needs the word of 2 owners, and names 1.`,
		"budget \"a\" {\n amount = 1\n owners {\n  count = 99\n }\n}":                     `:7:1: the budget "a" has the count 99`,
		"budget \"a\" {\n amount = 1\n}\nbudget \"a\" {\n amount = 2\n}":                  `:10:1: the budget "a" stands here twice.`,
	} {
		_, file := configtest.Good(t, block+"\n")
		_, problems := Load(file, nil)
		if len(problems) != 1 || !strings.HasPrefix(problems[0].String(), file+want) {
			t.Errorf("%s\nproblems %v, want %s", block, problems, want)
		}
	}
}
