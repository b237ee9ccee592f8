package budget

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
)

// One change's way: an estimate, merged, applied.
func TestLedgerFollowsAChange(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.change(w.repo, 1)
		s := w.subject(w.repo, c, 1, "net")
		project := func() ProjectReport {
			t.Helper()
			r := w.report(november, november)
			if len(r.Clients) != 1 || r.Clients[0].Slug != "acme" || len(r.Clients[0].Projects) != 1 {
				t.Fatalf("%+v", r)
			}
			p := r.Clients[0].Projects[0]
			if p.RepoName != "acme/infra" || p.Dir != "net" || p.Currency != "USD" || len(p.Months) != 1 {
				t.Fatalf("%+v", p)
			}
			return p
		}
		state := func(want State) {
			t.Helper()
			if e := project().Entries; len(e) != 1 || e[0].State != want || e[0].Pull != 1 {
				t.Fatalf("%+v, want one that is %s", e, want)
			}
		}
		w.planned(s, estimate("100", "130"))
		p := w.planned(s, estimate("100", "160")) // the newer one counts
		state(StatePlanned)
		m := project().Months[0]
		equal(t, "open", m.Open, "60")
		equal(t, "rate", m.Rate, "100")
		if m.OpenCount != 1 || !m.Known {
			t.Errorf("%+v", m)
		}

		w.now = at("16 00:00")
		w.merged(c)
		state(StateMerged)
		m = project().Months[0]
		equal(t, "open", m.Open, "0")
		equal(t, "merged", m.Merged, "60")

		w.applied(p, true)
		state(StateApplied)
		m = project().Months[0]
		equal(t, "merged", m.Merged, "0")
		equal(t, "applied", m.Applied, "60")
		equal(t, "rate", m.Rate, "160")

		// Half of November at 160, and from when it was first seen, at noon of
		// the 10th, at 100: 5.5 days of 30.
		w.now = at("30 23:59")
		w.now = november.End()
		r := w.report(november, november.Add(1))
		months := r.Clients[0].Months
		equal(t, "November's cost", months[0].Cost, "98.3333333333") // 100 × 5.5/30 + 160 × 15/30
		if !months[0].AtLeast {
			t.Error("nothing says that the project was there before it was seen")
		}
		equal(t, "December's first moment", months[1].Rate, "160")
		if r.Clients[0].Projects[0].Basis != BasisApplied {
			t.Errorf("basis %s", r.Clients[0].Projects[0].Basis)
		}

		// Destroying it ends what it costs, though a resource had no price.
		c2 := w.change(w.repo, 2)
		e := estimate("160", "0")
		e.AtLeast = true
		gone := w.planned(w.subject(w.repo, c2, 2, "net"), e)
		a := applyOf(gone, w.run(), true, w.now)
		a.Destroy = true
		w.tx(func(ctx context.Context, tx *db.Tx) error { return w.store.Applied(ctx, tx, a) })
		f := w.report(november.Add(1), november.Add(1)).Clients[0].Months[0]
		if equal(t, "destroyed", f.Rate, "0"); f.AtLeast || !f.Known {
			t.Errorf("%+v", f)
		}
	})
}

func TestLedgerSaysWhatIsNotKnown(t *testing.T) {
	d := dbtest.SQLite(t)
	w := newWorld(t, d)
	c := w.change(w.repo, 1)
	s := w.subject(w.repo, c, 1, "net")
	w.applied(w.planned(s, estimate("0", "50")), true)
	p := w.planned(s, estimate("50", "500"))
	w.now = at("11 00:00")
	w.applied(p, false)
	r := w.report(november, november).Clients[0]
	f := r.Months[0]
	equal(t, "the last rate that was known", f.Rate, "50")
	if f.Known || r.Projects[0].Basis != BasisUnknown || r.Projects[0].Entries[0].State != StateFailed || r.Forecast.Known {
		t.Errorf("a failed apply passes for known: %+v", r)
	}
	// What is applied next is known again; the month with the failure is not.
	w.now = at("12 00:00")
	w.applied(p, true)
	if r = w.report(november, november).Clients[0]; r.Projects[0].Basis != BasisApplied || r.Projects[0].Entries[0].State != StateApplied {
		t.Errorf("%+v", r.Projects[0])
	}
	equal(t, "rate", r.Months[0].Rate, "500")

	// A plan without an estimate applied: nobody knows.
	c2 := w.change(w.repo, 2)
	w.applied(w.planned(w.subject(w.repo, c2, 2, "net"), nil), true)
	if f := w.report(november, november).Clients[0].Months[0]; f.Known {
		t.Errorf("%+v", f)
	}

	// Of a part of the project the difference counts.
	c3 := w.change(w.repo, 3)
	w.applied(w.planned(w.subject(w.repo, c3, 3, "net"), estimate("500", "500")), true)
	part := Plan{Subject: w.subject(w.repo, c3, 3, "net"), Run: w.run(), Partial: true, Estimate: estimate("20", "30"), At: w.now}
	w.tx(func(ctx context.Context, tx *db.Tx) error { return w.store.Planned(ctx, tx, part) })
	w.applied(part, true)
	equal(t, "after a part", w.report(november, november).Clients[0].Months[0].Rate, "510")
}

