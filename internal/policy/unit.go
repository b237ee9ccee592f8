package policy

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

// unit is one pack, compiled, with what it uses of the bundled libraries. Each
// pack has a compiler of its own: the helpers of two packs that chose the same
// package name are not mixed, nor are their findings.
type unit struct {
	source
	pack     string
	compiler *ast.Compiler
	store    storage.Store
	rules    []Rule
	asks     []ask // one a rule
	needs    needs
	files    []string
	problems []Problem // of what its annotations say

	// later compiles a unit that few plans concern when the first one does; nil
	// for one that is compiled. Its asks are those of what later gives.
	later func() (*unit, error)
	// begins is how the types of the resources begin that the unit is about:
	// a plan in which none does is none of its. nil is about all plans.
	begins []string
}

// concerns reports whether a plan, as JSON, may hold anything that the unit is
// about.
func (u *unit) concerns(plan []byte) bool {
	return u.begins == nil || slices.ContainsFunc(u.begins, func(b string) bool { return bytes.Contains(plan, []byte(`"`+b)) })
}

// ready returns how the unit's rules are asked.
func (u *unit) ready() ([]ask, error) {
	if u.later == nil {
		return u.asks, nil
	}
	compiled, err := u.later()
	if err != nil {
		return nil, err
	}
	return compiled.asks, nil
}

// unitsOf compiles packs; the first source is the bundled one, which is.
func unitsOf(base *bundledSet, sources []source) (units []*unit, problems []Problem) {
	units = slices.Clone(base.units)
	for _, s := range sources[1:] {
		modules := maps.Clone(s.modules)
		maps.Copy(modules, used(modules, base.whole.modules))
		u, wrong := compile(s, modules)
		problems = append(problems, s.problems...)
		problems = append(problems, wrong...)
		units = append(units, u)
	}
	return units, problems
}

// compile makes a unit of a pack, whose modules and those that it uses are
// given.
func compile(s source, modules map[string]*ast.Module) (*unit, []Problem) {
	c := newCompiler(s)
	u := &unit{source: s, pack: s.Name, compiler: c}
	if c.Compile(modules); c.Failed() {
		return u, problemsOf(c.Errors)
	}
	u.store = inmem.NewFromObject(s.data)
	if s.Name != "" {
		if problems := unserved(s, c); len(problems) > 0 {
			return u, problems
		}
	}
	u.needs = needsOf(c.Modules)
	u.rules, u.problems = rulesOf(s, c.Modules, c.GetAnnotationSet())
	var wrong []Problem
	u.files, wrong = u.filesAsked()
	u.problems = append(u.problems, wrong...)
	ctx := context.Background() // works in memory; nothing to cancel
	exceptions := map[string]*rego.PreparedEvalQuery{}
	for _, r := range u.rules {
		q, err := u.query(ctx, r.ref)
		if err != nil {
			return u, problemsOf(err)
		}
		pkg := r.ref[:len(r.ref)-1]
		key := pkg.String()
		if _, known := exceptions[key]; !known {
			exceptions[key] = nil
			if ref := pkg.Append(ast.StringTerm("exception")); s.Name != "" && len(c.GetRulesExact(ref)) > 0 {
				x, err := u.query(ctx, ref)
				if err != nil {
					return u, problemsOf(err)
				}
				exceptions[key] = &x
			}
		}
		u.asks = append(u.asks, ask{query: q, exceptions: exceptions[key]})
	}
	return u, nil
}

// newCompiler makes a compiler for a pack.
func newCompiler(s source) *ast.Compiler {
	c := ast.NewCompiler().
		WithCapabilities(capabilities(ast.RegoV1)).
		WithDefaultRegoVersion(ast.RegoV1).
		SetErrorLimit(100).
		WithPathConflictsCheck(func(path []string) (bool, error) { return holds(s.data, path), nil })
	if !s.Untyped {
		c = c.WithSchemas(schemas())
	}
	return c
}

// holds reports whether there is data at the path or above it.
func holds(data map[string]any, path []string) bool {
	for i, step := range path {
		v, ok := data[step]
		if !ok {
			return false
		}
		if i == len(path)-1 {
			return true
		}
		if data, ok = v.(map[string]any); !ok {
			return true
		}
	}
	return false
}

