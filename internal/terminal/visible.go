package terminal

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Visible replaces every character that could hide, reorder or command text by
// one that shows, and what is no UTF-8 by U+FFFD. Line ends and tabs stay. It
// works rune by rune, none of them a part of HTML's syntax, and so cannot
// change what is markup: whole pages may pass through it.
func Visible(b []byte) []byte {
	if !bytes.ContainsFunc(b, Hidden) {
		return b
	}
	out := make([]byte, 0, len(b)+64)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError, r >= 0x80 && r < 0xa0:
			out = append(out, "\uFFFD"...)
		case !Hidden(r):
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

// Hidden reports whether a character has no look of its own and changes that
// of others, or commands a terminal.
func Hidden(r rune) bool {
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
