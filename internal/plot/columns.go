package plot

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// Columns are amounts beside each other, as of months, each stacked of the
// same parts.
type Columns struct {
	ID    string // of the element, unique on its page
	Title string
	Parts []string // what columns are stacked of, from the ground up; may be one
	Slots []Slot   // from left to right

	// Say writes an amount in full, Brief as short as an axis needs it. Say
	// writes both where there is no Brief; a bare number is written without
	// either.
	Say, Brief func(decimal.Decimal) string

	// What the column with its dashed part, the line and the dot are called.
	Forecast, Limit, Dot string
}

// Slot is one column and what belongs to it.
type Slot struct {
	Name   string            // as tooltip and description have it: "November 2026"
	Label  string            // below the column: "Nov"
	Second string            // below that, where a year begins: "2026"
	Parts  []decimal.Decimal // as many as the chart has; none for a column of which nothing is known
	Rest   *decimal.Decimal  // what is still to come on top of them, drawn dashed
	Limit  *decimal.Decimal  // a line across the column
	Dot    *decimal.Decimal  // a dot on it
}

// maxParts is how many colours there are. Of more parts the smallest become one.
const maxParts = 8

// Height of the columns' field and of what stands below it, in pixels.
const (
	fieldTop    = 18
	fieldHeight = 200
	fieldFoot   = 36
	maxLabels   = 13 // labels below columns; of more columns only some have one
	maxWidth    = 9  // of a column, in percent
)

// drawn is what the template gets.
type drawn struct {
	ID, Title, Desc string
	Height          int
	Ticks           []tick
	Columns         []column
	Legend          []key
}

type tick struct {
	Y    string
	Text string
	Zero bool
}

type column struct {
	Title         string
	X, W, Mid     string
	Rects         []rect
	Top           string // where the sum is written
	Sum           string
	Label, Second string
	LabelY        int
	SecondY       int
	Limit         string // y, "" for none
	From, To      string // x of the limit
	LimitTitle    string
	Dot           string // y
	DotTitle      string
}

type rect struct {
	Class string
	Y, H  string
	Title string
}

type key struct {
	Class string
	Kind  string // part, limit or dot
	Name  string
}

// Figure draws the columns.
func (c Columns) Figure() (template.HTML, error) {
	if c.Say == nil {
		c.Say = decimal.Decimal.String
	}
	if c.Brief == nil {
		c.Brief = c.Say
	}
	c.fold()
	s := c.scale()
	d := drawn{ID: c.ID, Title: clean(c.Title), Desc: c.describe(), Height: fieldTop + fieldHeight + fieldFoot}
	for _, at := range s.ticks() {
		d.Ticks = append(d.Ticks, tick{Y: px(s.y(at)), Text: clean(c.Brief(at)), Zero: at.IsZero()})
	}
	n := len(c.Slots)
	every := (n + maxLabels - 1) / maxLabels
	for i, slot := range c.Slots {
		col := c.column(slot, i, n, s)
		if i%max(every, 1) == 0 {
			col.Label, col.Second = clean(slot.Label), clean(slot.Second)
		}
		if n > maxLabels {
			col.Sum = ""
		}
		d.Columns = append(d.Columns, col)
	}
	d.Legend = c.legend()
	return render("columns", d)
}

// column places one slot.
func (c Columns) column(slot Slot, i, n int, s scale) column {
	width := 100 / float64(n)
	bar := min(width*0.64, maxWidth)
	mid := (float64(i) + 0.5) * width
	col := column{
		X: percent(mid - bar/2), W: percent(bar), Mid: percent(mid), From: percent(mid - width*0.46), To: percent(mid + width*0.46),
		LabelY: fieldTop + fieldHeight + 17, SecondY: fieldTop + fieldHeight + 31, Title: clean(slot.Name),
	}
	up, down := decimal.Zero, decimal.Zero
	for p, amount := range slot.Parts {
		if amount.IsZero() {
			continue
		}
		from := up
		if amount.IsNegative() {
			from, down = down, down.Add(amount)
		} else {
			up = up.Add(amount)
		}
		a, b := s.y(from), s.y(from.Add(amount))
		col.Rects = append(col.Rects, rect{
			Class: fmt.Sprintf("plot-p%d", p), Y: px(min(a, b)), H: px(max(a, b) - min(a, b)), Title: clean(slot.Name + ", " + c.Parts[p] + ": " + c.Say(amount)),
		})
	}
	total, known := slot.total()
	if slot.Rest != nil && slot.Rest.IsPositive() {
		a, b := s.y(up), s.y(up.Add(*slot.Rest))
		col.Rects = append(col.Rects, rect{Class: "plot-forecast", Y: px(b), H: px(a - b), Title: clean(slot.Name + ", " + c.Forecast + ": " + c.Say(total))})
		up = up.Add(*slot.Rest)
	}
	if known && !total.IsZero() {
		col.Sum, col.Top = clean(c.Brief(total)), px(s.y(up)-5)
	}
	if slot.Limit != nil {
		col.Limit, col.LimitTitle = px(s.y(*slot.Limit)), clean(slot.Name+", "+c.Limit+": "+c.Say(*slot.Limit))
	}
	if slot.Dot != nil {
		dot := s.y(*slot.Dot)
		if over := s.y(up) - dot; over > -9 && over < 24 {
			col.Top = px(min(dot, s.y(up)) - 9) // the sum would stand in the dot
		}
		col.Dot, col.DotTitle = px(dot), clean(slot.Name+", "+c.Dot+": "+c.Say(*slot.Dot))
	}
	return col
}

