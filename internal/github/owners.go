package github

import (
	"fmt"
	"regexp"
	"strings"
)

// MaxOwners is the size from which GitHub ignores a CODEOWNERS file.
const MaxOwners = 3 << 20

// OwnersPaths are the places where GitHub looks for CODEOWNERS, in order; the
// first file found counts, alone. It must be read from the base branch, or a
// pull request could appoint its own reviewers.
var OwnersPaths = []string{".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"}

// Owners are the rules of a CODEOWNERS file.
type Owners struct{ rules []ownersRule }

type ownersRule struct {
	segments []string // of the pattern; "**" spans any number
	below    bool     // matches what lies below the pattern only: it names a folder
	shallow  bool     // matches nothing below the pattern: it ends in /*
	owners   []string
}

// OwnersProblem is a line of CODEOWNERS that counts for nothing, and why. Line
// is from 1; 0 is the whole file.
type OwnersProblem struct {
	Line    int
	Message string
}

// ownerForm is a user, a team or an e-mail address. Whether there is such an
// account GitHub alone knows.
var ownerForm = regexp.MustCompile(`^(?:@[A-Za-z0-9][A-Za-z0-9_-]*(?:\[bot\])?(?:/[A-Za-z0-9._-]+)?|[^\s@]+@[^\s@]+\.[^\s@]+)$`)

// ParseOwners reads a CODEOWNERS file as GitHub does: a line that it cannot
// read is skipped, and reported. It never fails, and takes time in proportion
// to the text.
func ParseOwners(text []byte) (Owners, []OwnersProblem) {
	if len(text) > MaxOwners {
		return Owners{}, []OwnersProblem{{0, fmt.Sprintf("The file is larger than 3 MB (%d bytes), so GitHub ignores all of it.", len(text))}}
	}
	var o Owners
	var problems []OwnersProblem
	n := 0
	for line := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) {
		n++
		words := ownersWords(line)
		if len(words) == 0 {
			continue
		}
		rule, wrong := ownersLine(words[0], words[1:])
		if wrong != "" {
			problems = append(problems, OwnersProblem{n, wrong})
			continue
		}
		o.rules = append(o.rules, rule)
	}
	return o, problems
}

// ownersWords splits a line at its spaces, but for those that a backslash
// escapes, and drops a comment. Backslashes stay for the pattern to read.
func ownersWords(line string) []string {
	var words []string
	start, escaped := -1, false
	for i, r := range line {
		space := r == ' ' || r == '\t' || r == '\r' || r == '\n'
		switch {
		case start < 0 && r == '#':
			return words
		case space && !escaped:
			if start >= 0 {
				words = append(words, line[start:i])
				start = -1
			}
		case start < 0:
			start = i
		}
		escaped = r == '\\' && !escaped
	}
	if start >= 0 {
		words = append(words, line[start:])
	}
	return words
}

func ownersLine(pattern string, owners []string) (ownersRule, string) {
	rule := ownersRule{owners: []string{}}
	switch {
	case strings.HasPrefix(pattern, "!"):
		return rule, fmt.Sprintf("%q: a pattern that begins with ! works in .gitignore but not in CODEOWNERS. Give what it should leave out a later line of its own.", pattern)
	case strings.HasPrefix(pattern, `\#`):
		return rule, fmt.Sprintf("%q: a pattern cannot begin with an escaped # in CODEOWNERS. Begin it with / or ** instead.", pattern)
	case strings.ContainsAny(pattern, "[]"):
		return rule, fmt.Sprintf("%q: [ and ] work in .gitignore but not in CODEOWNERS. Use * or ? instead.", pattern)
	}
	for _, owner := range owners {
		if !ownerForm.MatchString(owner) {
			return rule, fmt.Sprintf("%q is no owner: write @user, @organisation/team or an e-mail address.", owner)
		}
		rule.owners = append(rule.owners, owner)
	}
	body := strings.TrimPrefix(pattern, "/")
	rule.below = strings.HasSuffix(body, "/")
	body = strings.Trim(body, "/")
	anchored := strings.HasPrefix(pattern, "/") || strings.Contains(body, "/")
	switch {
	case body == "" && pattern == "/": // the repository's root
		rule.segments = []string{"**"}
		return rule, ""
	case body == "":
		return rule, fmt.Sprintf("%q matches nothing.", pattern)
	}
	if !anchored {
		rule.segments = []string{"**"}
	}
	for _, s := range strings.Split(body, "/") {
		if s == "" {
			return rule, fmt.Sprintf("%q matches nothing: it has two slashes in a row.", pattern)
		}
		if s == "**" && len(rule.segments) > 0 && rule.segments[len(rule.segments)-1] == "**" {
			continue
		}
		rule.segments = append(rule.segments, s)
	}
	// Unlike in .gitignore, docs/* is what lies in docs itself and not deeper.
	rule.shallow = anchored && !rule.below && rule.segments[len(rule.segments)-1] == "*"
	return rule, ""
}

// For returns the owners of a file: those of the last line that matches its
// path, spelled as there ("@user", "@organisation/team", "user@example.com").
// It is empty where no line matches and where the line that does names nobody:
// such a file needs no particular approval. path is relative to the
// repository's root, with slashes; case counts.
func (o Owners) For(path string) []string {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i := len(o.rules) - 1; i >= 0; i-- {
		if o.rules[i].matches(parts) {
			return o.rules[i].owners
		}
	}
	return nil
}

// matches walks the path's parts with the set of places in the pattern that
// may come next: no pattern takes more than parts times segments steps.
func (r ownersRule) matches(parts []string) bool {
	n := len(r.segments)
	at := make([]bool, n+1)
	at[0] = true
	skip := func(set []bool) { // ** may stand for nothing, but at the end for something
		for i := 0; i < n-1; i++ {
			if set[i] && r.segments[i] == "**" {
				set[i+1] = true
			}
		}
	}
	skip(at)
	for k, part := range parts {
		next := make([]bool, n+1)
		for i := 0; i < n; i++ {
			switch {
			case !at[i]:
			case r.segments[i] == "**":
				next[i] = true
				if i == n-1 {
					next[n] = true
				}
			case globSegment(r.segments[i], part):
				next[i+1] = true
			}
		}
		skip(next)
		last := k == len(parts)-1
		if next[n] && (last && !r.below || !last && !r.shallow) {
			return true // the file itself, or a folder that it lies in
		}
		at = next
	}
	return false
}

// globSegment matches one part of a path: * is any run of characters, ? any
// one, and a backslash takes the next character as it is. After a mismatch it
// returns to the last * only, so time stays within the product of the lengths.
func globSegment(pattern, name string) bool {
	p, s := []rune(pattern), []rune(name)
	i, j, star, mark := 0, 0, -1, 0
	for j < len(s) {
		step := 0 // how many runes of the pattern the next one of the name takes
		if i < len(p) {
			switch {
			case p[i] == '*':
				star, mark = i, j
				i++
				continue
			case p[i] == '?':
				step = 1
			case p[i] == '\\' && i+1 < len(p):
				if p[i+1] == s[j] {
					step = 2
				}
			case p[i] == s[j]:
				step = 1
			}
		}
		switch {
		case step > 0:
			i, j = i+step, j+1
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}
