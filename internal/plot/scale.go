package plot

import (
	"math"
	"strconv"

	"github.com/shopspring/decimal"
)

// scale maps amounts to heights. It begins and ends at a round amount, and
// always has the zero.
type scale struct{ lo, hi, step float64 }

// wantedTicks is about how many lines the field has.
const wantedTicks = 4

func newScale(amounts []decimal.Decimal) scale {
	lo, hi := 0.0, 0.0
	for _, a := range amounts {
		lo, hi = min(lo, float(a)), max(hi, float(a))
	}
	if lo == hi {
		hi = 1
	}
	raw := (hi - lo) / wantedTicks
	unit := math.Pow(10, math.Floor(math.Log10(raw)))
	step := 10 * unit
	for _, m := range []float64{1, 2, 2.5, 5} {
		if m*unit >= raw {
			step = m * unit
			break
		}
	}
	return scale{lo: math.Floor(lo/step) * step, hi: math.Ceil(hi/step) * step, step: step}
}

// y is how far from the top an amount is, in pixels.
func (s scale) y(a decimal.Decimal) float64 {
	return fieldTop + fieldHeight*(s.hi-min(max(float(a), s.lo), s.hi))/(s.hi-s.lo)
}

// ticks are the round amounts, from below.
func (s scale) ticks() []decimal.Decimal {
	var out []decimal.Decimal
	for k := math.Round(s.lo / s.step); k*s.step <= s.hi+s.step/2; k++ {
		out = append(out, decimal.NewFromFloat(s.step).Mul(decimal.NewFromFloat(k)))
	}
	return out
}

// float is an amount for drawing. What is too large to draw becomes as large
// as can be drawn.
func float(d decimal.Decimal) float64 {
	const most = 1e15
	return min(max(d.InexactFloat64(), -most), most)
}

func px(v float64) string      { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }
func percent(v float64) string { return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64) + "%" }
