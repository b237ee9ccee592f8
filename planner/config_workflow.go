package planner

import (
	"maps"
	"slices"
	"time"
)

// hook reads one hook block.
func (r *configReader) hook(h hclHook) Hook {
	line := h.Range.Start.Line
	out := Hook{When: h.When, Run: h.Run, Phase: h.Phase, Env: h.Env, MultiEnv: h.MultiEnv, Sensitive: h.Sensitive, SARIF: h.SARIF, Levels: h.Levels, FindingsExit: h.FindingsExit}
	if !slices.Contains(HookMoments(), h.When) {
		r.say(line, "A hook runs at %s, not at %q.%s", orList(HookMoments()), short(h.When), r.guess(h.When, HookMoments()))
	}
	if problem := hookProblem(h.Run); problem != "" {
		r.say(line, "%s", problem)
	}
	if h.Timeout != "" {
		d, err := time.ParseDuration(h.Timeout)
		if err != nil || d < time.Second {
			r.say(line, "timeout is %q; it is a duration of at least a second, such as \"90s\" or \"5m\".", short(h.Timeout))
		} else {
			out.Timeout = d
		}
	}
	if problem := out.problem(); problem != "" {
		r.say(line, "%s", problem)
	}
	return out
}

// workflow reads what a project says of how its code is made and of what its
// runs are given.
func (r *configReader) workflow(p hclProject, pc *ProjectConfig, at func(attribute string) int) {
	pc.Kind = p.Kind
	switch {
	case p.Kind == "" || p.Kind == "terraform":
	case p.Kind != KindTerragrunt:
		r.say(at("kind"), "kind is %q; it can be \"terraform\" or %q.%s", short(p.Kind), KindTerragrunt, r.guess(p.Kind, []string{"terraform", KindTerragrunt}))
	case pc.Workspace != DefaultWorkspace:
		r.say(at("kind"), "A Terragrunt unit has no workspaces here: the unit's directory is what tells one environment from another.")
	case p.SourceDir != "":
		r.say(at("source_dir"), "source_dir is for code that hooks make; a Terragrunt unit's code is Terragrunt's to lay out.")
	}
	if p.SourceDir != "" {
		dir, err := InRepo(".", p.SourceDir)
		switch {
		case err != nil:
			r.say(at("source_dir"), "The source_dir %q %s.", short(p.SourceDir), err)
		case !slices.ContainsFunc(pc.Hooks, func(h Hook) bool { return h.At(BeforeInit, PhasePlan) || h.When == BeforePlan }):
			r.say(at("source_dir"), "source_dir needs a hook that makes the code: one at before_init runs before plans and applies.")
		default:
			pc.SourceDir = dir
		}
	}
	for _, list := range []struct {
		name  string
		given map[string]string
		to    *map[string]string
	}{{"secrets", p.Secrets, &pc.Secrets.Both}, {"plan_secrets", p.PlanSecrets, &pc.Secrets.Plan}, {"apply_secrets", p.ApplySecrets, &pc.Secrets.Apply}} {
		for _, variable := range slices.Sorted(maps.Keys(list.given)) {
			name := list.given[variable]
			if problem := GivenEnvProblem(variable, ""); problem != "" {
				r.say(at(list.name), "The variable %q %s", short(variable), problem)
			}
			if !ValidSecretName(name) {
				r.say(at(list.name), "The secret %q can have letters, digits, and . _ / - only. It is the name that the server has for it, and never its value.", short(name))
			}
			if _, twice := p.Env[variable]; twice {
				r.say(at(list.name), "The variable %s stands in env too; keep one of them.", variable)
			}
			if _, twice := p.Secrets[variable]; twice && list.name != "secrets" {
				r.say(at(list.name), "The variable %s stands in secrets too, which are for plans and applies; keep one of them.", variable)
			}
		}
		if len(list.given) > 0 {
			*list.to = list.given
		}
	}
}
