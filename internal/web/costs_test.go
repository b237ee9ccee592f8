package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/tidelock/tidelock/internal/budget"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/db"
)

// theBudgets are what the ledger of the tests is judged by.
var theBudgets = []budget.Budget{{
	Name: "acme-all", Scope: budget.Scope{Client: "acme"}, Amount: dec("400"), Currency: "USD", OnExceed: budget.Warn,
	Thresholds: []budget.Threshold{{Kind: budget.Percent, Value: dec("50")}, {Kind: budget.Percent, Value: dec("100")}},
}, {Name: "house", Amount: dec("7777"), Currency: "USD", OnExceed: budget.Warn}}

// costWorld fills the ledger of acme: a project of the name that costs 100 a
// month since October and 240 since 1 January, another of 60, one change that
// is merged and one that is open; and that of globex. The clock is set to the
// middle of January 2027.
func costWorld(w *world, name string) {
	w.t.Helper()
	middle := time.Date(2027, 1, 16, 12, 0, 0, 0, time.UTC)
	w.clock.Store(middle.UnixMilli())
	number := 900
	tell := func(client, dir string, at time.Time, before, after string, applied, merged bool) {
		w.t.Helper()
		repo := w.repo
		if client != "acme" {
			repo = w.client(client, 42, 8, "platform")
		}
		number++
		c := w.open(repo, number, "Costs", "head")
		e := &cost.Estimate{Currency: "USD", Hours: 730, Before: dec(before), After: dec(after), Bound: cost.BoundExact, AsOf: "2026-05-01"}
		e.Delta = e.After.Sub(e.Before)
		amount := e.After
		e.Resources = []cost.ResourceCost{{
			Address: "aws_instance.a", Type: "aws_instance", Status: cost.StatusPriced, After: &amount, Components: []cost.Component{{Name: "Instance hours", Monthly: amount}},
		}}
		sub := budget.Subject{Key: budget.Key{Repo: repo.ID, Dir: dir, Workspace: "default"}, Client: repo.ClientID, Change: c.ID, Pull: number, Project: dir}
		w.tx(func(ctx context.Context, tx *db.Tx) error {
			plan := "plan-" + c.ID
			if err := w.opts.Ledger.Planned(ctx, tx, budget.Plan{Subject: sub, Run: plan, Digest: "d", Estimate: e, At: at}); err != nil {
				return err
			}
			if merged {
				if err := w.opts.Ledger.Merged(ctx, tx, c.ID, at); err != nil {
					return err
				}
			}
			if !applied {
				return nil
			}
			return w.opts.Ledger.Applied(ctx, tx, budget.Apply{Subject: sub, Run: "run-" + c.ID, Plan: plan, Digest: "d", Done: true, Estimate: e, Planned: at, At: at})
		})
	}
	october, january := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	tell("acme", name, october, "0", "100", true, true)
	tell("acme", "live/data", october, "0", "60", true, true)
	tell("acme", name, january, "100", "240", true, true)
	tell("acme", "live/data", middle.Add(-2*time.Hour), "60", "50", false, true)
	tell("acme", name, middle.Add(-time.Hour), "240", "265.5", false, false)
	tell("globex", "net", january, "0", "31", true, true)
}

// cells are a table's rows as text.
func cells(n *html.Node) (out []string) {
	for _, row := range find(find(n, "tbody", "")[0], "tr", "") {
		var line []string
		for _, td := range find(row, "td", "") {
			line = append(line, content(td))
		}
		out = append(out, strings.Join(line, " | "))
	}
	return out
}