// used finds the bundled modules that a pack's ask for, and those that these
// ask for.
func used(modules, lib map[string]*ast.Module) map[string]*ast.Module {
	out := map[string]*ast.Module{}
	next := slices.Collect(maps.Values(modules))
	for len(next) > 0 {
		m := next[0]
		next = next[1:]
		ast.WalkRefs(m, func(r ast.Ref) bool {
			if len(r) < 2 || !r[0].Equal(ast.DefaultRootDocument) || !r[1].Equal(ast.StringTerm(bundledRoot)) {
				return false
			}
			for file, l := range lib {
				if _, have := out[file]; !have && overlap(r, l.Package.Path) {
					out[file] = l
					next = append(next, l)
				}
			}
			return false
		})
	}
	return out
}

// overlap reports whether one of the references begins with the other, as far
// as they are known.
func overlap(a, b ast.Ref) bool {
	for i := range min(len(a), len(b)) {
		if _, constant := a[i].Value.(ast.String); i > 0 && !constant {
			return true
		}
		if !a[i].Equal(b[i]) {
			return false
		}
	}
	return true
}

// unserved finds what rules ask of data that nothing gives: no package and no
// data file. Such a rule would find nothing, ever, and nobody would know.
func unserved(s source, c *ast.Compiler) (problems []Problem) {
	given := map[string]bool{}
	for key := range s.data {
		given[key] = true
	}
	for _, m := range c.Modules {
		if first, ok := m.Package.Path[1].Value.(ast.String); ok {
			given[string(first)] = true
		}
	}
	told := map[string]bool{}
	for _, file := range slices.Sorted(maps.Keys(s.modules)) {
		ast.WalkRefs(c.Modules[file], func(r ast.Ref) bool {
			if len(r) < 2 || !r[0].Equal(ast.DefaultRootDocument) {
				return false
			}
			key, ok := r[1].Value.(ast.String)
			if !ok || given[string(key)] || told[string(key)] {
				return false
			}
			told[string(key)] = true
			p := Problem{File: file, Message: fmt.Sprintf("data.%s is given by no package and no data file of the pack: put it into a data.json or data.yaml at the pack's root, or into the folder that the pack's data is read from", string(key))}
			if r[0].Location != nil {
				p.Line = r[0].Location.Row
			}
			problems = append(problems, p)
			return false
		})
	}
	return problems
}

// query prepares the question for a reference's value.
func (u *unit) query(ctx context.Context, ref ast.Ref) (rego.PreparedEvalQuery, error) {
	return rego.New(
		rego.ParsedQuery(ast.NewBody(ast.NewExpr(ast.NewTerm(ref)))),
		rego.Compiler(u.compiler),
		rego.Store(u.store),
		rego.Capabilities(capabilities(ast.RegoV1)),
	).PrepareForEval(ctx)
}

// filesAsked gives the patterns of the repository's files that the pack's rules ask
// for, by the annotation custom.files of a rule or package.
func (u *unit) filesAsked() (patterns []string, problems []Problem) {
	for _, a := range u.compiler.GetAnnotationSet().Flatten() {
		if a.Annotations == nil || a.Annotations.Custom["files"] == nil || u.modules[a.Location.File] == nil {
			continue
		}
		list, ok := a.Annotations.Custom["files"].([]any)
		if !ok {
			list = []any{a.Annotations.Custom["files"]}
		}
		for _, v := range list {
			pattern, ok := v.(string)
			if !ok || pattern == "" || strings.HasPrefix(pattern, "/") || strings.Contains(pattern, "..") {
				problems = append(problems, Problem{File: a.Location.File, Line: a.Location.Row, Message: fmt.Sprintf("files names %v, which is no pattern of files within the repository, such as CODEOWNERS or live/**/*.yaml", v)})
				continue
			}
			patterns = append(patterns, pattern)
		}
	}
	if len(patterns) > 0 {
		return patterns, problems
	}
	for _, file := range slices.Sorted(maps.Keys(u.modules)) {
		ast.WalkRefs(u.compiler.Modules[file], func(r ast.Ref) bool {
			if len(problems) == 0 && len(r) > 1 && r[0].Equal(ast.InputRootDocument) && r[1].Equal(ast.StringTerm("files")) {
				problems = append(problems, Problem{File: file, Line: r[0].Location.Row, Message: "input.files holds what rules ask for, and none of the pack does: name the files in the rule's METADATA as custom, files"})
			}
			return false
		})
	}
	return patterns, problems
}
