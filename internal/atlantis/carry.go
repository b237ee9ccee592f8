package atlantis

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// carrier carries the workflow of one project over into it.
type carrier struct {
	*reader
	p      *project
	static map[string]string // variables whose value the file tells
	env    map[string]string // those of env steps of the stage so far
	made   []string          // those that commands make
}

// apply gives a project what its workflow says.
func (r *reader) apply(p *project) {
	w := r.workflows[p.workflow]
	if w == nil {
		if p.workflow != "default" {
			r.note(p.workflowLine, "workflow: %s is not in this file.%s What a server of Atlantis' says of it in its repos.yaml is not carried over.",
				short(p.workflow), r.guess(p.workflow, slices.Sorted(maps.Keys(r.workflows))))
		}
		return
	}
	r.used[w.name] = true
	c := &carrier{reader: r, p: p, static: map[string]string{
		"WORKSPACE": p.Workspace, "PROJECT_NAME": p.givenName, "REPO_REL_DIR": p.Dir, "DIR": ".",
	}}
	plan, apply := w.stages["plan"], w.stages["apply"]
	planEnv := c.stage(plan, "plan", planner.BeforePlan, planner.AfterPlan)
	applyEnv := c.stage(apply, "apply", planner.BeforeApply, planner.AfterApply)
	c.environment(plan, apply, planEnv, applyEnv)
	for _, key := range []string{"policy_check", "import", "state_rm"} {
		c.other(w.stages[key], key)
	}
}

// stage carries over a stage of which builtin is the heart, and returns the
// environment that its steps set.
func (c *carrier) stage(s *stage, builtin, before, after string) map[string]string {
	c.env = map[string]string{}
	if s == nil {
		return c.env
	}
	if !slices.ContainsFunc(s.steps, func(x step) bool { return x.kind == builtin }) {
		if len(s.steps) == 0 {
			c.note(s.line, "The stage %s has no steps, so Atlantis does nothing in it. Here it is done as usual.", builtin)
		} else {
			c.note(s.line, "The stage %s has no step %s: its own commands do that. Tidelock runs Terraform itself, so its commands are left out. "+
				"What prepares or follows can be a hook. Terragrunt is run by Tidelock itself, where the project's directory holds a terragrunt.hcl.", builtin, builtin)
		}
		return c.env
	}
	when, initialised := before, builtin == "apply" // Atlantis applies where it planned
	for _, x := range s.steps {
		if c.steps += 1 + len(x.args); c.steps > maxSteps {
			c.say(0, "The file is too large once its workflows are written out for each project.")
			return c.env
		}
		switch x.kind {
		case "init":
			initialised = true
			c.initArgs(x)
		case builtin:
			when = after
			if builtin == "plan" {
				c.planArgs(x)
			} else {
				c.applyArgs(x)
			}
		case "run", "env", "multienv":
			h := planner.Hook{When: when}
			if when == before && initialised && (builtin == "plan" || runsTerraform.MatchString(x.command)) {
				h.When, h.Phase = planner.AfterInit, builtin // as there: with what init brings
			}
			c.own(x, h)
		case "show": // every plan is shown
		default:
			c.note(x.line, "The step %s in the stage %s is left out: policies are asked of every plan by themselves, and states are changed by the commands import and state rm.", x.kind, builtin)
		}
	}
	return c.env
}

// harmless are flags of Terraform's that change nothing here: Tidelock gives
// them itself, or does what they ask for.
var harmless = []string{"-input=false", "-no-color", "-auto-approve", "-lock=true", "-refresh=true", "-refresh", "-detailed-exitcode", "-reconfigure", "-get=true", "-compact-warnings"}

// flags parts extra_args into flags, each with its value behind "=". Atlantis
// joins the arguments and gives the line to a shell.
func (c *carrier) flags(x step) []string {
	known := maps.Clone(c.static)
	maps.Copy(known, c.env)
	var out []string
	for _, arg := range x.args {
		if len(arg) > 4096 {
			c.note(x.line, "extra_args: %s of %s is too long.", short(arg), x.kind)
			continue
		}
		words, unknown, ok := splitWords(arg, known)
		switch {
		case !ok && unknown != "":
			c.note(x.line, "extra_args: %s of %s uses the variable %s, whose value the file doesn't tell.", short(arg), x.kind, unknown)
			continue
		case !ok:
			c.note(x.line, "extra_args: %s of %s is made by a shell.", short(arg), x.kind)
			continue
		}
		for _, w := range words {
			last := len(out) - 1
			switch {
			case strings.HasPrefix(w, "-"):
				out = append(out, "-"+strings.TrimLeft(w, "-"))
			case last >= 0 && !strings.Contains(out[last], "="):
				out[last] += "=" + w
			default:
				c.note(x.line, "extra_args: %s of %s is no flag.", short(w), x.kind)
			}
		}
	}
	return slices.DeleteFunc(out, func(f string) bool { return slices.Contains(harmless, f) })
}

