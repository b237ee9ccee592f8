package proposal

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// CostOptions are how a project's plan is priced: by the terms of its client,
// and by the usage files of the project and of the repository over what the
// client and the server say of usage. A usage file that can't be read is left
// out, and a note says so.
func (d Reader) CostOptions(ctx context.Context, facts Facts, p planner.Project) (cost.Options, error) {
	var o cost.Options
	if d.Terms != nil {
		var err error
		if o, err = d.Terms.Options(ctx, facts.Client.Slug); err != nil {
			return o, err
		}
	}
	if len(p.Usage) == 0 || facts.Files == nil {
		return o, nil
	}
	var patterns []string
	for _, name := range p.Usage {
		patterns = append(patterns, globQuote(name))
	}
	files, err := facts.Files(ctx, patterns)
	var later factError
	switch err := unknownFact(err); {
	case err == nil:
	case errors.As(err, &later):
		return o, err
	case errs.Is(err, errs.TooLarge):
		o.Notes = append(o.Notes, "The estimate is made without the repository's usage files, which are too large: "+strings.Join(p.Usage, ", ")+".")
		return o, nil
	default:
		o.Notes = append(o.Notes, "The estimate is made without the repository's usage files. "+errs.Sentence(err))
		return o, nil
	}
	var own *cost.Usage // of the repository, the project's before the root's
	for _, name := range p.Usage {
		text, there := files[name]
		if !there {
			continue
		}
		u, err := cost.ReadUsage(name, []byte(text))
		if err != nil {
			o.Notes = append(o.Notes, "The estimate is made without "+name+": "+errs.Sentence(err))
			continue
		}
		if path.Dir(name) == "." && p.Dir != "." {
			u = u.Shared()
		}
		own = own.Over(u)
	}
	o.Usage = own.Over(o.Usage)
	return o, nil
}

// ownUsage notes which of the usage files the change itself edits: it says then
// by what its cost, and what budgets make of that, is reckoned.
func ownUsage(ctx context.Context, facts Facts, p planner.Project) (string, error) {
	if len(p.Usage) == 0 || facts.Changed == nil {
		return "", nil
	}
	changed, err := facts.Changed(ctx)
	var later factError
	if err = unknownFact(err); errors.As(err, &later) {
		return "", err
	} else if err != nil {
		return "", nil // what judges the change says that it can't be read
	}
	var own []string
	for _, name := range p.Usage {
		if slices.Contains(changed, name) {
			own = append(own, name)
		}
	}
	if len(own) == 0 {
		return "", nil
	}
	return "This pull request edits " + strings.Join(own, " and ") + ", by which the figures here are reckoned and budgets judge it: read that too.", nil
}
