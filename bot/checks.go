package bot

import (
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/internal/github"
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

// Checks returns the checks of the change's head: the plan's summary first,
// then one for each project that has come to an end, then the apply's summary.
// It is pure.
func Checks(v View) []github.Check {
	if v.Change.Status == run.Outdated {
		return []github.Check{v.check(PlanCheck, completed, cancelled, "Superseded by a newer commit", "")}
	}
	checks := []github.Check{planCheck(v)}
	for _, p := range v.Pairs {
		if k, ok := projectCheck(v, p); ok {
			checks = append(checks, k)
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

// planCheck tells whether the pull may be merged as far as its plans go.
func planCheck(v View) github.Check {
	title := plainTitle(headline(v))
	done := func(conclusion, title string) github.Check {
		return v.check(PlanCheck, completed, conclusion, title, "")
	}
	n := v.tally()
	switch v.Change.Status {
	case run.Pending:
		return v.check(PlanCheck, queuedUp, "", title, "")
	case run.Empty:
		return done(neutral, "No Terraform project is touched")
	case run.Unplannable:
		k := done(failure, title)
		k.Summary = fenced("", cut(v.Change.Reason, maxCheckText))
		return k
	case run.Closed:
		return done(neutral, title)
	}
	switch {
	case n.Planning > 0:
		// No counts: they would cost a request each time a project finishes.
		return v.check(PlanCheck, inProgress, "", "Planning "+countOf(len(v.Pairs), "project"), "")
	case n.Failed > 0:
		return done(failure, fmt.Sprintf("The plan failed for %d of %s", n.Failed, countOf(len(v.Pairs), "project")))
	case n.Forbidden > 0:
		return done(failure, fmt.Sprintf("A policy forbids %s", ofAll(n.Forbidden, len(v.Pairs))))
	case n.Waiting > 0 && v.Change.MergeSHA == "":
		return v.check(PlanCheck, queuedUp, "", title, "")
	}
	t := total(v)
	if t.Empty() {
		return done(success, "No changes")
	}
	return done(success, strings.TrimSuffix(t.String(), ".")+inProjects(len(v.Pairs)))
}

// applyCheck tells how far applying is. It is told once the plans have
// settled, and fails whenever a person is needed.
func applyCheck(v View) (github.Check, bool) {
	n := v.tally()
	k := func(status, conclusion, title string) (github.Check, bool) {
		return v.check(ApplyCheck, status, conclusion, title, ""), true
	}
	switch v.Change.Status {
	case run.Pending:
		return github.Check{}, false
	case run.Empty:
		return k(completed, neutral, "Nothing to apply")
	case run.Unplannable, run.Closed:
		return k(completed, neutral, "Nothing was applied")
	}
	switch {
	case n.Planning > 0:
		return github.Check{}, false
	case n.Attention > 0:
		return k(completed, actionReq, "A person must decide")
	case n.Applying > 0:
		return k(inProgress, "", "Applying")
	case n.Failed+n.Forbidden > 0:
		return k(completed, neutral, "Nothing can be applied yet")
	case n.Ready == 0 && n.Waiting == 0 && n.Applied == 0:
		return k(completed, success, "Nothing to apply")
	case n.Ready == 0 && n.Waiting == 0:
		return k(completed, success, "Applied "+countOf(n.Applied, "project"))
	case v.Settings.ApplyBeforeMerge && !v.Settings.ApplyOnMerge:
		return k(queuedUp, "", "Comment apply to apply")
	}
	return k(completed, neutral, "Applied when merged")
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
	name := "tidelock: " + oneLine(p.Plan.Project.Name)
	k := v.check(name, completed, success, "", "")
	k.ExternalID = r.ID
	k.StartedAt, k.CompletedAt = r.Started, r.Finished
	text := fenced("diff", excerpt(p.Plan.Diff))
	switch r.Status {
	case run.Planned:
		k.Title = strings.TrimSuffix(r.Summary.String(), ".")
		if r.Report == nil || r.Report.Verdict.Blocks() {
			k.Conclusion, k.Title = failure, "A policy forbids it: "+k.Title
			if r.Report != nil && r.Report.Verdict == policy.Error {
				k.Title = "The policies could not judge it"
			}
		}
	case run.Applied:
		k.Title = "Applied" + took(*r)
	case run.Failed:
		k.Conclusion, k.Title = failure, fmt.Sprintf("The %s failed", r.Kind)
		text = fenced("", excerpt(r.Error))
	case run.Held:
		k.Conclusion, k.Title = actionReq, "Held: a person must decide"
		text = sentences(r.Error)
	case run.Interrupted:
		k.Conclusion, k.Title = failure, "Interrupted: a person must decide"
		text = sentences(r.Error)
	default:
		k.Conclusion, k.Title = cancelled, strings.ToUpper(string(r.Status[:1]))+string(r.Status[1:])
	}
	k.Summary = k.Title + "."
	if e := p.Plan.Estimate; e != nil && e.Counts.Total > 0 {
		k.Summary += "\n\nCost: " + e.Line() + ". " + e.Header() + "."
	}
	if f := findings(code(p.Plan.Project.Name), p.Plan.Report, full); f != "" {
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
	return cut(s, maxCheckText) + "\n# … and more, too long to show here"
}

// plainTitle takes the headline's sign off: a check has one of its own.
func plainTitle(s string) string {
	if i := strings.IndexByte(s, ' '); i > 0 && s[0] >= 0x80 {
		return strings.TrimSpace(s[i+1:])
	}
	return s
}