func (c *carrier) initArgs(x step) {
	for _, f := range c.flags(x) {
		name, _, _ := strings.Cut(f, "=")
		switch name {
		case "-backend-config", "-backend":
			c.note(x.line, "extra_args: %s of init: the backend is what the project's code says. Write its values into the backend block.", short(f))
		case "-upgrade":
			c.note(x.line, "extra_args: -upgrade of init: providers are those of the lock file. Commit a newer lock file to get newer ones.")
		default:
			c.note(x.line, "extra_args: %s of init is left out: Tidelock chooses the flags of init.", short(f))
		}
	}
}

// planArgs carries over the flags of every plan.
func (c *carrier) planArgs(x step) {
	for _, f := range c.flags(x) {
		name, value, _ := strings.Cut(f, "=")
		switch name {
		case "-var-file":
			full, err := planner.InRepo(c.p.Dir, value)
			if err != nil {
				c.note(x.line, "extra_args: the variable file %s %s.", short(value), err)
				continue
			}
			c.varFile(value, full)
		case "-lock":
			c.note(x.line, "extra_args: %s of plan: the state is always locked.", short(f))
		case "-lock-timeout":
			c.note(x.line, "extra_args: %s of plan: a run whose state is locked waits and is tried again by itself.", short(f))
		default:
			o, err := planner.ParseOptions([]string{f})
			if err != nil {
				c.note(x.line, "extra_args: %s of plan is not taken. %s", short(f), strings.ReplaceAll(errs.Sentence(err), "After -- there may stand", "There may stand"))
				continue
			}
			c.p.Options = c.p.Options.With(o)
		}
	}
}

func (c *carrier) varFile(value, full string) {
	for _, f := range c.p.VarFiles {
		if have, err := planner.InRepo(c.p.Dir, f); err == nil && have == full {
			return
		}
	}
	clean, err := planner.InRepo("x", "../"+value) // cleans without a directory
	if err != nil {
		clean = value
	}
	c.p.VarFiles = append(c.p.VarFiles, clean)
}

// applyArgs looks at the flags of an apply, which applies the plan as it was
// saved: only how many objects it changes at a time can be said.
func (c *carrier) applyArgs(x step) {
	for _, f := range c.flags(x) {
		name, _, _ := strings.Cut(f, "=")
		o, err := planner.ParseOptions([]string{f})
		switch {
		case name == "-var-file" || name == "-var": // in the plan already, or refused by Terraform
		case err == nil && o.Parallelism > 0 && (c.p.Options.Parallelism == 0 || c.p.Options.Parallelism == o.Parallelism):
			c.p.Options.Parallelism = o.Parallelism
		default:
			c.note(x.line, "extra_args: %s of apply is left out: the plan that was shown is applied as it is.", short(f))
		}
	}
}

// other looks at the stages that have nothing to be carried over to.
func (c *carrier) other(s *stage, key string) {
	if s == nil {
		return
	}
	for _, x := range s.steps {
		switch {
		case x.kind == "run" || x.kind == "env" || x.kind == "multienv":
			c.note(x.line, "The step %s of the stage %s is left out: hooks run before and after plans and applies only.", x.kind, key)
		case key == "policy_check" && len(x.args) > 0:
			c.note(x.line, "extra_args of %s: the server's own policies are asked here, and not conftest.", x.kind)
		case len(x.args) > 0 && x.kind != "init" && x.kind != "show":
			for _, f := range c.flags(x) {
				name, value, _ := strings.Cut(f, "=")
				if full, err := planner.InRepo(c.p.Dir, value); name == "-var-file" && err == nil && slices.ContainsFunc(c.p.VarFiles, func(v string) bool {
					have, err := planner.InRepo(c.p.Dir, v)
					return err == nil && have == full
				}) {
					continue // the project's own, which an import is given too
				}
				c.note(x.line, "extra_args: %s of %s is left out.", short(f), x.kind)
			}
		}
	}
}

// own takes over a step that is no command of Terraform's, at the moment of h.
func (c *carrier) own(x step, h planner.Hook) {
	after := h.When == planner.AfterPlan || h.When == planner.AfterApply
	switch {
	case x.kind == "run":
		c.hook(x, h)
	case x.kind == "env" && x.value != nil:
		c.set(x)
	case after:
		c.note(x.line, "%s: no command of Terraform's comes after it that could use what it sets. It is left out.", x.kind)
	case x.kind == "multienv":
		h.MultiEnv = planner.MultiEnvCommas
		c.hook(x, h)
	default:
		if problem := planner.GivenEnvProblem(x.name, ""); problem != "" {
			c.note(x.line, "env: the variable %s %s", short(x.name), problem)
			return
		}
		h.Env = x.name
		c.made = append(c.made, x.name)
		c.hook(x, h)
	}
}

