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
// findings and advice stand nowhere: the plan counts all the same.
func (b *Bot) settle(ctx context.Context, r *run.Run, result tfrun.Result, plan *tfplan.Plan, facts proposal.Facts) {
	e := proposal.Evidence{Scans: result.Scans, Raise: b.reader().Raise(ctx, r.Project, facts)}
	advised := r.Estimate != nil && len(r.Estimate.Advice) > 0
	if len(r.Report.Findings)+len(result.Scans) > 0 || advised {
		tree, err := b.commitTree(ctx, *r)
		if err == nil {
			defer tree.Close()
			e.Tree = tree
		} else {
			b.Log.Warn("findings can't be placed in the code", keyRun, r.ID, "error", err)
		}
	}
	if advised && e.Tree != nil {
		done, err := b.compared(ctx, *r, facts, &e)
		if err == nil {
			defer done()
		} else {
			b.Log.Warn("advice can't be compared with the base", keyRun, r.ID, "error", err)
		}
	}
	b.reader().Settle(r, plan, e)
}

// compared fills in what the run's commit is compared with.
func (b *Bot) compared(ctx context.Context, r run.Run, facts proposal.Facts, e *proposal.Evidence) (done func() error, err error) {
	if facts.Changed != nil {
		if e.Changed, err = facts.Changed(ctx); err != nil {
			return nil, err
		}
	}
	tree, err := b.treeAt(ctx, r, base)
	if err != nil {
		return nil, err
	}
	e.Base = tree
	return tree.Close, nil
}

// commitTree is the tree of the commit that the run is of.
func (b *Bot) commitTree(ctx context.Context, r run.Run) (*checkout.TreeFS, error) {
	return b.treeAt(ctx, r, func(run.Change, run.Pull) string { return r.Commit })
}

func (b *Bot) treeAt(ctx context.Context, r run.Run, sha func(run.Change, run.Pull) string) (*checkout.TreeFS, error) {
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
	return b.Checkout.TreeFS(ctx, src, refs(c, p), sha(c, p))
}
