package budget

import (
	"testing"
	"time"
)

// Of November's 30 days 15 are over at 100 a month, and 160 a month is what it
// costs from now on: 50 + 160 × 15/30 = 130. Another 30 a month are merged:
// 130 + 30 × 15/30 = 145.
func TestExpect(t *testing.T) {
	f := Expect(november, at("16 00:00"), dec("50"), dec("160"), dec("30"), nil)
	equal(t, "amount", f.Amount, "130")
	equal(t, "with what is merged", f.WithMerged, "145")
	if f.Method != "month to date + current rate × remaining hours" || f.Trend != nil || f.TrendMethod != "" {
		t.Errorf("%+v", f)
	}
	// One hour of 720 left: 99 + 720 × 1/720 = 100.
	equal(t, "in the last hour", Expect(november, at("30 23:00"), dec("99"), dec("720"), dec("0"), nil).Amount, "100")
	// Nothing is left of a month that is over, and all of one to come.
	equal(t, "over", Expect(november, november.End(), dec("99"), dec("720"), dec("1"), nil).WithMerged, "99")
	next := Expect(november.Add(1), at("16 00:00"), dec("50"), dec("160"), dec("30"), nil)
	equal(t, "to come", next.Amount, "160")
	equal(t, "to come, with what is merged", next.WithMerged, "190")
	if next.Method != MethodNext {
		t.Errorf("%+v", next)
	}
}

// August 100, September 120, October 110: the mean is 110, the slope is
// (100·(−1) + 110·1) / 2 = 5 a month, so November is 110 + 2·5 = 120.
func TestTrend(t *testing.T) {
	month := func(m time.Month, cost string) Figures {
		return Figures{Month: Month{2026, m}, Cost: dec(cost), Known: true}
	}
	three := []Figures{month(time.August, "100"), month(time.September, "120"), month(time.October, "110")}
	if got := Trend(november, three); got == nil || !got.Equal(dec("120")) {
		t.Errorf("%v", got)
	}
	if got := Expect(november, at("16 00:00"), dec("0"), dec("1"), dec("0"), three); got.Trend == nil || got.TrendMethod != "linear trend over the last whole months" {
		t.Errorf("%+v", got)
	}
	if got := Trend(november, three[1:]); got != nil {
		t.Errorf("of two months: %v", got)
	}
	unknown := append([]Figures{}, three...)
	unknown[1].Known = false
	if got := Trend(november, unknown); got != nil {
		t.Errorf("of two that are known: %v", got)
	}
	// The present month and a gap don't matter: January is three months on from
	// October, 110 + 4·5 = 130.
	if got := Trend(november.Add(2), three); got == nil || !got.Equal(dec("130")) {
		t.Errorf("over a gap: %v", got)
	}
	if got := Trend(november, append(three, month(time.November, "9999"))); got == nil || !got.Equal(dec("120")) {
		t.Errorf("with the present month: %v", got)
	}
	falling := []Figures{month(time.August, "300"), month(time.September, "100"), month(time.October, "0")}
	if got := Trend(november, falling); got == nil || !got.IsZero() {
		t.Errorf("a month costs less than nothing: %v", got)
	}
}

func TestMonth(t *testing.T) {
	if m := MonthOf(time.Date(2026, 12, 1, 0, 30, 0, 0, time.FixedZone("", 3600))); m != november {
		t.Errorf("half past midnight in Paris is %s", m)
	}
	if got := (Month{2026, time.December}).Add(1); got.String() != "2027-01" || november.Add(-11).String() != "2025-12" {
		t.Error(got)
	}
	if (Month{2028, time.February}).Hours() != 29*24 {
		t.Error("a leap year")
	}
	if len(Months(november, november.Add(13))) != 14 || len(Months(november, november.Add(-1))) != 0 {
		t.Error("lists of months")
	}
	for _, bad := range []string{"", "2026", "2026-13", "2026-1", "2026-11-01", "november", "２０２６-11"} {
		if m, err := ParseMonth(bad); err == nil {
			t.Errorf("%q is %s", bad, m)
		}
	}
	var m Month
	if err := m.UnmarshalText([]byte("2026-11")); err != nil || m != november {
		t.Error(m, err)
	}
}
