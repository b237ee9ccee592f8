package plot

import (
	"html/template"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/terminal"
)

// Bars are amounts below each other, each with its name. Negative ones go to
// the left.
type Bars struct {
	ID    string // of the element, unique on its page
	Title string
	Rows  []Bar
	Say   func(decimal.Decimal) string // writes an amount; nil writes a bare number
}

// Bar is one row.
type Bar struct {
	Name   string
	Amount decimal.Decimal
	Tone   Tone
	Limit  *decimal.Decimal // a line across the bar, such as a budget
	Note   string           // behind the amount, such as "of $200.00"; Say writes it for a limit where it is empty
}

// Tone is what a bar's colour means.
type Tone string

// The tones.
const (
	Even Tone = ""     // says nothing
	Good Tone = "good" // less is spent, or much is left
	Warn Tone = "warn" // a threshold is passed
	Bad  Tone = "bad"  // more is spent, or a limit is passed
)

// Heights within a row, in pixels, and how long a name may be, in cells.
const (
	rowHeight = 40
	rowText   = 15
	rowBar    = 21
	barHeight = 10
	maxName   = 34
)

type drawnBars struct {
	ID, Title, Desc string
	Height          int
	Rows            []drawnBar
	Zero            string // x of the zero, "" where it is the left edge
}

type drawnBar struct {
	Name, Title string
	Amount      string
	Class       string
	X, W        string
	TextY, BarY int
	BarH        int
	Limit       string // x, "" for none
	LineY       int    // of the limit and the zero
	LineEnd     int
}

// Figure draws the bars.
func (b Bars) Figure() (template.HTML, error) {
	if b.Say == nil {
		b.Say = decimal.Decimal.String
	}
	lo, hi := 0.0, 0.0
	for _, r := range b.Rows {
		lo, hi = min(lo, float(r.Amount)), max(hi, float(r.Amount))
		if r.Limit != nil {
			lo, hi = min(lo, float(*r.Limit)), max(hi, float(*r.Limit))
		}
	}
	span := hi - lo
	if span == 0 {
		span = 1
	}
	x := func(v float64) float64 { return (v - lo) / span * 100 }
	d := drawnBars{ID: b.ID, Title: clean(b.Title), Height: max(len(b.Rows), 1) * rowHeight}
	if lo < 0 {
		d.Zero = percent(x(0))
	}
	var desc []string
	for i, r := range b.Rows {
		from, to := x(0), x(float(r.Amount))
		amount := b.Say(r.Amount)
		if r.Note != "" {
			amount += " " + r.Note
		} else if r.Limit != nil {
			amount += " of " + b.Say(*r.Limit)
		}
		row := drawnBar{
			Name: terminal.Text(terminal.Plain, clean(r.Name)).Cut(maxName).String(), Title: clean(r.Name + ": " + amount), Amount: clean(amount),
			Class: "plot-bar", X: percent(min(from, to)), W: percent(max(from, to) - min(from, to)),
			TextY: i*rowHeight + rowText, BarY: i*rowHeight + rowBar, BarH: barHeight, LineY: i*rowHeight + rowBar - 3, LineEnd: i*rowHeight + rowBar + barHeight + 3,
		}
		if r.Tone != Even {
			row.Class += " plot-" + string(r.Tone)
		}
		if r.Limit != nil {
			row.Limit = percent(x(float(*r.Limit)))
		}
		d.Rows = append(d.Rows, row)
		desc = append(desc, row.Title)
	}
	d.Desc = strings.Join(desc, ". ") + "."
	return render("bars", d)
}
