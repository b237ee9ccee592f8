package atlantis

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// workflow is one item of workflows. A stage that is nil is Atlantis' own.
type workflow struct {
	name   string
	line   int
	stages map[string]*stage // by their keys
}

type stage struct {
	line  int
	steps []step
}

// step is one step of a stage.
type step struct {
	line    int
	kind    string   // init, plan, apply, show, policy_check, import, state_rm, run, env, multienv
	args    []string // extra_args
	command string   // of run, env and multienv
	shell   []string // that reads the command, nil for sh -c
	name    string   // of env
	value   *string  // of env; nil where the command makes it
	filters bool     // run: the output is masked
}

var (
	stageKeys = []string{"plan", "policy_check", "apply", "import", "state_rm"}
	builtins  = []string{"init", "plan", "show", "policy_check", "apply", "import", "state_rm"}
	stepKinds = append(slices.Clone(builtins), "run", "env", "multienv")
)

func (r *reader) workflow(e entry) *workflow {
	w := &workflow{name: e.key, line: e.line, stages: map[string]*stage{}}
	what := "The workflow " + short(e.key)
	for _, s := range r.known(r.entries(e.value, what), what, stageKeys...) {
		if isNull(s.value) {
			continue
		}
		st := &stage{line: s.line}
		given := false
		for _, f := range r.known(r.entries(s.value, "The stage "+s.key), "The stage "+s.key, "steps") {
			given = !isNull(f.value)
			for _, item := range r.list(f.value, f.line, "steps") {
				if x, ok := r.step(item); ok {
					st.steps = append(st.steps, x)
				}
			}
		}
		if given {
			w.stages[s.key] = st
		}
	}
	return w
}

// step reads one of the forms of a step: a word; a map of a word to
// extra_args; run or multienv with a line; run, env or multienv with a map.
func (r *reader) step(n *yaml.Node) (step, bool) {
	s := step{line: n.Line}
	if n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
		s.kind = n.Value
		if !slices.Contains(builtins, s.kind) {
			r.say(n.Line, "%q is no step.%s There are %s. A command of your own stands behind run:.", short(s.kind), r.guess(s.kind, stepKinds), strings.Join(stepKinds, ", "))
			return s, false
		}
		return s, true
	}
	entries := r.entries(n, "A step")
	if len(entries) != 1 {
		if n.Kind == yaml.MappingNode || isNull(n) {
			r.say(n.Line, "A step has one key, and this one has %d.", len(entries))
		}
		return s, false
	}
	e := entries[0]
	s.kind = e.key
	switch {
	case slices.Contains(builtins, e.key):
		for _, f := range r.known(r.entries(e.value, "The step "+e.key), "The step "+e.key, "extra_args") {
			s.args = r.texts(f.value, f.line, "extra_args")
		}
		return s, true
	case e.key == "env":
		return s, r.envStep(&s, e)
	case e.key == "run" || e.key == "multienv":
		return s, r.runStep(&s, e)
	}
	r.say(e.line, "%q is no step.%s There are %s.", short(e.key), r.guess(e.key, stepKinds), strings.Join(stepKinds, ", "))
	return s, false
}

func (r *reader) envStep(s *step, e entry) bool {
	for _, f := range r.known(r.entries(e.value, "The step env"), "The step env", "name", "value", "command", "shell", "shellArgs") {
		switch f.key {
		case "name":
			s.name, _ = r.text(f.value, f.line, "name")
		case "value":
			v, _ := r.text(f.value, f.line, "value")
			s.value = &v
		case "command":
			s.command, _ = r.text(f.value, f.line, "command")
		}
	}
	switch {
	case s.name == "":
		r.say(e.line, "The step env has no name.")
	case s.value != nil && s.command != "":
		r.say(e.line, "The step env has a value and a command; it can have one of them.")
	case s.value == nil && s.command == "":
		r.say(e.line, "The step env has neither a value nor a command.")
	default:
		return true
	}
	return false
}

func (r *reader) runStep(s *step, e entry) bool {
	v := r.resolve(e.value)
	if v == nil || v.Kind != yaml.MappingNode {
		var ok bool
		if s.command, ok = r.text(v, e.line, e.key); !ok || strings.TrimSpace(s.command) == "" {
			r.say(e.line, "The step %s has no command.", e.key)
			return false
		}
		return true
	}
	shell, args := "", []string(nil)
	for _, f := range r.known(r.entries(v, "The step "+e.key), "The step "+e.key, "command", "shell", "shellArgs", "output", "regex_filter") {
		switch f.key {
		case "command":
			s.command, _ = r.text(f.value, f.line, "command")
		case "shell":
			shell, _ = r.text(f.value, f.line, "shell")
		case "shellArgs":
			if n := r.resolve(f.value); n != nil && n.Kind == yaml.ScalarNode {
				one, _ := r.text(n, f.line, "shellArgs")
				args = strings.Fields(one)
			} else {
				args = r.texts(f.value, f.line, "shellArgs")
			}
		case "output":
			r.output(s, f)
		case "regex_filter":
			s.filters = true
		}
	}
	if strings.TrimSpace(s.command) == "" {
		r.say(e.line, "The step %s has no command.", e.key)
		return false
	}
	if args != nil && shell == "" {
		r.say(e.line, "shellArgs needs shell beside it.")
		return false
	}
	if shell != "" {
		if args == nil {
			args = []string{"-c"}
		}
		s.shell = append([]string{shell}, args...)
	}
	return true
}

// output reads what Atlantis does with the output of a command. Here it stands
// in the run's log, so that only masking matters.
func (r *reader) output(s *step, f entry) {
	known := []string{"show", "hide", "strip_refreshing", "custom_regex", "strip_refreshing_with_custom_regex"}
	n := r.resolve(f.value)
	items := []*yaml.Node{n}
	if n != nil && n.Kind == yaml.SequenceNode {
		items = r.list(n, f.line, "output")
	}
	for _, item := range items {
		switch {
		case isNull(item):
		case item.Kind == yaml.MappingNode:
			r.known(r.entries(item, "output"), "output", "filter_regex")
			s.filters = true
		case !slices.Contains(known, item.Value):
			r.say(item.Line, "output is %q; it can be %s.%s", short(item.Value), strings.Join(known, ", "), r.guess(item.Value, known))
		default:
			s.filters = s.filters || strings.Contains(item.Value, "regex")
		}
	}
}

// unusedWorkflows tells of workflows that no project names.
func (r *reader) unusedWorkflows() {
	for _, w := range r.workflows {
		if !r.used[w.name] {
			r.note(w.line, "The workflow %s is used by no project of this file, and left out.", short(w.name))
		}
	}
}
