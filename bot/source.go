package bot

import (
	"context"
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/internal/atlantis"
	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

// source is where the repository's commits come from.
func (b *Bot) source(ctx context.Context, repo clients.Repo) (checkout.Source, error) {
	gh, err := b.installation(ctx, repo.ClientID)
	if err != nil {
		return checkout.Source{}, err
	}
	return checkout.Source{RepoID: repo.ID, URL: repo.CloneURL, Auth: gh.GitAuth(repo.ID)}, nil
}

// refs are what a change's commits are reachable from.
func refs(c run.Change, p run.Pull) []string {
	if c.GroupRef != "" {
		return []string{"refs/heads/" + p.BaseRef, "refs/heads/" + strings.TrimPrefix(c.GroupRef, "refs/heads/")}
	}
	if c.Branch != "" {
		return []string{"refs/heads/" + c.Branch}
	}
	return []string{"refs/heads/" + p.BaseRef, fmt.Sprintf("refs/pull/%d/head", p.Number)}
}

// base is the commit that the change's files are compared with.
func base(c run.Change, p run.Pull) string {
	if c.GroupRef != "" {
		return c.BaseSHA
	}
	return p.BaseSHA
}

// repoConfig reads the repository's own settings where the pull's base branch
// is now: what the head says about them judges nobody, and what they were when
// the pull was opened may have been tightened since. A repository that has
// only Atlantis' file is read by that. The notes are what could not be carried
// over from it.
func (b *Bot) repoConfig(ctx context.Context, src checkout.Source, p run.Pull) (planner.RepoConfig, []planner.Problem, error) {
	base, err := b.Checkout.Tip(ctx, src, p.BaseRef)
	if errs.Is(err, errs.NotFound) {
		base, err = p.BaseSHA, nil // the branch is gone
	}
	if err != nil {
		return planner.RepoConfig{}, nil, err
	}
	text, err := b.Checkout.File(ctx, src, base, planner.ConfigFile)
	if err == nil {
		cfg, err := planner.ParseConfig(text, planner.ConfigFile)
		cfg.Commit = base
		return cfg, nil, err
	}
	if !errs.Is(err, errs.NotFound) {
		return planner.RepoConfig{}, nil, err
	}
	text, err = b.Checkout.File(ctx, src, base, atlantis.File)
	if errs.Is(err, errs.NotFound) {
		return planner.DefaultRepoConfig(), nil, nil
	}
	if err != nil {
		return planner.RepoConfig{}, nil, err
	}
	return atlantis.Read(text, atlantis.File)
}

// settings returns how the pull is treated. An invalid configuration file
// gives the server's settings and errs.Invalid.
func (b *Bot) settings(ctx context.Context, repo clients.Repo, p run.Pull) (Settings, error) {
	src, err := b.source(ctx, repo)
	if err != nil {
		return b.Settings, err
	}
	cfg, _, err := b.repoConfig(ctx, src, p)
	if err != nil {
		return b.Settings, err
	}
	return b.Settings.With(cfg), nil
}

// checkoutTree makes a folder the tree of a change's commit.
func (b *Bot) checkoutTree(ctx context.Context, change, sha, dir string) error {
	c, err := b.Runs.Change(ctx, b.DB, change)
	if err != nil {
		return err
	}
	p := tipPull(c.Repo, c.Branch)
	if c.Branch == "" {
		if p, err = b.Runs.Pull(ctx, b.DB, c.Repo, c.Pull); err != nil {
			return err
		}
	}
	repo, err := b.Clients.Repo(ctx, b.DB, c.Repo)
	if err != nil {
		return err
	}
	src, err := b.treeSource(ctx, repo, p)
	if err != nil {
		return err
	}
	_, err = b.Checkout.Update(ctx, src, refs(c, p), sha, dir, nil)
	return err
}
