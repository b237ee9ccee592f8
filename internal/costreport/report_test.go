package costreport

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"golang.org/x/net/html"

	"github.com/tidelock/tidelock/internal/actuals"
	"github.com/tidelock/tidelock/internal/budget"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/errs"
)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func month(s string) budget.Month {
	m, err := budget.ParseMonth(s)
	if err != nil {
		panic(err)
	}
	return m
}

// now is when every report of these tests is made.
var now = time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC) // half of November is over

// figures writes a month as "rate cost applied".
func figures(m, text string) budget.Figures {
	var f budget.Figures
	var rate, cost, applied string
	if _, err := fmt.Sscan(text, &rate, &cost, &applied); err != nil {
		panic(err)
	}
	f.Month, f.Rate, f.Cost, f.Applied, f.Known = month(m), dec(rate), dec(cost), dec(applied), true
	if !f.Applied.IsZero() {
		f.AppliedCount = 1
	}
	return f
}

func key(dir string) budget.Key { return budget.Key{Repo: 7, Dir: dir, Workspace: "default"} }

// ledger is what the ledger says of two clients at the end of a busy half month.
func ledger() budget.Report {
	web := budget.ProjectReport{
		Key: key("live/web"), RepoName: "acme/infra", Project: "live/web", Currency: "USD", Basis: budget.BasisApplied,
		Services: []budget.Service{{Cloud: "aws", Service: "Amazon Elastic Compute Cloud", Label: "EC2", Rate: dec("200")}, {Cloud: "aws", Service: "Elastic Load Balancing", Label: "ELB", Rate: dec("40")}},
		Months:   []budget.Figures{figures("2026-09", "180 180 0"), figures("2026-10", "180 180 0"), figures("2026-11", "240 105 60")},
		Entries: []budget.Entry{
			{
				Change: "0199f2c4-0000-7000-8000-000000000012", Key: key("live/web"), Project: "live/web", Pull: 12, State: budget.StatePlanned, Planned: now.Add(-time.Hour),
				Amounts: budget.Amounts{Currency: "USD", Before: dec("240"), After: dec("265.5"), Delta: dec("25.5"), Bound: cost.BoundAtLeast},
			},
			{
				Change: "0199f2c4-0000-7000-8000-000000000011", Key: key("live/web"), Project: "live/web", Pull: 11, State: budget.StateApplied, Planned: now.AddDate(0, 0, -9), Applied: now.AddDate(0, 0, -8),
				Amounts: budget.Amounts{Currency: "USD", Delta: dec("1")},
				Last:    &budget.Amounts{Currency: "USD", Before: dec("180"), After: dec("240"), Delta: dec("60"), Bound: cost.BoundExact},
			},
			{Change: "0199f2c4-0000-7000-8000-000000000009", Project: "live/web", Pull: 9, State: budget.StateApplied, Planned: now.AddDate(0, -2, 0), Applied: now.AddDate(0, -2, 0)},
			{Change: "0199f2c4-0000-7000-8000-000000000008", Project: "live/web", Pull: 8, State: budget.StateSuperseded, Planned: now},
		},
	}
	web.Months[2].Open, web.Months[2].OpenCount = dec("25.5"), 1
	data := budget.ProjectReport{
		Key: key("live/data"), RepoName: "acme/infra", Project: "live/data", Currency: "USD", Basis: budget.BasisUnknown,
		Services: []budget.Service{{Cloud: "aws", Service: "Amazon Relational Database Service", Label: "RDS", Rate: dec("90")}},
		Months:   []budget.Figures{{Month: month("2026-09")}, figures("2026-10", "120 60 0"), figures("2026-11", "100 55 -20")},
	}
	data.Months[2].Known, data.Months[2].Merged, data.Months[2].MergedCount = false, dec("-10"), 1
	acme := budget.ClientReport{
		ID: "a", Slug: "acme", Name: "Acme Inc.", Currency: "USD", Projects: []budget.ProjectReport{data, web},
		Months: []budget.Figures{data.Months[0].Plus(web.Months[0]), data.Months[1].Plus(web.Months[1]), data.Months[2].Plus(web.Months[2])},
		Budgets: []budget.Status{{
			Budget: "acme-all", Month: month("2026-11"), Currency: "USD", Amount: dec("400"), Rate: dec("340"), Merged: dec("-10"), MergedBound: cost.BoundExact, Cost: dec("160"), Projected: dec("325"), Projects: 2, Known: true,
			Thresholds: []budget.Threshold{{Kind: budget.Percent, Value: dec("80"), Amount: dec("320"), Crossed: true}, {Kind: budget.Percent, Value: dec("100"), Amount: dec("400")}},
		}, {Budget: "everybody", Currency: "USD", Amount: dec("77777"), Rate: dec("55555"), Shared: true}},
		Forecast: &budget.Forecast{Month: month("2026-11"), Amount: dec("330"), Method: budget.MethodRate, WithMerged: dec("325"), Known: true},
		Next:     &budget.Forecast{Month: month("2026-12"), Amount: dec("340"), Method: budget.MethodNext, WithMerged: dec("340"), Known: true},
	}
	bolt := budget.ClientReport{
		ID: "b", Slug: "bolt", Name: "bolt", Currency: "EUR", LeftOut: []string{"CHF"},
		Months:   []budget.Figures{figures("2026-09", "0 0 0"), figures("2026-10", "0 0 0"), figures("2026-11", "50 20 50")},
		Projects: []budget.ProjectReport{{Key: key("net"), RepoName: "bolt/infra", Project: "net", Currency: "EUR", Basis: budget.BasisApplied, Months: []budget.Figures{figures("2026-09", "0 0 0"), figures("2026-10", "0 0 0"), figures("2026-11", "50 20 50")}}},
	}
	return budget.Report{From: month("2026-09"), To: month("2026-11"), AsOf: now, Clients: []budget.ClientReport{acme, bolt}}
}

