package comment

import (
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/run"
)

// section is one project's part: what went wrong in the open, plan and findings
// folded away. A pull's only project is unfolded.
func section(v View, p run.Pair, level detail) string {
	var b strings.Builder
	name := markdown.Code(shorten(p.Plan.Project.Name))
	b.WriteString(asked(name, *p.Plan))
	if a := p.Apply; a != nil && a.Status != run.Superseded {
		if a.Error != "" {
			b.WriteString(trouble(name, *a, level))
		}
		if left, ok := v.Errored[a.ID]; ok {
			b.WriteString(left.tell())
		}
		if a.Retry && a.Status == run.Applied {
			fmt.Fprintf(&b, "🔁 %s asked for the apply of %s to go on where an earlier one had ended.\n\n", person(a.Actor), name)
		}
	}
	if p.Plan.Error != "" && (p.Plan.Status.Finished() || p.Plan.Status == run.Queued) {
		b.WriteString(trouble(name, *p.Plan, level))
	}
	shown := shownPlan(p)
	b.WriteString(findings(v, name, *shown, level))
	if level >= summary || shown.Diff == "" {
		return b.String()
	}
	diff := shown.Diff
	if level == terse {
		diff = headings(diff)
	}
	open := len(v.Pairs) == 1 && level == full && !isApplied(p)
	b.WriteString(markdown.Fold("Plan of "+name+": "+sums(*shown), markdown.Fenced("diff", diff), open))
	return b.String()
}

// shownPlan is the plan to be read: of a held apply what would be done now,
// which is what the person must judge.
func shownPlan(p run.Pair) *run.Run {
	if p.Apply != nil && p.Apply.Status == run.Held && p.Apply.Diff != "" {
		return p.Apply
	}
	return p.Plan
}

// sums is what a plan would do in numbers, "1 to add, 2 to change, 0 to
// destroy", and apart from that what drifted and fails.
func sums(r run.Run) string {
	text := strings.TrimPrefix(strings.TrimSuffix(r.Summary.String(), "."), "Plan: ")
	if aside := r.Summary.Aside(); aside != "" {
		text += " (" + aside + ")"
	}
	return text
}

// asked says what somebody asked of the plan beyond the code, and what that
// means for whoever reads it. A plan of a part must never pass for the whole.
func asked(name string, r run.Run) string {
	o := r.Options
	if !o.Alters() {
		return ""
	}
	var means []string
	add := func(yes bool, text string) {
		if yes {
			means = append(means, text)
		}
	}
	add(o.Destroy, "It destroys everything that the project has made.")
	add(o.RefreshOnly, "It only compares the state with the world.")
	add(len(o.Targets) > 0, "It is **a part** of what the code asks for; the rest is neither shown nor applied.")
	add(len(o.Replace) > 0, "It makes anew what the code would leave alone.")
	add(len(o.Vars) > 0, "It holds for these values and not for those of the code.")
	add(o.NoRefresh, "It trusts the state and has not looked at the world.")
	return fmt.Sprintf("⚠️ %s was planned with %s. %s\n\n", name, markdown.Code(markdown.Abridged(o.String(), maxOptions)), strings.Join(means, " "))
}

// maxOptions is how much of a plan's options is shown beside its text, in bytes.
const maxOptions = 500

// maxError and maxShortError are how much of Terraform's error is shown, in
// bytes.
const (
	maxError      = 6000
	maxShortError = 300
)

func isApplied(p run.Pair) bool { return p.Apply != nil && p.Apply.Status == run.Applied }

func trouble(name string, r run.Run, level detail) string {
	limit := maxError
	if level >= summary {
		limit = maxShortError
	}
	switch r.Status {
	case run.Applied:
		return fmt.Sprintf("%s: %s\n\n", name, markdown.Sentences(r.Error))
	case run.Checking, run.Queued, run.Deferred, run.Running:
		return fmt.Sprintf("⏳ %s: %s\n\n", name, markdown.Sentences(r.Error))
	case run.Held, run.Blocked:
		return fmt.Sprintf("✋ %s: %s\n\n", name, markdown.Sentences(r.Error))
	case run.Canceled:
		return fmt.Sprintf("🚫 The %s of %s was canceled%s. %s\n\n", r.Kind, name, by(r), markdown.Sentences(r.Error))
	case run.Interrupted:
		return fmt.Sprintf("⚠️ The apply of %s was interrupted%s. %s\n\n", name, by(r), markdown.Sentences(r.Error))
	}
	if r.StopActor != (access.Actor{}) {
		return fmt.Sprintf("❌ The %s of %s was stopped%s before it was through:\n\n%s\n\n", r.Kind, name, by(r), markdown.Fenced("", markdown.Cut(r.Error, limit)))
	}
	return fmt.Sprintf("❌ The %s of %s failed:\n\n%s\n\n", r.Kind, name, markdown.Fenced("", markdown.Cut(r.Error, limit)))
}

// tell says what to do about a state that could not be written, outside of the
// error, which may be cut and in which nothing leads anywhere.
func (e Errored) tell() string {
	look := "**The state of what was done is kept and does not count yet.**"
	if e.URL != "" {
		look += " [Look at it](" + e.URL + ")"
	} else {
		look += " Look at it with " + markdown.Code(fmt.Sprintf("tidelock state show %s --version %d", e.State, e.Version))
	}
	if e.Backend != "" {
		return fmt.Sprintf("⚠️ %s, take it with %s and push it with `terraform state push` before anything else is planned.\n\n", look, markdown.Code(fmt.Sprintf("tidelock state pull %s --version %d", e.State, e.Version)))
	}
	there := ""
	if e.URL != "" {
		there = " there, or on the server's machine"
	}
	return fmt.Sprintf("⚠️ %s and push it%s with %s, before anything else is planned: until then the state stays locked.\n\n", look, there, markdown.Code(fmt.Sprintf("tidelock state push-errored %s %d", e.State, e.Version)))
}

// headings keeps the comment line of each resource: "# x will be created".
func headings(diff string) string {
	var kept []string
	for _, line := range strings.Split(diff, "\n") {
		if t := strings.TrimSpace(line); strings.HasPrefix(t, "# ") && !strings.HasPrefix(t, "# (") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}
