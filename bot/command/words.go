package command

import (
	"strings"
	"unicode"

	"github.com/tidelock/tidelock/internal/errs"
)

// splitWords splits a line as a shell would read it, as far as quotes go:
// nothing is ever handed to a shell. A quote opens at a word's beginning or
// right after NAME= or -flag=; anywhere else it is a letter, so that
// aws_instance.a["x"] needs no quoting. A backslash takes a quote's meaning
// away. An open quote is an error, and the words up to it are returned for
// whoever must see the first.
func splitWords(line string) ([]string, error) {
	var (
		words []string
		word  strings.Builder
		in    bool
		quote rune // that is open
		after bool // a quote was closed just now: another may follow, as in 'it''s'
	)
	letters := []rune(line)
	for i := 0; i < len(letters); i++ {
		r := letters[i]
		if r == '\\' && quote != '\'' && i+1 < len(letters) {
			if next := letters[i+1]; next == '"' || next == '\'' && quote == 0 || next == '\\' && quote != 0 {
				word.WriteRune(next)
				in, after = true, false
				i++
				continue
			}
		}
		closed := after
		after = false
		switch {
		case quote != 0 && r == quote:
			quote, after = 0, true
		case quote != 0:
			word.WriteRune(r)
		case (r == '"' || r == '\'') && (!in || closed || assigns(word.String())):
			quote, in = r, true
		case r == ' ' || r == '\t' || r == '\u00a0':
			if in {
				words = append(words, word.String())
				word.Reset()
				in = false
			}
		default:
			word.WriteRune(r)
			in = true
		}
	}
	if in {
		words = append(words, word.String())
	}
	if quote != 0 {
		return words, errs.New(errs.Invalid, "A quote (%c) is not closed.", quote)
	}
	return words, nil
}

// assigns reports whether the beginning of a word is -flag=, NAME= or
// -flag=NAME=.
func assigns(word string) bool {
	return strings.HasSuffix(word, "=") && len(word) < 300 &&
		!strings.ContainsFunc(word, func(r rune) bool {
			return r != '=' && r != '-' && r != '_' && !(r >= 'a' && r <= 'z') && !(r >= 'A' && r <= 'Z') && !(r >= '0' && r <= '9')
		})
}

// Quote returns s so that splitWords reads it as one word.
func Quote(s string) string {
	if s == "" || strings.ContainsAny(s, " \t\u00a0'\"\\") {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
	}
	return s
}

// invisible reports whether s holds something that people can't see or that
// reorders what they see: a word of a command that holds it may not be the
// word that they read.
func invisible(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsPrint(r) || r == unicode.ReplacementChar || r == '\u2800' ||
			unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
	})
}

// lower is for ASCII alone: to Unicode's rules, a Kelvin sign is a k.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

// nearest returns the one of all that word most likely meant, "" if none is
// within most letters of it.
func nearest(word string, all []string, most int) string {
	best, distance := "", most+1
	if len(word) > 40 {
		return ""
	}
	for _, a := range all {
		if d := editDistance(word, a); d < distance {
			best, distance = a, d
		}
	}
	return best
}

// editDistance counts the insertions, deletions, changes and swaps of
// neighbours between two short words.
func editDistance(a, b string) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
