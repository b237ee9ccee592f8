package comment

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
)

// How many of a project's findings a comment lists. One rule's are one of the
// list where they are many, and are folded away in it.
const (
	maxFindings = 20 // lines and folds
	maxInShort  = 5  // of these where there is little room
	maxAlone    = 3  // findings of one rule that have a line each
	maxFolded   = 50 // lines in all folds
	maxTersely  = 12 // of these where there is less room
)

// like are findings of one rule that stand alike.
type like struct {
	mark  string
	first policy.Finding
	at    []int // their places in the report
}

// listed are a run's findings, those that forbid the plan or those that only
// warn, the worst rule first: those of the policies, and then those of each
// scanner under its name.
func listed(v View, of run.Run, level detail, forbidding bool) string {
	standing := of.Standing()
	groups := slices.DeleteFunc(alike(of.Report.Findings, standing), func(g like) bool { return g.first.Level.Blocks() != forbidding })
	most, folded := maxFindings, maxFolded
	switch {
	case level >= summary:
		most, folded = maxInShort, 0
	case level == terse:
		folded = maxTersely
	}
	left := omitted(*of.Report, forbidding)
	for _, g := range groups[min(len(groups), most):] {
		left += len(g.at)
	}
	groups = groups[:min(len(groups), most)]
	slices.SortStableFunc(groups, func(a, b like) int { return strings.Compare(a.first.Source, b.first.Source) })
	var b strings.Builder
	source, list := "", false
	for _, g := range groups {
		if s := g.first.Source; s != source {
			source, list = s, false
			b.WriteString("\nFound by " + markdown.Code(s) + ":\n\n")
		}
		if len(g.at) > maxAlone {
			if list {
				b.WriteString("\n")
			}
			list = false
			b.WriteString(folding(v, of, standing, g, &folded))
			continue
		}
		list = true
		for _, i := range g.at {
			f := of.Report.Findings[i]
			fmt.Fprintf(&b, "- %s **%s** (%s, %s, %s)%s%s\n", g.mark, markdown.Prose(f.Title), f.Severity, f.Level, ruleLink(f), about(v, of, f), acceptedNote(standing.Findings[i], of.Read))
		}
	}
	if left > 0 {
		if !list {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "- … and %d more\n", left)
	}
	return strings.TrimPrefix(b.String(), "\n") + "\n"
}

// omitted is how many of the findings that forbid, or that only warn, are not
// in the report.
func omitted(r policy.Report, forbidding bool) int {
	n := r.Advisory
	if forbidding {
		n = r.Mandatory
	}
	for _, f := range r.Findings {
		if f.Level.Blocks() == forbidding {
			n--
		}
	}
	return max(n, 0)
}

// alike groups findings by rule and by what became of them, in the order in
// which the first of each stands.
func alike(all []policy.Finding, standing run.Standing) []like {
	type key struct {
		rule, source, mark string
		level              policy.Level
	}
	var groups []like
	index := map[key]int{}
	for i, f := range all {
		k := key{f.Rule, f.Source, markOf(f, standing.Findings[i]), f.Level}
		at, ok := index[k]
		if !ok {
			at = len(groups)
			index[k] = at
			groups = append(groups, like{mark: k.mark, first: f})
		}
		groups[at].at = append(groups[at].at, i)
	}
	return groups
}

// markOf tells at a glance what a finding does to the plan.
func markOf(f policy.Finding, a run.Acceptance) string {
	switch {
	case f.Level == policy.Hard:
		return "🛑"
	case !f.Level.Blocks():
		return "⚠️"
	case !a.Open():
		return "✅"
	}
	return "⛔"
}

// folding is one rule's many findings in a fold. room is how many lines all
// folds may still have.
func folding(v View, of run.Run, standing run.Standing, g like, room *int) string {
	f := g.first
	title := fmt.Sprintf("%s %d × %s (%s, %s)", g.mark, len(g.at), markdown.Code(markdown.Abridged(f.Rule, maxName)), f.Severity, f.Level)
	if *room <= 0 {
		return "- " + fmt.Sprintf("%s **%s** (%s, %s, %s): %d findings\n\n", g.mark, markdown.Prose(f.Title), f.Severity, f.Level, ruleLink(f), len(g.at))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "**%s** (%s)", markdown.Prose(f.Title), ruleLink(f))
	same := !slices.ContainsFunc(g.at, func(i int) bool { return of.Report.Findings[i].Help != f.Help })
	if same && f.Help != "" {
		fmt.Fprintf(&b, " _%s_", markdown.Prose(f.Help))
	}
	b.WriteString("\n\n")
	shown := min(len(g.at), *room)
	*room -= shown
	for _, i := range g.at[:shown] {
		one := of.Report.Findings[i]
		if same {
			one.Help = ""
		}
		b.WriteString("-" + about(v, of, one) + acceptedNote(standing.Findings[i], of.Read) + "\n")
	}
	if more := len(g.at) - shown; more > 0 {
		fmt.Fprintf(&b, "- … and %d more\n", more)
	}
	return markdown.Fold(title, strings.TrimRight(b.String(), "\n"), false)
}

// about is what a finding is about, where that stands, and what is wrong.
func about(v View, of run.Run, f policy.Finding) string {
	var b strings.Builder
	if f.Address != "" {
		b.WriteString(" " + markdown.Code(f.Address))
	}
	if place := placeLink(v, of, f); place != "" {
		b.WriteString(" in " + place)
	}
	if b.Len() > 0 || f.Message != "" {
		b.WriteString(": " + markdown.Prose(f.Message))
	}
	if f.Help != "" {
		fmt.Fprintf(&b, " _%s_", markdown.Prose(f.Help))
	}
	return b.String()
}

// ruleLink names a rule, and leads to what explains it.
func ruleLink(f policy.Finding) string { return link(markdown.Code(f.Rule), f.URL) }

// placeLink names the lines in which a finding stands, and leads to them in the
// commit that was planned; "" where they are not known.
func placeLink(v View, of run.Run, f policy.Finding) string {
	if f.File == "" {
		return ""
	}
	text, lines := f.File, ""
	if f.Line > 0 {
		text += ":" + strconv.Itoa(f.Line)
		lines = "#L" + strconv.Itoa(f.Line)
		if f.EndLine > f.Line {
			lines += "-L" + strconv.Itoa(f.EndLine)
		}
	}
	commit := of.Commit
	if commit == "" {
		commit = v.Change.HeadSHA
	}
	u, err := url.Parse(v.Repo.CloneURL)
	if err != nil || u.Host == "" || commit == "" || v.Uncommitted {
		return markdown.Code(text)
	}
	u.User = nil
	return link(markdown.Code(text), strings.TrimSuffix(u.String(), ".git")+"/blob/"+commit+"/"+(&url.URL{Path: f.File}).EscapedPath()+lines)
}

// link is a text, which is Markdown, that leads to a page. What is no address
// of a page leads nowhere, and nothing in an address can end the link.
func link(text, to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(to) > maxLink {
		return text
	}
	var b strings.Builder
	for i := range len(to) {
		c := to[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~/?#&=%+:;,", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return "[" + text + "](" + b.String() + ")"
}

// maxLink is how long an address may be that is linked to, in bytes.
const maxLink = 2000
