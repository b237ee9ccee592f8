package terminal

import (
	"fmt"
	"io"
	"strings"
)

// Screen is where lines go: a terminal, or whatever takes lines. On a
// terminal its last lines can be live, redrawn as things happen; elsewhere
// there are none, and nothing is ever written twice. It is for one goroutine
// at a time.
type Screen struct {
	W      io.Writer
	Colour bool
	Live   bool // a terminal
	Width  int  // in cells, of the whole screen
	Margin int  // in cells, on the left

	drawn int // live lines that stand on the terminal now
}

// Inner is how wide text may be.
func (s *Screen) Inner() int { return s.Width - s.Margin - 1 }

// Put writes lines below what is there.
func (s *Screen) Put(lines ...Line) {
	s.Clear()
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(strings.TrimRight(strings.Repeat(" ", s.Margin)+l.Paint(s.Colour), " ") + "\n")
	}
	_, _ = io.WriteString(s.W, b.String())
}

// Draw makes these the live lines. They are cut to the width, so that it is
// known how many rows they take.
func (s *Screen) Draw(lines ...Line) {
	if !s.Live {
		return
	}
	var b strings.Builder
	b.WriteString(s.rewind())
	for _, l := range lines {
		b.WriteString(strings.Repeat(" ", s.Margin) + l.Cut(s.Inner()).Paint(s.Colour) + "\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	_, _ = io.WriteString(s.W, b.String())
	s.drawn = len(lines)
}

// Clear takes the live lines away.
func (s *Screen) Clear() {
	if s.drawn > 0 {
		_, _ = io.WriteString(s.W, s.rewind()+"\x1b[J")
		s.drawn = 0
	}
}

func (s *Screen) rewind() string {
	if s.drawn == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\r", s.drawn)
}