func bills() []actuals.Month {
	one := decimal.NewFromInt(1)
	usd := func(total, web string) []actuals.Currency {
		return []actuals.Currency{{
			Currency: "USD", Total: actuals.Amounts{Compared: dec(total), Billed: dec("999")},
			Projects: []actuals.Project{{Repo: 7, Dir: "live/web", Workspace: "default", Amounts: actuals.Amounts{Compared: dec(web)}}},
		}}
	}
	return []actuals.Month{
		{Client: "acme", Month: "2026-09", Known: true, Covered: one, Currencies: usd("200", "190")},
		{Client: "acme", Month: "2026-10", Known: true, Covered: one, Currencies: usd("252", "171")},
		{Client: "acme", Month: "2026-11", Known: true, Covered: dec("0.4"), Through: time.Date(2026, 11, 12, 0, 0, 0, 0, time.UTC), Currencies: usd("130", "100")},
		{Client: "bolt", Month: "2026-11", Known: false},
		{Client: "bolt", Month: "2026-10", Known: true, Covered: one, Currencies: usd("9", "9")}, // in dollars, while the estimate is in euros
	}
}

func TestAskedFor(t *testing.T) {
	for _, c := range []struct{ month, from, to, want string }{
		{"", "", "", "2026-11 2026-11"}, {"2026-09", "", "", "2026-09 2026-09"}, {"", "2026-09", "", "2026-09 2026-11"}, {"", "", "2026-10", "2026-10 2026-10"},
		{"", "2025-12", "2026-02", "2025-12 2026-02"}, {"2026-12", "", "", "2026-12 has not begun"}, {"", "2026-10", "2026-09", "is after the last"},
		{"2026-09", "2026-01", "", "either one month"}, {"11", "", "", "written like 2026-11"}, {"", "1990-01", "", "60 months at most"}, {"2026-13", "", "", "written like"},
	} {
		a, err := AskedFor(c.month, c.from, c.to, now)
		got := a.From.String() + " " + a.To.String()
		if err != nil {
			if got = errs.Sentence(err); !errs.Is(err, errs.Invalid) {
				t.Errorf("%+v: kind of %v", c, err)
			}
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%+v: %s", c, got)
		}
	}
	if q := (Asked{From: month("2026-10"), To: month("2026-11")}).Query("x"); q.From != month("2026-05") || q.To != month("2026-11") || q.Client != "x" {
		t.Errorf("the ledger is asked %+v", q)
	}
	if q := (Asked{From: month("2025-10"), To: month("2026-11")}).Query(""); q.From != month("2025-10") {
		t.Errorf("the ledger is asked %+v", q)
	}
}