// A closed pull request and a superseded head are nothing that is to come.
func TestLedgerForgetsWhatDoesNotCome(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	for pull, status := range map[int]string{1: "closed", 2: "superseded"} {
		c := w.change(w.repo, pull)
		w.planned(w.subject(w.repo, c, pull, "net"), estimate("10", "20"))
		w.exec(`UPDATE changes SET status=$2 WHERE id=$1`, c, status)
	}
	// Merged, never applied, and overtaken by what another pull request applied.
	c := w.change(w.repo, 3)
	w.planned(w.subject(w.repo, c, 3, "net"), estimate("10", "40"))
	w.merged(c)
	w.now = w.now.Add(time.Hour)
	c = w.change(w.repo, 4)
	w.applied(w.planned(w.subject(w.repo, c, 4, "net"), estimate("10", "50")), true)
	f := w.report(november, november).Clients[0].Months[0]
	if !f.Open.IsZero() || !f.Merged.IsZero() || f.OpenCount+f.MergedCount != 0 {
		t.Errorf("%+v", f)
	}
	equal(t, "rate", f.Rate, "50")
}

// TestFault_DuplicateMergesMakeOneRow tells of every step a hundred times.
func TestFault_DuplicateMergesMakeOneRow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.change(w.repo, 1)
		p := Plan{Subject: w.subject(w.repo, c, 1, "net"), Run: w.run(), Estimate: estimate("0", "10"), At: w.now}
		a := applyOf(p, w.run(), true, w.now.Add(time.Hour))
		for i := range 100 {
			w.tx(func(ctx context.Context, tx *db.Tx) error {
				if err := w.store.Planned(ctx, tx, p); err != nil {
					return err
				}
				return w.store.Merged(ctx, tx, c, w.now.Add(time.Duration(i)*time.Second))
			})
			w.tx(func(ctx context.Context, tx *db.Tx) error { return w.store.Applied(ctx, tx, a) })
		}
		for table, want := range map[string]int{"cost_ledger": 1, "cost_merges": 1, "cost_rates": 2} {
			if n := w.query("SELECT COUNT(*) FROM " + table); n != want {
				t.Errorf("%s has %d rows, want %d", table, n, want)
			}
		}
		if n := w.query("SELECT COUNT(*) FROM cost_merges WHERE merged_ms=$1", db.Millis(w.now)); n != 1 {
			t.Error("a later delivery moved the merge")
		}
	})
}

// TestFault_KilledBetweenLeavesNothingHalf breaks off in the transaction.
func TestFault_KilledBetweenLeavesNothingHalf(t *testing.T) {
	d := dbtest.SQLite(t)
	w := newWorld(t, d)
	c := w.change(w.repo, 1)
	p := w.planned(w.subject(w.repo, c, 1, "net"), estimate("0", "10"))
	before := w.report(november, november)
	killed := errors.New("killed")
	err := d.Tx(t.Context(), func(tx *db.Tx) error {
		if err := w.store.Merged(t.Context(), tx, c, w.now); err != nil {
			return err
		}
		if err := w.store.Applied(t.Context(), tx, applyOf(p, w.run(), true, w.now)); err != nil {
			return err
		}
		return killed
	})
	if !errors.Is(err, killed) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(text(t, before), text(t, w.report(november, november))); diff != "" {
		t.Errorf("left something:\n%s", diff)
	}
}

