package bot

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tidelock/tidelock/bot/command"
	"github.com/tidelock/tidelock/bot/comment"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/gate"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// applyGate returns why the plans may not be applied at somebody's word now,
// as sentences that say who can change that and how; "" when they may, as far
// as the pull and its plans go. What the settings ask for beyond that, gate
// judges: see verdicts. Pure.
func applyGate(filter command.Filter, f Facts) string {
	p := *f.Pull
	switch {
	case p.Fork() && !p.Merged:
		return "Nothing of a fork's is applied before it is merged."
	case !p.Open && !p.Merged:
		return "This pull request is closed without having been merged."
	case p.Open && !f.Settings.ApplyBeforeMerge:
		return "This repository applies on merge: merge the pull request, and what the plans show is applied. (`apply_before_merge = true` in `tidelock.hcl` on the base branch, or on the server, allows it earlier.)"
	case p.Draft:
		return "This pull request is a draft. Mark it as ready for review first."
	case f.Change == nil:
		return fmt.Sprintf("The head commit `%s` has not been planned yet. Comment `plan`, read the plan, then `apply`.", comment.Short(p.HeadSHA))
	case f.Change.Status == run.Unplannable:
		return "The plan failed, so there is nothing to apply. Mend what the comment above shows, and push."
	case f.Change.Status == run.Gated:
		return "It has not been planned yet. " + f.Change.Reason
	}
	return plansGate(filter, f.Pairs)
}

// plansGate judges the plans themselves.
func plansGate(filter command.Filter, pairs []run.Pair) string {
	var chosen, ready int
	var trouble, later []string
	for _, pair := range pairs {
		if !filter.Match(pair.Plan.Project) {
			continue
		}
		chosen++
		if pair.Plan.Status == run.Deferred {
			later = append(later, laterTrouble(pairs, *pair.Plan))
		}
		if why := planTrouble(*pair.Plan); why != "" {
			trouble = append(trouble, why)
		} else if why := applyTrouble(pair); why != "" {
			trouble = append(trouble, why)
		} else if appliable(pair) {
			ready++
			if why := orderTrouble(filter, pairs, *pair.Plan); why != "" {
				trouble = append(trouble, why)
			}
		}
	}
	switch {
	case len(trouble) > 0:
		return strings.Join(trouble, " ")
	case chosen == 0 && filter.Empty():
		return "This pull request touches no project."
	case chosen == 0:
		return fmt.Sprintf("No project of this pull request matches `%s`.", markdown.Word(strings.TrimSpace(filter.String())))
	case ready == 0 && len(later) > 0:
		return strings.Join(later, " ")
	case ready == 0:
		return "There is nothing left to apply: every plan is applied, or changes nothing."
	}
	return ""
}

// laterTrouble says what a plan that was not made yet waits for.
func laterTrouble(pairs []run.Pair, plan run.Run) string {
	var first []string
	for _, p := range run.WaitsFor(pairs, plan) {
		first = append(first, "`"+markdown.Word(p.Plan.Project.Name)+"`")
	}
	return fmt.Sprintf("`%s` is planned once %s is applied.", markdown.Word(plan.Project.Name), strings.Join(first, " and "))
}

