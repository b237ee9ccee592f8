package state

import (
	"encoding/binary"
	"math/bits"
)

// skim reads on where nothing is kept or counted, and returns how many bytes it
// read. It takes what is usual there; before anything else, a fault above all,
// it stops, and feed has the next byte.
func (s *scanner) skim(p []byte) int {
	step, stack, inKey := s.step, s.stack, s.inKey
	s.keep = false
	i := 0
loop:
	for i < len(p) {
		if step == inString {
			i += plain(p[i:])
			switch {
			case i == len(p):
				break loop
			case p[i] == '"':
				i++
				if step = wantMore; inKey {
					step = wantColon
					if i < len(p) && p[i] == ':' {
						step = wantValue
						i++
					}
				} else if i < len(p) && p[i] == ',' {
					step = afterComma(stack)
					i++
				}
				continue
			case p[i] == '\\' && i+1 < len(p) && simpleEscape[p[i+1]]:
				i += 2
				continue
			}
			break loop
		}
		if step > wantNothing {
			break
		}
		c := p[i]
		if isSpace(c) {
			if i += spaces(p[i:]); i == len(p) {
				break
			}
			c = p[i]
		}
		switch step {
		case wantColon:
			if c != ':' {
				break loop
			}
			step = wantValue
		case wantKey, wantKeyOrEnd:
			switch {
			case c == '"':
				step, inKey = inString, true
			case c == '}' && step == wantKeyOrEnd:
				step, stack = wantMore, stack[:len(stack)-1]
			default:
				break loop
			}
		case wantMore:
			top := stack[len(stack)-1]
			switch {
			case c == ',':
				step = afterComma(stack)
			case c == top+2: // the brackets' codes are two apart
				stack = stack[:len(stack)-1]
			default:
				break loop
			}
		default: // a value
			switch {
			case c == '"':
				step, inKey = inString, false
			case c == '{' && len(stack) < maxDepth:
				step, stack = wantKeyOrEnd, append(stack, c)
			case c == '[' && len(stack) < maxDepth:
				step, stack = wantValueOrEnd, append(stack, c)
			case c == ']' && step == wantValueOrEnd:
				step, stack = wantMore, stack[:len(stack)-1]
			case c >= '1' && c <= '9':
				for i+1 < len(p) && isDigit(p[i+1]) {
					i++
				}
				if i+1 == len(p) || p[i+1] == '.' || p[i+1]|0x20 == 'e' {
					step = inDigits
				} else {
					step = wantMore
				}
			default:
				n := literal(p[i:])
				if n == 0 {
					break loop
				}
				step = wantMore
				i += n - 1
			}
		}
		i++
		if len(stack) <= counted {
			break
		}
	}
	s.step, s.stack, s.inKey = step, stack, inKey
	return i
}

func afterComma(stack []byte) step {
	if stack[len(stack)-1] == '{' {
		return wantKey
	}
	return wantValue
}

var simpleEscape = func() (ok [256]bool) {
	for _, c := range []byte(`"\/bfnrt`) {
		ok[c] = true
	}
	return ok
}()

// literal returns how long the word is that p begins with, 0 where it is cut or
// none.
func literal(p []byte) int {
	for _, word := range []string{"true", "false", "null"} {
		if len(p) >= len(word) && string(p[:len(word)]) == word {
			return len(word)
		}
	}
	return 0
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// plain returns how many bytes p begins with that stand for themselves in a
// string: eight at a time, since most of a state is in strings.
func plain(p []byte) int {
	i := 0
	for ; i+8 <= len(p); i += 8 {
		w := binary.LittleEndian.Uint64(p[i:])
		quote, slash := w^'"'*ones, w^'\\'*ones
		// The high bit of a byte that ends it, and perhaps of some behind it.
		if end := ((quote-ones)&^quote | (slash-ones)&^slash | (w-' '*ones)&^w) & highs; end != 0 {
			return i + bits.TrailingZeros64(end)>>3
		}
	}
	for i < len(p) && p[i] != '"' && p[i] != '\\' && p[i] >= ' ' {
		i++
	}
	return i
}

// spaces returns how many bytes p begins with that stand between values. Much
// of a state is indentation.
func spaces(p []byte) int {
	i := 0
	for i < len(p) && isSpace(p[i]) {
		i++
		for i+8 <= len(p) && binary.LittleEndian.Uint64(p[i:]) == ' '*ones {
			i += 8
		}
	}
	return i
}
