package policy

import (
	"github.com/open-policy-agent/opa/v1/ast"
)

// sensitiveOf gathers the texts that Terraform marks as sensitive in what the
// rules were shown of a plan, so that no message carries one. It follows the
// plan JSON's own marks: before_sensitive and after_sensitive beside before and
// after, sensitive_values beside values, sensitive beside value, and the
// variables that the configuration declares sensitive.
func sensitiveOf(input ast.Value) []string {
	root, ok := input.(ast.Object)
	if !ok {
		return nil
	}
	s := sensitive{}
	if plan := member(root, "plan"); plan != nil {
		s.look(plan)
		s.variables(plan)
	}
	out := make([]string, 0, len(s))
	for text := range s {
		out = append(out, text)
	}
	return out
}

type sensitive map[string]bool

func member(v ast.Value, path ...string) ast.Value {
	for _, key := range path {
		o, ok := v.(ast.Object)
		if !ok {
			return nil
		}
		t := o.Get(ast.InternedTerm(key))
		if t == nil {
			return nil
		}
		v = t.Value
	}
	return v
}

var marks = map[ast.Value]string{
	ast.String("before"): "before_sensitive",
	ast.String("after"):  "after_sensitive",
	ast.String("values"): "sensitive_values",
	ast.String("value"):  "sensitive",
}

func (s sensitive) look(v ast.Value) {
	switch v := v.(type) {
	case ast.Object:
		v.Foreach(func(key, value *ast.Term) {
			if mark, ok := marks[key.Value]; ok {
				if mask := member(v, mark); mask != nil {
					s.masked(mask, value.Value)
					return
				}
			}
			s.look(value.Value)
		})
	case *ast.Array:
		v.Foreach(func(t *ast.Term) { s.look(t.Value) })
	}
}

// masked gathers the parts of v that the mask marks.
func (s sensitive) masked(mask, v ast.Value) {
	switch mask := mask.(type) {
	case ast.Boolean:
		if mask {
			s.all(v)
		}
	case ast.Object:
		mask.Foreach(func(key, m *ast.Term) {
			if o, ok := v.(ast.Object); ok {
				if t := o.Get(key); t != nil {
					s.masked(m.Value, t.Value)
				}
			}
		})
	case *ast.Array:
		list, ok := v.(*ast.Array)
		for i := 0; ok && i < mask.Len() && i < list.Len(); i++ {
			s.masked(mask.Elem(i).Value, list.Elem(i).Value)
		}
	}
}

func (s sensitive) all(v ast.Value) {
	switch v := v.(type) {
	case ast.String:
		s[string(v)] = true
	case ast.Number:
		s[string(v)] = true
	case ast.Object:
		v.Foreach(func(key, value *ast.Term) {
			s.all(key.Value)
			s.all(value.Value)
		})
	case *ast.Array:
		v.Foreach(func(t *ast.Term) { s.all(t.Value) })
	}
}

// variables gathers the values of the root module's sensitive variables.
func (s sensitive) variables(plan ast.Value) {
	declared, ok := member(plan, "configuration", "root_module", "variables").(ast.Object)
	if !ok {
		return
	}
	declared.Foreach(func(name, declaration *ast.Term) {
		if mark, ok := member(declaration.Value, "sensitive").(ast.Boolean); !ok || !bool(mark) {
			return
		}
		if key, ok := name.Value.(ast.String); ok {
			if v := member(plan, "variables", string(key), "value"); v != nil {
				s.all(v)
			}
		}
	})
}