// orderTrouble says what must be applied before the plan and is not among
// those that the command names.
func orderTrouble(filter command.Filter, pairs []run.Pair, plan run.Run) string {
	var missing []string
	for _, p := range run.Before(pairs, plan) {
		if !filter.Match(p.Plan.Project) {
			missing = append(missing, "`"+markdown.Word(p.Plan.Project.Name)+"`")
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf("`%s` is applied after %s, which is not applied yet: apply that first, or both together.", markdown.Word(plan.Project.Name), strings.Join(missing, ", "))
}

func planTrouble(r run.Run) string {
	name := "`" + markdown.Word(r.Project.Name) + "`"
	switch r.Status {
	case run.Queued, run.Running:
		return fmt.Sprintf("%s is still being planned.", name)
	case run.Blocked:
		return fmt.Sprintf("%s: %s", name, r.Error)
	case run.Deferred: // its turn comes when the others are applied
		return ""
	case run.Planned:
		return verdictTrouble(r)
	case run.Failed:
		return fmt.Sprintf("The plan of %s failed; mend it and push.", name)
	}
	return fmt.Sprintf("The plan of %s was %s; comment `plan` for a new one.", name, r.Status)
}

// verdictTrouble says what a plan's policy report forbids. A plan that nobody
// could judge is never taken for one that passed.
func verdictTrouble(r run.Run) string {
	name := "`" + markdown.Word(r.Project.Name) + "`"
	switch {
	case !r.Forbidden():
		return ""
	case r.Report == nil:
		return fmt.Sprintf("%s was not judged by the policies; comment `plan` for a new plan.", name)
	case r.Report.Verdict == policy.Error:
		return fmt.Sprintf("The policies could not judge the plan of %s, so it is not applied; the comment above says why.", name)
	}
	standing := r.Standing()
	if standing.Hard > 0 {
		return fmt.Sprintf("A policy forbids the plan of %s, and nobody can accept that: the findings in the comment above say how to mend each.", name)
	}
	why := "see the findings in the comment above, which say how to mend each."
	if w := lapsed(standing); w != nil {
		why = fmt.Sprintf("what `%s` accepted was so until %s, and that is over.", markdown.Word(w.Actor.Name), comment.Stamp(w.Expires))
	} else if len(standing.By()) > 0 {
		why = "not everything that was found is accepted by as many owners as are needed; the comment above says what is missing."
	}
	return fmt.Sprintf("A policy forbids the plan of %s: %s "+
		"Who owns the policies can accept them with `approve-policies`.", name, why)
}

// lapsed returns the word whose end makes a finding forbid the plan, nil where
// there is none.
func lapsed(s run.Standing) *run.Waiver {
	for _, a := range s.Findings {
		if a.Open() && len(a.Lapsed) > 0 {
			return &a.Lapsed[0]
		}
	}
	return nil
}

func applyTrouble(p run.Pair) string {
	if p.Apply == nil {
		return ""
	}
	name := "`" + markdown.Word(p.Plan.Project.Name) + "`"
	switch p.Apply.Status {
	case run.Queued, run.Checking, run.Running, run.Deferred:
		return fmt.Sprintf("%s is being applied already.", name)
	case run.Blocked:
		return fmt.Sprintf("%s: %s", name, p.Apply.Error)
	case run.Held:
		return fmt.Sprintf("The last apply of %s is held. Comment `plan` to see what would be done now, then `apply`.", name)
	case run.Failed, run.Interrupted:
		return fmt.Sprintf("The last apply of %s is %s. Comment `retry` to go on with it, or `plan` to see what is left to do, then `apply`.", name, p.Apply.Status)
	}
	return ""
}

// actOf returns the act that applying the plan is.
func actOf(plan run.Run) gate.Act {
	if plan.Options.Destroy {
		return gate.ActDestroy
	}
	return gate.ActApply
}

// rules returns the gates before the act. Once the pull is merged, whether it
// would merge is no question any more: the merged code itself is compared with
// what was planned.
func (s Settings) rules(act gate.Act, merged bool) gate.Rules {
	r := s.Gates.WithFloor(s.Approvals).Of(act)
	r.Budgets = s.Budgets && act != gate.ActPlan
	if merged {
		r.Mergeable, r.UpToDate = false, false
	}
	return r
}

// verdicts judges the act by the settings' gates; pair is what would be
// applied, nil where nothing is planned yet. Pure.
func (f Facts) verdicts(act gate.Act, pair *run.Pair) []gate.Verdict {
	facts := f.Gate
	rules := f.Settings.rules(act, f.Pull.Merged)
	if pair == nil {
		rules.Policies, rules.Budgets = false, false // there is no plan that they could have judged
		return gate.Evaluate(rules, facts)
	}
	return gate.Evaluate(rules, withBudgets(withPlan(facts, *pair.Plan), f.Budgets, pair.Plan.Key()))
}

func (f Facts) closed(act gate.Act, pair *run.Pair) []gate.Verdict {
	return gate.Closed(f.verdicts(act, pair))
}

// withPlan adds what the gates may look at of a plan.
func withPlan(f gate.Facts, r run.Run) gate.Facts {
	s := r.Summary
	f.Plan = &gate.Plan{
		Project: r.Project.Name, Dir: r.Project.Dir, Workspace: r.Project.Workspace,
		Create: s.Create, Update: s.Update, Replace: s.Replace, Delete: s.Delete, Read: s.Read, Move: s.Move, Import: s.Import, Forget: s.Forget,
		Destroy: r.Options.Destroy, Digest: r.PlanDigest, Serial: r.StateSerial,
		Targets: append(append([]string(nil), r.Options.Targets...), r.Options.Replace...),
	}
	for _, c := range r.Resources {
		f.Plan.Resources = append(f.Plan.Resources, gate.Resource{Address: c.Address, Type: c.Type, Action: string(c.Action)})
	}
	if r.Report != nil {
		f.Policy = &gate.Policy{Verdict: string(r.Report.Verdict), Waived: r.Report.Verdict == policy.Fail && !r.Forbidden(), Hard: r.Standing().Hard}
	}
	if e := r.Estimate; e != nil {
		f.Cost = &gate.CostChange{Before: &e.Before, After: &e.After, Delta: &e.Delta, Known: e.Bound == cost.BoundExact}
	}
	return f
}

// touched lists the resources that a plan changes, for the gates.
func touched(p *tfplan.Plan) []run.Resource {
	var out []run.Resource
	for _, c := range p.Changes {
		if c.Action == tfplan.ActionNoop || c.Action == tfplan.ActionRead {
			continue
		}
		if len(out) == maxTouched {
			break
		}
		out = append(out, run.Resource{Address: c.Address, Type: c.Type, Action: c.Action})
	}
	return out
}

// maxTouched bounds what is kept of a huge plan for the gates' expressions.
const maxTouched = 5000

// sentencesOf lists closed gates: what is missing, who can open each, and how.
func sentencesOf(closed []gate.Verdict) string {
	lines := make([]string, len(closed))
	for i, v := range closed {
		lines[i] = "- " + gate.Sentence(v)
	}
	return strings.Join(lines, "\n")
}

// record keeps what the gates said together with what they said it of.
func record(act gate.Act, c run.Change, plan run.Run, verdicts []gate.Verdict, at time.Time) string {
	text, err := json.Marshal(gate.Record{
		Act: act, HeadSHA: c.HeadSHA, BaseSHA: c.BaseSHA, PlanDigest: plan.PlanDigest, StateSerial: plan.StateSerial, Verdicts: verdicts, At: at,
	})
	if err != nil { // plain data always marshals
		return ""
	}
	return string(text)
}
