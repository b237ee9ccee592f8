package bot

import (
	"context"
	"strings"

	"github.com/tidelock/tidelock/bot/proposal"
	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/gate"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

// BasePolicy is what a repository says of its own policies, and the commit of
// the base branch that said so, which has its rules.
type BasePolicy struct {
	planner.PolicyConfig
	Commit string `json:"commit,omitempty"`
}

// IsZero reports whether it says nothing.
func (p BasePolicy) IsZero() bool { return p.PolicyConfig.IsZero() }

// facts are what the policies see beside the plan of a run, and what they are
// asked by, as the change was treated when it was planned.
func (b *Bot) facts(ctx context.Context, r run.Run) (proposal.Facts, error) {
	c, err := b.Runs.Change(ctx, b.DB, r.Change)
	if err != nil {
		return proposal.Facts{}, err
	}
	settings, err := settingsOf(c, b.Settings)
	if err != nil {
		return proposal.Facts{}, err
	}
	facts, err := b.factsOf(ctx, c, settings.Policy)
	facts.Actor = &policy.Actor{Kind: r.Actor.Kind, Login: r.Actor.Name}
	return facts, err
}

// factsOf are the facts about a change. What they are told of the pull is what
// GitHub said last.
func (b *Bot) factsOf(ctx context.Context, c run.Change, own BasePolicy) (proposal.Facts, error) {
	p, err := b.Runs.Pull(ctx, b.DB, c.Repo, c.Pull)
	if err != nil {
		return proposal.Facts{}, err
	}
	repo, err := b.Clients.Repo(ctx, b.DB, c.Repo)
	if err != nil {
		return proposal.Facts{}, err
	}
	client, err := b.Clients.Client(ctx, b.DB, c.Client)
	if err != nil {
		return proposal.Facts{}, err
	}
	src, err := b.source(ctx, repo)
	if err != nil {
		return proposal.Facts{}, err
	}
	f := proposal.Facts{Input: policy.Input{
		Pull: &policy.Pull{
			Repo: repo.FullName(), Number: p.Number, Title: p.Title, Author: p.Author, Labels: p.Labels, Draft: p.Draft,
			HeadRef: p.HeadRef, BaseRef: p.BaseRef, HeadSHA: p.HeadSHA,
		},
		Client: policy.Client{Slug: client.Slug, Name: client.Name},
		Change: &policy.Change{ID: c.ID, HeadSHA: c.HeadSHA, BaseSHA: base(c, p), Merged: c.MergeSHA != ""},
	}}
	f.Changed = once(func(ctx context.Context) ([]string, error) {
		return b.Checkout.Changed(ctx, src, base(c, p), c.HeadSHA)
	})
	f.Approvals = once(func(ctx context.Context) ([]string, error) {
		gh, err := b.installation(ctx, c.Client)
		if err != nil {
			return nil, err
		}
		known, err := b.gateFacts(ctx, gh, repo, p, b.actor, gate.Need{Reviews: true})
		if err != nil || known.Reviews == nil {
			return nil, err
		}
		var out []string
		for _, by := range known.Reviews.ApprovedBy {
			if !by.Bot {
				out = append(out, by.Login)
			}
		}
		return out, nil
	})
	read := map[string]map[string]string{} // by the patterns: projects mostly have the same rules
	f.Files = func(ctx context.Context, patterns []string) (map[string]string, error) {
		key := strings.Join(patterns, "\n")
		if files, ok := read[key]; ok {
			return files, nil
		}
		tree, err := b.Checkout.TreeFS(ctx, src, refs(c, p), c.Target())
		if err != nil {
			return nil, err
		}
		defer tree.Close()
		files, err := proposal.ReadFiles(ctx, tree, patterns)
		if err == nil {
			read[key] = files
		}
		return files, err
	}
	f.Repo, err = b.repoPolicy(ctx, src, []string{"refs/heads/" + p.BaseRef}, own)
	if errs.Is(err, errs.Invalid) || errs.Is(err, errs.TooLarge) || errs.Is(err, errs.NotFound) {
		f.Wrong, err = err, nil // trying again would give the same
	}
	return f, err
}

// once has a fact of a change found out once for all of its projects. It is not
// for several goroutines.
func once(find func(context.Context) ([]string, error)) func(context.Context) ([]string, error) {
	var known []string
	done := false
	return func(ctx context.Context) ([]string, error) {
		if done {
			return known, nil
		}
		var err error
		known, err = find(ctx)
		done = err == nil
		return known, err
	}
}

// repoPolicy reads a repository's own rules out of the commit that asked for
// them. A folder that is not there is errs.Invalid.
func (b *Bot) repoPolicy(ctx context.Context, src checkout.Source, refs []string, own BasePolicy) (policyset.RepoPolicy, error) {
	out := proposal.RepoPolicy(own.PolicyConfig)
	if len(own.Packs) == 0 {
		return out, nil
	}
	tree, err := b.Checkout.TreeFS(ctx, src, refs, own.Commit)
	if err != nil {
		return out, err
	}
	defer tree.Close()
	out.Packs, err = policyset.ReadRepoPacks(tree, own.Packs)
	return out, err
}

// policyNotes says what of the repository's own policies has no effect, and
// what is wrong with them, for the projects that are planned; and of the admin
// repository, that a change of it holds once it is merged.
func (b *Bot) policyNotes(ctx context.Context, c run.Change, own BasePolicy, found proposal.Found, paths []string) ([]planner.Problem, error) {
	facts, err := b.factsOf(ctx, c, own)
	if err != nil {
		return nil, err
	}
	var projects []planner.Project
	for _, w := range found.Wanted {
		projects = append(projects, w.Project)
	}
	out := proposal.PolicyNotes(ctx, b.Policies, facts, projects)
	if strings.EqualFold(b.Policies.AdminRepo(), facts.Pull.Repo) {
		out = append(out, b.Policies.ChangesAdmin(ctx, paths)...)
	}
	return out, nil
}
