package web

import (
	"regexp"
	"strings"

	"github.com/tidelock/tidelock/internal/terminal"
)

// commands matches what terminals take as commands: control sequences
// (colours, cursor), strings (titles, links) and single escapes. A string that
// never ends is taken to end with its line, so that it can't swallow the rest.
var commands = regexp.MustCompile("\x1b\\[[0-?]*[ -/]*[@-~]" + "|\x1b[\\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\\\)?" + "|\x1b[ -/]*[0-~]")

// plain takes terminal codes out of a text and gives it plain line ends. It is
// for texts before they are escaped; on HTML it could eat markup.
func plain(s string) string {
	if strings.IndexByte(s, 0x1b) >= 0 {
		s = commands.ReplaceAllString(s, "")
	}
	if strings.IndexByte(s, '\r') >= 0 {
		s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
	}
	return s
}

// visible makes every character of a page visible that could hide, reorder or
// command text. Pages pass through it whole, so that nothing is forgotten.
func visible(b []byte) []byte { return terminal.Visible(b) }

// line is a stretch of a diff whose lines have one meaning.
type line struct {
	Class string
	Text  string // whole lines, with their ends
}

// diffLines splits a plan's text by what its lines mean.
func diffLines(text string) []line {
	text = plain(text)
	var (
		out   []line
		start int // of the stretch at hand
		class string
	)
	for at := 0; at < len(text); {
		next := len(text)
		if i := strings.IndexByte(text[at:], '\n'); i >= 0 {
			next = at + i + 1
		}
		if c := diffClass(text[at:next]); c != class {
			if at > start {
				out = append(out, line{class, text[start:at]})
			}
			start, class = at, c
		}
		at = next
	}
	if start < len(text) {
		out = append(out, line{class, text[start:]})
	}
	return out
}

func diffClass(s string) string {
	switch {
	case strings.HasPrefix(s, "-/+"), strings.HasPrefix(s, "+/-"):
		return "replace"
	case strings.HasPrefix(s, "+"):
		return "add"
	case strings.HasPrefix(s, "-"):
		return "del"
	case strings.HasPrefix(s, "~"), strings.HasPrefix(s, "!"):
		return "mod"
	case strings.HasPrefix(strings.TrimLeft(s, " "), "#"):
		return "note"
	}
	return "same"
}
