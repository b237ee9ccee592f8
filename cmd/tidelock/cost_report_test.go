package main

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/actuals"
	"github.com/tidelock/tidelock/internal/budget"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/costreport"
)

// monthOf is a report of a client with a project of the name, in the
// middle of November 2026.
func monthOf(name string) costreport.Statement {
	dec := decimal.RequireFromString
	november := budget.Month{Year: 2026, Month: time.November}
	now := time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)
	f := budget.Figures{
		Month: november, Rate: dec("240"), Cost: dec("105.333333"), Known: true, AtLeast: true,
		Applied: dec("60"), AppliedCount: 1, AppliedBound: cost.BoundExact, Merged: dec("-10"), MergedCount: 1, MergedBound: cost.BoundExact, Open: dec("25.5"), OpenCount: 1, OpenBound: cost.BoundAtLeast,
	}
	gone := budget.Figures{Month: november}
	c := budget.ClientReport{
		Slug: "acme", Name: name, Currency: "USD", Months: []budget.Figures{f},
		Projects: []budget.ProjectReport{
			{Key: budget.Key{Repo: 7, Dir: name, Workspace: "default"}, RepoName: "acme/infra", Project: name, Currency: "USD", Basis: budget.BasisApplied, Months: []budget.Figures{f}},
			{Key: budget.Key{Repo: 7, Dir: "new", Workspace: "blue"}, RepoName: "acme/infra", Project: "new", Currency: "USD", Months: []budget.Figures{gone}},
		},
		Budgets:  []budget.Status{{Budget: name, Month: november, Currency: "USD", Amount: dec("300"), Rate: dec("240"), Merged: dec("-10"), MergedBound: cost.BoundExact, Cost: dec("105.333333"), Projected: dec("220"), Method: "so", Known: true}},
		Forecast: &budget.Forecast{Month: november, Amount: dec("225"), Method: budget.MethodRate, WithMerged: dec("220"), Known: true, AtLeast: true},
	}
	bill := actuals.Month{
		Client: "acme", Month: "2026-11", Known: true, Covered: dec("0.5"), Through: now, Currencies: []actuals.Currency{{Currency: "USD", Total: actuals.Amounts{Compared: dec("99.9")}}},
	}
	return costreport.New(costreport.Asked{From: november, To: november}, budget.Report{From: november, To: november, AsOf: now, Clients: []budget.ClientReport{c}}, []actuals.Month{bill})
}

func TestCostReportAsCSV(t *testing.T) {
	var b bytes.Buffer
	if err := writeCostCSV(&b, monthOf("live/web")); err != nil {
		t.Fatal(err)
	}
	want := `level,client,repository,project,directory,workspace,budget,month,currency,rate,cost,applied,merged,open,forecast,forecast_method,budget_amount,used_percent,billed,billed_part,known,at_least,applied_bound,merged_bound,open_bound
client,acme,,,,,,2026-11,USD,240.00,105.333333,60.00,-10.00,25.50,225.00,month to date + current rate × remaining hours,,,99.90,0.5,yes,yes,exact,exact,at_least
budget,acme,,,,,live/web,2026-11,USD,240.00,105.333333,,-10.00,,220.00,so,300.00,80,,,yes,no,,exact,
project,acme,acme/infra,live/web,live/web,default,,2026-11,USD,240.00,105.333333,60.00,-10.00,25.50,,,,,,,yes,yes,exact,exact,at_least
project,acme,acme/infra,new,new,blue,,2026-11,USD,,,0.00,0.00,0.00,,,,,,,no,no,,,
`
	if b.String() != want {
		t.Errorf("the file is\n%s\nwant\n%s", b.String(), want)
	}
}

func TestCostReportAsTable(t *testing.T) {
	var b bytes.Buffer
	if err := writeCostTable(&b, monthOf("live/web")); err != nil {
		t.Fatal(err)
	}
	want := `live/web (acme), November 2026, as of 16 November 2026 00:00 UTC

PROJECT                RATE A MONTH      COST              APPLIED  MERGED   OPEN              BILLED
acme/infra live/web    at least $240.00  at least $105.33  +$60.00  -$10.00  at least +$25.50  –
acme/infra new (blue)  not known         not known         –        –        –                 –
together               at least $240.00  at least $105.33  +$60.00  -$10.00  at least +$25.50  $99.90 up to 16 Nov

BUDGET    AMOUNT   RATE A MONTH  MERGED   USED  PROJECTED  STATE
live/web  $300.00  $240.00       -$10.00  80 %  $220.00    within

Forecast of November 2026: at least $225.00 (month to date + current rate × remaining hours); with what is merged at least $220.00.
`
	if got := strings.ReplaceAll(b.String(), "\u00a0", " "); got != want {
		t.Errorf("the table is\n%s\nwant\n%s", got, want)
	}
}

// A name that begins as a formula does is none in a spreadsheet, and neither
// ends its cell, its line, nor moves a terminal's cursor.
func TestThreat_CostReportHoldsNoFormula(t *testing.T) {
	for _, name := range []string{"=HYPERLINK(\"http://x\",\"y\")", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "＠SUM(A1)", "a\",b\n=2", "\x1b[2J"} {
		s := monthOf(name)
		var b bytes.Buffer
		if err := writeCostCSV(&b, s); err != nil {
			t.Fatal(err)
		}
		lines, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if len(lines) != 5 {
			t.Errorf("%q: %d lines", name, len(lines))
		}
		amounts := map[string]bool{"rate": true, "cost": true, "applied": true, "merged": true, "open": true, "forecast": true}
		for _, line := range lines[1:] {
			for i, cell := range line {
				if cell != "" && strings.ContainsRune("=+-@\t\r＝＋－＠", []rune(cell)[0]) && !amounts[lines[0][i]] {
					t.Errorf("%q: the cell %q of %s is a formula", name, cell, lines[0][i])
				}
			}
		}
		b.Reset()
		if err := writeCostTable(&b, s); err != nil || strings.ContainsAny(b.String(), "\x1b\r") {
			t.Errorf("%q: %v, the table is %q", name, err, b.String())
		}
	}
}
