package budget

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
)

var (
	ada   = access.Actor{Kind: access.User, Name: "ada", ID: 1} // who opens the pulls
	grace = access.Actor{Kind: access.User, Name: "grace", ID: 2}
	alan  = access.Actor{Kind: access.User, Name: "alan", ID: 3}
)

func thousand(name string) Budget {
	return Budget{Name: name, Scope: Scope{Client: "acme"}, Amount: dec("1000"), Currency: "USD", OnExceed: Gate, Owners: Owners{Who: []string{"grace"}}}
}

func (w *world) judge(change string) []Verdict {
	w.t.Helper()
	all, err := w.store.Judge(w.t.Context(), w.db, change)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func (w *world) verdict(change string) Verdict {
	w.t.Helper()
	all := w.judge(change)
	if len(all) != 1 {
		w.t.Fatalf("%d verdicts: %+v", len(all), all)
	}
	return all[0]
}

func (w *world) approve(change string, by access.Actor) error {
	return w.db.Tx(w.t.Context(), func(tx *db.Tx) error { return w.store.Approve(w.t.Context(), tx, change, w.judge(change), by) })
}

// There is a project that costs 600 and one that costs 100; the budget is 1000.
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after string
		bend          func(e *cost.Estimate)
		budget        func(b *Budget)
		over, closed  bool
		maybe, cannot bool
		at, crosses   string
	}{
		{name: "within", before: "100", after: "399.99", at: "999.99"},
		{name: "exactly the budget", before: "100", after: "400", at: "1000"},
		{name: "over", before: "100", after: "400.01", over: true, closed: true, at: "1000.01"},
		{name: "over, and only told", before: "100", after: "500", budget: func(b *Budget) { b.OnExceed = Warn }, over: true, at: "1100"},
		{name: "cheaper, though still over", before: "900", after: "800", at: "1400"},
		{name: "as dear as before, though over", before: "900", after: "900", at: "1500"},
		{name: "over at least", before: "100", after: "500", bend: func(e *cost.Estimate) { e.Bound, e.AtLeast = cost.BoundAtLeast, true }, over: true, closed: true, at: "1100", maybe: false},
		{name: "perhaps over", before: "100", after: "200", bend: func(e *cost.Estimate) { e.Bound, e.AtLeast = cost.BoundAtLeast, true }, maybe: true, at: "800"},
		{name: "cheaper, perhaps", before: "100", after: "50", bend: func(e *cost.Estimate) { e.Bound = cost.BoundPartial }, maybe: true, at: "650"},
		{name: "what is missing can only save", before: "100", after: "200", bend: func(e *cost.Estimate) { e.Bound = cost.BoundAtMost }, at: "800"},
		{name: "another currency", before: "1", after: "2", bend: func(e *cost.Estimate) { e.Currency = "EUR" }, cannot: true, closed: true, at: "600"},
		{name: "another currency, and only told", before: "1", after: "2", bend: func(e *cost.Estimate) { e.Currency = "EUR" }, budget: func(b *Budget) { b.OnExceed = Warn }, cannot: true, at: "600"},
		{name: "cheaper in another currency", before: "2", after: "1", bend: func(e *cost.Estimate) { e.Currency = "EUR" }, at: "600"},
		{name: "thresholds", before: "100", after: "250", budget: func(b *Budget) {
			b.Thresholds = []Threshold{{Kind: Percent, Value: dec("70")}, {Kind: Percent, Value: dec("80")}, {Kind: Percent, Value: dec("90")}, {Kind: Absolute, Value: dec("850")}, {Kind: Absolute, Value: dec("700")}}
		}, at: "850", crosses: "percent 80, absolute 850"},
		// Nothing is known of before the 10th; from there it is 20.5 of 30 days at
		// 700 = 478.33, and at 1600 it is 1093.33.
		{name: "the forecast", before: "100", after: "1000", budget: func(b *Budget) {
			b.Amount, b.OnExceed = dec("2000"), Warn
			b.Thresholds = []Threshold{{Kind: Projected, Value: dec("23")}, {Kind: Projected, Value: dec("54")}, {Kind: Projected, Value: dec("55")}}
		}, at: "1600", crosses: "projected 54"},
		{name: "for another month", before: "100", after: "5000", budget: func(b *Budget) { b.Month = november.Add(1) }, over: true, closed: true, at: "5600"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := thousand("acme-prod")
			if c.budget != nil {
				c.budget(&b)
			}
			w := newWorld(t, dbtest.SQLite(t), b)
			base := w.change(w.repo, 1)
			w.applied(w.planned(w.subject(w.repo, base, 1, "app"), estimate("600", "600")), true)
			change := w.change(w.repo, 2)
			e := estimate(c.before, c.after)
			if c.bend != nil {
				c.bend(e)
			}
			w.planned(w.subject(w.repo, change, 2, "net"), e)
			v := w.verdict(change)
			equal(t, "after", v.After, c.at)
			if v.Over != c.over || v.Closed() != c.closed || v.MayBeOver != c.maybe && !v.Over || v.Incomparable != c.cannot {
				t.Errorf("over %v closed %v perhaps %v incomparable %v: %+v", v.Over, v.Closed(), v.MayBeOver, v.Incomparable, v)
			}
			if got := v.ClosedFor(Key{w.repo.ID, "net", "default"}); got != c.closed {
				t.Errorf("closed for the project: %v", got)
			}
			var crossed []string
			for _, th := range v.Crosses {
				crossed = append(crossed, th.key())
			}
			if got := strings.Join(crossed, ", "); got != c.crosses {
				t.Errorf("crosses %s", got)
			}
		})
	}
	t.Run("a month that is over", func(t *testing.T) {
		b := thousand("old")
		b.Month = november.Add(-1)
		w := newWorld(t, dbtest.SQLite(t), b)
		c := w.change(w.repo, 1)
		w.planned(w.subject(w.repo, c, 1, "net"), estimate("0", "5000"))
		if all := w.judge(c); len(all) != 0 {
			t.Errorf("%+v", all)
		}
	})
}

