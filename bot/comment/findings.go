package comment

import (
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
)

// maxFindings is how many findings a comment lists for a project.
const maxFindings = 20

func findings(name string, of run.Run, level detail) string {
	r := of.Report
	if r == nil || (len(r.Findings) == 0 && len(r.Problems) == 0) {
		return ""
	}
	var b strings.Builder
	switch {
	case r.Verdict == policy.Fail:
		b.WriteString(verdictLine(name, of))
	case r.Verdict == policy.Error:
		fmt.Fprintf(&b, "❌ **The policies could not judge %s**, so it is not applied:\n\n", name)
		for _, p := range r.Problems {
			b.WriteString("- " + markdown.Prose(p.String()) + "\n")
		}
		b.WriteString("\n")
	default:
		fmt.Fprintf(&b, "⚠️ Policy: %s for %s\n\n", countOf(r.Advisory, "warning"), name)
	}
	shown := min(len(r.Findings), maxFindings)
	if level == summary {
		shown = min(shown, 5)
	}
	standing := of.Standing()
	for i, f := range r.Findings[:shown] {
		accepted := standing.Findings[i]
		mark := "⛔"
		switch {
		case f.Level == policy.Advisory:
			mark = "⚠️"
		case !accepted.Open():
			mark = "✅"
		}
		fmt.Fprintf(&b, "- %s **%s** (%s, %s)", mark, markdown.Prose(f.Title), f.Severity, markdown.Code(f.Rule))
		if f.Address != "" {
			fmt.Fprintf(&b, " %s", markdown.Code(f.Address))
		}
		fmt.Fprintf(&b, ": %s", markdown.Prose(f.Message))
		if f.Help != "" {
			fmt.Fprintf(&b, " _%s_", markdown.Prose(f.Help))
		}
		b.WriteString(acceptedNote(accepted, of.Read) + "\n")
	}
	if left := len(r.Findings) - shown + r.Omitted; left > 0 {
		fmt.Fprintf(&b, "- … and %d more\n", left)
	}
	b.WriteString("\n" + restNote(of))
	return b.String()
}

// people names actors.
func people(all []access.Actor) string {
	var names []string
	for _, a := range all[:min(len(all), maxNamed)] {
		names = append(names, person(a))
	}
	return strings.Join(names, ", ")
}
