package gate

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What is shown of texts that others wrote, in runes.
const (
	maxQuoted  = 80
	maxProse   = 400
	maxListed  = 5
	wordJoiner = "\u2060"
)

// clean makes one line of a text: no control character, nothing that turns
// the direction of writing, nothing that ends a comment of Markdown's.
func clean(s string, most int) string {
	var b strings.Builder
	n, space := 0, false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			space = b.Len() > 0
			continue
		case unicode.Is(unicode.Cf, r) || r == utf8.RuneError:
			continue
		}
		if n == most {
			b.WriteString("…")
			break
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
		n++
	}
	return strings.NewReplacer("<!--", "< !--", "-->", "-- >").Replace(b.String())
}

// quote returns a name that others chose as code of Markdown's, in which
// nothing is a link, a mention or an end of the code.
func quote(s string) string {
	s = strings.ReplaceAll(clean(s, maxQuoted), "`", "'")
	if s == "" {
		return "(empty)"
	}
	return "`" + s + "`"
}

// prose returns a sentence that others wrote, with everything taken as text
// that Markdown would read.
func prose(s string) string {
	s = clean(s, maxProse)
	var b strings.Builder
	for _, r := range s {
		switch {
		case strings.ContainsRune("\\`*_[]<>|~#", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '@':
			b.WriteString("@" + wordJoiner) // nobody is called
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// list quotes the first names and counts the others.
func list(all []string) string {
	var quoted []string
	for i, s := range all {
		if i == maxListed {
			quoted = append(quoted, fmt.Sprintf("%d more", len(all)-i))
			break
		}
		quoted = append(quoted, quote(s))
	}
	switch n := len(quoted); n {
	case 0:
		return "nothing"
	case 1:
		return quoted[0]
	default:
		return strings.Join(quoted[:n-1], ", ") + " and " + quoted[n-1]
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func short(sha string) string {
	sha = strings.ReplaceAll(clean(sha, maxQuoted), "`", "'")
	if len(sha) > 7 {
		return sha[:7]
	}
	return sha
}

func upper(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}
