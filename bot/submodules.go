package bot

import (
	"context"
	"strings"

	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

// Submodules is what the server allows of Git submodules. The zero value allows
// none.
type Submodules struct {
	Allowed bool
	Hosts   []string // besides the one that a repository is on
}

// withSubmodules returns the source so that the repository's submodules are
// fetched, where both the server and cfg, the configuration on the pull's base
// branch, want that.
func (b *Bot) withSubmodules(ctx context.Context, repo clients.Repo, p run.Pull, src checkout.Source, cfg planner.RepoConfig) (checkout.Source, error) {
	if !b.Submodules.Allowed || !cfg.Submodules {
		return src, nil
	}
	named, err := b.namedOnBase(ctx, p, src)
	if err != nil {
		return src, err
	}
	src.Submodules = &checkout.Submodules{
		Hosts: b.Submodules.Hosts, Scope: repo.ClientID,
		Own: func(ctx context.Context, owner, name string) (checkout.Source, bool, error) {
			// The address is the pull request's choice. What the App may read, its
			// author may not be allowed to: only what somebody has merged counts.
			if !named(owner, name) {
				return checkout.Source{}, false, nil
			}
			all, err := b.Clients.Repos(ctx, b.DB, repo.ClientID)
			if err != nil {
				return checkout.Source{}, false, err
			}
			for _, r := range all {
				if r.Status == clients.Active && strings.EqualFold(r.Owner, owner) && strings.EqualFold(r.Name, name) {
					own, err := b.source(ctx, r)
					return own, true, err
				}
			}
			return checkout.Source{}, false, nil
		},
	}
	return src, nil
}

// namedOnBase returns whether .gitmodules, where the pull's base branch is now,
// names a repository on the repository's own host.
func (b *Bot) namedOnBase(ctx context.Context, p run.Pull, src checkout.Source) (func(owner, name string) bool, error) {
	base, err := b.Checkout.Tip(ctx, src, p.BaseRef)
	if errs.Is(err, errs.NotFound) {
		base, err = p.BaseSHA, nil // the branch is gone
	}
	if err != nil {
		return nil, err
	}
	text, err := b.Checkout.File(ctx, src, base, checkout.ModulesFile)
	if err != nil && !errs.Is(err, errs.NotFound) && !errs.Is(err, errs.Invalid) {
		return nil, err
	}
	names := checkout.SubmoduleNames(src, string(text))
	return func(owner, name string) bool { return names[strings.ToLower(owner+"/"+name)] }, nil
}

// treeSource is source, with the submodules that the change's trees have.
func (b *Bot) treeSource(ctx context.Context, repo clients.Repo, p run.Pull) (checkout.Source, error) {
	src, err := b.source(ctx, repo)
	if err != nil || !b.Submodules.Allowed {
		return src, err
	}
	cfg, _, err := b.repoConfig(ctx, src, p)
	if err != nil {
		return src, err
	}
	return b.withSubmodules(ctx, repo, p, src, cfg)
}
