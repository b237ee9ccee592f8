package comment

import (
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
)

// findings are what the policies and the scanners found in a run's plan; "" where
// that is nothing.
func findings(v View, name string, of run.Run, level detail) string {
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
		for _, p := range r.Problems[:min(len(r.Problems), maxFindings)] {
			b.WriteString("- " + markdown.Prose(p.String()) + "\n")
		}
		if more := len(r.Problems) - maxFindings; more > 0 {
			fmt.Fprintf(&b, "- … and %d more\n", more)
		}
		b.WriteString("\n")
	}
	if r.Mandatory > 0 {
		b.WriteString(listed(v, of, level, true))
	}
	b.WriteString(restNote(of))
	// What only warns is there for whoever asks: it must not bury what forbids.
	if r.Advisory > 0 {
		b.WriteString(markdown.Fold(fmt.Sprintf("⚠️ Policy: %s for %s", countOf(r.Advisory, "warning"), name), strings.TrimRight(listed(v, of, level, false), "\n"), false))
	}
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
