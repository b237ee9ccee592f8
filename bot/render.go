package bot

import (
	"fmt"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

// maxComment is the most that Render gives, in bytes. GitHub's limit is 65,536
// characters; what is left is room for what it may count otherwise.
const maxComment = 64_000

// detail is how much of the plans a comment shows.
type detail int

const (
	full    detail = iota // every attribute that changes
	terse                 // one line a resource
	summary               // the table, what went wrong in short, and where the rest is
	barest                // the first lines of the table
)

// Render returns the pull's comment: what happened, a table of projects, each
// project's plan, cost and findings folded away, and what to type next. It is
// pure. Where the whole would be longer than GitHub takes, every plan is shown
// in less detail, in steps, until it fits.
func Render(v View) string {
	for level := full; level < barest; level++ {
		if body := render(v, level); len(body) <= maxComment {
			return body
		}
	}
	return render(v, barest)
}

func render(v View, level detail) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n### %s\n\n", marker(v.Change.Repo, v.Change.Pull), headline(v))
	if v.Change.Status == run.Unplannable {
		b.WriteString(list(v.Change.Reason))
	}
	told := len(v.Pairs) > 0 && v.Change.Status != run.Outdated
	if told {
		b.WriteString(table(v, level))
	}
	if v.Change.Notes != "" {
		b.WriteString("⚠️ **Not part of any plan:**\n\n" + list(v.Change.Notes))
	}
	if told {
		for _, p := range v.Pairs {
			if level < barest {
				b.WriteString(section(p, level, len(v.Pairs) == 1))
			}
		}
		if level >= summary {
			b.WriteString(tooLong(v))
		}
	}
	if next := nextSteps(v); next != "" {
		b.WriteString("#### Next\n\n" + next + "\n\n")
	}
	b.WriteString(footer(v))
	return b.String()
}

// maxNotes is how much of what is wrong in the repository a comment shows, in
// bytes.
const maxNotes = 12_000

// list shows what is wrong in the repository, a line an item.
func list(lines string) string {
	var b strings.Builder
	for _, line := range strings.Split(cut(lines, maxNotes), "\n") {
		if text := prose(line); text != "" {
			b.WriteString("- \u2060" + text + "\n") // the joiner keeps it from beginning a block of its own
		}
	}
	return b.String() + "\n"
}

func tooLong(v View) string {
	where := "the checks of this pull request"
	if v.URL != "" {
		where = "[Tidelock](" + v.URL + ")"
	}
	return "The plans are too long for a comment; " + where + " shows them whole.\n\n"
}

// headline is the state of things in one line.
func headline(v View) string {
	n := v.tally()
	all := countOf(len(v.Pairs), "project")
	switch v.Phase() {
	case run.PhaseQueued:
		return "⏳ Waiting to plan"
	case run.PhasePlanning:
		done := len(v.Pairs) - n.Planning
		return fmt.Sprintf("⏳ Planning: %d of %s done", done, all)
	case run.PhaseWaiting:
		return fmt.Sprintf("⏸️ %s for another pull request's lock", waits(n.Waiting))
	case run.PhaseFailed:
		if v.Change.Status == run.Unplannable {
			return "❌ This pull request can't be planned"
		}
		return fmt.Sprintf("❌ The plan failed for %d of %s", n.Failed, all)
	case run.PhaseForbidden:
		return fmt.Sprintf("⛔ A policy forbids %s", ofAll(n.Forbidden, len(v.Pairs)))
	case run.PhasePlanned:
		return "📋 " + strings.TrimSuffix(total(v).String(), ".") + inProjects(len(v.Pairs)) + costLine(v)
	case run.PhaseUnchanged:
		return "✅ No changes: the infrastructure matches the code"
	case run.PhaseEmpty:
		return "No Terraform project to plan"
	case run.PhaseApplying:
		return fmt.Sprintf("🚀 Applying: %d of %s done", n.Applied, all)
	case run.PhaseApplied:
		return "✅ Applied " + countOf(n.Applied, "project")
	case run.PhaseAttention:
		return fmt.Sprintf("⚠️ A person must decide about %s", ofAll(n.Attention, len(v.Pairs)))
	case run.PhaseSuperseded:
		return "Superseded by a newer commit"
	case run.PhaseClosed:
		if n.Applied > 0 {
			return fmt.Sprintf("Closed without merging, with %d of %s applied", n.Applied, all)
		}
		return "Closed: nothing was applied, and the locks are free"
	}
	return "Tidelock"
}

