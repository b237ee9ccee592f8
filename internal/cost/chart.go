package cost

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// The measures of a chart.
const (
	chartWidth = 32 // of the longest bar, in characters
	chartRows  = 8  // services; what is beyond them stands as "other"
)

// Bar is a row of a chart.
type Bar struct {
	Label         string
	Before, After decimal.Decimal
}

// Bars are the rows that a chart of services has: the dearest of either side,
// and the rest as one.
func Bars(list []ServiceAmount) []Bar {
	var all []Bar
	several := false
	for _, a := range list {
		several = several || a.Cloud != list[0].Cloud
	}
	for _, a := range list {
		if a.Before.IsZero() && a.After.IsZero() {
			continue
		}
		label := a.Label
		if cloud := map[string]string{"aws": "AWS", "azure": "Azure", "gcp": "Google"}[a.Cloud]; several && cloud != "" {
			label = cloud + " " + label
		}
		all = append(all, Bar{label, a.Before, a.After})
	}
	for i := 1; i < len(all); i++ { // the most of either side first; few rows, and equal ones stay
		for j := i; j > 0 && all[j].most().GreaterThan(all[j-1].most()); j-- {
			all[j], all[j-1] = all[j-1], all[j]
		}
	}
	if len(all) > chartRows+1 {
		rest := Bar{Label: fmt.Sprintf("other (%d)", len(all)-chartRows)}
		for _, b := range all[chartRows:] {
			rest.Before, rest.After = rest.Before.Add(b.Before), rest.After.Add(b.After)
		}
		all = append(all[:chartRows:chartRows], rest)
	}
	return all
}

func (b Bar) most() decimal.Decimal { return decimal.Max(b.Before, b.After) }

// Chart draws a month by service as bars of text, before the change and after
// it; a service that stays as it is has one bar, as has each where all is new. It is "" where nothing costs.
// It holds no text from the plan.
func Chart(list []ServiceAmount, currency string) string {
	bars := Bars(list)
	var most decimal.Decimal
	widest, money := 0, 0
	changes, anew := false, true // whether anything changes, and whether all of it is new
	for _, b := range bars {
		most = decimal.Max(most, b.most())
		widest = max(widest, utf8.RuneCountInString(b.Label))
		money = max(money, len(Money(b.Before, currency)), len(Money(b.After, currency)))
		changes, anew = changes || !b.Before.Equal(b.After), anew && b.Before.IsZero()
	}
	changes = changes && !anew
	if !most.IsPositive() {
		return ""
	}
	var out strings.Builder
	row := func(label, side string, amount decimal.Decimal, full, part []rune) {
		b := bar(amount, most, full, part)
		out.WriteString(label + strings.Repeat(" ", widest-utf8.RuneCountInString(label)))
		if changes {
			fmt.Fprintf(&out, "  %-6s", side)
		}
		fmt.Fprintf(&out, "  %s%s  %*s\n", b, strings.Repeat(" ", chartWidth-utf8.RuneCountInString(b)), money, Money(amount, currency))
	}
	for _, b := range bars {
		if anew || b.Before.Equal(b.After) {
			row(b.Label, "", b.After, solid, eighths)
			continue
		}
		row(b.Label, "before", b.Before, shaded, shaded)
		row("", "after", b.After, solid, eighths)
	}
	return out.String()
}

var (
	solid   = []rune("█")
	shaded  = []rune("░")
	eighths = []rune("▏▎▍▌▋▊▉")
)

// bar is as long as its amount is of the most; what is not nothing can be seen.
func bar(amount, most decimal.Decimal, full, part []rune) string {
	eights := amount.Mul(decimal.NewFromInt(chartWidth*8)).DivRound(most, 0).IntPart()
	if amount.IsPositive() {
		eights = max(eights, 1)
	}
	s := strings.Repeat(string(full), int(eights/8))
	switch rest := eights % 8; {
	case rest > 0 && len(part) == 7:
		s += string(part[rest-1])
	case rest >= 4 || rest > 0 && s == "":
		s += string(part)
	}
	return s
}
