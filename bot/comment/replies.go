package comment

import (
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/internal/gate"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/run"
)

// Operation tells how an operation on a state stands or ended: the
// reply to `import`, `state rm` and `state mv`. Pure.
func Operation(r run.Run) string {
	what, where := markdown.Code(markdown.Abridged(r.Operation.String(), maxOptions)), markdown.Code(shorten(r.Project.Name))
	who := ""
	if r.Actor.Name != "" {
		who = ", as " + person(r.Actor) + " asked"
	}
	switch r.Status {
	case run.Applied:
		text := fmt.Sprintf("✅ %s was done in %s%s%s. ", what, where, took(r), who)
		return text + "It changed the state and nothing else. The plans that were made before it hold no longer: comment `plan` to see what the code asks for now."
	case run.Failed:
		return fmt.Sprintf("❌ %s failed in %s%s:\n\n%s\n\nThe state is as it was, unless the message says otherwise.", what, where, who, markdown.Fenced("", markdown.Cut(r.Error, maxError)))
	case run.Interrupted:
		return fmt.Sprintf("⚠️ %s in %s was interrupted%s. %s\n\nNobody saw how it ended. Comment `plan` to see what the state holds, then do it again or `unlock`.", what, where, by(r), markdown.Sentences(r.Error))
	case run.Held:
		return fmt.Sprintf("✋ %s in %s was not done. %s", what, where, markdown.Sentences(r.Error))
	case run.Canceled:
		return fmt.Sprintf("🚫 %s in %s was canceled%s and nothing was done. %s", what, where, by(r), markdown.Sentences(r.Error))
	case run.Blocked:
		return fmt.Sprintf("⏸️ %s in %s has not begun. %s", what, where, markdown.Sentences(r.Error))
	case run.Superseded:
		return fmt.Sprintf("%s in %s was not done: something newer took its place.", what, where)
	}
	return fmt.Sprintf("⏳ %s in %s is under way.", what, where)
}

// Drift tells how far the world has moved away from the states: the
// reply to `drift`, one run a project. Pure.
func Drift(runs []run.Run) string {
	for level := full; level < barest; level++ {
		if text := comparisons(runs, level); len(text) <= maxComment {
			return text
		}
	}
	return comparisons(runs, barest)
}

func comparisons(runs []run.Run, level detail) string {
	moved, failed := 0, 0
	for _, r := range runs {
		switch {
		case r.Status != run.Planned:
			failed++
		case !r.Summary.Empty():
			moved++
		}
	}
	var b strings.Builder
	switch {
	case moved > 0:
		fmt.Fprintf(&b, "### 🌊 Drift in %d of %s\n\n", moved, countOf(len(runs), "project"))
	case failed > 0:
		fmt.Fprintf(&b, "### ❌ %d of %s could not be compared\n\n", failed, countOf(len(runs), "project"))
	default:
		b.WriteString("### ✅ No drift: the infrastructure is what the state says\n\n")
	}
	b.WriteString("| project | outside of Terraform |\n|---|---|\n")
	for i, r := range runs {
		if level == barest && i == maxRows {
			fmt.Fprintf(&b, "| … and %d more projects | |\n", len(runs)-i)
			break
		}
		fmt.Fprintf(&b, "| %s | %s |\n", markdown.Cell(shorten(r.Project.Name)), driftCell(r))
	}
	b.WriteString("\n")
	for _, r := range runs {
		if level == barest || b.Len() > maxComment { // too long already: it is not taken, and less detail is tried
			break
		}
		name := markdown.Code(shorten(r.Project.Name))
		switch {
		case r.Status == run.Failed:
			limit := maxError
			if level >= summary {
				limit = maxShortError
			}
			fmt.Fprintf(&b, "❌ %s could not be compared:\n\n%s\n\n", name, markdown.Fenced("", markdown.Cut(r.Error, limit)))
		case level < summary && r.Diff != "":
			diff := r.Diff
			if level == terse {
				diff = headings(diff)
			}
			b.WriteString(markdown.Fold("What has changed in "+name, markdown.Fenced("diff", diff), len(runs) == 1 && level == full))
		}
	}
	if moved > 0 {
		b.WriteString("The next plan of these projects takes the world as it is: it shows what the code would turn back. To keep a change, write it into the code.\n")
	}
	return markdown.Calm(b.String())
}

func driftCell(r run.Run) string {
	switch r.Status {
	case run.Planned:
		if r.Summary.Empty() {
			return "nothing changed"
		}
		return counts(r)
	case run.Failed:
		return "❌ not compared"
	case run.Canceled:
		return "🚫 canceled" + by(r)
	}
	return "⏳ " + string(r.Status)
}

// Refusal says why a command was not obeyed: each gate that is closed,
// who can open it, and how. what is the sentence that begins it, such as
// "**Nothing was applied.**", and Markdown of ours. Pure.
func Refusal(what string, closed []gate.Verdict) string {
	var b strings.Builder
	b.WriteString(what)
	switch len(closed) {
	case 0:
		return b.String()
	case 1:
		b.WriteString(" This gate is closed:\n\n")
	default:
		fmt.Fprintf(&b, " %d gates are closed:\n\n", len(closed))
	}
	for _, v := range closed {
		fmt.Fprintf(&b, "- ⛔ %s: %s\n", markdown.Code(v.Gate), gate.Sentence(v)) // its texts are safe as they are
	}
	return markdown.Calm(b.String())
}
