package budget

import (
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/internal/cost"
)

// Stands says where a change takes a budget: "$5,230.00 a month with this
// change (+$412.30), of $5,000.00". Of a shared budget it tells no amount.
func (v Verdict) Stands() string {
	if v.Incomparable {
		return fmt.Sprintf("what this change costs can't be compared with it: there is no rate from %s to %s", strings.Join(v.LeftOut, ", "), v.Currency)
	}
	if v.Shared {
		if !v.Over {
			return "it looks at other clients' projects too, so its amounts are not told"
		}
		return "with this change, what it looks at costs more than it allows" // how much is several clients'
	}
	how := ""
	switch {
	case !v.Known:
		how = "about " // the last rate that was known is in it
	case v.AtLeast:
		how = "at least "
	}
	return fmt.Sprintf("%s%s a month with this change (%s), of %s", how, cost.Money(v.After, v.Currency), cost.Difference(v.Delta, v.Bound, v.Currency), cost.Money(v.Amount, v.Currency))
}

// Word says how the budget stands with the change, in a few words, and the
// tone of that: good, warn or bad.
func (v Verdict) Word() (word, tone string) {
	switch {
	case v.Closed():
		word, tone = "needs approval", "bad"
	case v.Asks():
		word, tone = "approved", "good"
	case v.Over:
		word, tone = "over", "warn"
	case v.Incomparable:
		word, tone = "can't be compared", "warn"
	case v.MayBeOver:
		word, tone = "could be over", "warn"
	case len(v.Crosses) > 0:
		word, tone = "past "+v.Mark(v.Crosses[len(v.Crosses)-1]), "warn"
	default:
		word, tone = "within", "good"
	}
	return word, tone
}

// Dated says how old the prices of the change are, as a sentence with a space
// before it, for where that stands nowhere else; "" where none was used.
func (v Verdict) Dated() string {
	if v.AsOf == "" {
		return ""
	}
	return " Prices as of " + v.AsOf + "."
}

// Mark names a threshold of the budget; of a shared one without an amount.
func (v Verdict) Mark(t Threshold) string { return t.mark(v.Currency, v.Shared) }

func (t Threshold) mark(currency string, shared bool) string {
	if shared && t.Kind == Absolute {
		return "one of its amounts"
	}
	return t.Name(currency)
}
