package comment

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

// maxRows is how many projects the barest comment lists.
const maxRows = 100

// arranged puts the pairs into the order in which they are applied, and leaves
// them as they are within it.
func arranged(pairs []run.Pair) []run.Pair {
	pairs = slices.Clone(pairs)
	slices.SortStableFunc(pairs, func(a, b run.Pair) int {
		if a.Plan.Layer != b.Plan.Layer {
			return a.Plan.Layer - b.Plan.Layer
		}
		return a.Plan.Project.Order - b.Plan.Project.Order
	})
	return pairs
}

// stages reports whether the pairs have several layers, and several groups.
func stages(pairs []run.Pair) (layers, groups bool) {
	for _, p := range pairs {
		layers = layers || p.Plan.Layer != pairs[0].Plan.Layer
		groups = groups || p.Plan.Project.Order != pairs[0].Plan.Project.Order
	}
	return layers, groups
}

// table lists the projects, one a line. Where they are not all planned and
// applied at the same time, it says in which order.
func table(v View, level detail) string {
	var b strings.Builder
	layers, groups := stages(v.Pairs)
	if layers || groups {
		b.WriteString("| project | order | plan | cost a month | policy | state |\n|---|---|---|---|---|---|\n")
	} else {
		b.WriteString("| project | plan | cost a month | policy | state |\n|---|---|---|---|---|\n")
	}
	for i, p := range v.Pairs {
		if level == barest && i == maxRows {
			fmt.Fprintf(&b, "| … and %d more projects | | | | |\n", len(v.Pairs)-i)
			break
		}
		b.WriteString("| " + markdown.Cell(shorten(p.Plan.Project.Name)))
		if layers || groups {
			b.WriteString(" | " + orderCell(v, p, layers, groups))
		}
		fmt.Fprintf(&b, " | %s | %s | %s | %s |\n", planCell(*p.Plan), costCell(p.Plan.Estimate), policyCell(*p.Plan), state(v, p))
	}
	b.WriteString("\n")
	return b.String()
}

// orderCell says when the project's turn is: "layer 2: after `network`".
func orderCell(v View, p run.Pair, layers, groups bool) string {
	var parts []string
	if layers {
		text := fmt.Sprintf("layer %d", p.Plan.Layer+1)
		if on := among(v.Pairs, p.Plan.Project.DependsOn); len(on) > 0 {
			text += ": after " + some(on)
		}
		parts = append(parts, text)
	}
	if groups {
		parts = append(parts, fmt.Sprintf("group %d", p.Plan.Project.Order))
	}
	return strings.Join(parts, ", ")
}

// among returns those of the projects that the change touches.
func among(pairs []run.Pair, projects []string) []string {
	var out []string
	for _, p := range pairs {
		if slices.Contains(projects, p.Plan.Project.Name) {
			out = append(out, p.Plan.Project.Name)
		}
	}
	return out
}

// maxNamed is how many projects are named in a row.
const maxNamed = 3

// some names the first few of the projects.
func some(projects []string) string {
	var parts []string
	for _, name := range projects[:min(len(projects), maxNamed)] {
		parts = append(parts, markdown.Cell(shorten(name)))
	}
	if more := len(projects) - maxNamed; more > 0 {
		parts = append(parts, fmt.Sprintf("%d more", more))
	}
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}

func someOf(pairs []run.Pair) string {
	var names []string
	for _, p := range pairs {
		names = append(names, p.Plan.Project.Name)
	}
	return some(names)
}

