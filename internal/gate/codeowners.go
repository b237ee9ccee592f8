package gate

import (
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/tidelock/tidelock/internal/errs"
)

// CodeOwnersPaths are where GitHub looks for the file, in order; the first
// that is there counts.
var CodeOwnersPaths = []string{".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"}

// maxCodeOwners is the size from which on GitHub does not read the file.
const maxCodeOwners = 3 << 20

// CodeOwnersFile is a CODEOWNERS file that was read. The zero value has no
// owners.
type CodeOwnersFile struct{ lines []ownersLine }

type ownersLine struct {
	patterns []string // any of them; doublestar
	owners   []string // none: who owned it before does no longer
}

// ParseCodeOwners reads a CODEOWNERS file. It must be the base branch's: a
// pull does not choose who approves it. Lines that GitHub would skip are
// skipped and told of. A file too large for GitHub is an error, not a file
// without owners.
func ParseCodeOwners(src []byte) (CodeOwnersFile, []Problem, error) {
	var f CodeOwnersFile
	var problems []Problem
	if len(src) >= maxCodeOwners {
		return f, nil, errs.New(errs.TooLarge, "CODEOWNERS has %d MB or more, which GitHub does not read.", maxCodeOwners>>20)
	}
	n := 0
	for line := range strings.Lines(string(src)) {
		n++
		fields := ownersFields(line)
		if len(fields) == 0 {
			continue
		}
		l, why := parseOwnersLine(fields)
		if why != "" {
			problems = append(problems, Problem{File: "CODEOWNERS", Line: n, Message: why})
			continue
		}
		f.lines = append(f.lines, l)
	}
	return f, problems, nil
}

// ownersFields splits a line at its spaces, without its comment. A backslash
// keeps the space behind it.
func ownersFields(line string) []string {
	var fields []string
	var b strings.Builder
	end := func() {
		if b.Len() > 0 {
			fields = append(fields, b.String())
			b.Reset()
		}
	}
	escaped := false
	for _, r := range strings.TrimRight(line, "\r\n") {
		switch {
		case escaped && r == ' ':
			b.WriteRune(r)
		case escaped:
			b.WriteRune('\\')
			b.WriteRune(r)
		case r == '\\':
		case r == ' ' || r == '\t':
			end()
		case r == '#' && b.Len() == 0:
			return fields
		default:
			b.WriteRune(r)
		}
		escaped = r == '\\' && !escaped
	}
	end()
	return fields
}

func parseOwnersLine(fields []string) (ownersLine, string) {
	l := ownersLine{owners: fields[1:]}
	p := fields[0]
	switch {
	case strings.HasPrefix(p, "!") || strings.ContainsAny(p, "[]\\"):
		return l, fmt.Sprintf("The pattern %q has !, [ ], or a backslash, which CODEOWNERS does not know.", p)
	case strings.Contains(p, "***") || p == "/":
		return l, fmt.Sprintf("The pattern %q means nothing.", p)
	}
	for _, o := range l.owners {
		name, at := strings.CutPrefix(o, "@")
		if name == "" || at && strings.Contains(name, "@") || !at && !strings.Contains(o, "@") {
			return l, fmt.Sprintf("%q is no owner; one is @login, @organization/team or an e-mail address.", o)
		}
	}
	dir := strings.HasSuffix(p, "/")
	anchored := strings.Contains(strings.TrimSuffix(p, "/"), "/")
	// GitHub has no { } in patterns, doublestar does.
	body := strings.NewReplacer("{", `\{`, "}", `\}`).Replace(strings.Trim(p, "/"))
	if !anchored {
		body = "**/" + body
	}
	switch last := body[strings.LastIndexByte(body, '/')+1:]; {
	case dir:
		l.patterns = []string{body + "/**/*"}
	case last == "*" || last == "**":
		l.patterns = []string{body} // "docs/*" stops at the files right below
	default:
		l.patterns = []string{body, body + "/**/*"} // a file, or a folder with all below it
	}
	for _, pattern := range l.patterns {
		if !doublestar.ValidatePattern(pattern) {
			return l, fmt.Sprintf("%q is not a pattern.", p)
		}
	}
	return l, ""
}

// Of returns the owners of a file by its path from the repository's root: of
// the last line that means it. nil is nobody.
func (f CodeOwnersFile) Of(path string) []string {
	for i := len(f.lines) - 1; i >= 0; i-- {
		for _, p := range f.lines[i].patterns {
			if ok, err := doublestar.Match(p, path); ok && err == nil {
				return f.lines[i].owners
			}
		}
	}
	return nil
}

// OwnersOf returns those of the changed files that have owners, for Facts.
func (f CodeOwnersFile) OwnersOf(paths []string) *Owners {
	o := &Owners{}
	for _, p := range paths {
		if owners := f.Of(p); len(owners) > 0 {
			o.Files = append(o.Files, OwnedFile{Path: p, Owners: owners})
		}
	}
	return o
}

// Problem is one thing that is wrong with a file.
type Problem struct {
	File    string
	Line    int // from 1; 0 where it is of the whole file
	Column  int // from 1; 0 where only the line is known
	Message string
}

// String returns the problem on one line, its place first.
func (p Problem) String() string {
	switch {
	case p.Line == 0:
		return p.File + ": " + p.Message
	case p.Column == 0:
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}
