package bot

import (
	"context"
	"fmt"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/run"
)

// planGroup plans what a merge queue built of the base branch, the pulls ahead
// and this one. It takes no lock and has no comment: all that the queue wants
// to know is whether merging would do what was reviewed.
func (b *Bot) planGroup(ctx context.Context, tx *db.Tx, in PlanGroup, actor access.Actor) error {
	if err := b.Runs.SavePull(ctx, tx, in.Pull); err != nil {
		return err
	}
	opened, err := b.Runs.OpenGroup(ctx, tx, in.Pull, in.Ref, in.Head, in.Base, actor)
	if err != nil || !opened.Created {
		return err
	}
	if err := b.Queue.Enqueue(ctx, tx, planJob{Change: opened.Change.ID, Actor: actor}, queue.For(in.Pull.Client)); err != nil {
		return err
	}
	return b.tell(ctx, tx, opened.Change.ID, true)
}

// postGroup tells the queue, by the check that it waits for.
func (b *Bot) postGroup(ctx context.Context, c run.Change) error {
	v, err := b.view(ctx, c)
	if err != nil {
		return err
	}
	reviewed, err := b.reviewedPairs(ctx, v.Pull)
	if err != nil {
		return err
	}
	gh, err := b.installation(ctx, c.Client)
	if err != nil {
		return err
	}
	shown, err := b.Runs.Checks(ctx, b.DB, c.ID)
	if err != nil {
		return err
	}
	k := groupCheck(v, reviewed)
	return b.postCheck(ctx, gh, c, k, shown[k.Name])
}

// reviewedPairs returns what was offered for review of the pull itself.
func (b *Bot) reviewedPairs(ctx context.Context, p run.Pull) ([]run.Pair, error) {
	c, err := b.Runs.ChangeAt(ctx, b.DB, p.Repo, p.Number, p.HeadSHA)
	if errs.Is(err, errs.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	runs, err := b.Runs.Runs(ctx, b.DB, c.ID)
	return run.Pairs(runs), err
}

// groupCheck passes if every plan of the merge queue's commit does what was
// reviewed, or nothing. Pure.
func groupCheck(v View, reviewed []run.Pair) github.Check {
	const title = "What the merge queue built"
	switch v.Change.Status {
	case run.Pending:
		return v.check(PlanCheck, queuedUp, "", title+" waits to be planned", "")
	case run.Empty:
		return v.check(PlanCheck, completed, success, title+" touches no project", "")
	case run.Unplannable:
		k := v.check(PlanCheck, completed, failure, title+" can't be planned", "")
		k.Summary = fenced("", cut(v.Change.Reason, maxCheckText))
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
			text += fmt.Sprintf("%s: the plan failed.\n\n%s\n\n", code(r.Project.Name), fenced("", cut(r.Error, maxShortError)))
		case digests[r.Key()] == "":
			text += fmt.Sprintf("%s: its plan was never shown in #%d.\n\n%s\n\n", code(r.Project.Name), v.Change.Pull, fenced("diff", excerpt(r.Diff)))
		case digests[r.Key()] != r.PlanDigest:
			text += fmt.Sprintf("%s: after what is ahead in the queue, its plan does something else than the one that was reviewed.\n\n%s\n\n", code(r.Project.Name), fenced("diff", excerpt(r.Diff)))
		}
	}
	if text == "" {
		return v.check(PlanCheck, completed, success, "Merging does what was reviewed", "")
	}
	k := v.check(PlanCheck, completed, failure, "Merging would not do what was reviewed", cut(text, maxCheckText))
	k.Summary = "Update the branch from the base branch, look at the new plan, and queue it again."
	return k
}