// planCell is what the plan would do and what it was asked for beyond the code.
func planCell(r run.Run) string {
	parts := []string{counts(r)}
	for _, flag := range flagsOf(r.Options) {
		parts = append(parts, markdown.Code(flag))
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

// flagsOf are a plan's options in short: what they are about stands with the
// plan itself.
func flagsOf(o planner.Options) []string {
	var flags []string
	for _, f := range []struct {
		given bool
		flag  string
	}{
		{o.Destroy, "-destroy"}, {o.RefreshOnly, "-refresh-only"}, {o.NoRefresh, "-refresh=false"}, {len(o.Targets) > 0, "-target=…"},
		{len(o.Replace) > 0, "-replace=…"}, {len(o.Vars) > 0, "-var=…"}, {o.Parallelism > 0, "-parallelism=…"},
	} {
		if f.given {
			flags = append(flags, f.flag)
		}
	}
	return flags
}

// counts is a plan's summary as the table shows it: +2 ~1 ±1 −3; and apart
// from that what drifted and fails.
func counts(r run.Run) string {
	if r.Status != run.Planned && r.Status != run.Superseded {
		return ""
	}
	s := r.Summary
	aside := ""
	if text := s.Aside(); text != "" {
		aside = "; " + text
	}
	if s.Empty() {
		return "no changes" + aside
	}
	var parts []string
	for _, c := range []struct {
		n    int
		sign string
	}{
		{s.Create, "+%d"}, {s.Update, "~%d"}, {s.Replace, "±%d"}, {s.Delete, "−%d"},
		{s.Import, "%d imported"}, {s.Move, "%d moved"}, {s.Forget, "%d forgotten"},
		{s.Invoke, "%d to invoke"}, {s.Deferred, "%d deferred"}, {s.Unread, "%d not readable"},
	} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf(c.sign, c.n))
		}
	}
	if len(parts) == 0 {
		return countOf(s.Outputs, "output") + aside
	}
	return strings.Join(parts, " ") + aside
}

func policyCell(r run.Run) string {
	if r.Report == nil {
		return ""
	}
	switch r.Report.Verdict {
	case policy.Pass:
		return "✅ passed"
	case policy.Warn:
		return "⚠️ " + countOf(r.Report.Advisory, "warning")
	case policy.Fail:
		violations := countOf(r.Report.Mandatory, "violation")
		if !r.Forbidden() {
			return "⚠️ " + violations + ", accepted"
		}
		if n := r.Standing().Accepted(); n > 0 {
			violations += fmt.Sprintf(", %d accepted", n)
		}
		return "⛔ " + violations
	}
	return "❌ not judged"
}

// state is where the project stands, in a word or two.
func state(v View, p run.Pair) string {
	if p.Apply != nil && p.Apply.Status != run.Superseded {
		return applyState(v, p)
	}
	switch p.Plan.Status {
	case run.Queued:
		return "⏳ queued"
	case run.Running:
		if w := p.Plan.Now.Waits; w != "" {
			return "⏳ waits for " + w
		}
		return "⏳ planning" + progress(*p.Plan)
	case run.Planned:
		return plannedState(v, p)
	case run.Failed:
		return "❌ plan failed"
	case run.Blocked:
		return "⏸️ waits for " + holder(v, p)
	case run.Deferred:
		return "⏸️ after " + someOf(run.WaitsFor(v.Pairs, *p.Plan))
	case run.Canceled:
		return "🚫 canceled" + by(*p.Plan)
	}
	return string(p.Plan.Status)
}

func applyState(v View, p run.Pair) string {
	again := ""
	if p.Apply.Retry {
		again = " again"
	}
	switch p.Apply.Status {
	case run.Queued:
		return "⏳ apply queued" + again
	case run.Checking:
		if w := p.Apply.Now.Waits; w != "" {
			return "⏳ waits for " + w
		}
		return "🔎 checking the plan" + progress(*p.Apply)
	case run.Running:
		if p.Apply.StopActor != (access.Actor{}) {
			return "🛑 stopping" + by(*p.Apply)
		}
		return "🚀 applying" + again + progress(*p.Apply)
	case run.Applied:
		if p.Apply.Retry {
			return "✅ applied at the retry" + took(*p.Apply)
		}
		return "✅ applied" + took(*p.Apply)
	case run.Failed:
		if p.Apply.StopActor != (access.Actor{}) {
			return "❌ apply stopped" + by(*p.Apply)
		}
		return "❌ apply failed" + again
	case run.Held:
		return "✋ held"
	case run.Interrupted:
		return "⚠️ interrupted"
	case run.Blocked:
		return "⏸️ waits for " + holder(v, p)
	case run.Deferred:
		return "⏸️ after " + someOf(run.Before(v.Pairs, *p.Apply))
	case run.Canceled:
		return "🚫 apply canceled" + by(*p.Apply)
	}
	return string(p.Apply.Status)
}

