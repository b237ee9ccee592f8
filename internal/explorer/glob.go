package explorer

import "strings"

// wild reports whether a pattern has wildcards.
func wild(pattern string) bool { return strings.ContainsAny(pattern, "*?") }

// matches reports whether the whole text is like the pattern, in which * is
// any text and ? any one byte.
func matches(pattern, text string) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// like is a pattern for SQL's LIKE that fits at least what the pattern fits:
// SQLite's does not tell cases apart, and a ? may be part of a character.
func like(pattern string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`, "*", "%", "?", "%").Replace(pattern)
}
