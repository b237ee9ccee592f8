package comment

import (
	"fmt"
	"strings"
	"time"

	"github.com/tidelock/tidelock/bot/command"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
)

// The names of the two summary checks, for branch protection.
const (
	PlanCheck  = "tidelock/plan"
	ApplyCheck = "tidelock/apply"
)

// The statuses and conclusions of GitHub's that are used here.
const (
	inProgress = "in_progress"
	completed  = "completed"
	queuedUp   = "queued"
	success    = "success"
	failure    = "failure"
	neutral    = "neutral"
	cancelled  = "cancelled"
	actionReq  = "action_required"
)

// maxCheckText is how much of a plan a check shows, in bytes; GitHub takes
// 65,535 characters.
const maxCheckText = 60_000

// Checks returns the checks of the change's head that have something to say:
// the plan's summary first, then, where the settings ask for it, one for each
// project that has come to an end, then the apply's summary. It is pure.
func Checks(v View) []github.Check {
	v.Pairs = arranged(v.Pairs)
	var checks []github.Check
	if k, ok := planCheck(v); ok {
		checks = append(checks, k)
	}
	if v.Settings.ProjectChecks && v.Change.Status != run.Outdated {
		for _, p := range v.Pairs {
			if k, ok := projectCheck(v, p); ok {
				checks = append(checks, k)
			}
		}
	}
	if k, ok := applyCheck(v); ok {
		checks = append(checks, k)
	}
	return checks
}

func (v View) check(name, status, conclusion, title, text string) github.Check {
	return github.Check{
		Name: name, HeadSHA: v.Change.HeadSHA, Status: status, Conclusion: conclusion, DetailsURL: v.URL, ExternalID: v.Change.ID,
		Title: title, Summary: title + ".", Text: text,
	}
}

// shown reports whether GitHub has the check already.
func (v View) shown(name string) bool { return v.Posted[name].ID != 0 }

// planCheck tells whether the pull may be merged as far as its plans go, with
// the plans themselves in its text. Applying takes nothing of that away.
func planCheck(v View) (github.Check, bool) {
	title := plainTitle(headline(v))
	done := func(conclusion, title string) (github.Check, bool) {
		k := v.planned(v.check(PlanCheck, completed, conclusion, title, ""))
		k.Annotations = annotations(v)
		return k, true
	}
	n := run.TallyOf(plansOf(v.Pairs))
	switch v.Change.Status {
	case run.Outdated:
		if !v.shown(PlanCheck) || !cutOff(v) {
			return github.Check{}, false
		}
		return v.check(PlanCheck, completed, cancelled, "Superseded by a newer commit", ""), true
	case run.Pending:
		return v.check(PlanCheck, inProgress, "", "Planning", ""), true
	case run.Empty:
		return done(neutral, "No Terraform project is touched")
	case run.Unplannable:
		k := v.check(PlanCheck, completed, failure, title, "")
		k.Summary, k.Actions = markdown.Fenced("", markdown.Cut(v.Change.Reason, maxCheckText)), actions(v)
		return k, true
	case run.Gated: // not neutral: that would let the pull be merged unplanned
		k := v.check(PlanCheck, queuedUp, "", title, "")
		k.Summary, k.Actions = markdown.List(markdown.Cut(v.Change.Reason, maxCheckText)), actions(v)
		return k, true
	case run.Closed:
		if !v.shown(PlanCheck) {
			return github.Check{}, false
		}
		return v.check(PlanCheck, completed, neutral, title, ""), true
	}
	switch {
	case n.Planning > 0:
		// No counts: each new one would cost a request.
		return v.check(PlanCheck, inProgress, "", "Planning", ""), true
	case n.Failed > 0:
		return done(failure, fmt.Sprintf("The plan failed for %d of %s", n.Failed, countOf(len(v.Pairs), "project")))
	case n.Canceled > 0:
		return done(cancelled, fmt.Sprintf("Canceled: the plan of %d of %s", n.Canceled, countOf(len(v.Pairs), "project")))
	case n.Forbidden > 0:
		return done(failure, fmt.Sprintf("A policy forbids %s", ofAll(n.Forbidden, len(v.Pairs))))
	case n.Waiting > 0 && v.Change.MergeSHA == "":
		k := v.check(PlanCheck, queuedUp, "", waits(n.Waiting)+" for another pull request's lock", "")
		return v.planned(k), true
	}
	if over := overBudget(v); len(over) > 0 {
		return done(actionReq, "Over budget: "+countOf(len(over), "budget")+" must be approved with approve-cost")
	}
	t := total(v)
	if t.Empty() && n.Deferred == 0 {
		return done(success, "No changes")
	}
	return done(success, strings.TrimSuffix(t.String(), ".")+inProjects(len(v.Pairs)-n.Deferred)+later(n.Deferred))
}