// Several projects of a change count together, and what of it is cheaper may
// be applied all the same.
func TestJudgeOfSeveralProjects(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), thousand("acme-prod"))
	c := w.change(w.repo, 1)
	w.planned(w.subject(w.repo, c, 1, "a"), estimate("400", "800"))
	w.planned(w.subject(w.repo, c, 1, "b"), estimate("500", "400"))
	other := w.change(w.repo, 2)
	w.planned(w.subject(w.repo, other, 2, "c"), estimate("0", "100")) // open: it may never come
	v := w.verdict(c)
	equal(t, "before", v.Before, "900")
	equal(t, "after", v.After, "1200")
	if !v.Closed() || !v.ClosedFor(Key{w.repo.ID, "a", "default"}) || v.ClosedFor(Key{w.repo.ID, "b", "default"}) {
		t.Errorf("%+v", v)
	}
	w.merged(other) // now it is to come
	equal(t, "with what is merged", w.verdict(c).After, "1300")
	// What of the change is applied is there, and asks no more.
	w.applied(Plan{Subject: w.subject(w.repo, c, 1, "a"), Run: "run-0001", Estimate: estimate("400", "800"), At: w.now}, true)
	if v := w.verdict(c); v.Closed() || !v.After.Equal(dec("1300")) {
		t.Errorf("%+v", v)
	}
}

// The word holds for as much as was approved.
func TestApprovalIsBoundToWhatItIsFor(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, thousand("acme-prod"))
		c := w.change(w.repo, 1)
		s := w.subject(w.repo, c, 1, "net")
		w.planned(s, estimate("900", "1200"))
		if err := w.approve(c, ada); !errs.Is(err, errs.Forbidden) {
			t.Fatalf("the author approves: %v", err)
		}
		if !w.verdict(c).Closed() {
			t.Fatal("open")
		}
		for range 3 { // told again and again
			if err := w.approve(c, grace); err != nil {
				t.Fatal(err)
			}
		}
		if n := w.query(`SELECT COUNT(*) FROM cost_approvals`); n != 1 {
			t.Errorf("%d words", n)
		}
		if n := w.query(`SELECT COUNT(*) FROM events WHERE action='budget.approve'`); n != 1 {
			t.Errorf("%d in the trail", n)
		}
		closed := func(what string, before, after string, want bool, bend func(*cost.Estimate)) {
			t.Helper()
			e := estimate(before, after)
			if bend != nil {
				bend(e)
			}
			w.planned(s, e)
			if v := w.verdict(c); v.Closed() != want || v.Said(grace) == want {
				t.Errorf("%s: closed %v, want %v: %+v", what, v.Closed(), want, v)
			}
		}
		closed("the same again", "900", "1200", false, nil)
		closed("cheaper", "900", "1100", false, nil)
		closed("dearer", "900", "1200.01", true, nil)
		closed("as dear, of something that costs more", "1000", "1300", true, nil)
		closed("back to what was approved", "900", "1200", false, nil)
		closed("as dear, and something without a price", "900", "1200", true, func(e *cost.Estimate) { e.Bound = cost.BoundAtLeast })
		closed("in another currency", "900", "1200", true, func(e *cost.Estimate) { e.Currency = "EUR" })

		// In another pull request it counts for nothing.
		other := w.change(w.repo, 2)
		w.planned(w.subject(w.repo, other, 2, "net"), estimate("900", "1200"))
		if v := w.verdict(other); !v.Closed() {
			t.Errorf("%+v", v)
		}
	})
}

