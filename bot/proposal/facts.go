package proposal

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/planner"
)

// Facts are what a plan is judged by beside itself.
type Facts struct {
	policy.Input // what rules see but the plan, the project, the cost, the state and what is asked for below
	// Repo is what the repository says of its own policies at the base.
	Repo policyset.RepoPolicy
	// Wrong is why that could not be read: nothing can be judged then.
	Wrong error
	// What follows costs something to find out, and is asked for only where
	// some rule looks at it. nil finds out nothing.
	Changed   func(context.Context) ([]string, error)                                 // paths that differ from the base
	Approvals func(context.Context) ([]string, error)                                 // logins of those whose approval of the head counts
	Files     func(ctx context.Context, patterns []string) (map[string]string, error) // of the head: see ReadFiles
}

// Target is the project that the facts and the run are about.
func (f Facts) Target(p planner.Project) policyset.Target {
	t := policyset.Target{Client: f.Client.Slug, Project: p.Name, Dir: p.Dir, Workspace: p.Workspace}
	if f.Pull != nil {
		t.Repo = f.Pull.Repo
	}
	return t
}

// ask returns what judges the project, and fills in what its rules look at.
func (f *Facts) ask(ctx context.Context, sets *policyset.Sets, p planner.Project) (policyset.Judging, error) {
	if f.Wrong != nil {
		return policyset.Judging{}, f.Wrong
	}
	judging, err := sets.For(ctx, f.Target(p), f.Repo)
	if err != nil {
		return judging, err
	}
	f.Project = policy.Project{Name: p.Name, Dir: p.Dir, Workspace: p.Workspace, Environment: judging.Environment}
	f.Overrides = judging.Overrides
	e := judging.Engine
	if f.Input.Change != nil && f.Changed != nil && e.Asks("change.files") {
		c := *f.Input.Change
		if c.Files, err = f.Changed(ctx); err != nil {
			return judging, unknownFact(err)
		}
		f.Input.Change = &c
	}
	if f.Pull != nil && f.Approvals != nil && e.Asks("pull.approvals") {
		p := *f.Pull
		if p.Approvals, err = f.Approvals(ctx); err != nil {
			return judging, unknownFact(err)
		}
		f.Pull = &p
	}
	if patterns := e.Files(); len(patterns) > 0 && f.Files != nil {
		if f.Input.Files, err = f.Files(ctx, patterns); err != nil {
			return judging, unknownFact(err)
		}
	}
	return judging, nil
}

// factError is of a fact that can't be found out now, and may be later: the
// plan is then judged later.
type factError struct{ error }

func (e factError) Unwrap() error { return e.error }

func unknownFact(err error) error {
	if err == nil {
		return nil
	}
	switch errs.KindOf(err) {
	case errs.Invalid, errs.TooLarge, errs.Forbidden, errs.NotFound:
		return err // trying again would give the same
	}
	return factError{err}
}

// Told is a text of what judges the project and of what its rules are told
// beside the plan and what follows from it: where it is the same, the same plan
// is judged in the same way.
func (f Facts) Told(ctx context.Context, sets *policyset.Sets, p planner.Project) (string, error) {
	judging, err := f.ask(ctx, sets, p)
	if err != nil {
		return "", err
	}
	told := []any{judging.Version()}
	pick := func(fact string, value any) {
		if judging.Engine.Asks(fact) {
			told = append(told, fact, value)
		}
	}
	if q := f.Pull; q != nil {
		pick("pull.head_sha", q.HeadSHA)
		pick("pull.approvals", q.Approvals)
	}
	if c := f.Input.Change; c != nil {
		pick("change.id", c.ID)
		pick("change.head_sha", c.HeadSHA)
		pick("change.base_sha", c.BaseSHA)
		pick("change.merged", c.Merged)
		pick("change.files", c.Files)
	}
	pick("actor", f.Actor)
	if len(f.Input.Files) > 0 {
		told = append(told, f.Input.Files)
	}
	raw, err := json.Marshal(told)
	return string(raw), err
}