// set takes over an env step with a value.
func (c *carrier) set(x step) {
	switch {
	case x.name == "TF_IN_AUTOMATION" || x.name == "TF_INPUT": // as Tidelock has it
	default:
		if problem := planner.EnvProblem(x.name, *x.value); problem != "" {
			c.note(x.line, "env: the variable %s %s", short(x.name), problem)
			c.static[x.name] = *x.value // flags may use it all the same
			return
		}
		c.env[x.name] = *x.value
	}
}

// environment makes one environment of those of both stages: here a project's
// plans and applies have the same. What only applies were given stays out,
// since plans run code of pull requests that nobody has reviewed.
func (c *carrier) environment(plan, apply *stage, planEnv, applyEnv map[string]string) {
	line := func(s *stage) int {
		if s == nil {
			return c.p.workflowLine
		}
		return s.line
	}
	env := maps.Clone(planEnv)
	for _, name := range slices.Sorted(maps.Keys(applyEnv)) {
		value, both := planEnv[name]
		switch {
		case !both:
			c.note(line(apply), "env: %s is set for applies only. Here a project's plans have the same environment, and they run code that nobody has reviewed yet. Set it in the project's env if plans may know it.", name)
		case value != applyEnv[name]:
			delete(env, name)
			c.note(line(apply), "env: %s is %q for plans and %q for applies. Here a project's plans and applies have the same environment, so it is left out.", name, short(value), short(applyEnv[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if _, both := applyEnv[name]; !both {
			c.note(line(plan), "env: %s is set for plans only. Here a project's applies have the same environment.", name)
		}
	}
	if len(env) > 0 {
		c.p.Env = env
	}
}

var runsTerraform = regexp.MustCompile(`\b(terraform|tofu)\b`)

// shells are those whose lines can begin with an assignment.
var shells = []string{"sh", "bash", "dash", "ash", "zsh", "ksh"}

// atlantisVariables are those that Atlantis gives to the commands of run, and
// which the file alone doesn't tell.
var atlantisVariables = []string{
	"ATLANTIS_TERRAFORM_VERSION", "ATLANTIS_TERRAFORM_DISTRIBUTION", "ATLANTIS_PR_APPROVED", "ATLANTIS_PR_MERGEABLE", "PLANFILE", "SHOWFILE", "POLICYCHECKFILE",
	"BASE_REPO_NAME", "BASE_REPO_OWNER", "HEAD_REPO_NAME", "HEAD_REPO_OWNER", "HEAD_BRANCH_NAME", "HEAD_COMMIT", "BASE_BRANCH_NAME",
	"PULL_NUM", "PULL_URL", "PULL_AUTHOR", "USER_NAME", "COMMENT_ARGS",
}

// hook carries a command over: to a shell with the same line, behind the
// variables that Atlantis would set and the file tells.
func (c *carrier) hook(x step, h planner.Hook) {
	command, when := x.command, h.When
	if c.hooked > maxFile {
		return // told already
	}
	if c.version == 2 {
		// Version 2 takes the line apart and joins it again without its quotes.
		if words, _, ok := splitWords(strings.ReplaceAll(command, "$", `\$`), nil); ok {
			command = strings.Join(words, " ")
		}
	}
	shell := x.shell
	if shell == nil {
		shell = []string{"sh", "-c"}
	}
	var sets []string
	for _, name := range variablesIn(command) {
		switch value, known := c.static[name]; {
		case (when != planner.BeforePlan && h.Phase != planner.PhasePlan) && (name == "PLANFILE" || name == "SHOWFILE"): // as there
		case slices.Contains(atlantisVariables, name):
			c.note(x.line, "run: the command uses $%s, which Atlantis sets and Tidelock does not.", name)
		case name == "DIR":
			sets = append(sets, `DIR="$PWD"`)
		case known && c.env[name] == "" && !slices.Contains(c.made, name):
			sets = append(sets, name+"="+quoteShell(value))
		}
	}
	if len(sets) > 0 {
		base := shell[0][strings.LastIndex(shell[0], "/")+1:]
		if slices.Contains(shells, base) {
			command = "export " + strings.Join(sets, " ") + "; " + command
		} else {
			c.note(x.line, "run: the command uses variables that Atlantis sets and Tidelock does not: %s.", strings.Join(sets, ", "))
		}
	}
	if x.filters {
		c.note(x.line, "run: the output stands in the run's log as it is; the expression that masked parts of it is left out. What the command prints must hold no secret.")
	}
	if c.hooked += len(command); c.hooked > maxFile {
		c.say(0, "The file is too large once its workflows are written out for each project.")
		return
	}
	h.Run = append(slices.Clone(shell), command)
	c.p.Hooks = append(c.p.Hooks, h)
}