// total is what the column comes to, with what is to come; false where nothing
// is known.
func (s Slot) total() (decimal.Decimal, bool) {
	sum := decimal.Sum(decimal.Zero, s.Parts...)
	if s.Rest != nil {
		sum = sum.Add(*s.Rest)
	}
	return sum, len(s.Parts) > 0 || s.Rest != nil
}

// fold makes one part of those for which no colour is left: the smallest ones.
func (c *Columns) fold() {
	for i, s := range c.Slots { // what is too short or too long is of no part
		if len(s.Parts) != len(c.Parts) {
			parts := make([]decimal.Decimal, len(c.Parts))
			if len(s.Parts) > 0 {
				copy(parts, s.Parts)
			} else {
				parts = nil
			}
			c.Slots = slices.Clone(c.Slots)
			c.Slots[i].Parts = parts
		}
	}
	if len(c.Parts) <= maxParts {
		return
	}
	sizes := make([]decimal.Decimal, len(c.Parts))
	order := make([]int, len(c.Parts))
	for p := range c.Parts {
		order[p] = p
		for _, s := range c.Slots {
			if len(s.Parts) > 0 {
				sizes[p] = sizes[p].Add(s.Parts[p].Abs())
			}
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Or(sizes[b].Cmp(sizes[a]), cmp.Compare(a, b)) })
	kept := slices.Clone(order[:maxParts-1])
	slices.Sort(kept)
	names := make([]string, 0, maxParts)
	for _, p := range kept {
		names = append(names, c.Parts[p])
	}
	names = append(names, fmt.Sprintf("%d others", len(c.Parts)-len(kept)))
	slots := slices.Clone(c.Slots)
	for i, s := range slots {
		if len(s.Parts) == 0 {
			continue
		}
		parts := make([]decimal.Decimal, 0, maxParts)
		for _, p := range kept {
			parts = append(parts, s.Parts[p])
		}
		rest := decimal.Zero
		for _, p := range order[maxParts-1:] {
			rest = rest.Add(s.Parts[p])
		}
		slots[i].Parts = append(parts, rest)
	}
	c.Parts, c.Slots = names, slots
}

func (c Columns) scale() scale {
	var all []decimal.Decimal
	for _, s := range c.Slots {
		up, down := decimal.Zero, decimal.Zero
		for _, p := range s.Parts {
			if p.IsNegative() {
				down = down.Add(p)
			} else {
				up = up.Add(p)
			}
		}
		if s.Rest != nil && s.Rest.IsPositive() {
			up = up.Add(*s.Rest)
		}
		all = append(all, up, down)
		for _, p := range []*decimal.Decimal{s.Limit, s.Dot} {
			if p != nil {
				all = append(all, *p)
			}
		}
	}
	return newScale(all)
}

// describe tells every column in words.
func (c Columns) describe() string {
	var out []string
	for _, s := range c.Slots {
		var told []string
		if len(s.Parts) > 0 {
			told = append(told, c.Say(decimal.Sum(decimal.Zero, s.Parts...)))
		}
		if total, _ := s.total(); s.Rest != nil {
			told = append(told, c.Forecast+" "+c.Say(total))
		}
		if len(told) == 0 {
			told = []string{"not known"}
		}
		text := s.Name + ": " + strings.Join(told, ", ")
		if s.Limit != nil {
			text += ", " + c.Limit + " " + c.Say(*s.Limit)
		}
		if s.Dot != nil {
			text += ", " + c.Dot + " " + c.Say(*s.Dot)
		}
		out = append(out, clean(text))
	}
	return strings.Join(out, ". ") + "."
}

func (c Columns) legend() []key {
	var out []key
	if len(c.Parts) > 1 {
		for i, name := range c.Parts {
			out = append(out, key{Class: fmt.Sprintf("plot-p%d", i), Kind: "part", Name: clean(name)})
		}
	}
	has := func(f func(Slot) bool) bool { return slices.ContainsFunc(c.Slots, f) }
	if c.Forecast != "" && has(func(s Slot) bool { return s.Rest != nil }) {
		out = append(out, key{Class: "plot-forecast", Kind: "part", Name: clean(c.Forecast)})
	}
	if c.Limit != "" && has(func(s Slot) bool { return s.Limit != nil }) {
		out = append(out, key{Kind: "limit", Name: clean(c.Limit)})
	}
	if c.Dot != "" && has(func(s Slot) bool { return s.Dot != nil }) {
		out = append(out, key{Kind: "dot", Name: clean(c.Dot)})
	}
	return out
}
