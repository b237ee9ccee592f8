package atlantis

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/gate"
)

// The requirements that a command can have.
const (
	approved   = "approved"
	mergeable  = "mergeable"
	undiverged = "undiverged"
)

var requirements = []string{approved, mergeable, undiverged}

// requirements reads one of a project's lists of them.
func (r *reader) requirements(p *project, e entry) {
	act := strings.TrimSuffix(e.key, "_requirements")
	lines := map[string]int{}
	for _, s := range r.texts(e.value, e.line, e.key) {
		switch {
		case slices.Contains(requirements, s):
			lines[s] = e.line
		case s == "policies_passed": // asked before every apply
		default:
			r.say(e.line, "%s holds %q; it can hold %s.%s", e.key, short(s), strings.Join(requirements, ", "), r.guess(s, requirements))
		}
	}
	p.requirements[act] = lines
}

// gates makes gates of what the projects require. A gate stands before all
// projects; where only some require a thing, a rule names them. Before a plan
// nothing is known of projects, so there all of them have the gate.
func (r *reader) gates() {
	for _, req := range requirements {
		if who, line := r.requiring("apply", req); len(who) > 0 {
			r.applyGate(req, who, line)
		}
		if who, line := r.requiring("plan", req); len(who) > 0 {
			if !r.all(who) {
				r.note(line, "plan_requirements: %s: not every project asks for it, but before a plan nothing is known of projects: here the plans of all of them wait for it.", req)
			}
			require(&r.cfg.Gates.Plan, req)
		}
		who, line := r.requiring("import", req)
		same, _ := r.requiring("apply", req)
		covered := set(same)
		if slices.ContainsFunc(who, func(name string) bool { return !covered[name] }) {
			r.note(line, "import_requirements: %s: an import passes the gates of an apply here, and those don't ask for it. Ask for it in apply_requirements too.", req)
		}
	}
}

// requiring returns the projects that require a thing before an act, and the
// first line that says so.
func (r *reader) requiring(act, req string) (who []string, line int) {
	for _, p := range r.projects {
		if at := p.requirements[act][req]; at > 0 {
			who = append(who, p.Name)
			if line == 0 {
				line = at
			}
		}
	}
	return who, line
}

// all reports whether these are all projects that there can be.
func (r *reader) all(who []string) bool { return !r.cfg.Autodiscover && len(who) == len(r.projects) }

// require makes a gate of a requirement.
func require(rules *gate.Rules, req string) {
	switch req {
	case approved:
		rules.Approvals = 1
	case mergeable:
		rules.Mergeable = true
	case undiverged:
		rules.UpToDate = true
	}
}

// The same as rules in CEL, and what to do where they are not true.
var asRule = map[string]struct{ when, message string }{
	approved:   {"pull.approvals >= 1", "One approving review of the head commit is missing."},
	mergeable:  {"pull.mergeable", "GitHub says that the pull request can't be merged as it is."},
	undiverged: {"pull.behind == 0", "Bring the branch up to date with its base branch."},
}

// applyGate makes a gate, or a rule for those projects that have it.
func (r *reader) applyGate(req string, who []string, line int) {
	if r.all(who) {
		require(&r.cfg.Gates.Apply, req)
		return
	}
	names := slices.Sorted(maps.Keys(set(who)))
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = "'" + n + "'" // a name holds nothing that has to be escaped
	}
	rule := gate.Expression{
		Name: req + "-for-some", Expr: fmt.Sprintf("!(plan.project in [%s]) || %s", strings.Join(quoted, ", "), asRule[req].when),
		Message: asRule[req].message, Pos: fmt.Sprintf("%s:%d", r.file, line),
	}
	if len(gate.CheckExpression(gate.ActApply, rule.Expr)) > 0 {
		r.note(line, "apply_requirements: %s: too many projects ask for it to name each in a rule, so all projects have it.", req)
		require(&r.cfg.Gates.Apply, req)
		return
	}
	r.cfg.Gates.Apply.Expressions = append(r.cfg.Gates.Apply.Expressions, rule)
}

func set(all []string) map[string]bool {
	out := map[string]bool{}
	for _, s := range all {
		out[s] = true
	}
	return out
}
