package comment

import (
	"fmt"

	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/run"
)

// GroupCheck passes if every plan of the merge queue's commit does what was
// reviewed, or nothing. Pure.
func GroupCheck(v View, reviewed []run.Pair) github.Check {
	const title = "What the merge queue built"
	switch v.Change.Status {
	case run.Pending:
		return v.check(PlanCheck, queuedUp, "", title+" waits to be planned", "")
	case run.Empty:
		return v.check(PlanCheck, completed, success, title+" touches no project", "")
	case run.Unplannable:
		k := v.check(PlanCheck, completed, failure, title+" can't be planned", "")
		k.Summary = markdown.Fenced("", markdown.Cut(v.Change.Reason, maxCheckText))
		return k
	case run.Closed, run.Outdated:
		return v.check(PlanCheck, completed, cancelled, "The merge queue gave this up", "")
	}
	digests := map[run.Key]string{}
	for _, p := range reviewed {
		if p.Plan.Status == run.Planned {
			digests[p.Plan.Key()] = p.Plan.PlanDigest
		}
	}
	text := ""
	for _, p := range v.Pairs {
		switch r := p.Plan; {
		case !r.Status.Finished() && r.Status != run.Deferred:
			return v.check(PlanCheck, inProgress, "", title+" is being planned", "")
		case r.Status == run.Deferred, r.NoChanges():
		case r.Status != run.Planned:
			text += fmt.Sprintf("%s: the plan failed.\n\n%s\n\n", markdown.Code(r.Project.Name), markdown.Fenced("", markdown.Cut(r.Error, maxShortError)))
		case digests[r.Key()] == "":
			text += fmt.Sprintf("%s: its plan was never shown in #%d.\n\n%s\n\n", markdown.Code(r.Project.Name), v.Change.Pull, markdown.Fenced("diff", excerpt(r.Diff)))
		case digests[r.Key()] != r.PlanDigest:
			text += fmt.Sprintf("%s: after what is ahead in the queue, its plan does something else than the one that was reviewed.\n\n%s\n\n", markdown.Code(r.Project.Name), markdown.Fenced("diff", excerpt(r.Diff)))
		}
	}
	if text == "" {
		if over := closedBudgets(v); len(over) > 0 {
			k := v.check(PlanCheck, completed, failure, "Over budget", budgetLines(v))
			k.Summary = "Have " + BudgetOwners(over[0].Owners) + " comment `approve-cost` in the pull request, or make it cheaper, and queue it again."
			return k
		}
		return v.check(PlanCheck, completed, success, "Merging does what was reviewed", "")
	}
	k := v.check(PlanCheck, completed, failure, "Merging would not do what was reviewed", markdown.Cut(text, maxCheckText))
	k.Summary = "Update the branch from the base branch, look at the new plan, and queue it again."
	return k
}
