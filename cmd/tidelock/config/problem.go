package config

import (
	"fmt"
	"sort"
	"strings"
)

// Problem is one thing that is wrong with the configuration.
type Problem struct {
	Setting string `json:"setting,omitempty"` // "github.app_id"; "" where it is about the whole
	Where   string `json:"where,omitempty"`   // "tidelock-server.hcl:3:5" or "TIDELOCK_LISTEN"; "" where the setting is missing
	Message string `json:"message"`           // a sentence: what, and how to mend it
	Warning bool   `json:"warning"`           // the server starts all the same

	order int // line in the file: problems are told in the order of the file
}

// String returns the problem on one line, its place first.
func (p Problem) String() string {
	if p.Where == "" || strings.HasPrefix(p.Message, p.Where+" ") {
		return p.Message // a variable's name is place and subject in one
	}
	return p.Where + ": " + p.Message
}

// Problems is everything that is wrong with a configuration, in the order of
// the file, then of the environment, then what is missing.
type Problems []Problem

// Err returns nil where there are only warnings, else one error that tells
// all of the others.
func (ps Problems) Err() error {
	var bad Problems
	for _, p := range ps {
		if !p.Warning {
			bad = append(bad, p)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return Error{bad}
}

// Warnings returns the problems that don't keep the server from starting.
func (ps Problems) Warnings() Problems {
	var warnings Problems
	for _, p := range ps {
		if p.Warning {
			warnings = append(warnings, p)
		}
	}
	return warnings
}

// Of returns the problems, warnings apart, of the settings with these paths.
func (ps Problems) Of(paths ...string) Problems {
	var found Problems
	for _, p := range ps {
		for _, path := range paths {
			if p.Setting == path && !p.Warning {
				found = append(found, p)
			}
		}
	}
	return found
}

func (ps Problems) sort() {
	rank := func(p Problem) int {
		switch {
		case p.order > 0:
			return 0
		case p.Where != "":
			return 1
		}
		return 2
	}
	sort.SliceStable(ps, func(i, j int) bool {
		if a, b := rank(ps[i]), rank(ps[j]); a != b {
			return a < b
		}
		return ps[i].order < ps[j].order
	})
}

// Error is a configuration that can't be used: exit code 2.
type Error struct{ problems Problems }

func (e Error) Error() string {
	if len(e.problems) == 1 {
		return "the configuration has a problem.\n" + indent(e.problems[0].String())
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the configuration has %d problems.", len(e.problems))
	for _, p := range e.problems {
		b.WriteString("\n" + indent(p.String()))
	}
	return b.String()
}

// indent sets the further lines of a message under its first.
func indent(s string) string { return strings.ReplaceAll(s, "\n", "\n  ") }

// problem notes what is wrong with the setting at the place.
func (l *Reading) problem(setting, where, format string, args ...any) {
	l.Problems = append(l.Problems, Problem{Setting: setting, Where: where, Message: fmt.Sprintf(format, args...), order: l.lineOf(where)})
}

// warn notes what is doubtful about it.
func (l *Reading) warn(setting, where, format string, args ...any) {
	l.Problems = append(l.Problems, Problem{Setting: setting, Where: where, Message: fmt.Sprintf(format, args...), Warning: true, order: l.lineOf(where)})
}

// lineOf returns the line of a place in the file, 0 for any other place.
func (l *Reading) lineOf(where string) int {
	rest, ok := strings.CutPrefix(where, l.File+":")
	if !ok || l.File == "" {
		return 0
	}
	var line int
	if _, err := fmt.Sscanf(rest, "%d", &line); err != nil {
		return 0
	}
	return line
}
