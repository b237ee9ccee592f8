package budget

import (
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/db/dbtest"
)

func TestTroubles(t *testing.T) {
	fine, over, typo, old, yen := thousand("fine"), thousand("over"), thousand("typo"), thousand("old"), thousand("yen")
	over.Amount = dec("1")
	typo.Scope.Projects = []string{"nte"}
	old.Month = Month{2026, time.October}
	yen.Currency = "JPY"
	w := newWorld(t, dbtest.SQLite(t), fine, over, typo, old, yen)
	told := func() map[string]string {
		t.Helper()
		all, err := w.store.Troubles(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, x := range all {
			if x.Mend == "" || out[x.Budget] != "" {
				t.Errorf("%+v", x)
			}
			out[x.Budget] = x.Text
		}
		return out
	}
	if got := told(); len(got) != 1 || !strings.Contains(got["old"], "2026-10, which is over") {
		t.Errorf("of an empty ledger: %v", got)
	}
	c := w.change(w.repo, 1)
	w.applied(w.planned(w.subject(w.repo, c, 1, "net"), estimate("0", "500")), true)
	got := told()
	if len(got) != 3 || !strings.Contains(got["typo"], "looks at no project") || !strings.Contains(got["yen"], "no rate to JPY") || got["old"] == "" {
		t.Errorf("%v", got)
	}
}