// judge asks what judges the project about its plan.
func (d Reader) judge(ctx context.Context, facts Facts, p planner.Project) (policy.Report, error) {
	judging, err := facts.ask(ctx, d.Policies, p)
	if err != nil {
		return policy.Report{}, err
	}
	report, err := judging.Engine.Judge(ctx, facts.Input)
	report.Owners = judging.Owners
	if judging.Engine.Asks(policy.AsksApprovals) {
		report.Asks = append(report.Asks, policy.AsksApprovals)
	}
	return report, err
}

// costOf is what rules see of an estimate.
func costOf(e cost.Estimate) *policy.Cost {
	c := &policy.Cost{Currency: e.Currency, Before: number(&e.Before), After: number(&e.After), Delta: number(&e.Delta), Known: !e.AtLeast, Resources: []policy.CostOfResource{}}
	for _, r := range e.Resources {
		if r.Before == nil && r.After == nil {
			continue // nothing of it is priced
		}
		c.Resources = append(c.Resources, policy.CostOfResource{Address: r.Address, Type: r.Type, Before: number(r.Before), After: number(r.After)})
	}
	return c
}

func number(d *decimal.Decimal) json.Number {
	if d == nil {
		return "0"
	}
	return json.Number(d.String())
}

// Bounds of what rules may ask of a repository's files.
const (
	maxFiles = 500
	maxBytes = 4 << 20 // of all together
)

// ReadFiles reads the files of a tree that rules ask for: those that fit one of
// the patterns, by their path. More than is sensible is errs.TooLarge.
func ReadFiles(ctx context.Context, tree fs.FS, patterns []string) (map[string]string, error) {
	out, size := map[string]string{}, int64(0)
	tooMany := errs.New(errs.TooLarge, "Rules ask for more of the repository's files than the %d, or the %d MB, that they can be given.", maxFiles, maxBytes>>20)
	for _, pattern := range patterns {
		err := doublestar.GlobWalk(tree, pattern, func(name string, d fs.DirEntry) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if _, there := out[name]; there || !d.Type().IsRegular() {
				return nil
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			if size += info.Size(); size > maxBytes || len(out) >= maxFiles {
				return tooMany
			}
			text, err := fs.ReadFile(tree, name)
			out[name] = string(text)
			return err
		}, doublestar.WithNoFollow())
		if errors.Is(err, doublestar.ErrBadPattern) {
			err = errs.Wrap(errs.Invalid, err, "A rule asks for files by %q, which is no pattern.", pattern)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// PolicyNotes says what the change does to what judges it, and what of the
// repository's wishes has no effect for the wanted projects.
func PolicyNotes(ctx context.Context, sets *policyset.Sets, facts Facts, projects []planner.Project) []planner.Problem {
	if facts.Wrong != nil {
		return []planner.Problem{{Path: planner.ConfigFile, Message: errs.Sentence(facts.Wrong) + " Nothing can be judged, and so nothing applied, until that is mended."}}
	}
	var out []planner.Problem
	var told []string
	for _, p := range projects {
		judging, err := sets.For(ctx, facts.Target(p), facts.Repo)
		if err != nil {
			continue // the report of its plan says so
		}
		for _, note := range judging.Notes {
			if !slices.Contains(told, note) {
				told = append(told, note)
				out = append(out, planner.Problem{Path: planner.ConfigFile, Message: note})
			}
		}
	}
	return out
}

// RepoPolicy is what a repository says of its policies, its rules apart.
func RepoPolicy(c planner.PolicyConfig) policyset.RepoPolicy {
	out := policyset.RepoPolicy{File: planner.ConfigFile, Settings: policy.Settings(c.Settings), Levels: map[string]policy.Level{}}
	for rule, level := range c.Levels {
		out.Levels[rule] = policy.Level(level)
	}
	return out
}