func plannedState(v View, p run.Pair) string {
	text := "📋 planned"
	l, ok := v.Holders[p.Plan.Key()]
	switch {
	case p.Plan.NoChanges():
		text = "✅ nothing to do"
	case p.Plan.Forbidden():
		text = "⛔ forbidden"
	case ok && l.Pull == p.Plan.Pull:
		text = "📋 planned 🔒"
	}
	return text + unchangedSince(*p.Plan)
}

// unchangedSince says of which commit a plan is that stands for this one too.
func unchangedSince(r run.Run) string {
	if r.Since == "" {
		return ""
	}
	return ", unchanged since " + markdown.Code(Short(r.Since))
}

// by names who had the run stopped, where that is known.
func by(r run.Run) string {
	if r.StopActor == (access.Actor{}) {
		return ""
	}
	return " by " + person(r.StopActor)
}

// person names an actor without calling them: nobody is to be woken by it.
func person(a access.Actor) string { return markdown.Code(a.String()) }

// holder says who has the lock that the pair waits for, and since when.
func holder(v View, p run.Pair) string {
	l, ok := v.Holders[p.Plan.Key()]
	if !ok {
		return "a lock"
	}
	return heldBy(l, markdown.Mention)
}

// heldBy says who holds a lock and since when: "#12 (@alice, since 2026-11-23
// 10:04 UTC)".
func heldBy(l run.Lock, name func(string) string) string {
	var parts []string
	if l.Holder != "" {
		parts = append(parts, name(l.Holder))
	}
	if !l.Taken.IsZero() {
		parts = append(parts, "since "+moment(l.Taken))
	}
	if len(parts) == 0 {
		return fmt.Sprintf("#%d", l.Pull)
	}
	return fmt.Sprintf("#%d (%s)", l.Pull, strings.Join(parts, ", "))
}

// moment is a time as people read it.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

// progress is how far a run is and what it does: " 12 of about 40: `reading
// data.aws_ami.a, for 40s`".
func progress(r run.Run) string {
	text := ""
	if counts := r.Counts(); counts != "" {
		text = " " + counts
	}
	if r.Now.Text != "" {
		text += ": " + markdown.Cell(markdown.Cut(r.Now.Text, maxNow))
	}
	return text
}

// maxNow is how much of what a run does a cell of the table shows, in bytes.
const maxNow = 160

func took(r run.Run) string {
	if r.Started.IsZero() || r.Finished.IsZero() {
		return ""
	}
	return " in " + r.Finished.Sub(r.Started).Round(time.Second/10).String()
}

// remarks are what holds for the whole of the table: who let a fork's code be
// run.
func remarks(v View) string {
	if v.Change.Trusted == (access.Actor{}) {
		return ""
	}
	return fmt.Sprintf("The head %s comes from a fork. %s let it be planned; a newer one needs another word.\n\n", markdown.Code(Short(v.Change.HeadSHA)), person(v.Change.Trusted))
}

// ownLocks returns the names of the projects whose locks the pull holds, and
// the oldest of those.
func ownLocks(v View) (names []string, first run.Lock) {
	for _, p := range v.Pairs {
		l, ok := v.Holders[p.Plan.Key()]
		if !ok || l.Pull != v.Change.Pull {
			continue
		}
		names = append(names, p.Plan.Project.Name)
		if len(names) == 1 || l.Taken.Before(first.Taken) {
			first = l
		}
	}
	return names, first
}

// since says from when on a lock is held and for whom: "since 2026-11-23 10:04
// UTC for `alice`".
func since(l run.Lock) string {
	var parts []string
	if !l.Taken.IsZero() {
		parts = append(parts, "since "+moment(l.Taken))
	}
	if l.Holder != "" {
		parts = append(parts, "for "+markdown.Code(l.Holder))
	}
	return strings.Join(parts, " ")
}

// maxName is how much of a project's name is shown, in bytes.
const maxName = 120

// shorten keeps the end of a long name, which is what tells directories apart.
func shorten(name string) string {
	name = markdown.OneLine(name)
	if len(name) <= maxName {
		return name
	}
	return "…" + strings.ToValidUTF8(name[len(name)-maxName:], "")
}
