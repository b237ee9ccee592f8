package terminal

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
)

// Shown says how much of a comment is laid out.
type Shown struct {
	Width  int      // in cells
	Unfold []string // sections whose title begins with one of these are shown, as those are that the page shows
	Whole  bool     // every section, and plans as they are: nothing is folded, outlined or cut
}

// Comment lays a comment of Tidelock's out for a terminal, in lines of at most
// Width cells. It reads the Markdown that Tidelock writes and no more of it:
// headings, tables, lists, fenced code, folded sections, inline code, emphasis
// and links. What is folded on the page is a line here, but for sections whose
// title begins with one of Unfold. Of a plan it shows the outline: what happens
// to each resource, and what changes in those that stay.
func Comment(markdown string, shown Shown) []Line {
	c := &layout{Shown: shown}
	lines := strings.Split(strings.TrimSpace(tidy(Clean(markdown))), "\n")
	for len(lines) > 0 {
		n := c.block(lines)
		lines = lines[n:]
	}
	for len(c.out) > 0 && c.out[len(c.out)-1].Cells() == 0 {
		c.out = c.out[:len(c.out)-1]
	}
	return c.out
}

type layout struct {
	Shown
	out    []Line
	hidden int // folded sections around this line whose content is not shown
}

func (c *layout) add(lines ...Line) {
	if c.hidden > 0 {
		return
	}
	for _, l := range lines {
		empty := l.Cells() == 0
		if empty && (len(c.out) == 0 || c.out[len(c.out)-1].Cells() == 0) {
			continue // never two empty lines in a row
		}
		c.out = append(c.out, l)
	}
}

var (
	details = regexp.MustCompile(`^<details( open)?><summary>(.*)</summary>$`)
	divider = regexp.MustCompile(`^\|[-:| ]+\|$`)
)

// block lays out what begins at the first line and returns how many lines
// that took, at least one.
func (c *layout) block(lines []string) int {
	first := strings.TrimRight(lines[0], " \r")
	switch {
	case strings.HasPrefix(first, "<!--"):
		return 1
	case first == "":
		c.add(nil)
		return 1
	case strings.HasPrefix(first, "#"):
		title := restyle(Inline(strings.TrimLeft(first, "# ")), Bold)
		c.add(title.Wrap(c.Width, 2)...)
		return 1
	case strings.HasPrefix(first, "|"):
		return c.table(lines)
	case strings.HasPrefix(first, "```"):
		return c.code(lines)
	case details.MatchString(first):
		return c.fold(lines, details.FindStringSubmatch(first))
	case strings.HasPrefix(first, "- "):
		c.add(append(Text(Dim, "• "), Inline(first[2:])...).Wrap(c.Width, 2)...)
		return 1
	}
	l := Inline(first)
	if strings.HasPrefix(first, "<sub>") {
		l = restyle(l, Dim)
	}
	c.add(l.Wrap(c.Width, 0)...)
	return 1
}

// fold lays a folded section out: its title, and its content where the page
// shows that too.
func (c *layout) fold(lines []string, match []string) int {
	open := c.Whole || match[1] != "" || slices.ContainsFunc(c.Unfold, func(title string) bool { return strings.HasPrefix(match[2], title) })
	sign := "▸ "
	if open {
		sign = "▾ "
	}
	if !open && len(c.out) > 0 && c.hidden == 0 && strings.HasPrefix(c.out[len(c.out)-1].String(), "▸ ") {
		// Titles of folded sections stand close together.
	} else {
		c.add(nil)
	}
	c.add(append(Text(Cyan, sign), Inline(match[2])...).Wrap(c.Width, 2)...)
	if !open {
		c.hidden++
	}
	n := 1
	for n < len(lines) && strings.TrimSpace(lines[n]) != "</details>" {
		n += c.block(lines[n:])
	}
	if !open {
		c.hidden--
		// The empty line after it would tear the titles apart.
		for n+1 < len(lines) && strings.TrimSpace(lines[n+1]) == "" {
			n++
		}
		if next := n + 1; next < len(lines) && !details.MatchString(strings.TrimSpace(lines[next])) {
			c.add(nil)
		}
	}
	return min(n+1, len(lines))
}

// maxCode is how many lines of code a block shows.
const maxCode = 30

