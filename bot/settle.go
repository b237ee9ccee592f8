package bot

import (
	"context"

	"github.com/tidelock/tidelock/bot/proposal"
	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfplan"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// settle completes the run's report. Where the commit can't be had any more,
// findings stand nowhere: the plan counts all the same.
func (b *Bot) settle(ctx context.Context, r *run.Run, result tfrun.Result, plan *tfplan.Plan, facts proposal.Facts) {
	e := proposal.Evidence{Scans: result.Scans, Raise: b.reader().Raise(ctx, r.Project, facts)}
	if len(r.Report.Findings)+len(result.Scans) > 0 {
		tree, err := b.commitTree(ctx, *r)
		if err == nil {
			defer tree.Close()
			e.Tree = tree
		} else {
			b.Log.Warn("findings can't be placed in the code", keyRun, r.ID, "error", err)
		}
	}
	b.reader().Settle(r, plan, e)
}

// commitTree is the tree of the commit that the run is of.
func (b *Bot) commitTree(ctx context.Context, r run.Run) (*checkout.TreeFS, error) {
	c, err := b.Runs.Change(ctx, b.DB, r.Change)
	if err != nil {
		return nil, err
	}
	p := tipPull(c.Repo, c.Branch)
	if c.Branch == "" {
		if p, err = b.Runs.Pull(ctx, b.DB, c.Repo, c.Pull); err != nil {
			return nil, err
		}
	}
	repo, err := b.Clients.Repo(ctx, b.DB, c.Repo)
	if err != nil {
		return nil, err
	}
	src, err := b.treeSource(ctx, repo, p)
	if err != nil {
		return nil, err
	}
	return b.Checkout.TreeFS(ctx, src, refs(c, p), r.Commit)
}
