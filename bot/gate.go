package bot

import (
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
)

// applyGate returns why the plans may not be applied at somebody's word now,
// as sentences that say who can change that and how; "" when they may. Pure.
func applyGate(filter Filter, f Facts) string {
	p := *f.Pull
	switch {
	case p.Fork():
		return "Nothing of a fork's is ever applied from here. Push the branch into this repository and open the pull request from there."
	case !p.Open && !p.Merged:
		return "This pull request is closed without having been merged."
	case p.Open && !f.Settings.ApplyBeforeMerge:
		return "This repository applies on merge: merge the pull request, and what the plans show is applied. (`apply_before_merge = true` in `tidelock.hcl` on the base branch, or on the server, allows it earlier.)"
	case p.Draft:
		return "This pull request is a draft. Mark it as ready for review first."
	case f.Change == nil:
		return fmt.Sprintf("The head commit `%s` has not been planned yet. Comment `plan`, read the plan, then `apply`.", short(p.HeadSHA))
	case f.Change.Status == run.Unplannable:
		return "The plan failed, so there is nothing to apply. Mend what the comment above shows, and push."
	}
	if p.Open {
		if why := approvalGate(f); why != "" {
			return why
		}
	}
	return plansGate(filter, f.Pairs)
}

// approvalGate says what is missing of the reviews that the settings ask for.
// Approvals of an older head count for nothing: nobody has approved what is
// there now.
func approvalGate(f Facts) string {
	need := f.Settings.Approvals
	if need == 0 {
		return ""
	}
	if f.Approval == nil {
		return "The reviews of this pull request could not be read."
	}
	if len(f.Approval.Against) > 0 {
		return fmt.Sprintf("@%s asks for changes. Their approval, or the dismissal of their review, opens the way.", plain(f.Approval.Against[0].User))
	}
	stale := map[int64]bool{}
	for _, r := range f.Approval.Stale {
		stale[r.UserID] = true
	}
	have := 0
	for _, r := range f.Approval.By {
		if !stale[r.UserID] && r.UserID != f.Pull.AuthorID {
			have++
		}
	}
	if have < need {
		return fmt.Sprintf("It needs %s of the commit `%s` by somebody else than its author; it has %d.", countOf(need, "approving review"), short(f.Pull.HeadSHA), have)
	}
	return ""
}

// plansGate judges the plans themselves.
func plansGate(filter Filter, pairs []run.Pair) string {
	var chosen, ready int
	var trouble []string
	for _, pair := range pairs {
		if !filter.Match(pair.Plan.Project) {
			continue
		}
		chosen++
		if why := planTrouble(*pair.Plan); why != "" {
			trouble = append(trouble, why)
		} else if why := applyTrouble(pair); why != "" {
			trouble = append(trouble, why)
		} else if appliable(pair) {
			ready++
		}
	}
	switch {
	case len(trouble) > 0:
		return strings.Join(trouble, " ")
	case chosen == 0 && filter.Empty():
		return "This pull request touches no project."
	case chosen == 0:
		return fmt.Sprintf("No project of this pull request matches `%s`.", strings.TrimSpace(filter.String()))
	case ready == 0:
		return "There is nothing left to apply: every plan is applied, or changes nothing."
	}
	return ""
}

func planTrouble(r run.Run) string {
	name := "`" + plain(r.Project.Name) + "`"
	switch r.Status {
	case run.Queued, run.Running:
		return fmt.Sprintf("%s is still being planned.", name)
	case run.Blocked:
		return fmt.Sprintf("%s: %s", name, r.Error)
	case run.Planned:
		return verdictTrouble(name, r.Report)
	case run.Failed:
		return fmt.Sprintf("The plan of %s failed; mend it and push.", name)
	}
	return fmt.Sprintf("The plan of %s was %s; comment `plan` for a new one.", name, r.Status)
}

// verdictTrouble says what a policy report forbids. A plan that nobody could
// judge is never taken for one that passed.
func verdictTrouble(name string, report *policy.Report) string {
	switch {
	case report == nil:
		return fmt.Sprintf("%s was not judged by the policies; comment `plan` for a new plan.", name)
	case report.Verdict == policy.Fail:
		return fmt.Sprintf("A policy forbids the plan of %s: see the findings in the comment above, which say how to mend each.", name)
	case report.Verdict == policy.Error:
		return fmt.Sprintf("The policies could not judge the plan of %s, so it is not applied; the comment above says why.", name)
	}
	return ""
}

func applyTrouble(p run.Pair) string {
	if p.Apply == nil {
		return ""
	}
	name := "`" + plain(p.Plan.Project.Name) + "`"
	switch p.Apply.Status {
	case run.Queued, run.Checking, run.Running:
		return fmt.Sprintf("%s is being applied already.", name)
	case run.Blocked:
		return fmt.Sprintf("%s: %s", name, p.Apply.Error)
	case run.Failed, run.Held, run.Interrupted, run.Canceled:
		return fmt.Sprintf("The last apply of %s is %s. Comment `plan` to see what is left to do, then `apply`.", name, p.Apply.Status)
	}
	return ""
}