// code lays a fenced block out: a plan in outline, anything else as it is.
func (c *layout) code(lines []string) int {
	fence := lines[0][:len(lines[0])-len(strings.TrimLeft(lines[0], "`"))]
	n := 1
	for n < len(lines) && strings.TrimRight(lines[n], " ") != fence {
		n++
	}
	var shown []Line
	diff := strings.TrimLeft(lines[0], "`") == "diff"
	switch {
	case diff && (c.Whole || !ofPlan(lines[1:n])):
		shown = coloured(lines[1:n])
	case diff:
		shown = outline(lines[1:n])
	default:
		for _, l := range lines[1:n] {
			shown = append(shown, Text(Plain, strings.ReplaceAll(l, "\t", "    ")))
		}
	}
	for i, l := range shown {
		if i == maxCode && !c.Whole {
			c.add(Text(Dim, fmt.Sprintf("  … %d more", len(shown)-i)))
			break
		}
		l = append(Text(Plain, "  "), l...)
		if !c.Whole { // else the terminal wraps it, and nothing of a plan is lost
			l = l.Cut(c.Width)
		}
		c.add(l)
	}
	c.add(nil)
	return min(n+1, len(lines))
}

// ofPlan reports whether a diff is of what a plan does, which can be told in
// outline; what a change costs stands in a diff too.
func ofPlan(lines []string) bool {
	return slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(strings.TrimLeft(l, " "), "# ") })
}

// marks are the signs with which lines of a plan begin.
var marks = map[byte]Style{'+': Green, '-': Red, '~': Yellow, '!': Yellow}

// coloured is a plan as it is, each line in the colour of its sign.
func coloured(plan []string) []Line {
	out := make([]Line, len(plan))
	for i, l := range plan {
		l = strings.ReplaceAll(l, "\t", "    ")
		switch {
		case strings.TrimSpace(l) == "":
		case strings.HasPrefix(l, "  # "):
			out[i] = Text(Bold, l)
		case l[0] == '!':
			out[i] = Text(Yellow, "~"+l[1:])
		default:
			out[i] = Text(marks[l[0]], l)
		}
	}
	return out
}

// fates are how Terraform's text says what becomes of a resource.
var fates = []struct {
	says  string
	sign  string
	style Style
	whole bool // every line of it changes, so that none needs to be shown
}{
	{" will be created", "+", Green, true},
	{" will be updated", "~", Yellow, false},
	{" must be replaced", "±", Magenta, false},
	{" will be replaced", "±", Magenta, false},
	{" will be destroyed", "-", Red, true},
	{"", "#", Bold, false}, // moved, imported, forgotten
}

// outline shortens a plan: a line for each resource, and below it what changes
// in it, unless all of it does.
func outline(plan []string) []Line {
	var out []Line
	whole := true // until the first resource
	for _, l := range plan {
		if address, ok := strings.CutPrefix(l, "  # "); ok && !strings.HasPrefix(address, "(") {
			for _, f := range fates {
				if strings.Contains(address, f.says) {
					out = append(out, Text(f.style, f.sign+" "+address))
					whole = f.whole
					break
				}
			}
			continue
		}
		if whole || len(l) < 2 || l[0] == ' ' || strings.Contains(l, ` resource "`) {
			continue
		}
		s := marks[l[0]]
		out = append(out, Text(s, "    "+strings.Replace(l[:1], "!", "~", 1)+" "+strings.TrimSpace(l[1:])))
	}
	return out
}

// table lays a table out in columns.
func (c *layout) table(lines []string) int {
	var rows [][]Line
	n := 0
	for ; n < len(lines) && strings.HasPrefix(lines[n], "|"); n++ {
		if divider.MatchString(lines[n]) {
			continue
		}
		var row []Line
		for _, cell := range splitRow(lines[n]) {
			l := Inline(cell)
			if len(rows) == 0 {
				l = restyle(l, Dim)
			}
			row = append(row, l)
		}
		rows = append(rows, row)
	}
	c.add(Columns(rows, c.Width, nil)...)
	return n
}

// splitRow returns a table row's cells; a pipe behind a backslash is text.
func splitRow(row string) []string {
	row = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(row), "|"), "|")
	var out []string
	var cell strings.Builder
	for i := 0; i < len(row); i++ {
		switch {
		case row[i] == '\\' && i+1 < len(row) && row[i+1] == '|':
			cell.WriteByte('|')
			i++
		case row[i] == '|':
			out = append(out, strings.TrimSpace(cell.String()))
			cell.Reset()
		default:
			cell.WriteByte(row[i])
		}
	}
	return append(out, strings.TrimSpace(cell.String()))
}