// Where something has no price, the word is for exactly the plans.
func TestApprovalIsTakenBack(t *testing.T) {
	b := thousand("acme-prod")
	b.Owners.Count = 2
	w := newWorld(t, dbtest.SQLite(t), b)
	c := w.change(w.repo, 1)
	w.planned(w.subject(w.repo, c, 1, "net"), estimate("0", "1200"))
	for _, who := range []access.Actor{grace, alan} {
		if err := w.approve(c, who); err != nil {
			t.Fatal(err)
		}
	}
	if w.verdict(c).Closed() {
		t.Fatal("two have approved")
	}
	revoke := func(by access.Actor) (names []string) {
		w.tx(func(ctx context.Context, tx *db.Tx) (err error) {
			names, err = w.store.Revoke(ctx, tx, c, by)
			return err
		})
		return names
	}
	if got := revoke(ada); len(got) != 0 {
		t.Errorf("who said nothing: %v", got)
	}
	if got := revoke(grace); !slices.Equal(got, []string{"acme-prod"}) {
		t.Errorf("taken back: %v", got)
	}
	v := w.verdict(c)
	if !v.Closed() || len(v.ApprovedBy) != 1 || v.ApprovedBy[0].Actor != alan || len(revoke(grace)) != 0 {
		t.Errorf("%+v", v)
	}
	if n := w.query(`SELECT COUNT(*) FROM events WHERE action='budget.revoke'`); n != 1 {
		t.Errorf("%d in the trail", n)
	}
}

func TestApprovalOfWhatIsNotWhollyPriced(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), thousand("acme-prod"))
	c := w.change(w.repo, 1)
	e := estimate("900", "1200")
	e.Bound = cost.BoundAtLeast
	p := w.planned(w.subject(w.repo, c, 1, "net"), e)
	if err := w.approve(c, grace); err != nil {
		t.Fatal(err)
	}
	if w.verdict(c).Closed() {
		t.Fatal("closed")
	}
	again := p
	again.Run = w.run() // planned again, and the same
	w.tx(func(ctx context.Context, tx *db.Tx) error { return w.store.Planned(ctx, tx, again) })
	if w.verdict(c).Closed() {
		t.Error("the same plan asks again")
	}
	w.planned(p.Subject, e) // another digest
	if !w.verdict(c).Closed() {
		t.Error("another plan with more that has no price passes")
	}
}

func TestApprovalByTwo(t *testing.T) {
	b := thousand("acme-prod")
	b.Owners.Count = 2
	w := newWorld(t, dbtest.SQLite(t), b)
	c := w.change(w.repo, 1)
	w.planned(w.subject(w.repo, c, 1, "net"), estimate("0", "1200"))
	for i, by := range []access.Actor{grace, {Kind: access.User, Name: "grace-renamed", ID: grace.ID}, alan} {
		if !w.verdict(c).Closed() {
			t.Fatalf("open after %d", i)
		}
		if err := w.approve(c, by); err != nil {
			t.Fatal(err)
		}
	}
	if v := w.verdict(c); v.Closed() || len(v.ApprovedBy) != 2 {
		t.Errorf("%+v", v)
	}
}

// TestThreat_AuthorsWordInTheDatabaseCountsForNothing: the pull changed hands,
// or somebody wrote it there.
func TestThreat_AuthorsWordInTheDatabaseCountsForNothing(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), thousand("acme-prod"))
	c := w.change(w.repo, 1)
	w.planned(w.subject(w.repo, c, 1, "net"), estimate("0", "1200"))
	if err := w.approve(c, grace); err != nil {
		t.Fatal(err)
	}
	w.exec(`UPDATE pulls SET author='grace', author_id=2`)
	if !w.verdict(c).Closed() {
		t.Error("the author's word counts")
	}
}

// rates are those of a test: what one dollar is worth.
type rates map[string]string

func (r rates) Convert(_ context.Context, _ db.Querier, amount decimal.Decimal, from, to, day string) (decimal.Decimal, bool, error) {
	if day != "2026-11-10" {
		return amount, false, fmt.Errorf("asked for %s", day)
	}
	a, b := r[from], r[to]
	if a == "" || b == "" {
		return amount, false, nil
	}
	return amount.Mul(dec(b)).DivRound(dec(a), 16), true, nil
}

