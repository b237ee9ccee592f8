package tfplan

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// How much is shown of one string, in bytes: up to maxString all of it, as
// Terraform does; of a longer one excerpt bytes, with a note of how long it
// is. maxName is where names of members are cut.
const (
	maxString = 64 << 10
	maxName   = 1 << 10
	excerpt   = 512
	lead      = 64 // of an excerpt, what stands before the first difference
)

// huge writes a string that is too long to be shown whole: its beginning, or
// of one that changes the place where it begins to differ.
func (d *differ) huge(mark string, v value, at place, end, force string) {
	before, _ := v.before.(string)
	after, _ := v.after.(string)
	if d.secrets.in(before) || d.secrets.in(after) {
		d.line(mark, at.col, at.prefix+concealed+end+force)
		return
	}
	text := ""
	switch v.action() {
	case ActionUpdate:
		from := differAt(before, after)
		text = fmt.Sprintf("%s -> %s%s # %d -> %d bytes, the first difference at byte %d", around(before, from), around(after, from), force, len(before), len(after), from)
		force = ""
	case ActionCreate:
		text = cutString(after)
	case ActionDelete:
		text = cutString(before)
	default:
		text = cutString(firstString(after, before))
	}
	d.line(mark, at.col, at.prefix+text+end+force)
}

// cutString is quote, cut where the string is too long.
func cutString(s string) string {
	if len(s) <= excerpt {
		return quote(s)
	}
	return fmt.Sprintf("%s # the first %d of %d bytes", quote(runes(s[:excerpt])), excerpt, len(s))
}

// differAt returns the first byte in which two strings differ.
func differAt(a, b string) int {
	n := min(len(a), len(b))
	for i := 0; i < n; i++ {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// around is an excerpt of s around the byte at.
func around(s string, at int) string {
	from := max(0, min(at, len(s))-lead)
	to := min(len(s), from+excerpt)
	text := quote(runes(s[from:to]))
	if from > 0 {
		text = `"…` + text[1:]
	}
	if to < len(s) {
		text = text[:len(text)-1] + `…"`
	}
	return text
}

// runes takes off the halves of runes at both ends.
func runes(s string) string {
	for i := 0; i < utf8.UTFMax && len(s) > 0 && !utf8.RuneStart(s[0]); i++ {
		s = s[1:]
	}
	for i := 0; i < utf8.UTFMax && len(s) > 0; i++ {
		if r, n := utf8.DecodeLastRuneInString(s); r != utf8.RuneError || n != 1 {
			break
		}
		s = s[:len(s)-1]
	}
	return s
}

// holdsSecret reports whether a secret stands anywhere in one of the values.
func (d *differ) holdsSecret(values ...any) bool {
	for _, v := range values {
		switch v := v.(type) {
		case string:
			if d.secrets.in(v) {
				return true
			}
		case map[string]any:
			for _, m := range v {
				if d.holdsSecret(m) {
					return true
				}
			}
		case []any:
			for _, m := range v {
				if d.holdsSecret(m) {
					return true
				}
			}
		default:
			if d.secrets.in(strings.TrimSpace(fmt.Sprint(v))) {
				return true
			}
		}
	}
	return false
}