func waits(n int) string {
	if n == 1 {
		return "1 project waits"
	}
	return fmt.Sprintf("%d projects wait", n)
}

func ofAll(n, all int) string {
	if n == all && n == 1 {
		return "this plan"
	}
	return fmt.Sprintf("%d of %s", n, countOf(all, "plan"))
}

func inProjects(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(" in %d projects", n)
}

func countOf(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// total adds the plans' counts up.
func total(v View) planner.Summary {
	var t planner.Summary
	for _, p := range v.Pairs {
		t = t.Plus(p.Plan.Summary)
	}
	return t
}

// costLine is the sum over the projects, if any of it is known.
func costLine(v View) string {
	var sum cost.Estimate
	seen := false
	for _, p := range v.Pairs {
		e := p.Plan.Estimate
		if e == nil {
			continue
		}
		if !seen {
			sum, seen = *e, true
			continue
		}
		sum = sum.Plus(*e)
	}
	if !seen || (sum.Delta.IsZero() && sum.Bound == cost.BoundExact) {
		return ""
	}
	return " · " + sum.Line()
}

// maxRows is how many projects the barest comment lists.
const maxRows = 100

// table lists the projects, one a line.
func table(v View, level detail) string {
	var b strings.Builder
	b.WriteString("| project | plan | cost a month | policy | state |\n|---|---|---|---|---|\n")
	for i, p := range v.Pairs {
		if level == barest && i == maxRows {
			fmt.Fprintf(&b, "| … and %d more projects | | | | |\n", len(v.Pairs)-i)
			break
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", codeCell(shorten(p.Plan.Project.Name)), counts(*p.Plan), costCell(p.Plan.Estimate), policyCell(*p.Plan), state(v, p))
	}
	b.WriteString("\n")
	return b.String()
}

// counts is a plan's summary as the table shows it: +2 ~1 ±1 −3.
func counts(r run.Run) string {
	if r.Status != run.Planned && r.Status != run.Superseded {
		return ""
	}
	s := r.Summary
	if s.Empty() {
		return "no changes"
	}
	var parts []string
	for _, c := range []struct {
		n    int
		sign string
	}{
		{s.Create, "+%d"}, {s.Update, "~%d"}, {s.Replace, "±%d"}, {s.Delete, "−%d"},
		{s.Import, "%d imported"}, {s.Move, "%d moved"}, {s.Forget, "%d forgotten"},
	} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf(c.sign, c.n))
		}
	}
	if len(parts) == 0 {
		return countOf(s.Outputs, "output")
	}
	return strings.Join(parts, " ")
}

// costCell is the estimate's line; the column's title says that it is a month's.
func costCell(e *cost.Estimate) string {
	if e == nil {
		return ""
	}
	return strings.Replace(e.Line(), " a month", "", 1)
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
		return "⛔ " + countOf(r.Report.Mandatory, "violation")
	}
	return "❌ not judged"
}