// A budget in euros, of projects in dollars: a dollar is 0.80 euros.
func TestJudgeInAnotherCurrency(t *testing.T) {
	b := thousand("acme-prod")
	b.Currency = "EUR"
	w := newWorld(t, dbtest.SQLite(t), b)
	w.store.convert = rates{"USD": "1", "EUR": "0.80"}
	base := w.change(w.repo, 1)
	w.applied(w.planned(w.subject(w.repo, base, 1, "app"), estimate("500", "500")), true)
	c := w.change(w.repo, 2)
	w.planned(w.subject(w.repo, c, 2, "net"), estimate("0", "750"))
	v := w.verdict(c)
	equal(t, "after", v.After, "1000") // (500 + 750) × 0.80
	if v.Over || v.Incomparable {
		t.Errorf("%+v", v)
	}
	w.planned(w.subject(w.repo, c, 2, "net"), estimate("0", "751"))
	if v := w.verdict(c); !v.Closed() {
		t.Errorf("%+v", v)
	}
	// What is in yen can't be compared; what can be still is.
	e := estimate("0", "1")
	e.Currency = "JPY"
	jp := w.change(w.repo, 3)
	w.applied(w.planned(w.subject(w.repo, jp, 3, "tokyo"), e), true)
	if v := w.verdict(c); !slices.Equal(v.LeftOut, []string{"JPY"}) || v.Incomparable || !v.Closed() {
		t.Errorf("%+v", v)
	}
}

func TestScope(t *testing.T) {
	prod := Target{Client: "acme", Repo: "Acme/Infra", Project: "net", Environment: "prod"}
	for _, c := range []struct {
		scope Scope
		want  bool
	}{
		{Scope{}, true},
		{Scope{Client: "ACME"}, true},
		{Scope{Client: "ac*"}, true},
		{Scope{Client: "bolt"}, false},
		{Scope{Repos: []string{"x/y", "acme/*"}}, true},
		{Scope{Repos: []string{"acme"}}, false},
		{Scope{Projects: []string{"n*"}}, true},
		{Scope{Projects: []string{"N*"}}, false},
		{Scope{Environment: "prod"}, true},
		{Scope{Environment: "staging"}, false},
		{Scope{Client: "acme", Projects: []string{"app"}}, false},
		{Scope{Projects: []string{"[", "net"}}, true},
		{Scope{Client: "["}, false},
	} {
		if got := c.scope.Holds(prod); got != c.want {
			t.Errorf("%+v: %v", c.scope, got)
		}
	}
	if (Scope{Environment: "*"}).Holds(Target{}) != true { // a pattern for all takes the nameless too
		t.Error("*")
	}
}

// TestThreat_BudgetOfSeveralClientsTellsNoneOfTheOthers: what another client
// spends is not in what this one reads.
func TestThreat_BudgetOfSeveralClientsTellsNoneOfTheOthers(t *testing.T) {
	all := thousand("all")
	all.Scope = Scope{}
	all.Thresholds = []Threshold{{Kind: Percent, Value: dec("50")}}
	w := newWorld(t, dbtest.SQLite(t), all)
	theirs := w.change(w.other, 1)
	w.applied(w.planned(w.subject(w.other, theirs, 1, "secret"), estimate("0", "777")), true)
	mine := w.change(w.repo, 1)
	p := w.planned(w.subject(w.repo, mine, 1, "net"), estimate("0", "300"))
	v := w.verdict(mine)
	if !v.Shared || !v.Closed() {
		t.Fatalf("%+v", v)
	}
	w.applied(p, true)
	for _, a := range w.alert(mine) {
		if strings.Contains(a.Text, "777") || strings.Contains(a.Text, "1,077") || strings.Contains(a.Text, "$") {
			t.Errorf("tells: %s", a.Text)
		}
	}
	r, err := w.store.Report(t.Context(), Query{Client: w.repo.ClientID})
	if err != nil || len(r.Clients) != 1 || len(r.Clients[0].Budgets) != 1 || !r.Clients[0].Budgets[0].Shared {
		t.Fatalf("%+v, %v", r, err)
	}

	// Nor in which currency they have something.
	yen, euros := estimate("0", "5"), estimate("0", "5")
	yen.Currency, euros.Currency = "JPY", "EUR"
	w.applied(w.planned(w.subject(w.other, theirs, 1, "tokyo"), yen), true)
	next := w.change(w.repo, 2)
	w.planned(w.subject(w.repo, next, 2, "app"), euros)
	if v := w.verdict(next); !slices.Equal(v.LeftOut, []string{"EUR"}) || strings.Contains(v.Stands(), "JPY") {
		t.Errorf("%q: %s", v.LeftOut, v.Stands())
	}
}

