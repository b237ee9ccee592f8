package comment

import (
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfplan"
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

// Render returns the pull's comment: what happened, a table of projects, what
// they cost, each project's plan and findings folded away, and what to type next. It is
// pure. Where the whole would be longer than GitHub takes, every plan is shown
// in less detail, in steps, until it fits.
func Render(v View) string { return renderWithin(v, maxComment) }

func renderWithin(v View, limit int) string {
	v.Pairs = arranged(v.Pairs)
	for level := full; level < barest; level++ {
		if body := render(v, level); len(body) <= limit {
			return body
		}
	}
	return render(v, barest)
}

func render(v View, level detail) string {
	var b strings.Builder
	b.WriteString(opening(v, level))
	if told(v) {
		for _, p := range v.Pairs {
			if level == barest || b.Len() > maxComment { // too long already: it is not taken, and less detail is tried
				break
			}
			b.WriteString(section(v, p, level))
		}
		if level >= summary {
			b.WriteString(tooLong(v))
		}
	}
	b.WriteString(closing(v))
	return markdown.Calm(b.String())
}

// told reports whether the change's plans are what counts.
func told(v View) bool { return len(v.Pairs) > 0 && v.Change.Status != run.Outdated }

// opening is what a comment begins with: the state of things, the table, and
// what it costs.
func opening(v View, level detail) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n", headline(v))
	if v.Change.Status == run.Unplannable || v.Change.Status == run.Gated {
		b.WriteString(markdown.List(v.Change.Reason))
	}
	if told(v) {
		b.WriteString(table(v, level) + budgetLines(v) + remarks(v) + costPart(v, level))
	}
	if v.Change.Notes != "" {
		b.WriteString("⚠️ **Not part of any plan:**\n\n" + markdown.List(v.Change.Notes))
	}
	return b.String()
}

// closing is what a comment ends with: what to do next.
func closing(v View) string {
	next := nextSteps(v)
	if next != "" {
		next = "#### Next\n\n" + next + "\n\n"
	}
	return next + footer(v)
}

func tooLong(v View) string {
	if v.URL != "" {
		return "The plans are too long for a comment; [Tidelock](" + v.URL + ") shows them whole.\n\n"
	}
	return "The plans are too long for a comment. `split_comments = true` in `tidelock.hcl` has them go on in further ones.\n\n"
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
		if n.Waiting == 0 {
			return fmt.Sprintf("⏸️ %s for what it depends on", waits(n.Deferred))
		}
		return fmt.Sprintf("⏸️ %s for another pull request's lock", waits(n.Waiting))
	case run.PhaseGated:
		return "⏸️ Not planned yet"
	case run.PhaseCanceled:
		return fmt.Sprintf("🚫 Canceled: the plan of %d of %s", n.Canceled, all)
	case run.PhaseFailed:
		if v.Change.Status == run.Unplannable {
			return "❌ This pull request can't be planned"
		}
		return fmt.Sprintf("❌ The plan failed for %d of %s", n.Failed, all)
	case run.PhaseForbidden:
		return fmt.Sprintf("⛔ A policy forbids %s", ofAll(n.Forbidden, len(v.Pairs)))
	case run.PhasePlanned:
		return "📋 " + strings.TrimSuffix(total(v).String(), ".") + inProjects(len(v.Pairs)-n.Deferred) + costLine(v) + overLine(v) + later(n.Deferred)
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

// later says that not everything is planned yet.
func later(deferred int) string {
	if deferred == 0 {
		return ""
	}
	return fmt.Sprintf(" · then %d more", deferred)
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
func total(v View) tfplan.Summary {
	var t tfplan.Summary
	for _, p := range v.Pairs {
		t = t.Plus(p.Plan.Summary)
	}
	return t
}
