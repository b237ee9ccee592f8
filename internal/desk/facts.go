package desk

import (
	"context"
	"io/fs"
	"strings"

	"github.com/tidelock/tidelock/bot/proposal"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/planner"
)

// factsOf are what plans are judged by here, as far as a desk knows: nobody has
// approved anything yet, and who asks is whoever sits there. config is the tree
// that says how the repository is treated.
func (d *desk) factsOf(c proposal.Change, config, head fs.FS) proposal.Facts {
	v := d.out.View
	f := proposal.Facts{Input: policy.Input{
		Pull: &policy.Pull{
			Repo: strings.Trim(v.Repo.FullName(), "/"), Title: v.Pull.Title, Labels: v.Pull.Labels,
			HeadRef: v.Pull.HeadRef, BaseRef: v.Pull.BaseRef, HeadSHA: v.Pull.HeadSHA,
		},
		Change: &policy.Change{HeadSHA: v.Change.HeadSHA, BaseSHA: v.Change.BaseSHA},
		Actor:  &policy.Actor{Kind: access.User},
	}}
	paths := c.Paths
	f.Changed = func(context.Context) ([]string, error) { return paths, nil }
	f.Files = func(ctx context.Context, patterns []string) (map[string]string, error) {
		return proposal.ReadFiles(ctx, head, patterns)
	}
	f.Repo = proposal.RepoPolicy(c.Config.Policy)
	f.Repo.Packs, f.Wrong = policyset.ReadRepoPacks(config, c.Config.Policy.Packs)
	return f
}

// policyNotes says what of the repository's own policies has no effect.
func (d *desk) policyNotes(ctx context.Context, found proposal.Found) []planner.Problem {
	var projects []planner.Project
	for _, w := range found.Wanted {
		projects = append(projects, w.Project)
	}
	return proposal.PolicyNotes(ctx, d.Reader.Policies, d.facts, projects)
}
