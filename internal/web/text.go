package web

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// terminal matches what terminals take as commands: control sequences
// (colours, cursor), strings (titles, links) and single escapes. A string that
// never ends is taken to end with its line, so that it can't swallow the rest.
var terminal = regexp.MustCompile("\x1b\\[[0-?]*[ -/]*[@-~]" + "|\x1b[\\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\\\)?" + "|\x1b[ -/]*[0-~]")

// plain takes terminal codes out of a text and gives it plain line ends. It is
// for texts before they are escaped; on HTML it could eat markup.
func plain(s string) string {
	if strings.IndexByte(s, 0x1b) >= 0 {
		s = terminal.ReplaceAllString(s, "")
	}
	if strings.IndexByte(s, '\r') >= 0 {
		s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
	}
	return s
}

// visible replaces every character that could hide, reorder or command text by
// one that shows, and what is no UTF-8 by U+FFFD. Pages pass through it whole,
// so that nothing is forgotten; it works rune by rune, none of them a part of
// HTML's syntax, and so cannot change what is markup.
func visible(b []byte) []byte {
	if !bytes.ContainsFunc(b, hidden) {
		return b
	}
	out := make([]byte, 0, len(b)+64)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError, r >= 0x80 && r < 0xa0:
			out = append(out, "\uFFFD"...)
		case !hidden(r):
			out = append(out, b[:n]...)
		case r < 0x20:
			out = utf8.AppendRune(out, 0x2400+r) // ␀ … ␟
		case r == 0x7f:
			out = append(out, "␡"...)
		default:
			out = fmt.Appendf(out, "⟦U+%04X⟧", r)
		}
		b = b[n:]
	}
	return out
}

// hidden reports whether a character has no look of its own and changes that
// of others, or commands a terminal.
func hidden(r rune) bool {
	switch {
	case r == '\n', r == '\t':
		return false
	case r < 0x20, r == utf8.RuneError:
		return true
	case r < 0x7f:
		return false
	case r < 0xa0:
		return true
	case r == 0x200d: // joins emoji
		return false
	case r == 0x115f, r == 0x1160, r == 0x3164, r == 0xffa0, r == 0x2800: // look like nothing, but are letters
		return true
	case r >= 0xe0100 && r <= 0xe01ef: // selectors that can carry a message
		return true
	}
	return unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

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
