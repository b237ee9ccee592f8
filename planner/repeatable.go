package planner

import "slices"

// Repeatable reports whether a project's plan is the same wherever its inputs
// (see InputsDigest) and its state are. It is not where a hook runs before the
// plan, which may ask anything of anybody, nor where one is a scanner, which may
// have learned of something since; where a secret shapes it, whose value
// may have changed; and with Terragrunt, which reads other units' states.
func (p Project) Repeatable() bool {
	return p.Kind == "" && len(p.Secrets.Of(PhasePlan)) == 0 && !slices.ContainsFunc(p.Hooks, func(h Hook) bool {
		return h.Scans() || h.At(BeforePlan, PhasePlan) || h.At(BeforeInit, PhasePlan) || h.At(AfterInit, PhasePlan)
	})
}
