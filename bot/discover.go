package bot

import (
	"context"
	"errors"

	"github.com/tidelock/tidelock/bot/proposal"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

// discovered is what a change touches.
type discovered struct {
	proposal.Found
	touched  bool // Wanted has all that the change touches
	settings Settings
	standing map[run.Key]run.Run // earlier plans that are as good as new ones
	gated    string              // why nothing is planned now; "" when it is
}

// discover finds the projects that the change touches, or, where a filter
// names some, those, touched or not. It reads the commit out of the mirror, and
// makes no work tree. The first plan of a change has both: what it leaves out
// nobody would plan later.
func (b *Bot) discover(ctx context.Context, c run.Change, job planJob) (discovered, error) {
	var out discovered
	p, err := b.Runs.Pull(ctx, b.DB, c.Repo, c.Pull)
	if err != nil {
		return out, err
	}
	repo, err := b.Clients.Repo(ctx, b.DB, c.Repo)
	if err != nil {
		return out, err
	}
	src, err := b.source(ctx, repo)
	if err != nil {
		return out, err
	}
	root, err := b.Checkout.TreeFS(ctx, src, refs(c, p), c.Target()) // no link leads out of it
	if err != nil {
		return out, err
	}
	defer func() { root.Close() }()
	cfg, left, err := b.repoConfig(ctx, src, p) // which the fetch for the tree has brought
	if err != nil {
		return out, err
	}
	if cfg, err = b.consented(ctx, src, repo, p, cfg); err != nil {
		return out, err
	}
	if src, err = b.withSubmodules(ctx, repo, p, src, cfg); err != nil {
		return out, err
	}
	if src.Submodules != nil {
		whole, err := b.Checkout.TreeFS(ctx, src, refs(c, p), c.Target())
		if err != nil {
			return out, err
		}
		root.Close()
		root = whole
	}
	out.settings = b.Settings.With(cfg)
	changed, err := b.Checkout.Changed(ctx, src, base(c, p), c.HeadSHA)
	if err != nil {
		return out, err
	}
	out.touched = job.Filter.Empty() || c.Status == run.Pending
	var unknown error
	out.Found, err = proposal.Find(proposal.Change{
		Head: root, Paths: changed, Commit: c.Target(), Config: cfg, Left: left,
		Base: func() (proposal.BaseFS, error) { return b.Checkout.TreeFS(ctx, src, refs(c, p), base(c, p)) },
		HasState: func(dir string) bool {
			has, err := b.hasState(ctx, repo, planner.Project{Dir: dir, Workspace: planner.DefaultWorkspace})
			unknown = errors.Join(unknown, err)
			return has
		},
	}, proposal.Ask{Touched: out.touched, Filter: job.Filter, Options: job.Options, Asked: job.Asked})
	if err = errors.Join(err, unknown); err != nil {
		return out, err
	}
	notes, err := b.policyNotes(ctx, c, out.settings.Policy, out.Found, changed)
	if err != nil {
		return out, err
	}
	out.Gone = append(append(b.Settings.Loosened(cfg), notes...), out.Gone...)
	return out, nil
}
