package budget

import (
	"testing"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/db/dbtest"
)

// approvedPair is a change of two projects over a budget of 1000, approved.
func approvedPair(t *testing.T, net, app *cost.Estimate) (w *world, change string, netPlan, appPlan Plan) {
	t.Helper()
	w = newWorld(t, dbtest.SQLite(t), thousand("acme-prod"))
	change = w.change(w.repo, 1)
	netPlan = w.planned(w.subject(w.repo, change, 1, "net"), net)
	appPlan = w.planned(w.subject(w.repo, change, 1, "app"), app)
	if !w.verdict(change).Closed() {
		t.Fatal("nothing to approve")
	}
	if err := w.approve(change, grace); err != nil {
		t.Fatal(err)
	}
	if w.verdict(change).Closed() {
		t.Fatal("approved, and closed")
	}
	return w, change, netPlan, appPlan
}

// TestThreat_ApprovedCostIsNotSpentInAnotherProject: what was approved of two
// projects is not there for one of them once the other is applied.
func TestThreat_ApprovedCostIsNotSpentInAnotherProject(t *testing.T) {
	w, c, net, app := approvedPair(t, estimate("500", "700"), estimate("400", "500"))
	w.applied(net, true)
	if w.verdict(c).Closed() {
		t.Error("what is left of what was approved asks again")
	}
	w.planned(app.Subject, estimate("400", "600")) // +200, where +300 was approved in all, of which +200 is spent
	if !w.verdict(c).Closed() {
		t.Error("app was approved for +100, and +200 passes")
	}
}

// Where something has no price the word is for exactly the plans: those that
// are left when the first is applied are still those.
func TestApprovalOutlivesTheFirstApply(t *testing.T) {
	open := estimate("400", "500")
	open.Bound, open.AtLeast = cost.BoundAtLeast, true
	w, c, net, app := approvedPair(t, estimate("500", "700"), open)
	w.applied(net, true)
	if w.verdict(c).Closed() {
		t.Error("the plan that was approved asks again")
	}
	w.planned(app.Subject, open)
	if !w.verdict(c).Closed() {
		t.Error("another plan with something that has no price passes")
	}
}

// TestThreat_ApprovedSavingMustCome: a word for what one project costs more and
// another less is not for the first alone.
func TestThreat_ApprovedSavingMustCome(t *testing.T) {
	lower := func() (*world, string, Plan, Plan) {
		return approvedPair(t, estimate("500", "1200"), estimate("700", "400"))
	}
	w, c, _, app := lower()
	w.applied(app, true)
	if w.verdict(c).Closed() {
		t.Error("the saving is there, and what it paid for asks again")
	}
	w, c, _, app = lower()
	w.planned(app.Subject, estimate("700", "600"))
	if !w.verdict(c).Closed() {
		t.Error("less is saved than was approved")
	}
	// A new head without the saving.
	w, c, net, _ := lower()
	next := "change-again"
	w.exec(`INSERT INTO changes (id, client_id, repo_id, pull, head_sha, status, created_ms, updated_ms) VALUES ($1,$2,$3,1,'h2','ready',0,0)`, next, w.repo.ClientID, w.repo.ID)
	w.exec(`UPDATE changes SET status='superseded' WHERE id=$1`, c)
	s := net.Subject
	s.Change = next
	w.planned(s, estimate("500", "1200"))
	if !w.verdict(next).Closed() {
		t.Error("the saving is gone from the change, and the word still counts")
	}
}
