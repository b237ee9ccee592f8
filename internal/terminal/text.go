package terminal

import (
	"slices"
	"strings"
	"unicode"
)

// Style is how a terminal shows a piece of text: parameters of its SGR
// sequence, "" for plain.
type Style string

// The styles that are used.
const (
	Plain   Style = ""
	Bold    Style = "1"
	Dim     Style = "2"
	Red     Style = "31"
	Green   Style = "32"
	Yellow  Style = "33"
	Blue    Style = "34"
	Magenta Style = "35"
	Cyan    Style = "36"
	Strong  Style = "1;36"
)

// Piece is text of one style; Line is pieces that stand in one line. Layout is
// done on lines and their width in cells; escape sequences come in when a line
// is painted, last of all.
type (
	Piece struct {
		text  string
		style Style
	}
	Line []Piece
)

// Text returns a line of one piece.
func Text(s Style, t string) Line { return Line{{t, s}} }

// And returns the line with a further piece.
func (l Line) And(s Style, t string) Line { return append(slices.Clip(l), Piece{t, s}) }

// Cells is how many columns of a terminal the line takes.
func (l Line) Cells() int {
	n := 0
	for _, p := range l {
		n += Cells(p.text)
	}
	return n
}

// Paint returns the line as it is written.
func (l Line) Paint(colour bool) string {
	var b strings.Builder
	for _, p := range l {
		switch {
		case p.text == "":
		case colour && p.style != Plain:
			b.WriteString("\x1b[" + string(p.style) + "m" + p.text + "\x1b[0m")
		default:
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// String is the line without styles.
func (l Line) String() string { return l.Paint(false) }

// Cut shortens the line to width cells; the last then is an ellipsis.
func (l Line) Cut(width int) Line {
	if l.Cells() <= width {
		return l
	}
	var out Line
	left := max(width-1, 0)
	for _, p := range l {
		var kept strings.Builder
		for _, r := range p.text {
			if w := runeCells(r); w <= left {
				left -= w
				kept.WriteRune(r)
				continue
			}
			left = 0
			break
		}
		out = append(out, Piece{kept.String(), p.style})
		if left == 0 {
			break
		}
	}
	if width > 0 {
		out = append(out, Piece{"…", Dim})
	}
	return out
}

// Pad fills the line with spaces up to width, on its left where right is set.
func (l Line) Pad(width int, right bool) Line {
	n := width - l.Cells()
	if n <= 0 {
		return l
	}
	space := Piece{strings.Repeat(" ", n), Plain}
	if right {
		return append(Line{space}, l...)
	}
	return append(append(Line{}, l...), space)
}

// Wrap breaks the line at spaces into lines of at most width cells. Those after
// the first are indented by hang. A word that is too long stands alone.
func (l Line) Wrap(width, hang int) []Line {
	var out []Line
	var now Line
	used, fresh := 0, true
	newline := func() {
		out = append(out, now)
		now, used, fresh = Line{{strings.Repeat(" ", hang), Plain}}, hang, true
	}
	for _, w := range l.words() {
		n := w.line.Cells()
		gap := 1
		if fresh || w.joined {
			gap = 0
		}
		if !fresh && used+gap+n > width {
			newline()
			gap = 0
		}
		if gap == 1 {
			now = append(now, Piece{" ", w.before})
		}
		now = append(now, w.line...)
		used += gap + n
		fresh = false
	}
	if len(now) > 0 || len(out) == 0 {
		out = append(out, now)
	}
	return out
}

// word is what stands between two spaces, which may be pieces of several
// styles.
type word struct {
	line   Line
	before Style // of the space before it
	joined bool
}

func (l Line) words() []word {
	var words []word
	var w word
	end := func() {
		if len(w.line) > 0 {
			words = append(words, w)
		}
		w = word{}
	}
	for _, p := range l {
		rest := p.text
		for rest != "" {
			i := strings.IndexByte(rest, ' ')
			if i == 0 {
				end()
				w.before = p.style
				rest = rest[1:]
				continue
			}
			if i < 0 {
				i = len(rest)
			}
			w.line = append(w.line, Piece{rest[:i], p.style})
			rest = rest[i:]
		}
	}
	end()
	return words
}

// Cells is how many columns of a terminal the text takes.
func Cells(s string) int {
	n := 0
	for _, r := range s {
		n += runeCells(r)
	}
	return n
}

// runeCells is how wide terminals draw a rune. The joiners and selectors that
// have no width are taken out of comments beforehand (see tidy).
func runeCells(r rune) int {
	switch {
	case r == '\u2060' || r == '\u200d' || r == '\ufe0f' || unicode.Is(unicode.Mn, r):
		return 0
	case r >= 0x1100 && isWide(r):
		return 2
	}
	return 1
}

func isWide(r rune) bool {
	for _, w := range wide {
		if r >= w[0] && r <= w[1] {
			return true
		}
	}
	return false
}

// wide lists the characters that take two cells: those that are drawn as
// emoji without being asked to, and East Asian ones.
var wide = [][2]rune{
	{0x1100, 0x115f}, {0x231a, 0x231b}, {0x23e9, 0x23ec}, {0x23f0, 0x23f0}, {0x23f3, 0x23f3}, {0x25fd, 0x25fe},
	{0x2614, 0x2615}, {0x2648, 0x2653}, {0x267f, 0x267f}, {0x2693, 0x2693}, {0x26a1, 0x26a1}, {0x26aa, 0x26ab},
	{0x26bd, 0x26be}, {0x26c4, 0x26c5}, {0x26ce, 0x26ce}, {0x26d4, 0x26d4}, {0x26ea, 0x26ea}, {0x26f2, 0x26f3},
	{0x26f5, 0x26f5}, {0x26fa, 0x26fa}, {0x26fd, 0x26fd}, {0x2705, 0x2705}, {0x270a, 0x270b}, {0x2728, 0x2728},
	{0x274c, 0x274c}, {0x274e, 0x274e}, {0x2753, 0x2755}, {0x2757, 0x2757}, {0x2795, 0x2797}, {0x27b0, 0x27b0},
	{0x2b1b, 0x2b1c}, {0x2b50, 0x2b50}, {0x2b55, 0x2b55}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3}, {0xf900, 0xfaff},
	{0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x1fa70, 0x1faff},
	{0x20000, 0x3fffd},
}

// tidy takes out what Markdown needs and a terminal does not: joiners that keep
// a word from being a mention, and selectors by which terminals differ in how
// wide they draw the sign before.
func tidy(s string) string {
	return strings.NewReplacer("\u2060", "", "\ufe0f", "").Replace(s)
}

// Clean makes control characters, which a terminal would obey, a question mark.
// Line ends and tabs stay.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return '?'
		}
		return r
	}, s)
}
