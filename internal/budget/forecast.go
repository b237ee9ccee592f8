package budget

import (
	"time"

	"github.com/shopspring/decimal"
)

// The methods of a forecast, by name.
const (
	MethodRate  = "month to date + current rate × remaining hours"
	MethodNext  = "current rate, all month"
	MethodTrend = "linear trend over the last whole months"
)

// Expect forecasts what a month costs from what it has cost so far and what it
// costs a month from now on. Of a month that is not the present one, nothing
// has been spent yet. merged is the difference of what is merged and not
// applied yet. past are whole months before m, the oldest first. Pure.
func Expect(m Month, now time.Time, spent, rate, merged decimal.Decimal, past []Figures) Forecast {
	f := Forecast{Month: m, Method: MethodRate, Known: true}
	left := m.End().Sub(now)
	if now.Before(m.Start()) {
		left, spent, f.Method = m.End().Sub(m.Start()), decimal.Zero, MethodNext
	}
	if left < 0 {
		left = 0
	}
	share := func(amount decimal.Decimal) decimal.Decimal {
		return amount.Mul(decimal.NewFromInt(left.Milliseconds())).DivRound(decimal.NewFromInt(m.End().Sub(m.Start()).Milliseconds()), 10)
	}
	f.Amount = spent.Add(share(rate))
	f.WithMerged = f.Amount.Add(share(merged))
	f.Trend = Trend(m, past)
	if f.Trend != nil {
		f.TrendMethod = MethodTrend
	}
	return f
}

// Trend lays a straight line through what the whole months before m cost, by
// least squares, and returns where it is in m; never less than nothing. It is
// nil where fewer than three months are known. Pure.
func Trend(m Month, past []Figures) *decimal.Decimal {
	var n, sumX, sumY, sumXX, sumXY decimal.Decimal
	for _, f := range past {
		if !f.Known || !f.Month.Before(m) {
			continue
		}
		x := decimal.NewFromInt(int64((f.Month.Year-m.Year)*12 + int(f.Month.Month) - int(m.Month))) // m is 0
		n = n.Add(decimal.NewFromInt(1))
		sumX, sumY = sumX.Add(x), sumY.Add(f.Cost)
		sumXX, sumXY = sumXX.Add(x.Mul(x)), sumXY.Add(x.Mul(f.Cost))
	}
	if n.LessThan(decimal.NewFromInt(3)) {
		return nil
	}
	// The line's height at x = 0: (Σxx·Σy − Σx·Σxy) / (n·Σxx − Σx²).
	at := sumXX.Mul(sumY).Sub(sumX.Mul(sumXY)).DivRound(n.Mul(sumXX).Sub(sumX.Mul(sumX)), 10)
	if at.IsNegative() {
		at = decimal.Zero
	}
	return &at
}
