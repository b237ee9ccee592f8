package parts

import (
	"testing"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/db/dbtest"
)

func TestBudgetsConvertByDatedRates(t *testing.T) {
	d := dbtest.SQLite(t)
	c := converter{{Currency: "EUR", Day: "2026-01-01", Value: decimal.RequireFromString("0.8")}, {Currency: "CHF", Day: "2026-06-01", Value: decimal.RequireFromString("0.9")}}
	for _, x := range []struct {
		from, to, day, want string
		ok                  bool
	}{
		{"USD", "EUR", "2026-11-10", "80", true},
		{"EUR", "USD", "2026-11-10", "125", true},
		{"EUR", "CHF", "2026-11-10", "112.5", true}, // 100 / 0.8 × 0.9
		{"EUR", "CHF", "2026-05-01", "0", false},
		{"USD", "JPY", "2026-11-10", "0", false},
	} {
		got, ok, err := c.Convert(t.Context(), d, decimal.NewFromInt(100), x.from, x.to, x.day)
		if err != nil || ok != x.ok || !got.Equal(decimal.RequireFromString(x.want)) {
			t.Errorf("%+v: %s, %v, %v", x, got, ok, err)
		}
	}
}
