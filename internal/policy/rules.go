package policy

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Rule is one rule of an engine: what people read of it, and where it stands.
type Rule struct {
	ID          string   `json:"id"`   // "destruction.stateful"; in other packs package and name, "main.deny"
	Pack        string   `json:"pack"` // "" for the bundled ones
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Severity    Severity `json:"severity"`
	Level       Level    `json:"level"` // as the server set it
	Why         string   `json:"why,omitempty"`
	Mend        string   `json:"mend,omitempty"`
	Good        *Example `json:"good,omitempty"` // is not denied
	Bad         *Example `json:"bad,omitempty"`  // is denied
	// Controls are the controls that the rule gives evidence for: framework →
	// their numbers, "cis_aws_3.0" → "2.1.1".
	Controls map[string][]string `json:"controls,omitempty"`
	File     string              `json:"file"`
	Line     int                 `json:"line"`

	ref ast.Ref // of its findings: data.main.deny
}

// Example is a piece of configuration that a rule denies or does not, and what
// the plan does with its resources.
type Example struct {
	HCL    string   `json:"hcl"`
	Action string   `json:"action,omitempty"` // create (also when empty), update, replace, delete
	Count  int      `json:"count,omitempty"`  // of each resource; 0 is 1
	Labels []string `json:"labels,omitempty"` // of the pull request
	// Before is the configuration that is applied now, for rules that compare.
	// With it, Action is worked out for each resource.
	Before string `json:"before,omitempty"`
	// Settings, Environment and Cost are what else the plan is judged by, where
	// the rule looks at it.
	Settings    Settings `json:"settings,omitempty"`
	Environment string   `json:"environment,omitempty"` // of the project
	Cost        *Cost    `json:"cost,omitempty"`
}

// judging matches the names of rules that judge, as conftest has them.
var judging = regexp.MustCompile(`^(deny|violation|warn)(_[a-zA-Z0-9_]+)?$`)

// bundledRoot is the namespace of the bundled packs.
const bundledRoot = "tidelock"

// rulesOf finds the rules of a pack, with what its annotations say of them.
// Of the modules, those in which they were read, only the pack's are looked at.
func rulesOf(s source, modules map[string]*ast.Module, annotations *ast.AnnotationSet) ([]Rule, []Problem) {
	found := map[string]Rule{}
	var problems []Problem
	for file := range s.modules {
		m := modules[file]
		for _, r := range m.Rules {
			name, ok := r.Head.Ref()[0].Value.(ast.Var)
			if !ok || !judging.MatchString(string(name)) || len(r.Head.Args) > 0 {
				continue
			}
			ref := m.Package.Path.Append(ast.StringTerm(string(name)))
			rule := Rule{
				ID: idOf(ref), Pack: s.Name, Title: string(name),
				Severity: Medium, Level: Mandatory,
				File: r.Location.File, Line: r.Location.Row, ref: ref,
			}
			if strings.HasPrefix(string(name), "warn") {
				rule.Level, rule.Severity = Advisory, Low
			}
			if err := rule.describe(annotations, m.Package, r); err != nil {
				problems = append(problems, Problem{Rule: rule.ID, File: rule.File, Line: rule.Line, Message: err.Error()})
			}
			// A set may be written in several pieces: it is one rule, and
			// stands where its first piece does.
			if old, ok := found[rule.ID]; !ok || cmp.Or(cmp.Compare(rule.File, old.File), rule.Line-old.Line) < 0 {
				found[rule.ID] = rule
			}
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b Rule) int { return cmp.Compare(a.ID, b.ID) }), problems
}

// idOf names a rule: data.tidelock.destruction.stateful.deny is
// destruction.stateful, data.main.deny_public is main.deny_public.
func idOf(ref ast.Ref) string {
	words := make([]string, 0, len(ref)-1)
	for _, t := range ref[1:] {
		s, _ := t.Value.(ast.String)
		words = append(words, string(s))
	}
	if words[0] == bundledRoot {
		words = words[1 : len(words)-1]
	}
	return strings.Join(words, ".")
}

// describe fills in what annotations say: those of the rule, and for a bundled
// one, which is a package of its own, those of the package.
func (r *Rule) describe(set *ast.AnnotationSet, pkg *ast.Package, astRule *ast.Rule) error {
	var all []*ast.Annotations
	if set == nil {
		return nil
	}
	if a := set.GetPackageScope(pkg); a != nil && r.Pack == "" {
		all = append(all, a)
	}
	if a := set.GetDocumentScope(r.ref); a != nil {
		all = append(all, a)
	}
	all = append(all, set.GetRuleScope(astRule)...)
	for _, a := range all {
		r.Title = cmp.Or(a.Title, r.Title)
		r.Description = cmp.Or(a.Description, r.Description)
		if v, ok := a.Custom["severity"]; ok {
			r.Severity = Severity(strings.ToLower(fmt.Sprint(v)))
			if !slices.Contains(severities, r.Severity) {
				return fmt.Errorf("severity %q is none of critical, high, medium, low", v)
			}
		}
		if v, ok := a.Custom["level"]; ok {
			r.Level = Level(strings.ToLower(fmt.Sprint(v)))
			if !slices.Contains(levels[1:], r.Level) { // all but off
				return fmt.Errorf("level %q is none of advisory, mandatory, hard", v)
			}
		}
		r.Why = cmp.Or(text(a.Custom["why"]), r.Why)
		r.Mend = cmp.Or(text(a.Custom["mend"]), r.Mend)
		if v, ok := a.Custom["controls"]; ok {
			var err error
			if r.Controls, err = controls(v); err != nil {
				return err
			}
		}
		if examples, ok := a.Custom["examples"].(map[string]any); ok {
			r.Good, r.Bad = example(examples["good"]), example(examples["bad"])
		}
	}
	return nil
}

func controls(v any) (map[string][]string, error) {
	frameworks, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("controls is no object of framework and list")
	}
	out := map[string][]string{}
	for framework, v := range frameworks {
		list, ok := v.([]any)
		if !ok || len(list) == 0 {
			return nil, fmt.Errorf("controls.%s is no list of a framework's numbers", framework)
		}
		for _, id := range list {
			s, ok := id.(string)
			if !ok {
				return nil, fmt.Errorf("controls.%s has %v, which is no text: put it in quotes", framework, id)
			}
			out[framework] = append(out[framework], s)
		}
	}
	return out, nil
}

func text(v any) string {
	s, _ := v.(string)
	return strings.TrimSpace(s)
}

// example reads an example, nil where there is none or it has not the form of
// one: that every bundled rule has two is for a test to say.
func example(v any) *Example {
	m, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return nil
	}
	e := new(Example)
	if err := json.Unmarshal(raw, e); err != nil {
		return nil
	}
	e.HCL, e.Before = strings.TrimSpace(e.HCL), strings.TrimSpace(e.Before)
	return e
}