func TestStatement(t *testing.T) {
	s := New(Asked{From: month("2026-11"), To: month("2026-11")}, ledger(), bills())
	if len(s.Clients) != 2 {
		t.Fatalf("%d clients", len(s.Clients))
	}
	acme, bolt := s.Clients[0], s.Clients[1]
	last := acme.Last()
	if got, want := []string{last.RateText(), last.CostText(), last.AppliedText(), last.MergedText(), last.OpenText(), last.BilledText()},
		[]string{"about $340.00", "about $160.00", "+$40.00", "-$10.00", "+$25.50", "$130.00 up to 12 Nov"}; !cmp.Equal(got, want) {
		t.Errorf("the client's month: %s", cmp.Diff(want, got))
	}
	var services []string
	for _, v := range acme.Services {
		services = append(services, v.Label+" "+v.RateText("USD"))
	}
	if got := strings.Join(services, ", "); got != "EC2 $200.00, RDS $90.00, ELB $40.00, Not split by service $10.00" {
		t.Errorf("by service: %s", got)
	}
	b := acme.Budgets[0]
	if got := b.Word() + ", " + b.UsedText() + ", " + b.ProjectedText(); got != "past 80\u00a0%, 85\u00a0%, $325.00" {
		t.Errorf("the budget: %s", got)
	}
	var changes []string
	for _, c := range acme.Changes {
		changes = append(changes, fmt.Sprintf("#%d %s %s %s → %s", c.Pull, c.Date(), c.StateText(), c.DeltaText(), c.AfterText()))
	}
	// What was applied says what its own plan said, what was replaced says nothing.
	if got, want := strings.Join(changes, "\n"), "#12 2026-11-15 open at least +$25.50 → $265.50\n#11 2026-11-08 applied +$60.00 → $240.00"; got != want {
		t.Errorf("the changes:\n%s\nwant\n%s", got, want)
	}
	movers := acme.Movers(1)
	if len(movers) != 1 || movers[0].Title() != "acme/infra live/web" || len(acme.Movers(5)) != 2 {
		t.Errorf("the movers: %+v", movers)
	}
	if got := acme.Notes(); len(got) != 2 || !strings.Contains(got[0], "acme/infra live/data: the figure is the last one that was known") || !strings.Contains(got[1], "everybody looks at other clients") {
		t.Errorf("notes: %q", got)
	}
	if got := bolt.Notes(); len(got) != 1 || !strings.Contains(got[0], "Projects in CHF are not in the sums") {
		t.Errorf("notes: %q", got)
	}
	if bolt.Last().Billed != nil || bolt.Earlier[1].Billed != nil {
		t.Error("a bill that is not known, or in another currency, is told")
	}
	o := acme.Outlooks()
	if len(o) != 2 || o[0].Amount != "$330.00" || o[0].Merged != "$325.00" || o[0].Method != budget.MethodRate || o[1].Month != "December 2026" || o[1].Merged != "" {
		t.Errorf("the forecasts: %+v", o)
	}
}

// Several months add up; what can't be compared is not.
func TestStatementOfSeveralMonths(t *testing.T) {
	s := New(Asked{From: month("2026-09"), To: month("2026-11")}, ledger(), bills())
	acme := s.Clients[0]
	if len(acme.Months) != 3 || len(acme.Earlier) != 0 {
		t.Fatalf("%d months, %d earlier", len(acme.Months), len(acme.Earlier))
	}
	var got []string
	for _, m := range acme.Months {
		got = append(got, m.Name()+" "+m.RateText()+" "+m.BilledText())
	}
	want := []string{"September 2026 about $180.00 $200.00", "October 2026 $300.00 $252.00 (+5\u00a0%)", "November 2026 about $340.00 $130.00 up to 12 Nov"}
	if !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	w := acme.Whole()
	if !w.Cost.Equal(dec("580")) || !w.Applied.Equal(dec("40")) || !w.Rate.Equal(dec("340")) || w.Known || !w.Billed.Amount.Equal(dec("582")) || w.Billed.Beyond != nil {
		t.Errorf("together: %+v", w)
	}
	data, web := acme.Projects[0], acme.Projects[1]
	if data.Months[0].RateText() != "not known" || data.Whole().Billed != nil {
		t.Errorf("a month before anything is known: %s", data.Months[0].RateText())
	}
	if b := web.Months[1].Billed; b == nil || !b.Beyond.Equal(dec("-9")) || web.Months[1].BilledText() != "$171.00 (-5\u00a0%)" {
		t.Errorf("a project's bill: %s", web.Months[1].BilledText())
	}
}

