package comment

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
)

// What is accepted of the policies' findings, in words. Everything here speaks
// of the moment when the run was read.

// Stamp is a time as the comments show it.
func Stamp(t time.Time) string { return moment(t) }

// verdictLine says what the findings mean for the plan, "" where they forbid
// nothing.
func verdictLine(name string, of run.Run) string {
	r := of.Report
	if r.Verdict != policy.Fail {
		return ""
	}
	s := of.Standing()
	violations := countOf(max(r.Mandatory, s.Accepted()+s.Open()), "violation")
	if !of.Forbidden() {
		how := "for exactly this plan"
		if until := s.Until(); !until.IsZero() {
			how = "until " + day(until) + expiry(until, of.Read)
		}
		return fmt.Sprintf("⚠️ **Policy: %s of %s, accepted by %s %s**\n\n", violations, name, people(s.By()), how)
	}
	if s.Hard > 0 {
		violations += fmt.Sprintf(", %d of which nobody can accept,", s.Hard)
	}
	done := ""
	if n := s.Accepted(); n > 0 {
		done = fmt.Sprintf("; %d accepted", n)
	}
	return fmt.Sprintf("⛔ **Policy: %s must be mended before %s can be applied%s**\n\n", violations, name, done)
}

// acceptedNote says who accepted a finding and for how long, or how many
// owners are still missing; "" where nobody said anything. It ends a line.
func acceptedNote(a run.Acceptance, now time.Time) string {
	var parts []string
	if a.Hard {
		return " **Nobody can accept this.**"
	}
	if a.Needed > 1 && (a.Open() || len(a.By) > 0) {
		parts = append(parts, fmt.Sprintf("%d of %d owners", min(len(a.By), a.Needed), a.Needed))
	}
	said := a.By
	if !a.Open() && len(said) > a.Needed {
		said = said[:a.Needed]
	}
	for _, group := range grouped(said) {
		parts = append(parts, "accepted by "+group.who+group.how(now))
	}
	if a.Open() && len(a.Lapsed) > 0 {
		for _, w := range a.Lapsed[:min(len(a.Lapsed), maxNamed)] {
			parts = append(parts, fmt.Sprintf("was accepted by %s until %s, expired", person(w.Actor), day(w.Expires)))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " **" + strings.ToUpper(parts[0][:1]) + strings.Join(parts, "; ")[1:] + "**"
}

// words are of several people who said the same.
type words struct {
	who   string
	first run.Waiver
}

// grouped folds words that last as long for the same reason.
func grouped(said []run.Waiver) []words {
	var out []words
	n := map[int]int{}
	for _, w := range said {
		i := slices.IndexFunc(out, func(g words) bool { return g.first.Expires.Equal(w.Expires) && g.first.Reason == w.Reason })
		if i < 0 {
			out = append(out, words{who: person(w.Actor), first: w})
			n[len(out)-1] = 1
			continue
		}
		if n[i]++; n[i] <= maxNamed {
			out[i].who += ", " + person(w.Actor)
		}
	}
	return out
}

// how says for how long, and why.
func (g words) how(now time.Time) string {
	s := " for this plan"
	if u := g.first.Expires; !u.IsZero() {
		s = " until " + day(u) + expiry(u, now)
	}
	if g.first.Reason != "" {
		s += ": " + markdown.Prose(g.first.Reason)
	}
	return s
}

// expiry warns of a word that is about to end: ", which expires in 3 days".
func expiry(until, now time.Time) string {
	left := until.Sub(now)
	switch {
	case now.IsZero() || left <= 0 || left > run.WarnAhead:
		return ""
	case left <= 24*time.Hour:
		return ", which expires at " + until.UTC().Format("15:04 MST")
	}
	return fmt.Sprintf(", which expires in %d days", int((left+24*time.Hour-1)/(24*time.Hour)))
}

// day is the date of a time, in UTC.
func day(t time.Time) string { return t.UTC().Format("2006-01-02") }

// restNote says how findings stand that the report has no room for.
func restNote(of run.Run) string {
	s := of.Standing()
	if s.Hidden == 0 || s.Hidden == of.Report.Mandatory && s.Hidden == 1 && len(of.Report.Findings) == 0 {
		return ""
	}
	if s.Rest.Open() {
		return fmt.Sprintf("%s beyond those listed can only be accepted together with everything else in this very plan.\n\n", countOf(s.Hidden, "violation"))
	}
	return fmt.Sprintf("%s beyond those listed: accepted for this plan.\n\n", countOf(s.Hidden, "violation"))
}