// plansOf returns the pairs as if nothing had been applied.
func plansOf(pairs []run.Pair) []run.Pair {
	plans := make([]run.Pair, len(pairs))
	for i, p := range pairs {
		plans[i].Plan = p.Plan
	}
	return plans
}

// cutOff reports whether the change was superseded before it was planned.
func cutOff(v View) bool {
	for _, p := range v.Pairs {
		if p.Plan.Status != run.Superseded && p.Plan.Status.Finished() {
			continue
		}
		return true
	}
	return len(v.Pairs) == 0
}

// planned fills a plan check in: what the plans say, who holds which lock, how
// long it took, and what there is to press.
func (v View) planned(k github.Check) github.Check {
	summary := []string{k.Title + strings.TrimSuffix(costLine(v), ".") + "."}
	for _, p := range v.Pairs {
		if l, ok := v.Holders[p.Plan.Key()]; ok && l.Pull != v.Change.Pull && p.Plan.Status == run.Blocked && len(summary) <= maxRows {
			summary = append(summary, fmt.Sprintf("%s waits for %s. It goes on by itself when the lock is free.", markdown.Code(shorten(p.Plan.Project.Name)), heldBy(l, markdown.Code)))
		}
	}
	if names, first := ownLocks(v); len(names) > 0 {
		summary = append(summary, fmt.Sprintf("🔒 This pull request holds the lock of %s, %s.", some(names), since(first)))
	}
	if b := budgetLines(v); b != "" {
		summary = append(summary, strings.TrimSpace(b))
	}
	k.Summary = strings.Join(summary, "\n\n")
	if len(v.Pairs) > 0 {
		k.Text = plansText(v)
		k.Actions = actions(v)
	}
	for _, p := range v.Pairs {
		if s := p.Plan.Created; !s.IsZero() && (k.StartedAt.IsZero() || s.Before(k.StartedAt)) {
			k.StartedAt = s
		}
		if f := p.Plan.Finished; k.Status == completed && f.After(k.CompletedAt) {
			k.CompletedAt = f
		}
	}
	if k.CompletedAt.Before(k.StartedAt) { // it ended without a plan that ended
		k.CompletedAt = k.StartedAt
	}
	if k.Status != completed {
		k.CompletedAt = time.Time{}
	}
	return k
}

// plansText is the table and the plans as a check shows them, in as much
// detail as there is room for.
func plansText(v View) string {
	v.Pairs = plansOf(v.Pairs)
	v.Holders = nil
	for level := full; ; level++ {
		var b strings.Builder
		b.WriteString(table(v, level) + costPart(v, level))
		for _, p := range v.Pairs {
			if level < barest {
				b.WriteString(section(v, p, level))
			}
		}
		if b.Len() <= maxCheckText || level == barest {
			return markdown.Calm(strings.TrimSpace(b.String()))
		}
	}
}

// actions are the buttons of the summary checks: what can be done now. Each
// comes back with its command's name (command.OfButton), and whoever presses
// one is judged as if they had commented.
func actions(v View) []github.CheckAction {
	var out []github.CheckAction
	add := func(yes bool, label, does string, verb command.Verb) {
		if yes && v.Settings.obeys(verb) {
			out = append(out, github.CheckAction{Label: label, Description: does, Identifier: string(verb)})
		}
	}
	if !v.Change.Status.Live() || v.Change.GroupRef != "" {
		return nil
	}
	phase, merged := v.Phase(), v.Change.MergeSHA != ""
	add(!merged || phase != run.PhaseApplied, "Plan again", "Plan every project that this touches", command.Plan)
	add(phase == run.PhasePlanned && (merged || v.Settings.ApplyBeforeMerge), "Apply", "Apply exactly what is shown here", command.Apply)
	add(held(v) > 0, "Unlock", "Give up the locks of this pull request", command.Unlock)
	return out
}

