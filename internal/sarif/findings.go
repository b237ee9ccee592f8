package sarif

import (
	"strings"

	"github.com/tidelock/tidelock/internal/policy"
)

// Levels say what results of a scanner's levels come to. A level that is not
// among them is as DefaultLevels has it.
type Levels map[Level]policy.Level

// DefaultLevels has errors forbid a plan, shows warnings, and leaves notes out.
func DefaultLevels() Levels {
	return Levels{LevelError: policy.Mandatory, LevelWarning: policy.Advisory, LevelNote: policy.Off}
}

func (l Levels) of(level Level) policy.Level {
	if v, ok := l[level]; ok {
		return v
	}
	return DefaultLevels()[level]
}

// Place is where a result stands in the repository.
type Place struct {
	File    string // within the repository, with slashes; "" where there is no such file
	Address string // of the resource whose block it is; "" for none
}

// Reading says how a log becomes findings.
type Reading struct {
	Levels Levels
	// Raise returns the level that the server wants of a rule's findings at
	// least, Off for none. It may be nil.
	Raise func(rule string) policy.Level
	// Place finds where a result stands. A file that the commit does not have
	// is none.
	Place func(Result) Place
}

// Findings makes findings of what a scanner found, with rules such as
// "trivy.AVD-AWS-0086". What the levels leave out is left out.
//
// What a comment in the code asks to overlook is shown all the same, as
// advisory: a pull request does not choose what it is judged by. Scanners that
// leave such results out of their file are asked to write them, or not.
func Findings(log Log, how Reading) []policy.Finding {
	var out []policy.Finding
	for _, r := range log.Results {
		f := policy.Finding{
			Rule: r.Tool, Source: r.Tool, Title: oneLine(r.Title), Severity: r.Severity, Level: how.Levels.of(r.Level),
			Message: oneLine(r.Message), URL: r.URL,
		}
		if r.Rule != "" {
			f.Rule += "." + r.Rule
		}
		if how.Raise != nil {
			if least := how.Raise(f.Rule); least.Stricter(f.Level) {
				f.Level = least
			}
		}
		if f.Level == policy.Off {
			continue
		}
		if f.Title == "" {
			f.Title = f.Rule
		}
		if f.Message == "" {
			f.Message = f.Title
		}
		if r.Suppressed {
			f.Level = policy.Advisory
			why := oneLine(r.Why)
			if why != "" {
				why = ": " + cut(why, 300)
			}
			f.Message += " (the code asks to overlook it" + why + ")"
		}
		p := how.Place(r)
		f.File, f.Address = p.File, p.Address
		if f.File != "" {
			f.Line, f.EndLine = r.Line, r.EndLine
		}
		out = append(out, f)
	}
	return out
}

func oneLine(s string) string { return strings.Join(strings.Fields(cut(s, maxText)), " ") }
