package gate

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/shopspring/decimal"
)

// object is one variable of the expressions: its fields, and what of the
// facts it needs. A field whose fact was not read gives an error, never an
// empty value: an expression must not come true for want of knowledge.
type object struct {
	name   string // how people call it: "pull"
	unread string // the whole of it, where has is false
	has    func(f *Facts) bool
	need   Need // what every use of it needs
	fields map[string]field
}

// field is one field of an object.
type field struct {
	typ  *cel.Type
	need Need
	get  func(v any) (any, error) // v is *Facts, or *Resource for a resource's
}

// of adapts a getter that can't fail.
func of[T any](typ *cel.Type, get func(f *Facts) T) field {
	return field{typ: typ, get: func(v any) (any, error) { return get(v.(*Facts)), nil }}
}

// maybe adapts one whose fact may not have been read.
func maybe[T any](typ *cel.Type, need Need, what string, get func(f *Facts) *T) field {
	return field{typ: typ, need: need, get: func(v any) (any, error) {
		p := get(v.(*Facts))
		if p == nil {
			return nil, fmt.Errorf("%s is not known", what)
		}
		return *p, nil
	}}
}

func money(what string, get func(c *CostChange) *decimal.Decimal) field {
	return maybe(cel.DoubleType, Need{}, "cost."+what, func(f *Facts) *float64 {
		d := get(f.Cost)
		if d == nil || !f.Cost.Known {
			return nil // a lower bound is no cost
		}
		n := d.InexactFloat64()
		return &n
	})
}

func strs(get func(f *Facts) []string) field {
	return of(cel.ListType(cel.StringType), func(f *Facts) []string { return append([]string{}, get(f)...) })
}

// The types' names can't be written in an expression.
const typePrefix = "the "

func typeOf(name string) *cel.Type { return cel.ObjectType(typePrefix + name) }

