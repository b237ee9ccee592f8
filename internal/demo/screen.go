package demo

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/terminal"
)

// screen is where the story is told.
type screen struct {
	*terminal.Screen
	chapters int
}

// The text stands within margins, and is never wider than is good to read.
const (
	margin   = 4
	maxWidth = 116
	minWidth = 48
)

func newScreen(w io.Writer, live bool, width int, colour bool) *screen {
	if width <= 0 {
		width = 100
	}
	return &screen{Screen: &terminal.Screen{W: w, Colour: colour, Live: live, Width: max(min(width, maxWidth), minWidth), Margin: margin}}
}

// title opens the story.
func (s *screen) title(name, about string) {
	s.Put(nil, terminal.Text("1;36", name).And(terminal.Bold, "  "+about), nil)
}

// chapter begins a part of the story.
func (s *screen) chapter(name string) {
	s.chapters++
	n := fmt.Sprintf("%2d  ", s.chapters)
	rule := max(s.Width-len(n)-terminal.Cells(name)-2, 0)
	s.Clear()
	head := terminal.Text(terminal.Strong, n).And(terminal.Bold, name).And(terminal.Dim, " "+strings.Repeat("─", rule))
	_, _ = io.WriteString(s.W, "\n"+head.Paint(s.Colour)+"\n")
}

// say tells something in whole sentences.
func (s *screen) say(format string, args ...any) {
	s.Put(terminal.Inline(fmt.Sprintf(format, args...)).Wrap(s.Inner(), 0)...)
}

// did tells what was done and how.
func (s *screen) did(format string, args ...any) {
	s.Put(append(terminal.Text(terminal.Green, "✓ "), terminal.Inline(fmt.Sprintf(format, args...))...).Wrap(s.Inner(), 2)...)
}

// refused tells what was not allowed.
func (s *screen) refused(format string, args ...any) {
	s.Put(append(terminal.Text(terminal.Red, "✗ "), terminal.Inline(fmt.Sprintf(format, args...))...).Wrap(s.Inner(), 2)...)
}

// typed shows a command as somebody typed it.
func (s *screen) typed(who, command string) {
	s.Put(terminal.Text(terminal.Magenta, who).And(terminal.Dim, " $ ").And(terminal.Plain, command).Cut(s.Inner()))
}

// click shows what somebody did on GitHub's pages.
func (s *screen) click(who, format string, args ...any) {
	s.Put(append(terminal.Text(terminal.Magenta, who).And(terminal.Dim, " ▹ "), terminal.Inline(fmt.Sprintf(format, args...))...).Wrap(s.Inner(), 4)...)
}

// when tells something with the time that it took since the clock was started.
func (s *screen) when(took time.Duration, l terminal.Line) {
	s.Put(append(terminal.Text(terminal.Dim, fmt.Sprintf("%6s  ", seconds(took))), l...).Cut(s.Inner()))
}

// box frames lines that somebody else wrote.
func (s *screen) box(title string, lines []terminal.Line) {
	width := s.Inner()
	edge := terminal.Style("2;34")
	top := terminal.Text(edge, "╭─ ").And(terminal.Bold, title).And(terminal.Plain, " ").And(edge, strings.Repeat("─", max(width-terminal.Cells(title)-4, 0)))
	s.Put(top)
	for _, l := range lines {
		s.Put(append(terminal.Text(edge, "│ "), l...))
	}
	s.Put(terminal.Text(edge, "╰"+strings.Repeat("─", max(width-1, 0))))
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
