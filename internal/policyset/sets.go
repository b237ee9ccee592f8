package policyset

import (
	"context"

	"github.com/tidelock/tidelock/internal/policy"
)

// Options say what judges where nothing more special does.
type Options struct {
	// Overrides stand below all that scopes say.
	Overrides policy.Overrides
	// Owners of all packs that no scope gives others.
	Owners policy.Owners
}

// Sets knows what judges each project. It is safe for concurrent use.
type Sets struct {
	options Options
	engine  *policy.Engine
}

// New compiles what every project is judged by. What is wrong with that is
// errs.Invalid.
func New(o Options) (*Sets, error) {
	engine, err := policy.New(policy.Options{Overrides: o.Overrides})
	if err != nil {
		return nil, err
	}
	return &Sets{options: o, engine: engine}, nil
}

// For returns what judges the project. repo is what its repository says at the
// base. An error means that what should judge can't be had: the plan must then
// be held to be judged by policy.Unjudged.
func (s *Sets) For(ctx context.Context, t Target, repo RepoPolicy) (Judging, error) {
	return Judging{Engine: s.engine, Owners: map[string]policy.Owners{"": s.options.Owners}}, nil
}