func TestStatementOfOneProject(t *testing.T) {
	s := New(Asked{From: month("2026-11"), To: month("2026-11"), Project: "live/web"}, ledger(), bills())
	if len(s.Clients) != 1 {
		t.Fatalf("%d clients have the project", len(s.Clients))
	}
	c := s.Clients[0]
	if c.Last().RateText() != "$240.00" || c.Last().BilledText() != "$100.00 up to 12 Nov" || len(c.Budgets) != 0 || len(c.Projects) != 1 {
		t.Errorf("%+v", c)
	}
	// 105 so far, and half a month of 240.
	if c.Forecast == nil || !c.Forecast.Amount.Equal(dec("225")) || !c.Next.Amount.Equal(dec("240")) {
		t.Errorf("forecast %+v, next %+v", c.Forecast, c.Next)
	}
	r := ledger()
	r.Clients[0].Projects[0].Project, r.Clients[0].Projects[0].Currency = "live/web", "EUR"
	c = New(Asked{From: month("2026-11"), To: month("2026-11"), Project: "live/web"}, r, nil).Clients[0]
	if len(c.Months) != 0 || !strings.Contains(c.Notes()[0], "several currencies") {
		t.Errorf("two currencies are added up: %+v", c.Months)
	}
	if New(Asked{From: month("2026-11"), To: month("2026-11"), Project: "nope"}, ledger(), nil).Clients == nil {
		t.Error("JSON would have null for no clients")
	}
}

func TestStatementAsJSON(t *testing.T) {
	out, err := json.Marshal(New(Asked{From: month("2026-11"), To: month("2026-11")}, ledger(), bills()))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		From, To string
		Clients  []struct {
			Slug   string
			Months []struct {
				Month, Rate, Cost string
				Known             bool
				Billed            *struct{ Amount, Covered string }
			}
			Budgets []struct {
				Budget string
				Used   string `json:"used_percent"`
			}
			Forecast *struct{ Amount, Method string }
			Changes  []struct {
				ID    string `json:"change_id"`
				Delta string
			}
		}
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	a := got.Clients[0]
	if got.From != "2026-11" || a.Months[0].Rate != "340" || a.Months[0].Known || a.Months[0].Billed.Covered != "0.4" || a.Budgets[0].Used != "85" || a.Forecast.Method == "" || a.Changes[1].Delta != "60" {
		t.Errorf("%+v", got)
	}
	if strings.Contains(string(out), "77777") || strings.Contains(string(out), "55555") {
		t.Error("a client's report has the amounts of a budget that looks at others, too")
	}
	if strings.Contains(string(out), ":null") {
		t.Errorf("there is a null: %s", out)
	}
}

// The chart has the forecast's rest on top of what was spent, the next month
// dashed, the budget's line, and a dot where the whole month was billed.
func TestMonthsChart(t *testing.T) {
	s := New(Asked{From: month("2026-11"), To: month("2026-11")}, ledger(), bills())
	out, err := s.Clients[0].MonthsChart("m")
	if err != nil {
		t.Fatal(err)
	}
	doc := parse(t, string(out))
	want := "September 2026: $180.00, Budget $400.00, Billed $200.00. October 2026: $240.00, Budget $400.00, Billed $252.00. " +
		"November 2026: $160.00, Forecast for the whole month $330.00, Budget $400.00. December 2026: Forecast for the whole month $340.00, Budget $400.00."
	if got := text(find(doc, "desc", "")[0]); got != want {
		t.Errorf("the chart says\n%s\nwant\n%s", got, want)
	}
	// A budget that looks at other projects too is no line of this chart.
	s.Clients[0].Budgets[0].Projects = 3
	if out, err = s.Clients[0].MonthsChart("m"); err != nil || strings.Contains(string(out), "plot-limit") {
		t.Errorf("%v: a budget of others is drawn", err)
	}
}