// objects are the variables of expressions beside now, and the type of a
// resource. docs/gates.md lists them; a test compares.
var objects = sync.OnceValue(func() map[string]object {
	reviews := func(what string, get func(f *Facts) any) field {
		return field{need: Need{Reviews: true}, get: func(v any) (any, error) {
			f := v.(*Facts)
			if _, bad := reviewsOf(*f); bad {
				return nil, fmt.Errorf("pull.%s is not known", what)
			}
			return get(f), nil
		}}
	}
	approvals := reviews("approvals", func(f *Facts) any { return len(counting(*f)) })
	approvals.typ = cel.IntType
	approvedBy := reviews("approved_by", func(f *Facts) any { return append([]string{}, logins(counting(*f))...) })
	approvedBy.typ = cel.ListType(cel.StringType)
	all := []object{
		{name: "pull", unread: "the pull request", has: func(f *Facts) bool { return f.Pull.HeadSHA != "" }, fields: map[string]field{
			"number":      of(cel.IntType, func(f *Facts) int { return f.Pull.Number }),
			"title":       of(cel.StringType, func(f *Facts) string { return f.Pull.Title }),
			"author":      of(cel.StringType, func(f *Facts) string { return f.Pull.Author }),
			"head_sha":    of(cel.StringType, func(f *Facts) string { return f.Pull.HeadSHA }),
			"head_ref":    of(cel.StringType, func(f *Facts) string { return f.Pull.HeadRef }),
			"base_ref":    of(cel.StringType, func(f *Facts) string { return f.Pull.BaseRef }),
			"labels":      strs(func(f *Facts) []string { return f.Pull.Labels }),
			"draft":       of(cel.BoolType, func(f *Facts) bool { return f.Pull.Draft }),
			"fork":        of(cel.BoolType, func(f *Facts) bool { return f.Pull.Fork }),
			"open":        of(cel.BoolType, func(f *Facts) bool { return f.Pull.Open }),
			"merged":      of(cel.BoolType, func(f *Facts) bool { return f.Pull.Merged }),
			"mergeable":   maybe(cel.BoolType, Need{Mergeable: true}, "pull.mergeable", func(f *Facts) *bool { return f.Pull.Mergeable }),
			"behind":      maybe(cel.IntType, Need{Compare: true}, "pull.behind", func(f *Facts) *int { return f.Pull.Behind }),
			"approvals":   approvals,
			"approved_by": approvedBy,
		}},
		{name: "plan", unread: "the plan", has: func(f *Facts) bool { return f.Plan != nil }, fields: map[string]field{
			"project":   of(cel.StringType, func(f *Facts) string { return f.Plan.Project }),
			"dir":       of(cel.StringType, func(f *Facts) string { return f.Plan.Dir }),
			"workspace": of(cel.StringType, func(f *Facts) string { return f.Plan.Workspace }),
			"create":    of(cel.IntType, func(f *Facts) int { return f.Plan.Create }),
			"update":    of(cel.IntType, func(f *Facts) int { return f.Plan.Update }),
			"replace":   of(cel.IntType, func(f *Facts) int { return f.Plan.Replace }),
			"delete":    of(cel.IntType, func(f *Facts) int { return f.Plan.Delete }),
			"read":      of(cel.IntType, func(f *Facts) int { return f.Plan.Read }),
			"move":      of(cel.IntType, func(f *Facts) int { return f.Plan.Move }),
			"import":    of(cel.IntType, func(f *Facts) int { return f.Plan.Import }),
			"forget":    of(cel.IntType, func(f *Facts) int { return f.Plan.Forget }),
			"destroy":   of(cel.BoolType, func(f *Facts) bool { return f.Plan.Destroy }),
			"digest":    of(cel.StringType, func(f *Facts) string { return f.Plan.Digest }),
			"serial":    of(cel.IntType, func(f *Facts) int64 { return f.Plan.Serial }),
			"targets":   strs(func(f *Facts) []string { return f.Plan.Targets }),
			"resources": of(cel.ListType(typeOf("resource")), func(f *Facts) []Resource { return f.Plan.Resources }),
		}},
		{name: "cost", unread: "the cost", has: func(f *Facts) bool { return f.Cost != nil }, fields: map[string]field{
			"before": money("before", func(c *CostChange) *decimal.Decimal { return c.Before }),
			"after":  money("after", func(c *CostChange) *decimal.Decimal { return c.After }),
			"delta":  money("delta", func(c *CostChange) *decimal.Decimal { return c.Delta }),
			"known":  of(cel.BoolType, func(f *Facts) bool { return f.Cost.Known && f.Cost.Delta != nil }),
		}},
		{name: "actor", unread: "who acts", has: func(f *Facts) bool { return f.Actor.Login != "" }, fields: map[string]field{
			"login": of(cel.StringType, func(f *Facts) string { return f.Actor.Login }),
			"role": maybe(cel.StringType, Need{Role: true}, "actor.role", func(f *Facts) *string {
				if f.Actor.Role == "" {
					return nil
				}
				return &f.Actor.Role
			}),
		}},
		{name: "checks", unread: "the checks", need: Need{Checks: true},
			has: func(f *Facts) bool { return f.Checks != nil && f.Checks.HeadSHA == f.Pull.HeadSHA }, fields: map[string]field{
				"failed":  strs(func(f *Facts) []string { return f.Checks.Failed }),
				"pending": strs(func(f *Facts) []string { return f.Checks.Pending }),
				"passed":  strs(func(f *Facts) []string { return f.Checks.Passed }),
			}},
		{name: "policy", unread: "the verdict of the policies", has: func(f *Facts) bool { return f.Policy != nil }, fields: map[string]field{
			"verdict": of(cel.StringType, func(f *Facts) string { return f.Policy.Verdict }),
			"waived":  of(cel.BoolType, func(f *Facts) bool { return f.Policy.Waived }),
			"hard":    of(cel.IntType, func(f *Facts) int { return f.Policy.Hard }),
		}},
		{name: "resource", fields: map[string]field{
			"address": {typ: cel.StringType, get: func(v any) (any, error) { return v.(*Resource).Address, nil }},
			"type":    {typ: cel.StringType, get: func(v any) (any, error) { return v.(*Resource).Type, nil }},
			"action":  {typ: cel.StringType, get: func(v any) (any, error) { return v.(*Resource).Action, nil }},
		}},
	}
	out := map[string]object{}
	for _, o := range all {
		out[o.name] = o
	}
	return out
})