func TestCostsPage(t *testing.T) {
	w := local(t)
	if text := content(w.page("/costs")); !strings.Contains(text, "Nothing is recorded yet.") {
		t.Errorf("an empty page says %q", text)
	}
	costWorld(w, "live/web")
	doc := w.page("/costs")
	// Half of January is over: (240+60)/2 = 150 so far, and 300 a month from
	// now on gives 300 for the whole of it.
	want := "acme | $300.00 | $150.00 | +$140.00 | -$10.00 | +$25.50 | $300.00 | Past 50 %\nglobex | $31.00 | $15.50 | +$31.00 | – | – | $31.00 | none"
	if got := strings.Join(cells(doc), "\n"); got != want {
		t.Errorf("the clients:\n%s\nwant\n%s", got, want)
	}
	if house := cells(find(doc, "section", "card")[1]); len(house) != 1 || house[0] != "house | $7,777.00 | $331.00 | -$10.00 | 4.3 % | $326.00 | Within" {
		t.Errorf("the budget over both: %v", house)
	}
	if len(find(doc, "svg", "plot-bars")) != 1 || !strings.Contains(outer(doc), `href="/costs/acme"`) {
		t.Error("no chart of the clients, or no link")
	}
	// A month that is over has no forecast, and its address stays on the way.
	doc = w.page("/costs?month=2026-12")
	if got := cells(doc)[0]; got != "acme | $160.00 | $160.00 | – | – | – | – | none" || !strings.Contains(outer(doc), `href="/costs/acme?month=2026-12"`) {
		t.Errorf("December: %s", got)
	}
	for path, status := range map[string]int{
		"/costs?month=2027-02": http.StatusBadRequest, "/costs?month=x": http.StatusBadRequest, "/costs?from=2027-01&to=2026-01": http.StatusBadRequest,
		"/costs/nobody": http.StatusNotFound, "/api/v1/costs/nobody": http.StatusNotFound, "/costs/%3Cscript%3E": http.StatusNotFound,
	} {
		if res := w.ask("GET", path); res.StatusCode != status {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
}

func TestCostPageOfAClient(t *testing.T) {
	w := local(t)
	if text := content(w.page("/costs/acme")); !strings.Contains(text, "Nothing is recorded of this client yet.") {
		t.Errorf("an empty page says %q", text)
	}
	costWorld(w, "live/web")
	doc := w.page("/costs/acme")
	var totals []string
	for _, d := range find(doc, "div", "total") {
		totals = append(totals, content(d))
	}
	if got := strings.Join(totals, ", "); got != "Rate a month $300.00, Cost so far $150.00, Applied +$140.00, Merged, not applied -$10.00, Open +$25.50, Billed –" {
		t.Errorf("the totals: %s", got)
	}
	sections := map[string]*html.Node{}
	for _, s := range find(doc, "section", "card") {
		sections[content(find(s, "h2", "")[0])] = s
	}
	for name, want := range map[string]string{
		"By month": "January 2027 | $300.00 | $295.00 | month to date + current rate × remaining hours | $224.00\nFebruary 2027 | $300.00 | $290.00 | current rate, all month | $265.14",
		"Budgets":  "acme-all | $400.00 | $300.00 | -$10.00 | 75 % | $295.00 | Past 50 %",
		"By project": "acme/infra live/data | $60.00 | $30.00 | – | -$10.00 | – | –\n" +
			"acme/infra live/web | $240.00 | $120.00 | +$140.00 | – | +$25.50 | –",
		"Changes": "2027-01-16 | #905 | acme/infra live/web | Open | +$25.50 | $265.50\n2027-01-16 | #904 | acme/infra live/data | Merged, not applied | -$10.00 | $50.00\n2027-01-01 | #903 | acme/infra live/web | Applied | +$140.00 | $240.00",
	} {
		if sections[name] == nil {
			t.Fatalf("there is no section %s", name)
		}
		if got := strings.Join(cells(sections[name]), "\n"); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
	}
	wantChart := "October 2026: $160.00, Budget $400.00. November 2026: $160.00, Budget $400.00. December 2026: $160.00, Budget $400.00. " +
		"January 2027: $150.00, Forecast for the whole month $300.00, Budget $400.00. February 2027: Forecast for the whole month $300.00, Budget $400.00."
	if got := content(find(sections["By month"], "desc", "")[0]); got != wantChart {
		t.Errorf("the chart says\n%s\nwant\n%s", got, wantChart)
	}
	if text := content(doc); strings.Contains(text, "globex") || strings.Contains(text, "$31.00") || strings.Contains(text, "7,777") || !strings.Contains(text, "The budget house looks at other clients") {
		t.Error("another client's costs are on the page")
	}
	year := w.page("/costs/acme?from=2026-02&to=2027-01")
	if n := len(find(find(year, "section", "card")[4], "tr", "")); n != 13 {
		t.Errorf("twelve months have %d rows", n)
	}
	if got := content(year); !strings.Contains(got, "September 2026 $0.00 $0.00") { // what the first plan found was nothing
		t.Errorf("months before the ledger: %s", got)
	}
}

func TestCostsAsJSON(t *testing.T) {
	w := local(t)
	costWorld(w, "live/web")
	var all struct {
		From    string
		Clients []struct {
			Slug     string
			Months   []struct{ Month, Rate, Open string }
			Projects *struct{}
		}
	}
	w.json("/api/v1/costs", &all)
	if all.From != "2027-01" || len(all.Clients) != 2 || all.Clients[0].Months[0].Rate != "300" || all.Clients[0].Months[0].Open != "25.5" || all.Clients[0].Projects != nil {
		t.Errorf("%+v", all)
	}
	var one struct {
		To       string
		AsOf     time.Time `json:"as_of"`
		Slug     string
		Earlier  []struct{ Month string }
		Projects []struct{ Project, Basis string }
		Changes  []struct{ State, Delta string }
		Budgets  []struct {
			Used string `json:"used_percent"`
		}
		Forecast struct{ Amount, Method string }
	}
	w.json("/api/v1/costs/acme", &one)
	if one.To != "2027-01" || one.Slug != "acme" || len(one.Earlier) != 6 || len(one.Projects) != 2 || one.Projects[1].Basis != "applied" || one.Changes[0].Delta != "25.5" || one.Budgets[0].Used != "75" ||
		one.Forecast.Amount != "300" || !one.AsOf.Equal(w.opts.Now()) {
		t.Errorf("%+v", one)
	}
	if text := w.text("/api/v1/costs/acme"); strings.Contains(text, "globex") || strings.Contains(text, "7777") || strings.Contains(text, "null") || strings.Contains(text, "0001-01-01") {
		t.Errorf("the answer: %s", text)
	}
	w.client("empty", 43, 9, "x")
	if text := w.text("/api/v1/costs/empty"); strings.Contains(text, "null") || !strings.Contains(text, `"projects": []`) {
		t.Errorf("of a client without a ledger: %s", text)
	}
}

// Without a ledger the pages say so.
func TestCostsWithoutALedger(t *testing.T) {
	w := local(t)
	w.site.Ledger = nil
	if res := w.ask("GET", "/costs"); res.StatusCode != http.StatusNotFound {
		t.Errorf("%s", res.Status)
	}
}

// What strangers chose is text on these pages, too, charts included.
func TestThreat_CostPagesShowTextOnly(t *testing.T) {
	w := local(t)
	costWorld(w, payload)
	w.tx(func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE clients SET name = $1`, payload)
		return err
	})
	for _, path := range []string{"/costs", "/costs/acme"} {
		doc := w.page(path)
		if strings.Contains(outer(doc), "<script>window") || len(find(doc, "img", "")) != 1 || !strings.Contains(content(doc), "<script>window.hacked=1</script>") {
			t.Errorf("%s: %s", path, outer(doc))
		}
		for d := range find(doc, "main", "")[0].Descendants() {
			if d.Type == html.CommentNode || d.Type == html.ElementNode && (d.Data == "script" || d.Data == "img" || d.Data == "style") {
				t.Errorf("%s: a <%s>", path, d.Data)
			}
			for _, a := range d.Attr {
				if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
					t.Errorf("%s: <%s> has %s", path, d.Data, a.Key)
				}
			}
		}
	}
}

// The page of a change says what budgets say of it; of one that looks at other
// clients' projects too, no amount.
func TestChangeTellsItsBudgets(t *testing.T) {
	w := local(t)
	costWorld(w, "live/web")
	var id string
	if err := w.site.DB.QueryRowContext(t.Context(), `SELECT id FROM changes WHERE pull=905`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	var said struct {
		Budgets []budgetSays `json:"budgets"`
	}
	w.json("/api/v1/changes/"+id, &said)
	// 240 and 60 a month, 10 less of that merged, and 25.50 more by this change.
	if b := said.Budgets; len(b) != 2 || b[0].Budget != "acme-all" || b[0].Text != "$315.50 a month with this change (+$25.50), of $400.00" || b[0].Word != "within" || b[0].Closed {
		t.Errorf("%+v", said.Budgets)
	}
	text := w.text("/changes/" + id)
	if !strings.Contains(text, `id="budgets"`) || !strings.Contains(text, "$315.50") || strings.Contains(text, "7,777") || strings.Contains(text, "356.50") {
		t.Errorf("the page:\n%s", text)
	}
}