func TestBrief(t *testing.T) {
	for in, want := range map[string]string{"0": "$0", "0.004": "$0.004", "0.126": "$0.13", "12.34": "$12.3", "150": "$150", "999.9": "$1000", "1250": "$1.3k", "25000": "$25k", "-2500000": "−$2.5M", "1e10": "$10bn"} {
		if got := (Summary{Currency: "USD"}).brief(dec(in)); got != want {
			t.Errorf("%s is %s, want %s", in, got, want)
		}
	}
	if got := (Summary{Currency: "EUR"}).brief(dec("1500")); got != "1.5k" {
		t.Errorf("euros: %s", got)
	}
}

func parse(t *testing.T, text string) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func find(n *html.Node, tag, class string) []*html.Node {
	var all []*html.Node
	for d := range n.Descendants() {
		if d.Type != html.ElementNode || d.Data != tag {
			continue
		}
		has := class == ""
		for _, a := range d.Attr {
			has = has || a.Key == "class" && strings.Contains(" "+a.Val+" ", " "+class+" ")
		}
		if has {
			all = append(all, d)
		}
	}
	return all
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.FieldsFunc(b.String(), func(r rune) bool { return r == ' ' || r == '\n' }), " ")
}

func asPage(t *testing.T, s Statement) *html.Node {
	t.Helper()
	var b strings.Builder
	if err := s.WriteHTML(&b, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	return parse(t, b.String())
}

func TestHTML(t *testing.T) {
	doc := asPage(t, New(Asked{From: month("2026-10"), To: month("2026-11")}, ledger(), bills()))
	articles := find(doc, "article", "")
	if len(articles) != 2 {
		t.Fatalf("%d clients", len(articles))
	}
	said := text(articles[0])
	for _, want := range []string{
		"Acme Inc. acme", "Rate a month about $340.00", "about $400.00", "month to date + current rate × remaining hours", "acme-all $400.00 $340.00 -$10.00 85\u00a0% $325.00 past 80\u00a0%",
		"October 2026 $300.00 $240.00 – – $252.00 (+5\u00a0%)", "acme/infra live/web $240.00 $285.00 +$60.00 – +$25.50 $271.00", "2026-11-08 #11 acme/infra live/web applied +$60.00 $240.00",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("the page does not say %q:\n%s", want, said)
		}
	}
	if n := len(find(articles[0], "svg", "plot-columns")) + len(find(articles[0], "svg", "plot-bars")); n != 4 {
		t.Errorf("%d charts", n)
	}
	ids := map[string]bool{}
	for d := range doc.Descendants() {
		for _, a := range d.Attr {
			switch {
			case a.Key == "id" && ids[a.Val]:
				t.Errorf("two elements are %s", a.Val)
			case a.Key == "id":
				ids[a.Val] = true
			case a.Key == "src", a.Key == "href", a.Key == "style":
				t.Errorf("<%s> has %s=%q: the file does not stand alone", d.Data, a.Key, a.Val)
			}
		}
	}
	for _, heading := range find(doc, "section", "") {
		if first := heading.FirstChild; first.Data != "h2" && first.Data != "h3" {
			t.Errorf("a section begins with %q", first.Data)
		}
	}
}

const payload = `"'><script>window.hacked=1</script><img src=x onerror=alert(1)></style></title></svg><!--{{.}}` + "\u202ereversed\x1b]0;x\x07"

// What strangers chose is text in the file.
func TestThreat_ReportShowsTextOnly(t *testing.T) {
	r := ledger()
	c := &r.Clients[0]
	c.Name, c.Budgets[0].Budget = payload, payload
	for i := range c.Projects {
		p := &c.Projects[i]
		p.Project, p.RepoName, p.Workspace = payload, payload, payload
		for j := range p.Services {
			p.Services[j].Label = payload
		}
		for j := range p.Entries {
			p.Entries[j].Project = payload
		}
	}
	s := New(Asked{From: month("2026-11"), To: month("2026-11")}, r, bills())
	s.Project = payload
	var b strings.Builder
	if err := s.WriteHTML(&b, payload); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(b.String(), "\u202e\x1b\x07") {
		t.Error("characters that command or reorder are in the file")
	}
	doc := parse(t, b.String())
	if len(find(doc, "script", ""))+len(find(doc, "img", "")) > 0 || len(find(doc, "style", "")) != 1 || !strings.Contains(text(doc), "<script>window.hacked=1</script>") {
		t.Errorf("a name became markup: %s", b.String())
	}
	for d := range doc.Descendants() {
		if d.Type == html.CommentNode {
			t.Error("a name became a comment")
		}
	}
}