// applyCheck tells how far applying is. There is one only where it says
// something: before a merge that applies, there is nothing to say.
func applyCheck(v View) (github.Check, bool) {
	n := v.tally()
	k := func(status, conclusion, title string) (github.Check, bool) {
		return v.check(ApplyCheck, status, conclusion, title, ""), true
	}
	with := func(k github.Check, ok bool) (github.Check, bool) {
		k.Actions = actions(v)
		return k, ok
	}
	// A check that branch protection may ask for must come in any case.
	due := v.Settings.ApplyBeforeMerge || v.Change.MergeSHA != "" || v.shown(ApplyCheck)
	switch {
	case v.Change.GroupRef != "", n.Planning > 0, v.Change.Status == run.Pending, v.Change.Status == run.Gated:
		return github.Check{}, false
	case v.Change.Status == run.Outdated && n.Attention+n.Applying+n.Applied == 0:
		if !v.shown(ApplyCheck) {
			return github.Check{}, false
		}
		return k(completed, cancelled, "Superseded by a newer commit")
	case n.Attention > 0:
		return with(k(completed, actionReq, "A person must decide"))
	case n.Applying > 0:
		return k(inProgress, "", "Applying")
	case n.Applied > 0 && n.Ready+n.Waiting+n.Deferred+n.Failed+n.Forbidden+n.Canceled == 0:
		return k(completed, success, "Applied "+countOf(n.Applied, "project"))
	case !due:
		return github.Check{}, false
	case v.Change.Status == run.Empty:
		return k(completed, neutral, "Nothing to apply")
	case v.Change.Status == run.Unplannable, v.Change.Status == run.Closed, v.Change.Status == run.Outdated:
		if !v.shown(ApplyCheck) {
			return github.Check{}, false
		}
		return k(completed, neutral, appliedSoFar(n, "Nothing was applied"))
	case n.Failed+n.Forbidden+n.Canceled > 0:
		return k(completed, neutral, appliedSoFar(n, "Nothing can be applied yet"))
	case n.Ready+n.Waiting+n.Deferred == 0:
		return k(completed, success, "Nothing to apply")
	case n.Waiting > 0:
		return k(queuedUp, "", plainTitle(headline(v)))
	case v.Change.MergeSHA != "" || !v.Settings.ApplyOnMerge:
		return with(k(queuedUp, "", appliedSoFar(n, "Comment apply to apply")))
	}
	return with(k(completed, neutral, "Comment apply to apply, or merge"))
}

// appliedSoFar puts before a title what was applied already.
func appliedSoFar(n run.Tally, title string) string {
	if n.Applied == 0 {
		return title
	}
	return fmt.Sprintf("Applied %s. %s", countOf(n.Applied, "project"), title)
}

// projectCheck shows one project's plan or apply, once it has come to an end.
func projectCheck(v View, p run.Pair) (github.Check, bool) {
	r := p.Plan
	if p.Apply != nil && p.Apply.Status != run.Superseded {
		r = p.Apply
	}
	if !r.Status.Finished() {
		if p.Plan.Status != run.Planned {
			return github.Check{}, false
		}
		r = p.Plan // applying does not take the plan's result away
	}
	name := "tidelock: " + markdown.OneLine(p.Plan.Project.Name)
	k := v.check(name, completed, success, "", "")
	k.ExternalID = r.ID
	k.StartedAt, k.CompletedAt = r.Started, r.Finished
	text := markdown.Fenced("diff", excerpt(p.Plan.Diff))
	switch r.Status {
	case run.Planned:
		k.Title = strings.TrimSuffix(r.Summary.String(), ".")
		if r.Forbidden() {
			k.Conclusion, k.Title = failure, "A policy forbids it: "+k.Title
			if r.Report != nil && r.Report.Verdict == policy.Error {
				k.Title = "The policies could not judge it"
			}
		}
	case run.Applied:
		k.Title = "Applied" + took(*r)
	case run.Failed:
		k.Conclusion, k.Title = failure, fmt.Sprintf("The %s failed", r.Kind)
		text = markdown.Fenced("", excerpt(r.Error))
	case run.Held:
		k.Conclusion, k.Title = actionReq, "Held: a person must decide"
		text = markdown.Sentences(r.Error)
	case run.Interrupted:
		k.Conclusion, k.Title = failure, "Interrupted: a person must decide"
		text = markdown.Sentences(r.Error)
	default:
		k.Conclusion, k.Title = cancelled, strings.ToUpper(string(r.Status[:1]))+string(r.Status[1:])
	}
	k.Summary = k.Title + "."
	if e := p.Plan.Estimate; e != nil && e.Counts.Total > 0 {
		k.Summary += "\n\nCost: " + e.Line() + ". " + e.Header() + "."
	}
	if f := findings(v, markdown.Code(p.Plan.Project.Name), *p.Plan, full); f != "" {
		k.Summary += "\n\n" + f
	}
	if p.Plan.Diff != "" || r.Error != "" {
		k.Text = text
	}
	return k, true
}

// excerpt is as much of a text as a check can show.
func excerpt(s string) string {
	if len(s) <= maxCheckText {
		return s
	}
	return markdown.Cut(s, maxCheckText) + "\n# … and more, too long to show here"
}

// plainTitle takes the headline's sign off: a check has one of its own.
func plainTitle(s string) string {
	if i := strings.IndexByte(s, ' '); i > 0 && s[0] >= 0x80 {
		return strings.TrimSpace(s[i+1:])
	}
	return s
}