func text(t *testing.T, r Report) string {
	t.Helper()
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Whatever the order in which what happened is told, and however often, the
// ledger ends the same.
func TestLedgerDoesNotDependOnTheOrder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var want string
	for try := range 12 {
		w := newWorld(t, dbtest.SQLite(t))
		var facts []func(ctx context.Context, tx *db.Tx) error
		for pull := 1; pull <= 3; pull++ {
			c := w.change(w.repo, pull)
			s := w.subject(w.repo, c, pull, "net")
			for n := range 2 {
				when := w.now.Add(time.Duration(pull*100+n*10) * time.Minute)
				p := Plan{Subject: s, Run: w.run(), Estimate: estimate(fmt.Sprint(pull*10), fmt.Sprint(pull*10+n*5+10)), At: when}
				a := applyOf(p, w.run(), n == 1 || pull == 2, when.Add(time.Minute))
				facts = append(facts,
					func(ctx context.Context, tx *db.Tx) error { return w.store.Planned(ctx, tx, p) },
					func(ctx context.Context, tx *db.Tx) error { return w.store.Applied(ctx, tx, a) })
			}
			merged := w.now.Add(time.Duration(pull*100+5) * time.Minute)
			facts = append(facts, func(ctx context.Context, tx *db.Tx) error { return w.store.Merged(ctx, tx, c, merged) })
		}
		if try > 0 {
			facts = append(facts, facts...)
			rnd.Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
		}
		for _, f := range facts {
			w.tx(f)
		}
		w.now = at("30 00:00")
		got := strings.ReplaceAll(text(t, w.report(november, november)), w.repo.ClientID, "ID")
		if try == 0 {
			want = got
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("told in another order (-in order +shuffled):\n%s", diff)
		}
	}
}

// The sum of how the rate moved is the last rate less the first, over any
// history, and a month's cost lies between its lowest and its highest rate.
func TestDeltasAddUp(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		h := &history{}
		when := at("01 00:00").AddDate(0, -3, 0)
		first := decimal.New(rnd.Int64N(100000), -2)
		h.points = append(h.points, Point{At: when, Basis: BasisSeen, Rate: first})
		last := first
		low, high := first, first
		for range rnd.IntN(12) {
			when = when.Add(time.Duration(rnd.Int64N(int64(20 * 24 * time.Hour))))
			p := Point{At: when, Basis: BasisApplied, Rate: decimal.New(rnd.Int64N(100000), -2)}
			switch rnd.IntN(4) {
			case 0:
				p.Basis = BasisUnknown
			case 1:
				p.Partial = true
				last = last.Add(p.Rate)
			default:
				last = p.Rate
			}
			low, high = decimal.Min(low, last), decimal.Max(high, last)
			h.points = append(h.points, p)
		}
		now := when.AddDate(0, 1, 0)
		sum := decimal.Zero
		for _, m := range Months(MonthOf(h.points[0].At), MonthOf(now)) {
			f := h.figures(m, now)
			sum = sum.Add(f.Applied)
			if whole := !h.points[0].At.After(m.Start()) && !now.Before(m.End()); whole && (f.Cost.LessThan(low.Sub(dec("0.0001"))) || f.Cost.GreaterThan(high.Add(dec("0.0001")))) {
				t.Fatalf("%s costs %s, with rates from %s to %s", m, f.Cost, low, high)
			}
		}
		if !sum.Equal(last.Sub(first)) {
			t.Fatalf("the months' differences sum up to %s, from %s to %s: %+v", sum, first, last, h.points)
		}
	}
}

// TestThreat_ReportStaysWithinAClient asks for one client's ledger.
func TestThreat_ReportStaysWithinAClient(t *testing.T) {
	d := dbtest.SQLite(t)
	w := newWorld(t, d)
	mine, theirs := w.change(w.repo, 1), w.change(w.other, 1)
	w.applied(w.planned(w.subject(w.repo, mine, 1, "net"), estimate("0", "10")), true)
	w.applied(w.planned(w.subject(w.other, theirs, 1, "net"), estimate("0", "1000")), true)
	r, err := w.store.Report(t.Context(), Query{Client: w.repo.ClientID})
	if err != nil || len(r.Clients) != 1 || r.Clients[0].ID != w.repo.ClientID || len(r.Clients[0].Projects) != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	equal(t, "rate", r.Clients[0].Months[0].Rate, "10")
	if all := w.report(november, november); len(all.Clients) != 2 {
		t.Errorf("all: %+v", all)
	}
}
