package github_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// What is left of the hour is known from the answers, the least of all
// installations; a limit that GitHub imposed counts as long as it lasts.
func TestWhatIsLeftOfTheHourIsTold(t *testing.T) {
	w := newWorld(t)
	if all := w.app.Allowances(); len(all) != 0 || w.app.Halted() != 0 {
		t.Fatalf("before any call: %+v, %d halted", all, w.app.Halted())
	}
	if _, err := w.c.Pull(t.Context(), w.repo.ID(), 1); err != nil {
		t.Fatal(err)
	}
	all := w.app.Allowances()
	if len(all) != 1 || all[0].Resource != "core" || all[0].Remaining <= 0 || all[0].Remaining >= all[0].Limit {
		t.Fatalf("after a call: %+v", all)
	}
	before := all[0].Remaining
	if _, err := w.c.CreateComment(t.Context(), w.repo.ID(), 1, "x"); err != nil {
		t.Fatal(err)
	}
	if all = w.app.Allowances(); all[0].Remaining >= before {
		t.Errorf("%d were left, and after one more call %+v", before, all)
	}
	defer w.gh.Faults().Secondary(http.StatusTooManyRequests, 1, 90*time.Second)()
	if _, err := w.c.CreateComment(t.Context(), w.repo.ID(), 1, "x"); err == nil {
		t.Fatal("no limit")
	}
	if n := w.app.Halted(); n != 1 {
		t.Errorf("%d installations are halted", n)
	}
	w.clock.advance(2 * time.Hour)
	if n, all := w.app.Halted(), w.app.Allowances(); n != 0 || len(all) != 0 {
		t.Errorf("two hours later: %d halted, %+v", n, all)
	}
}

// Routes are labels of figures that whoever watches over the server may read.
func TestRoutesNameNobody(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	id := w.repo.ID()
	_ = w.c.DeleteBranch(ctx, id, "acme-secret/plan") // whatever becomes of them
	_, _ = w.c.File(ctx, id, "acme-secret", "acme-secret/main.tf")
	_, _ = w.c.Compare(ctx, id, "acme-secret", "acme/secret")
	_, _ = w.c.CheckState(ctx, id, "acme-secret")
	_, _ = w.c.Permission(ctx, id, "acme-secret")
	_, _ = w.c.TeamMember(ctx, "acme-secret", "acme-secret", "acme-secret")
	_, _ = w.c.BranchRules(ctx, id, "acme/secret")
	if n := len(w.sent()); n < 5 {
		t.Errorf("only %d calls", n)
	}
	for _, call := range w.sent() {
		if strings.Contains(call, "secret") || strings.Contains(call, "acme") {
			t.Errorf("a route names somebody: %s", call)
		}
	}
}