func (w *world) alert(change string) (out []Alert) {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx *db.Tx) (err error) {
		out, err = w.store.Alert(ctx, tx, change)
		return err
	})
	return out
}

// Each threshold is told once a month, whoever asks and however often.
func TestAlerts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := thousand("acme-prod")
		b.Thresholds = []Threshold{{Kind: Percent, Value: dec("50")}, {Kind: Percent, Value: dec("80")}, {Kind: Absolute, Value: dec("900")}}
		w := newWorld(t, d, b)
		c := w.change(w.repo, 1)
		s := w.subject(w.repo, c, 1, "net")
		told := func(change string, want ...string) {
			t.Helper()
			var got []string
			for _, a := range w.alert(change) {
				got = append(got, a.Threshold)
			}
			if !slices.Equal(got, want) {
				t.Errorf("told %q, want %q", got, want)
			}
		}
		w.applied(w.planned(s, estimate("0", "499")), true)
		told(c)
		p := w.planned(s, estimate("499", "800"))
		told(c) // it is only planned
		w.merged(c)
		told(c, "percent 50", "percent 80")
		told(c)
		w.applied(p, true)
		told(c)
		w.applied(w.planned(s, estimate("800", "100")), true) // below, and above again
		told(c)
		w.applied(w.planned(s, estimate("100", "950")), true)
		told(c, "absolute 900")
		told("")
		told2, err := w.store.Alerts(t.Context(), d, c)
		if err != nil || len(told2) != 3 || told2[1].Text != "The budget acme-prod has reached 50\u00a0%: what it looks at costs $800.00 a month, and the budget is $1,000.00. Prices as of 2026-11-01." {
			t.Errorf("%+v, %v", told2, err)
		}
		if n := w.query(`SELECT COUNT(*) FROM events WHERE action='budget.alert' AND client_id=$1`, w.repo.ClientID); n != 3 {
			t.Errorf("%d in the trail", n)
		}
		// A restart knows it; a new month begins anew.
		w.store = NewStore(d, w.trail, Options{Budgets: []Budget{b}, Now: func() time.Time { return w.now }})
		told("")
		due := func(want bool) {
			t.Helper()
			if got, err := w.store.AlertDue(t.Context()); err != nil || got != want {
				t.Errorf("due: %v, %v, want %v", got, err, want)
			}
		}
		due(false)
		w.now = november.End().Add(time.Hour)
		due(true)
		told("", "percent 50", "percent 80", "absolute 900")
		told("")
		due(false)
		st, err := w.store.Budgets(t.Context())
		if err != nil || len(st) != 1 || len(st[0].Thresholds) != 3 || !st[0].Thresholds[0].Alerted.Equal(w.now.Truncate(time.Millisecond)) || st[0].Over || st[0].Projects != 1 {
			t.Errorf("%+v, %v", st, err)
		}
	})
}

// Several nodes ask at the same moment: one of them tells.
func TestFault_AlertsOfManyAtOnceAreOne(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := thousand("acme-prod")
		b.Thresholds = []Threshold{{Kind: Percent, Value: dec("50")}}
		w := newWorld(t, d, b)
		c := w.change(w.repo, 1)
		w.applied(w.planned(w.subject(w.repo, c, 1, "net"), estimate("0", "600")), true)
		got := make(chan int, 8)
		for range cap(got) {
			go func() {
				n := 0
				_ = d.Tx(context.Background(), func(tx *db.Tx) error {
					all, err := w.store.Alert(context.Background(), tx, c)
					n = len(all)
					return err
				})
				got <- n
			}()
		}
		sum := 0
		for range cap(got) {
			sum += <-got
		}
		if sum != 1 || w.query(`SELECT COUNT(*) FROM cost_alerts`) != 1 || w.query(`SELECT COUNT(*) FROM events WHERE action='budget.alert'`) != 1 {
			t.Errorf("told %d times", sum)
		}
	})
}

// Projects are called what a repository calls them.
func TestHostileNamesStayData(t *testing.T) {
	d := dbtest.SQLite(t)
	w := newWorld(t, d, thousand("acme-prod"))
	name := "x'); DROP TABLE cost_ledger;--\x1b[2J <img src=x> `@all` \u202e"
	c := w.change(w.repo, 1)
	s := w.subject(w.repo, c, 1, name)
	w.applied(w.planned(s, estimate("0", "5")), true)
	r := w.report(november, november)
	if got := r.Clients[0].Projects[0]; got.Project != name || got.Dir != name {
		t.Errorf("%q", got.Project)
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}
