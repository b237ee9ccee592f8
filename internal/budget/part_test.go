package budget

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/db/dbtest"
)

// TestLedgerIsReadInPart: what is left out of the past changes nothing of what
// is said of the present, nor of the months that a report is of.
func TestLedgerIsReadInPart(t *testing.T) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 7))
		b := thousand("acme-prod")
		b.Thresholds = []Threshold{{Kind: Percent, Value: dec("50")}, {Kind: Projected, Value: dec("90")}}
		w := newWorld(t, dbtest.SQLite(t), b)
		w.now = time.Date(2025, 9, 1, 0, 0, 0, 0, time.UTC)
		last := ""
		for pull := 1; pull <= 40; pull++ {
			c := w.change(w.repo, pull)
			last = c
			var plans []Plan
			for range 1 + r.IntN(3) {
				e := estimate("100", strconv.Itoa(100+r.IntN(3)*r.IntN(200)))
				switch r.IntN(12) {
				case 0:
					e = nil
				case 1:
					e.Bound, e.AtLeast = cost.BoundAtLeast, true
				}
				p := Plan{Subject: w.subject(w.repo, c, pull, "p"+strconv.Itoa(r.IntN(4))), Run: w.run(), Estimate: e, Partial: r.IntN(6) == 0, At: w.now}
				w.tell(p)
				plans = append(plans, p)
			}
			w.now = w.now.Add(time.Duration(r.IntN(15*24)) * time.Hour)
			switch r.IntN(6) {
			case 0:
				w.exec(`UPDATE changes SET status='superseded' WHERE id=$1`, c)
				continue
			case 1:
				continue // still open
			}
			w.merged(c)
			for _, p := range plans {
				if r.IntN(4) > 0 {
					w.applied(p, r.IntN(8) > 0)
				}
			}
		}
		said := func(change string) string {
			s, err := w.store.Budgets(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			from := MonthOf(w.now).Add(-2)
			text, err := json.Marshal([]any{w.judge(change), s, w.report(from, MonthOf(w.now))})
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		parts := said(last)
		w.store.whole = true
		whole := said(last)
		if parts != whole {
			t.Errorf("seed %d:\n%s\nand of all that there is\n%s", seed, parts, whole)
		}
	}
}

// What is judged costs what is open, not what ever was: of the ledger's tables
// and the runs nothing is read but by an index that fits.
func TestJudgingReadsNoPast(t *testing.T) {
	d := dbtest.SQLite(t)
	for _, client := range []string{"c1", ""} {
		for query, args := range map[string][]any{
			whoseIs(presentQuery, client, 1): ofClient(client),
			whoseIs(ratesQuery, client, 2):   ofClient(client, 0),
		} {
			plan := strings.Join(dbtest.Plan(t, d, query, args...), "\n")
			for _, table := range []string{"c", "r", "b", "changes", "runs", "cost_ledger", "cost_rates"} {
				if slices.Contains(strings.Split(plan, "\n"), "SCAN "+table) || strings.Contains(plan, "SCAN "+table+" USING INDEX sqlite") {
					t.Errorf("client %q: all of %s is read:\n%s", client, table, plan)
				}
			}
			for _, index := range map[bool][]string{
				true:  {"pulls_open", "cost_ledger_awaited", "runs_status"},
				false: {"cost_rates_base", "cost_rates_project"},
			}[strings.Contains(query, "UNION")] {
				if !strings.Contains(plan, index) {
					t.Errorf("client %q: nothing is found by %s:\n%s", client, index, plan)
				}
			}
		}
	}
}
