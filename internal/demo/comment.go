package demo

import (
	"html"
	"regexp"
	"slices"
	"strings"
)

// comment lays a comment of Tidelock's out for a terminal, in lines of at most
// width cells. It reads the Markdown that Tidelock writes and no more of it:
// headings, tables, lists, fenced code, folded sections, inline code, emphasis
// and links. What is folded on the page is a line here, but for sections whose
// title begins with one of unfold. Of a plan it shows the outline: what happens
// to each resource, and what changes in those that stay.
func comment(markdown string, width int, unfold ...string) []line {
	c := &layout{width: width, unfold: unfold}
	lines := strings.Split(strings.TrimSpace(tidy(markdown)), "\n")
	for len(lines) > 0 {
		n := c.block(lines)
		lines = lines[n:]
	}
	for len(c.out) > 0 && c.out[len(c.out)-1].cells() == 0 {
		c.out = c.out[:len(c.out)-1]
	}
	return c.out
}

type layout struct {
	width  int
	unfold []string
	out    []line
	hidden int // folded sections around this line whose content is not shown
}

func (c *layout) add(lines ...line) {
	if c.hidden > 0 {
		return
	}
	for _, l := range lines {
		empty := l.cells() == 0
		if empty && (len(c.out) == 0 || c.out[len(c.out)-1].cells() == 0) {
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
		title := restyle(inline(strings.TrimLeft(first, "# ")), bold)
		c.add(title.wrap(c.width, 2)...)
		return 1
	case strings.HasPrefix(first, "|"):
		return c.table(lines)
	case strings.HasPrefix(first, "```"):
		return c.code(lines)
	case details.MatchString(first):
		return c.fold(lines, details.FindStringSubmatch(first))
	case strings.HasPrefix(first, "- "):
		c.add(append(text(dim, "• "), inline(first[2:])...).wrap(c.width, 2)...)
		return 1
	}
	l := inline(first)
	if strings.HasPrefix(first, "<sub>") {
		l = restyle(l, dim)
	}
	c.add(l.wrap(c.width, 0)...)
	return 1
}

// fold lays a folded section out: its title, and its content where the page
// shows that too.
func (c *layout) fold(lines []string, match []string) int {
	open := match[1] != "" || slices.ContainsFunc(c.unfold, func(title string) bool { return strings.HasPrefix(match[2], title) })
	sign := "▸ "
	if open {
		sign = "▾ "
	}
	if !open && len(c.out) > 0 && c.hidden == 0 && strings.HasPrefix(c.out[len(c.out)-1].String(), "▸ ") {
		// Titles of folded sections stand close together.
	} else {
		c.add(nil)
	}
	c.add(append(text(cyan, sign), inline(match[2])...).wrap(c.width, 2)...)
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
	var shown []line
	if strings.TrimLeft(lines[0], "`") == "diff" {
		shown = outline(lines[1:n])
	} else {
		for _, l := range lines[1:n] {
			shown = append(shown, text(plain, strings.ReplaceAll(l, "\t", "    ")))
		}
	}
	for i, l := range shown {
		if i == maxCode {
			c.add(text(dim, "  … "+count(len(shown)-i, "more line")))
			break
		}
		c.add(append(text(plain, "  "), l...).cut(c.width))
	}
	c.add(nil)
	return min(n+1, len(lines))
}

// fates are how Terraform's text says what becomes of a resource.
var fates = []struct {
	says  string
	sign  string
	style style
	whole bool // every line of it changes, so that none needs to be shown
}{
	{" will be created", "+", green, true},
	{" will be updated", "~", yellow, false},
	{" must be replaced", "±", magenta, false},
	{" will be replaced", "±", magenta, false},
	{" will be destroyed", "-", red, true},
	{"", "#", bold, false}, // moved, imported, forgotten
}

// outline shortens a plan: a line for each resource, and below it what changes
// in it, unless all of it does.
func outline(plan []string) []line {
	var out []line
	whole := true // until the first resource
	for _, l := range plan {
		if address, ok := strings.CutPrefix(l, "  # "); ok && !strings.HasPrefix(address, "(") {
			for _, f := range fates {
				if strings.Contains(address, f.says) {
					out = append(out, text(f.style, f.sign+" "+address))
					whole = f.whole
					break
				}
			}
			continue
		}
		if whole || len(l) < 2 || l[0] == ' ' || strings.Contains(l, ` resource "`) {
			continue
		}
		s := map[byte]style{'+': green, '-': red, '~': yellow, '!': yellow}[l[0]]
		out = append(out, text(s, "    "+strings.Replace(l[:1], "!", "~", 1)+" "+strings.TrimSpace(l[1:])))
	}
	return out
}

// table lays a table out in columns.
func (c *layout) table(lines []string) int {
	var rows [][]line
	n := 0
	for ; n < len(lines) && strings.HasPrefix(lines[n], "|"); n++ {
		if divider.MatchString(lines[n]) {
			continue
		}
		var row []line
		for _, cell := range splitRow(lines[n]) {
			l := inline(cell)
			if len(rows) == 0 {
				l = restyle(l, dim)
			}
			row = append(row, l)
		}
		rows = append(rows, row)
	}
	c.add(columns(rows, c.width, nil)...)
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

// columns sets rows in columns, two spaces apart, within width: what does not
// fit is taken from the widest. right says which are set to the right.
func columns(rows [][]line, width int, right []bool) []line {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], cell.cells())
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
	var out []line
	for _, row := range rows {
		var l line
		for i, cell := range row {
			if widths[i] == 0 {
				continue
			}
			if len(l) > 0 {
				l = append(l, piece{"  ", plain})
			}
			l = append(l, cell.cut(widths[i]).pad(widths[i], i < len(right) && right[i])...)
		}
		out = append(out, l.trimRight())
	}
	return out
}

func (l line) trimRight() line {
	for len(l) > 0 {
		last := len(l) - 1
		t := strings.TrimRight(l[last].text, " ")
		if t != "" {
			return append(append(line{}, l[:last]...), piece{t, l[last].style})
		}
		l = l[:last]
	}
	return l
}

func restyle(l line, s style) line {
	out := make(line, len(l))
	for i, p := range l {
		out[i] = piece{p.text, s}
	}
	return out
}

var (
	link = regexp.MustCompile(`^\[([^\]]*)\]\([^)]*\)`)
	tag  = regexp.MustCompile(`^</?(sub|b|i|br|code)>`)
)

// inline reads what stands within a line: code, emphasis, links, escapes and
// entities.
func inline(s string) line {
	var out line
	var run strings.Builder
	state := plain
	flush := func() {
		if run.Len() > 0 {
			out = append(out, piece{html.UnescapeString(run.String()), state})
			run.Reset()
		}
	}
	turn := func(s style) {
		flush()
		if state == s {
			s = plain
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
			out = append(out, piece{strings.ReplaceAll(inside, `\|`, "|"), cyan})
			i += end + 2*len(fence)
		case strings.HasPrefix(rest, "**"):
			turn(bold)
			i += 2
		case rest[0] == '_' && (state == dim || i == 0 || s[i-1] == ' '):
			turn(dim)
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
				state = cyan
			case "</code>":
				flush()
				state = plain
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

// headline is what a comment says first: the text of its heading.
func headline(body string) string {
	for l := range strings.Lines(body) {
		if h, ok := strings.CutPrefix(l, "### "); ok {
			return inline(tidy(strings.TrimSpace(h))).String()
		}
	}
	return ""
}

// tableOf is the lines of a comment's first table, for where there is room for
// no more.
func tableOf(body string) string {
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
