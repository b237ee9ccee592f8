package comment

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/bot/command"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
)

// nextSteps says exactly what to type or press, and what each does. A command
// that the repository does not take is never proposed.
func nextSteps(v View) string {
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, "- "+fmt.Sprintf(format, args...)) }
	takes := v.Settings.obeys
	merged := v.Change.MergeSHA != ""
	phase := v.Phase()
	switch phase {
	case run.PhasePlanned:
		if over := overBudget(v); len(over) > 0 && takes(command.ApproveCost) {
			say("It goes over a budget: have %s comment `approve-cost`, or make it cheaper and push. Until then it is not applied.", BudgetOwners(over[0].Owners))
		}
		switch {
		case !takes(command.Apply):
		case merged:
			say("Comment `apply` to apply these plans.")
		case v.Settings.ApplyBeforeMerge:
			say("Comment `apply` to apply everything shown here%s%s.", onlyOne(v, "apply"), thenMerge(v))
		}
		if !merged && v.Settings.ApplyOnMerge {
			say("**Merge** this pull request to apply exactly what is shown here.")
		}
		if v.tally().Deferred > 0 {
			say("What depends on these is planned by itself once they are applied.")
		}
	case run.PhaseForbidden:
		say("Mend what the findings name and push; a new plan follows by itself.")
		if takes(command.ApprovePolicies) && waivable(v.Pairs) {
			say("Or have the findings accepted%s: whoever may do that comments `approve-policies`%s.", owners(v.Pairs), forHowLong(v.Settings))
		}
	case run.PhaseFailed:
		if takes(command.Plan) {
			say("Mend the code and push, or comment `plan` to try again.")
		} else {
			say("Mend the code and push.")
		}
	case run.PhaseCanceled:
		if takes(command.Plan) {
			say("Comment `plan` to plan again.")
		}
	case run.PhaseAttention:
		decide(v, say, takes)
	case run.PhaseWaiting:
		if v.tally().Waiting > 0 {
			say("Nothing: it goes on by itself when the lock is free.")
		}
	}
	if n := held(v); n > 0 && phase == run.PhasePlanned && takes(command.Unlock) {
		say("Comment `unlock` to give up %s until then.", map[bool]string{true: "the lock 🔒", false: "the locks 🔒"}[n == 1])
	}
	if phase == run.PhaseAttention {
		return "Anybody with the role **write** in this repository can decide, as far as its gates let them. Until then the locks stay.\n\n" + strings.Join(lines, "\n")
	}
	return strings.Join(lines, "\n")
}

// decide says what a person can do about applies that did not end well. The
// locks stay until one of these is done.
func decide(v View, say func(string, ...any), takes func(command.Verb) bool) {
	failed, merged := false, v.Change.MergeSHA != ""
	for _, p := range v.Pairs {
		failed = failed || p.Apply != nil && (p.Apply.Status == run.Failed || p.Apply.Status == run.Interrupted)
	}
	if failed && takes(command.Retry) {
		say("Comment `retry` to go on where the apply ended: what is left is planned again, and applied if it does nothing that was not reviewed.")
	}
	if failed && merged && takes(command.Rollback) {
		say("Comment `rollback` to get a pull request that takes this one's code back. It is planned and applied like any other.")
	}
	if takes(command.Plan) {
		say("Comment `plan` to see what is left to do, then `apply` to do that.")
	}
	if takes(command.Unlock) {
		say("Comment `unlock` to give up what this pull request holds, so that others can go on.")
	}
}

// forHowLong says how long an accepted finding stays so.
func forHowLong(s Settings) string {
	if s.WaiverMax == 0 {
		return ", for exactly these plans"
	}
	month := min(30*24*time.Hour, s.WaiverMax).Truncate(time.Hour)
	return fmt.Sprintf(", for exactly these plans, or with `--for %s --reason \"…\"` for longer", command.Period(max(month, time.Hour)))
}

// waivable reports whether everything that forbids the pairs' plans is a
// finding that somebody can accept: what could not be judged can't be, nor what
// a hard rule found.
func waivable(pairs []run.Pair) bool {
	for _, p := range pairs {
		if p.Plan.Status == run.Planned && p.Plan.Forbidden() && (p.Plan.Report == nil || p.Plan.Report.Verdict != policy.Fail || p.Plan.Standing().Hard > 0) {
			return false
		}
	}
	return true
}

// owners says how many must accept what forbids the plans, and who, where that
// is not one person with the usual role.
func owners(pairs []run.Pair) string {
	most, who := 1, []string{}
	for _, p := range pairs {
		if p.Plan.Status != run.Planned || !p.Plan.Forbidden() {
			continue
		}
		for i, a := range p.Plan.Standing().Findings {
			if !a.Open() {
				continue
			}
			o := p.Plan.Report.OwnersOf(p.Plan.Report.Findings[i].Pack)
			most = max(most, o.Needed())
			for _, name := range o.Who {
				if name = markdown.Code(name); !slices.Contains(who, name) {
					who = append(who, name)
				}
			}
		}
	}
	if left := len(who) - maxNamed; left > 0 {
		who = append(who[:maxNamed], fmt.Sprintf("%d more", left))
	}
	text := ""
	if most > 1 {
		text = fmt.Sprintf(" by %d owners", most)
	}
	if len(who) > 0 {
		text += " (" + strings.Join(who, ", ") + ")"
	}
	return text
}

func onlyOne(v View, verb string) string {
	if len(v.Pairs) < 2 {
		return ""
	}
	return fmt.Sprintf(", or one project with `%s -p %s`", verb, markdown.Word(command.Quote(v.Pairs[0].Plan.Project.Name)))
}

func thenMerge(v View) string {
	if v.Settings.AutoMerge {
		return "; the pull request is then merged"
	}
	return ""
}

// held counts the pull's locks on its projects.
func held(v View) int {
	names, _ := ownLocks(v)
	return len(names)
}

func footer(v View) string {
	parts := []string{"commit " + Short(v.Change.Target())}
	if v.Uncommitted {
		parts[0] = "work that is not committed, on " + Short(v.Change.Target())
		if v.Change.Target() == "" {
			parts[0] = "work that is not committed"
		}
	}
	if names, first := ownLocks(v); len(names) > 0 {
		parts = append(parts, strings.TrimSpace("🔒 locked "+since(first)))
	}
	if v.URL != "" {
		parts = append(parts, "[details]("+v.URL+")")
	}
	parts = append(parts, "commands: <code>help</code>")
	return "<sub>" + strings.Join(parts, " · ") + "</sub>\n"
}
