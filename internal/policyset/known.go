package policyset

import (
	"cmp"
	"context"
	"slices"

	"github.com/tidelock/tidelock/internal/policy"
)

// Known returns every rule that judges some project of the server, by ID: the
// bundled ones and those of all packs that can be had, with the levels that
// hold where no scope says otherwise. Repositories' own rules are theirs, and
// not among them.
func (s *Sets) Known(ctx context.Context) ([]policy.Rule, error) {
	rules := s.engines.base.Rules()
	admin, err := s.administration(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range s.all(admin) {
		got, err := s.contentOf(ctx, p, admin)
		if err != nil {
			continue // States tells what is wrong with it
		}
		engine, err := s.engines.of(ctx, []part{{Pack: packOf(p, got), digest: got.digest}})
		if err != nil {
			continue
		}
		for _, r := range engine.Rules() {
			if r.Pack == p.pack.Name {
				rules = append(rules, r)
			}
		}
	}
	if everywhere, err := s.For(ctx, Target{Dir: "."}, RepoPolicy{}); err == nil {
		levels, err := everywhere.Engine.Levels(everywhere.Overrides)
		if err != nil {
			return nil, err
		}
		for i := range rules {
			rules[i].Level = cmp.Or(levels[rules[i].ID], rules[i].Level)
		}
	}
	slices.SortFunc(rules, func(a, b policy.Rule) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(rules, func(a, b policy.Rule) bool { return a.ID == b.ID }), nil
}
