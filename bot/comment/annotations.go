package comment

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/policy"
)

// maxAnnotations is how many lines of code a check marks: GitHub takes 50 in a
// request, and nobody reads more.
const maxAnnotations = 200

// maxAnnotated is how many resources an annotation names.
const maxAnnotated = 5

// annotations mark the lines of the head's code in which findings stand, the
// worst first. What stands in a module is told once, whoever calls that. It is
// never nil: where nothing is marked, what an earlier plan marked is out of
// date.
func annotations(v View) []github.Annotation {
	type key struct {
		file          string
		line          int
		rule, message string
	}
	type note struct {
		policy.Finding
		end   int
		level string
		about []string
	}
	found := map[key]*note{}
	var order []*note
	for _, p := range v.Pairs {
		r := p.Plan
		if r.Report == nil || r.Commit != "" && r.Commit != v.Change.HeadSHA {
			continue
		}
		standing := r.Standing()
		for i, f := range r.Report.Findings {
			if f.File == "" || f.Line < 1 {
				continue
			}
			k := key{f.File, f.Line, f.Rule, f.Message}
			n := found[k]
			if n == nil {
				n = &note{Finding: f, end: max(f.EndLine, f.Line), level: "notice"}
				found[k], order = n, append(order, n)
			}
			if l := annotationLevel(f, !standing.Findings[i].Open()); annotationRank(l) < annotationRank(n.level) {
				n.level = l
			}
			if f.Address == "" {
				continue
			}
			about := f.Address
			if len(v.Pairs) > 1 {
				about += " in " + r.Project.Name
			}
			n.about = append(n.about, about)
		}
	}
	slices.SortStableFunc(order, func(a, b *note) int {
		return cmp.Or(annotationRank(a.level)-annotationRank(b.level), cmp.Compare(a.File, b.File), a.Line-b.Line)
	})
	out := []github.Annotation{}
	for _, n := range order[:min(len(order), maxAnnotations)] {
		message := cmp.Or(markdown.OneLine(n.Message), markdown.OneLine(n.Title), n.Rule) // GitHub wants one
		if len(n.about) > 0 {
			names := strings.Join(n.about[:min(len(n.about), maxAnnotated)], ", ")
			if more := len(n.about) - maxAnnotated; more > 0 {
				names += fmt.Sprintf(" and %d more", more)
			}
			message = markdown.OneLine(names) + ": " + message
		}
		details := "Rule " + n.Rule + ", " + string(n.Severity) + ", " + string(n.Level)
		for _, text := range []string{n.Help, n.URL} {
			if text != "" {
				details += "\n" + markdown.OneLine(text)
			}
		}
		out = append(out, github.Annotation{
			Path: n.File, StartLine: n.Line, EndLine: n.end, Level: n.level, Title: markdown.OneLine(n.Title), Message: message, Details: details,
		})
	}
	return out
}

// annotationLevel is GitHub's word for how bad a finding is.
func annotationLevel(f policy.Finding, accepted bool) string {
	switch {
	case f.Level.Blocks() && accepted:
		return "notice"
	case f.Level.Blocks():
		return "failure"
	case f.Severity == policy.Low:
		return "notice"
	}
	return "warning"
}

func annotationRank(level string) int {
	return slices.Index([]string{"failure", "warning", "notice"}, level)
}
