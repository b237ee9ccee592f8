package main

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
)

// look is what is known of where output goes.
type look struct {
	terminal bool // whose lines can be written anew
	colour   bool
	width    int // in cells; usualWidth where it is not known
}

// usualWidth is how wide lines are that go to a file.
const usualWidth = 100

// lookOf looks at an output. Colours are for terminals, unless NO_COLOR or plain
// says otherwise.
func lookOf(w io.Writer, environ []string, plain bool) look {
	l := look{width: usualWidth}
	find := config.Lookup(environ)
	if columns, ok := find("COLUMNS"); ok {
		if n, err := strconv.Atoi(columns); err == nil && n > 20 {
			l.width = n
		}
	}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return l
	}
	kind, _ := find("TERM")
	noColour, _ := find("NO_COLOR")
	l.terminal = kind != "dumb"
	l.colour = l.terminal && noColour == "" && !plain
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		l.width = width
	}
	return l
}
