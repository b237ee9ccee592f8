package bot

import (
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

// section is one project's part: what went wrong in the open, plan, cost and
// findings folded away. A pull's only project is unfolded.
func section(p run.Pair, level detail, only bool) string {
	var b strings.Builder
	name := code(shorten(p.Plan.Project.Name))
	if p.Apply != nil && p.Apply.Status != run.Superseded && p.Apply.Error != "" {
		b.WriteString(trouble(name, *p.Apply, level))
	}
	if p.Plan.Error != "" && (p.Plan.Status.Finished() || p.Plan.Status == run.Queued) {
		b.WriteString(trouble(name, *p.Plan, level))
	}
	shown := p.Plan
	if p.Apply != nil && p.Apply.Status == run.Held && p.Apply.Diff != "" {
		shown = p.Apply // what would be done now, which is what the person must judge
	}
	b.WriteString(findings(name, shown.Report, level))
	if level == summary || shown.Diff == "" {
		return b.String()
	}
	diff := shown.Diff
	if level == terse {
		diff = headings(diff)
	}
	b.WriteString(fold("Plan of "+name+": "+strings.TrimPrefix(strings.TrimSuffix(shown.Summary.String(), "."), "Plan: "), fenced("diff", diff), only && level == full && !isApplied(p)))
	b.WriteString(costSection(name, shown.Estimate))
	return b.String()
}

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
		return fmt.Sprintf("%s: %s\n\n", name, sentences(r.Error))
	case run.Checking, run.Queued:
		return fmt.Sprintf("⏳ %s: %s\n\n", name, sentences(r.Error))
	case run.Held, run.Blocked, run.Canceled:
		return fmt.Sprintf("✋ %s: %s\n\n", name, sentences(r.Error))
	case run.Interrupted:
		return fmt.Sprintf("⚠️ The apply of %s was interrupted. %s\n\n", name, sentences(r.Error))
	}
	return fmt.Sprintf("❌ The %s of %s failed:\n\n%s\n\n", r.Kind, name, fenced("", cut(r.Error, limit)))
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

func fold(title, body string, open bool) string {
	tag := "<details>"
	if open {
		tag = "<details open>"
	}
	return tag + "<summary>" + inHTML(title) + "</summary>\n\n" + body + "\n\n</details>\n\n"
}

// inHTML turns the inline code of a title into HTML, since GitHub reads no
// Markdown inside a summary.
func inHTML(s string) string {
	start := strings.IndexByte(s, '`')
	if start < 0 {
		return s
	}
	n := 0
	for start+n < len(s) && s[start+n] == '`' {
		n++
	}
	fence := s[start : start+n]
	end := strings.Index(s[start+n:], fence)
	if end < 0 {
		return s
	}
	inside := strings.TrimSpace(s[start+n : start+n+end])
	escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "&#64;").Replace(inside)
	return s[:start] + "<code>" + escaped + "</code>" + s[start+n+end+n:]
}

// maxFindings is how many findings a comment lists for a project.
const maxFindings = 20

func findings(name string, r *policy.Report, level detail) string {
	if r == nil || (len(r.Findings) == 0 && len(r.Problems) == 0) {
		return ""
	}
	var b strings.Builder
	switch r.Verdict {
	case policy.Fail:
		fmt.Fprintf(&b, "⛔ **Policy: %s must be mended before %s can be applied**\n\n", countOf(r.Mandatory, "violation"), name)
	case policy.Error:
		fmt.Fprintf(&b, "❌ **The policies could not judge %s**, so it is not applied:\n\n", name)
		for _, p := range r.Problems {
			b.WriteString("- " + prose(p.String()) + "\n")
		}
		b.WriteString("\n")
	default:
		fmt.Fprintf(&b, "⚠️ Policy: %s for %s\n\n", countOf(r.Advisory, "warning"), name)
	}
	shown := min(len(r.Findings), maxFindings)
	if level == summary {
		shown = min(shown, 5)
	}
	for _, f := range r.Findings[:shown] {
		mark := "⛔"
		if f.Level == policy.Advisory {
			mark = "⚠️"
		}
		fmt.Fprintf(&b, "- %s **%s** (%s, %s)", mark, prose(f.Title), f.Severity, code(f.Rule))
		if f.Address != "" {
			fmt.Fprintf(&b, " %s", code(f.Address))
		}
		fmt.Fprintf(&b, ": %s", prose(f.Message))
		if f.Help != "" {
			fmt.Fprintf(&b, " _%s_", prose(f.Help))
		}
		b.WriteString("\n")
	}
	if left := len(r.Findings) - shown + r.Omitted; left > 0 {
		fmt.Fprintf(&b, "- … and %d more\n", left)
	}
	b.WriteString("\n")
	return b.String()
}

// maxCostLines is how many resources a cost section lists.
const maxCostLines = 25

func costSection(name string, e *cost.Estimate) string {
	if e == nil || e.Counts.Total == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| resource | before | after | priced as |\n|---|---:|---:|---|\n")
	lines := 0
	for _, r := range e.Resources {
		if !worthALine(r) {
			continue
		}
		if lines++; lines > maxCostLines {
			continue
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", codeCell(r.Address), money(r.Before, e.Currency), money(r.After, e.Currency), note(r))
	}
	if lines > maxCostLines {
		fmt.Fprintf(&b, "| … and %d more | | | |\n", lines-maxCostLines)
	}
	if lines == 0 {
		return ""
	}
	header := e.Header()
	b.WriteString("\n" + strings.ToUpper(header[:1]) + header[1:] + ".")
	if e.AsOf != "" {
		fmt.Fprintf(&b, " List prices as of %s, %d hours a month.", e.AsOf, e.Hours)
	}
	return fold("Cost of "+name+": "+e.Line(), b.String(), false)
}

// worthALine leaves out what costs nothing and what does not move.
func worthALine(r cost.ResourceCost) bool {
	return r.Status != cost.StatusFree && r.Action != planner.ActionNoop
}

func note(r cost.ResourceCost) string {
	switch {
	case r.Note != "":
		return prose(r.Note)
	case r.Status == cost.StatusUsage:
		return "by use"
	case len(r.Components) > 0 && r.Components[0].Detail != "":
		return prose(r.Components[0].Detail)
	}
	return ""
}

func money(d *decimal.Decimal, currency string) string {
	if d == nil {
		return "not priced"
	}
	return cost.Money(*d, currency)
}
