package budget

import (
	"context"
	"testing"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// unestimated is the estimate of a plan whose estimator failed.
func unestimated() *cost.Estimate {
	e := cost.Unestimated(&tfplan.Plan{Changes: []tfplan.Change{{Mode: "managed"}}}, cost.Options{}, "Infracost is not there.")
	return &e
}

// An estimator that failed knows nothing: its zeros are nobody's cost, in the
// rate, in the sum that a budget judges by, and in the difference.
func TestLedgerTakesAFailedEstimateForNone(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), thousand("acme-prod"))
	base := w.change(w.repo, 1)
	w.applied(w.planned(w.subject(w.repo, base, 1, "net"), estimate("0", "900")), true)
	c := w.change(w.repo, 2)
	p := w.planned(w.subject(w.repo, c, 2, "net"), unestimated())
	v := w.verdict(c)
	equal(t, "before", v.Before, "900")
	if v.Bound != cost.BoundPartial || !v.AtLeast || !v.MayBeOver || v.Over {
		t.Errorf("planned: %+v", v)
	}
	w.planned(w.subject(w.repo, w.change(w.repo, 3), 3, "new"), unestimated())
	w.merged(c)
	f := w.report(november, november).Clients[0].Months[0]
	if f.MergedBound != cost.BoundPartial || f.MergedCount != 1 || f.OpenBound != cost.BoundPartial {
		t.Errorf("merged: %+v", f)
	}
	w.applied(p, true)
	r := w.report(november, november).Clients[0]
	if len(r.Projects) != 2 || r.Projects[0].Basis != BasisUnknown || r.Projects[1].Months[0].Known {
		t.Fatalf("applied: %+v", r.Projects)
	}
	f = r.Projects[0].Months[0]
	equal(t, "rate", f.Rate, "900") // the last that was known
	if f.Known || f.AppliedBound != cost.BoundPartial || f.AppliedCount != 2 {
		t.Errorf("applied: %+v", f)
	}
	other := w.change(w.repo, 4)
	w.planned(w.subject(w.repo, other, 4, "app"), estimate("0", "50"))
	if v := w.verdict(other); v.Known {
		t.Errorf("what stands beside an unknown rate reads as known: %+v", v)
	}
}

// A server may be set to another currency: what was told in the old one is
// turned into the new, or is not known where there is no rate. It is never
// added up as it is.
func TestLedgerInTwoCurrencies(t *testing.T) {
	euros := func(before, after string) *cost.Estimate {
		e := estimate(before, after)
		e.Currency = "EUR"
		return e
	}
	for _, known := range []bool{true, false} {
		w := newWorld(t, dbtest.SQLite(t))
		if known {
			w.store.convert = rates{"EUR": "1", "USD": "1.25"} // a dollar is 0.80
		}
		w.now = at("01 00:00")
		w.applied(w.planned(w.subject(w.repo, w.change(w.repo, 1), 1, "net"), estimate("0", "100")), true)
		open := w.change(w.repo, 2)
		w.planned(w.subject(w.repo, open, 2, "net"), estimate("100", "150"))
		w.now = at("10 12:00")
		w.applied(w.planned(w.subject(w.repo, w.change(w.repo, 3), 3, "net"), euros("80", "90")), true)
		p := w.report(november, november).Clients[0].Projects[0]
		f := p.Months[0]
		equal(t, "rate", f.Rate, "90")
		if p.Currency != "EUR" {
			t.Errorf("currency %s", p.Currency)
		}
		if !known {
			if !f.AtLeast || f.OpenBound != cost.BoundPartial || f.AppliedBound != cost.BoundPartial {
				t.Errorf("without a rate: %+v", f)
			}
			equal(t, "open", f.Open, "0")
			continue
		}
		equal(t, "applied", f.Applied, "90") // to 80 and then to 90, from nothing
		equal(t, "open", f.Open, "40")
		if want := dec("25.33"); !f.Cost.Round(2).Equal(want) { // 80 × 9.5/30
			t.Errorf("cost %s, want %s", f.Cost, want)
		}
	}
}

// Two changes fit a budget each, and not together. Whose apply begins second
// is told, though nothing of the first is applied yet.
func TestFault_TwoAppliesBeginAtOnceInOneBudget(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, thousand("acme-prod"))
		started := make(chan bool, 2)
		for pull, dir := range map[int]string{1: "net", 2: "app"} {
			change := w.change(w.repo, pull)
			plan := w.planned(w.subject(w.repo, change, pull, dir), estimate("0", "600"))
			if v := w.verdict(change); v.Closed() {
				t.Fatalf("alone it fits: %+v", v)
			}
			w.exec(`INSERT INTO runs (id, client_id, change_id, repo_id, pull, kind, project, dir, workspace, status, plan_run_id, created_ms)
				VALUES ($1,$2,$3,$4,$5,'apply',$6,$7,'default','checking',$8,0)`, "apply-"+change, w.repo.ClientID, change, w.repo.ID, pull, dir, dir, plan.Run)
		}
		for pull := 1; pull <= 2; pull++ {
			go func() {
				change, began := "change-7-"+string(rune('0'+pull)), false
				_ = d.Tx(context.Background(), func(tx *db.Tx) error {
					all, err := w.store.JudgeApply(context.Background(), tx, change)
					if err != nil || len(all) != 1 || all[0].Closed() {
						began = false
						return err
					}
					began = true
					_, err = tx.ExecContext(context.Background(), `UPDATE runs SET status='running' WHERE id=$1`, "apply-"+change)
					return err
				})
				started <- began
			}()
		}
		if a, b := <-started, <-started; a == b {
			t.Errorf("began: %v and %v", a, b)
		}
	})
}