// state is where the project stands, in a word or two.
func state(v View, p run.Pair) string {
	if p.Apply != nil && p.Apply.Status != run.Superseded {
		switch p.Apply.Status {
		case run.Queued:
			return "⏳ apply queued"
		case run.Checking:
			return "🔎 checking the plan"
		case run.Running:
			return "🚀 applying" + progress(*p.Apply)
		case run.Applied:
			return "✅ applied" + took(*p.Apply)
		case run.Failed:
			return "❌ apply failed"
		case run.Held:
			return "✋ held"
		case run.Interrupted:
			return "⚠️ interrupted"
		case run.Blocked:
			return "⏸️ waits for " + holder(v, p)
		}
		return string(p.Apply.Status)
	}
	switch p.Plan.Status {
	case run.Queued:
		return "⏳ queued"
	case run.Running:
		return "⏳ planning" + progress(*p.Plan)
	case run.Planned:
		if p.Plan.NoChanges() {
			return "✅ nothing to do"
		}
		if p.Plan.Report == nil || p.Plan.Report.Verdict.Blocks() {
			return "⛔ forbidden"
		}
		if l, ok := v.Holders[p.Plan.Key()]; ok && l.Pull == p.Plan.Pull {
			return "📋 planned 🔒"
		}
		return "📋 planned"
	case run.Failed:
		return "❌ plan failed"
	case run.Blocked:
		return "⏸️ waits for " + holder(v, p)
	}
	return string(p.Plan.Status)
}

func holder(v View, p run.Pair) string {
	if l, ok := v.Holders[p.Plan.Key()]; ok {
		return fmt.Sprintf("#%d", l.Pull)
	}
	return "a lock"
}

func progress(r run.Run) string {
	if r.Total == 0 {
		return ""
	}
	return fmt.Sprintf(" %d/%d", r.Done, r.Total)
}

func took(r run.Run) string {
	if r.Started.IsZero() || r.Finished.IsZero() {
		return ""
	}
	return " in " + r.Finished.Sub(r.Started).Round(time.Second/10).String()
}

// nextSteps says exactly what to type or press.
func nextSteps(v View) string {
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, "- "+fmt.Sprintf(format, args...)) }
	merged := v.Change.MergeSHA != ""
	switch v.Phase() {
	case run.PhasePlanned:
		switch {
		case merged:
			say("Comment `apply` to apply these plans.")
		case v.Settings.ApplyBeforeMerge:
			say("Comment `apply` to apply everything shown here%s%s.", onlyOne(v, "apply"), thenMerge(v))
		}
		if !merged && v.Settings.ApplyOnMerge {
			say("**Merge** this pull request to apply exactly what is shown here.")
		}
	case run.PhaseForbidden:
		say("Mend what the findings name and push; a new plan follows by itself.")
	case run.PhaseFailed:
		say("Mend the code and push, or comment `plan` to try again.")
	case run.PhaseAttention:
		say("Comment `plan` to see what is left to do, then `apply`.")
		say("Comment `unlock` to give the project up, so that others can go on.")
	case run.PhaseWaiting:
		say("Nothing: it goes on by itself when the lock is free.")
	}
	if n := held(v); n > 0 && v.Phase() == run.PhasePlanned {
		say("Comment `unlock` to give up %s until then.", map[bool]string{true: "the lock 🔒", false: "the locks 🔒"}[n == 1])
	}
	return strings.Join(lines, "\n")
}

func onlyOne(v View, verb string) string {
	if len(v.Pairs) < 2 {
		return ""
	}
	return fmt.Sprintf(", or one project with `%s -p %s`", verb, plain(quoteArg(v.Pairs[0].Plan.Project.Name)))
}

func thenMerge(v View) string {
	if v.Settings.AutoMerge {
		return "; the pull request is then merged"
	}
	return ""
}

func held(v View) int {
	n := 0
	for _, p := range v.Pairs {
		if l, ok := v.Holders[p.Plan.Key()]; ok && l.Pull == v.Change.Pull {
			n++
		}
	}
	return n
}

func footer(v View) string {
	at := v.Change.HeadSHA
	if v.Change.MergeSHA != "" {
		at = v.Change.MergeSHA
	}
	parts := []string{"commit " + short(at)}
	if v.URL != "" {
		parts = append(parts, "[details]("+v.URL+")")
	}
	parts = append(parts, "commands: `help`")
	return "<sub>" + strings.ReplaceAll(strings.Join(parts, " · "), "`help`", "<code>help</code>") + "</sub>\n"
}