// variables are what an expression can name, sorted.
func variables() []string {
	out := []string{"now"}
	for name := range objects() {
		if name != "resource" {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// provider tells the checker of the objects' fields. It remembers those that
// were asked for in vain, for the message.
type provider struct {
	types.Provider
	missed map[string]string // field that does not exist → object
}

func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := objects()[strings.TrimPrefix(name, typePrefix)]; ok && strings.HasPrefix(name, typePrefix) {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return nil, false // no other type can be made in an expression
}

func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	o, ok := objects()[strings.TrimPrefix(name, typePrefix)]
	return slices.Sorted(maps.Keys(o.fields)), ok
}

func (p *provider) FindStructFieldType(name, fieldName string) (*types.FieldType, bool) {
	o := objects()[strings.TrimPrefix(name, typePrefix)]
	f, ok := o.fields[fieldName]
	if !ok {
		if p.missed != nil && o.name != "" {
			p.missed[fieldName] = o.name
		}
		return nil, false
	}
	return &types.FieldType{
		Type:    f.typ,
		IsSet:   func(v any) bool { _, err := v.(*value).read(f); return err == nil },
		GetFrom: func(v any) (any, error) { return v.(*value).read(f) },
	}, true
}

// value is one object at evaluation.
type value struct {
	typ  *types.Type
	to   any // *Facts or *Resource
	left *budget
}

func valueOf(name string, to any, left *budget) *value {
	return &value{typ: types.NewObjectType(typePrefix + name), to: to, left: left}
}

// read returns a field and pays for it.
func (v *value) read(f field) (any, error) {
	out, err := f.get(v.to)
	if err != nil {
		return nil, err
	}
	steps := 1
	switch out := out.(type) {
	case string:
		if len(out) > maxText {
			return nil, fmt.Errorf("a text of %d bytes is too long to be looked at", len(out))
		}
		steps += len(out) / 64
	case []string:
		for _, s := range out {
			if len(s) > maxText {
				return nil, fmt.Errorf("a text of %d bytes is too long to be looked at", len(s))
			}
			steps += 1 + len(s)/64
		}
	}
	if err := v.left.spend(steps); err != nil {
		return nil, err
	}
	if all, ok := out.([]Resource); ok {
		return types.NewDynamicList(resources{types.DefaultTypeAdapter, v.left}, all), nil
	}
	return out, nil
}

func (v *value) ConvertToNative(reflect.Type) (any, error) {
	return nil, fmt.Errorf("%s can't be converted", v.typ.TypeName())
}

func (v *value) ConvertToType(t ref.Type) ref.Val {
	if t == types.TypeType {
		return v.typ
	}
	return types.NewErr("%s can't be converted", v.typ.TypeName())
}

func (v *value) Equal(other ref.Val) ref.Val {
	o, ok := other.(*value)
	return types.Bool(ok && o.to == v.to)
}

func (v *value) Type() ref.Type { return v.typ }

// Value returns v itself: fields are read of it, and paid for.
func (v *value) Value() any { return v }

// resources makes the values of a list of resources, each for a step.
type resources struct {
	types.Adapter
	left *budget
}

func (a resources) NativeToValue(v any) ref.Val {
	r, ok := v.(Resource)
	if !ok {
		return a.Adapter.NativeToValue(v)
	}
	if err := a.left.spend(1); err != nil {
		return types.WrapErr(err)
	}
	return valueOf("resource", &r, a.left)
}

// budget is how many steps an evaluation has left.
type budget struct {
	steps int
	stop  func() // ends the evaluation at its next look
}

var errSteps = errors.New("more steps than a rule may take")

func (b *budget) spend(n int) error {
	if b.steps -= n; b.steps < 0 {
		b.stop()
		return errSteps
	}
	return nil
}
