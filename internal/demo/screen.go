package demo

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// screen is where the story is told: a terminal, or whatever takes lines. On a
// terminal its last lines can be live, redrawn as things happen; elsewhere
// there are none, and nothing is ever written twice.
type screen struct {
	w      io.Writer
	colour bool
	live   bool
	width  int // in cells, of the whole screen

	chapters int
	drawn    int // live lines that stand on the terminal now
}

// The text stands within margins, and is never wider than is good to read.
const (
	margin   = 4
	maxWidth = 116
	minWidth = 48
)

func newScreen(w io.Writer, terminal bool, width int, colour bool) *screen {
	if width <= 0 {
		width = 100
	}
	return &screen{w: w, colour: colour, live: terminal, width: max(min(width, maxWidth), minWidth)}
}

// inner is how wide text may be.
func (s *screen) inner() int { return s.width - margin - 1 }

// put writes lines below what is there.
func (s *screen) put(lines ...line) {
	s.clear()
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(strings.TrimRight(strings.Repeat(" ", margin)+l.paint(s.colour), " ") + "\n")
	}
	_, _ = io.WriteString(s.w, b.String())
}

// draw makes these the live lines. They are cut to the width, so that it is
// known how many rows they take.
func (s *screen) draw(lines ...line) {
	if !s.live {
		return
	}
	var b strings.Builder
	b.WriteString(s.rewind())
	for _, l := range lines {
		b.WriteString(strings.Repeat(" ", margin) + l.cut(s.inner()).paint(s.colour) + "\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	_, _ = io.WriteString(s.w, b.String())
	s.drawn = len(lines)
}

// clear takes the live lines away.
func (s *screen) clear() {
	if s.drawn > 0 {
		_, _ = io.WriteString(s.w, s.rewind()+"\x1b[J")
		s.drawn = 0
	}
}

func (s *screen) rewind() string {
	if s.drawn == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\r", s.drawn)
}

// title opens the story.
func (s *screen) title(name, about string) {
	s.put(nil, line{{name, "1;36"}, {"  " + about, bold}}, nil)
}

// chapter begins a part of the story.
func (s *screen) chapter(name string) {
	s.chapters++
	n := fmt.Sprintf("%2d  ", s.chapters)
	rule := max(s.width-len(n)-cells(name)-2, 0)
	s.clear()
	head := line{{n, strong}, {name, bold}, {" " + strings.Repeat("─", rule), dim}}
	_, _ = io.WriteString(s.w, "\n"+head.paint(s.colour)+"\n")
}

// say tells something in whole sentences.
func (s *screen) say(format string, args ...any) {
	s.put(inline(fmt.Sprintf(format, args...)).wrap(s.inner(), 0)...)
}

// did tells what was done and how.
func (s *screen) did(format string, args ...any) {
	s.put(append(text(green, "✓ "), inline(fmt.Sprintf(format, args...))...).wrap(s.inner(), 2)...)
}

// refused tells what was not allowed.
func (s *screen) refused(format string, args ...any) {
	s.put(append(text(red, "✗ "), inline(fmt.Sprintf(format, args...))...).wrap(s.inner(), 2)...)
}

// typed shows a command as somebody typed it.
func (s *screen) typed(who, command string) {
	s.put(line{{who, magenta}, {" $ ", dim}, {command, plain}}.cut(s.inner()))
}

// click shows what somebody did on GitHub's pages.
func (s *screen) click(who, format string, args ...any) {
	s.put(append(line{{who, magenta}, {" ▹ ", dim}}, inline(fmt.Sprintf(format, args...))...).wrap(s.inner(), 4)...)
}

// when tells something with the time that it took since the clock was started.
func (s *screen) when(took time.Duration, l line) {
	s.put(append(text(dim, fmt.Sprintf("%6s  ", seconds(took))), l...).cut(s.inner()))
}

// box frames lines that somebody else wrote.
func (s *screen) box(title string, lines []line) {
	width := s.inner()
	edge := style("2;34")
	top := line{{"╭─ ", edge}, {title, bold}, {" ", plain}, {strings.Repeat("─", max(width-cells(title)-4, 0)), edge}}
	s.put(top)
	for _, l := range lines {
		s.put(append(text(edge, "│ "), l...))
	}
	s.put(text(edge, "╰"+strings.Repeat("─", max(width-1, 0))))
}

func seconds(d time.Duration) string {
	if d < 10*time.Millisecond {
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	}
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
