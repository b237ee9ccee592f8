package bot

import (
	"context"

	"github.com/tidelock/tidelock/internal/budget"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/run"
)

// What the ledger of costs is told, each in the transaction of what it records.

func subjectOf(r run.Run) budget.Subject {
	return budget.Subject{
		Key:    budget.Key{Repo: r.Repo, Dir: r.Project.Dir, Workspace: r.Project.Workspace},
		Client: r.Client, Change: r.Change, Pull: r.Pull, Project: r.Project.Name,
	}
}

// ledgerPlanned writes down what a plan that ended well estimates. of is the
// plan itself, or the earlier one that stands for it. Plans of a merge queue's
// branch and comparisons with the world change nothing.
func (b *Bot) ledgerPlanned(ctx context.Context, tx *db.Tx, r, of run.Run, c run.Change) error {
	if b.Budget == nil || r.Kind != run.Plan || r.Pull == 0 || c.GroupRef != "" {
		return nil
	}
	return b.Budget.Planned(ctx, tx, budget.Plan{
		Subject: subjectOf(r), Run: r.ID, Digest: of.PlanDigest, Partial: len(r.Options.Targets) > 0, Estimate: of.Estimate, At: b.Now(),
	})
}

// ledgerMerged writes down that a change was merged.
func (b *Bot) ledgerMerged(ctx context.Context, tx *db.Tx, c run.Change) error {
	if b.Budget == nil {
		return nil
	}
	if err := b.Budget.Merged(ctx, tx, c.ID, b.Now()); err != nil {
		return err
	}
	return b.alert(ctx, tx, c)
}

// ledgerEnd writes down how an apply ended. One of which it is known that it
// changed nothing leaves the ledger as it is.
func (a *application) ledgerEnd(ctx context.Context, tx *db.Tx, final run.Status) error {
	done := final == run.Applied
	if a.Budget == nil || a.run.Kind != run.Apply || !done && !a.touched {
		return nil
	}
	err := a.Budget.Applied(ctx, tx, budget.Apply{
		Subject: subjectOf(a.run), Run: a.run.ID, Plan: a.plan.ID, Digest: a.plan.PlanDigest,
		Done: done, Destroy: a.plan.Options.Destroy, Partial: len(a.plan.Options.Targets) > 0,
		Estimate: a.plan.Estimate, Planned: a.plan.Finished, At: a.Now(),
	})
	if err != nil {
		return err
	}
	return a.alert(ctx, tx, a.change)
}