// Columns sets rows in columns, two spaces apart, within width: what does not
// fit is taken from the widest. right says which are set to the right.
func Columns(rows [][]Line, width int, right []bool) []Line {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], cell.Cells())
		}
	}
	total := func() int {
		sum := 0
		for _, w := range widths {
			if w > 0 {
				sum += w + 2
			}
		}
		return sum - 2
	}
	for total() > width {
		widest := 0
		for i, w := range widths {
			if w > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= 4 {
			break
		}
		widths[widest]--
	}
	var out []Line
	for _, row := range rows {
		var l Line
		for i, cell := range row {
			if widths[i] == 0 {
				continue
			}
			if len(l) > 0 {
				l = append(l, Piece{"  ", Plain})
			}
			l = append(l, cell.Cut(widths[i]).Pad(widths[i], i < len(right) && right[i])...)
		}
		out = append(out, l.trimRight())
	}
	return out
}

func (l Line) trimRight() Line {
	for len(l) > 0 {
		last := len(l) - 1
		t := strings.TrimRight(l[last].text, " ")
		if t != "" {
			return append(append(Line{}, l[:last]...), Piece{t, l[last].style})
		}
		l = l[:last]
	}
	return l
}

func restyle(l Line, s Style) Line {
	out := make(Line, len(l))
	for i, p := range l {
		out[i] = Piece{p.text, s}
	}
	return out
}

var (
	link = regexp.MustCompile(`^\[([^\]]*)\]\([^)]*\)`)
	tag  = regexp.MustCompile(`^</?(sub|b|i|br|code)>`)
)

// Inline reads what stands within a line: code, emphasis, links, escapes and
// entities.
func Inline(s string) Line {
	var out Line
	var run strings.Builder
	state := Plain
	flush := func() {
		if run.Len() > 0 {
			out = append(out, Piece{html.UnescapeString(run.String()), state})
			run.Reset()
		}
	}
	turn := func(s Style) {
		flush()
		if state == s {
			s = Plain
		}
		state = s
	}
	for i := 0; i < len(s); {
		rest := s[i:]
		switch {
		case rest[0] == '\\' && len(rest) > 1:
			run.WriteString(html.EscapeString(rest[1:2]))
			i += 2
		case rest[0] == '`':
			fence := rest[:len(rest)-len(strings.TrimLeft(rest, "`"))]
			end := strings.Index(rest[len(fence):], fence)
			if end < 0 {
				run.WriteString(fence)
				i += len(fence)
				continue
			}
			flush()
			inside := rest[len(fence) : len(fence)+end]
			if trimmed := strings.TrimSpace(inside); strings.HasPrefix(trimmed, "`") || strings.HasSuffix(trimmed, "`") || trimmed == "" {
				inside = trimmed
			}
			out = append(out, Piece{strings.ReplaceAll(inside, `\|`, "|"), Cyan})
			i += end + 2*len(fence)
		case strings.HasPrefix(rest, "**"):
			turn(Bold)
			i += 2
		case rest[0] == '_' && (state == Dim || i == 0 || s[i-1] == ' '):
			turn(Dim)
			i++
		case link.MatchString(rest):
			m := link.FindStringSubmatch(rest)
			run.WriteString(m[1])
			i += len(m[0])
		case tag.MatchString(rest):
			m := tag.FindString(rest)
			switch m {
			case "<code>":
				flush()
				state = Cyan
			case "</code>":
				flush()
				state = Plain
			}
			i += len(m)
		default:
			run.WriteByte(rest[0])
			i++
		}
	}
	flush()
	return out
}

// Headline is what a comment says first: the text of its heading.
func Headline(body string) string {
	for l := range strings.Lines(body) {
		if h, ok := strings.CutPrefix(l, "### "); ok {
			return Inline(tidy(strings.TrimSpace(h))).String()
		}
	}
	return ""
}

// TableOf is the lines of a comment's first table, for where there is room for
// no more.
func TableOf(body string) string {
	var b strings.Builder
	for l := range strings.Lines(body) {
		if strings.HasPrefix(l, "|") {
			b.WriteString(l)
		} else if b.Len() > 0 {
			break
		}
	}
	return b.String()
}
