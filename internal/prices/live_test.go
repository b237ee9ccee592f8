package prices

import (
	"testing"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
)

var _ cost.Moving = (*Live)(nil)

// A server takes in what another process imports, and what was looked at
// before stays what it was.
func TestLive(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStore(d)
		live := NewLive(newStore(d))
		one := readingOf("2026-11-01", true, "a", "1")
		key := one.Parts[0].Prices[0].Key
		price := func(o cost.Overlay) string {
			p, ok, err := o.Lookup(key)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				return "none"
			}
			return p.Amount.String()
		}
		refresh := func(want bool) {
			t.Helper()
			if got, err := live.Refresh(t.Context()); err != nil || got != want {
				t.Errorf("refreshed: %v, %v; want %v", got, err, want)
			}
		}
		if price(live) != "none" {
			t.Error("prices without any")
		}
		refresh(true)
		if price(live) != "none" {
			t.Error("prices without any")
		}
		if _, err := s.Import(t.Context(), one, ada, false, false); err != nil {
			t.Fatal(err)
		}
		refresh(true)
		refresh(false)
		before := live.Now()
		if _, err := s.Import(t.Context(), readingOf("2026-11-02", true, "a", "2"), ada, false, false); err != nil {
			t.Fatal(err)
		}
		refresh(true)
		if price(live) != "2" || price(before) != "1" {
			t.Errorf("now %s, before %s", price(live), price(before))
		}
	})
}
