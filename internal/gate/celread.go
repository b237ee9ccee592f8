package gate

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"
)

// read parses, checks and prepares an expression. Called under cache's lock.
func read(text string) (c *compiled) {
	c = &compiled{}
	defer func() {
		if recover() != nil {
			c = &compiled{problems: []ExprProblem{{Line: 1, Column: 1, Message: "The expression can't be read."}}}
		}
	}()
	fail := func(format string, args ...any) *compiled {
		c.problems = []ExprProblem{{Line: 1, Column: 1, Message: fmt.Sprintf(format, args...)}}
		return c
	}
	switch {
	case strings.TrimSpace(text) == "":
		return fail("The expression is empty.")
	case len(text) > maxExpr:
		return fail("The expression has %d bytes, and %d are allowed.", len(text), maxExpr)
	}
	env, err := environment()
	if err != nil {
		return fail("Expressions can't be read here: %v.", err)
	}
	parsed, iss := env.Parse(text)
	if len(iss.Errors()) > 0 { // Err would draw a picture of each, which takes long
		c.problems = problemsOf(iss, nil, nil)
		return c
	}
	// The type checker's work grows with the nesting, so that comes first.
	if c.problems = tooDeep(parsed.NativeRep()); len(c.problems) > 0 {
		return c
	}
	env.provider.missed = map[string]string{}
	defer func() { env.provider.missed = nil }()
	checked, iss := env.Check(parsed)
	if len(iss.Errors()) > 0 {
		c.problems = problemsOf(iss, parsed.NativeRep(), env.provider.missed)
		return c
	}
	tree := checked.NativeRep()
	if out := checked.OutputType(); !out.IsExactType(types.BoolType) {
		return fail("The expression gives %s, but has to be true or false.", out)
	}
	c.look(tree)
	if len(c.problems) > 0 {
		slices.SortStableFunc(c.problems, func(a, b ExprProblem) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
		return c
	}
	c.program, err = env.Program(checked, cel.InterruptCheckFrequency(8))
	if err != nil {
		return fail("The expression can't be prepared: %v.", err)
	}
	return c
}

// tooDeep refuses loops nested deeper than maxNesting. What a loop goes over
// is not in it.
func tooDeep(tree *ast.AST) []ExprProblem {
	for _, e := range ast.MatchDescendants(ast.NavigateAST(tree), ast.KindMatcher(ast.ComprehensionKind)) {
		depth := 1
		for child := e; ; {
			parent, ok := child.Parent()
			if !ok {
				break
			}
			if parent.Kind() == ast.ComprehensionKind && parent.AsComprehension().IterRange().ID() != child.ID() {
				depth++
			}
			child = parent
		}
		if depth > maxNesting {
			return []ExprProblem{at(tree, e.ID(), "Loops (exists, all, filter, …) can stand %d deep in each other.", maxNesting)}
		}
	}
	return nil
}

// look goes over a checked expression: what it names, what it needs, and what
// no rule may do. Refused is what could take long in a single step, where
// neither cost nor deadline is looked at: comparing and adding values that
// hold others in turn.
func (c *compiled) look(tree *ast.AST) {
	refuse := func(id int64, format string, args ...any) {
		c.problems = append(c.problems, at(tree, id, format, args...))
	}
	bound := map[string]bool{}
	uses := map[string]bool{}
	ast.PostOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.ComprehensionKind {
			bound[e.AsComprehension().IterVar()] = true
		}
	}))
	joins := 0
	ast.PostOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.IdentKind:
			name := e.AsIdent()
			if o, ok := objects()[name]; ok && name != "resource" {
				uses[name] = true
				c.need = c.need.with(o.need)
			} else if name == "now" {
				uses[name] = true
			}
			if bound[name] && slices.Contains(variables(), name) {
				refuse(e.ID(), "%s has a meaning already; choose another name for what the loop goes over.", name)
			}
		case ast.SelectKind:
			s := e.AsSelect()
			if t := tree.GetType(s.Operand().ID()); t != nil && t.Kind() == types.StructKind {
				c.need = c.need.with(objects()[strings.TrimPrefix(t.TypeName(), typePrefix)].fields[s.FieldName()].need)
			}
		case ast.CallKind:
			c.lookAtCall(tree, e, refuse)
			if t := tree.GetType(e.ID()); e.AsCall().FunctionName() == operators.Add && isText(t) {
				if joins++; joins == maxJoins+1 {
					refuse(e.ID(), "Texts can be joined %d times.", maxJoins)
				}
			}
		}
	}))
	c.uses = slices.Sorted(maps.Keys(uses))
}

func (c *compiled) lookAtCall(tree *ast.AST, e ast.Expr, refuse func(int64, string, ...any)) {
	call := e.AsCall()
	args := call.Args()
	literal := func() (string, bool) { // the last argument, where it is a text as it is written
		if n := len(args); n > 0 && args[n-1].Kind() == ast.LiteralKind {
			s, ok := args[n-1].AsLiteral().Value().(string)
			return s, ok
		}
		return "", false
	}
	if zone, ok := literal(); ok && strings.HasPrefix(call.FunctionName(), "get") && !isZone(zone) {
		refuse(args[0].ID(), "There is no time zone %q; one is written as \"Europe/Berlin\" or \"+02:00\".", zone)
	}
	switch call.FunctionName() {
	case "dyn":
		refuse(e.ID(), "dyn hides what a value is; leave it out.")
	case operators.Add:
		accumulates := len(args) == 2 && args[0].Kind() == ast.IdentKind && strings.HasPrefix(args[0].AsIdent(), "@")
		if !accumulates && !isScalar(tree.GetType(e.ID())) {
			refuse(e.ID(), "Lists can't be added; ask each with || instead.")
		}
	case operators.Equals, operators.NotEquals, operators.In:
		for _, a := range args {
			if !isFlat(tree.GetType(a.ID())) {
				refuse(e.ID(), "Only numbers, texts, times, and lists of them can be compared.")
				return
			}
		}
	case overloads.Matches:
		// A pattern's work is not counted before it is done.
		pattern, ok := literal()
		if !ok {
			refuse(e.ID(), "matches takes a pattern as it is written.")
		} else if re, err := syntax.Parse(pattern, syntax.Perl); err == nil {
			if prog, err := syntax.Compile(re.Simplify()); err == nil && len(prog.Inst) > maxPattern {
				refuse(args[len(args)-1].ID(), "The pattern is too large.")
			}
		}
	case "memberOf":
		team, ok := literal()
		if org, name, slash := strings.Cut(team, "/"); !ok || !slash || org == "" || name == "" {
			refuse(e.ID(), `memberOf takes the name of a team as it is written: actor.memberOf("organization/team").`)
			return
		}
		c.need.Teams = append(c.need.Teams, strings.ToLower(team))
	case "hasRole":
		if name, ok := literal(); !ok || !slices.Contains(roles, name) {
			refuse(e.ID(), "hasRole takes a role as it is written: %s.", orList(roles))
			return
		}
		c.need.Role = true
	}
}

// isZone reports whether CEL's functions of time know the zone.
func isZone(zone string) bool {
	if zone == "" || zone == "Local" {
		return false // the machine's own, whatever it is
	}
	if offset.MatchString(zone) {
		return true
	}
	_, err := time.LoadLocation(zone)
	return err == nil
}

var offset = regexp.MustCompile(`^[+-]?[01][0-9]:[0-5][0-9]$`)

func isText(t *types.Type) bool {
	return t != nil && (t.Kind() == types.StringKind || t.Kind() == types.BytesKind)
}

func isScalar(t *types.Type) bool {
	if t == nil {
		return false
	}
	switch t.Kind() {
	case types.BoolKind, types.IntKind, types.UintKind, types.DoubleKind, types.StringKind, types.BytesKind,
		types.TimestampKind, types.DurationKind, types.NullTypeKind, types.TypeKind:
		return true
	}
	return false
}

// isFlat reports whether comparing values of the type is one walk over what
// was paid for when it was made.
func isFlat(t *types.Type) bool {
	if t == nil {
		return false
	}
	switch t.Kind() {
	case types.StructKind:
		return true // the same one or not
	case types.ListKind, types.MapKind:
		for _, p := range t.Parameters() {
			if !isScalar(p) && p.Kind() != types.StructKind {
				return false
			}
		}
		return true
	}
	return isScalar(t)
}

// at places a problem at a node.
func at(tree *ast.AST, id int64, format string, args ...any) ExprProblem {
	p := ExprProblem{Line: 1, Column: 1, Message: fmt.Sprintf(format, args...)}
	if loc := tree.SourceInfo().GetStartLocation(id); loc.Line() > 0 {
		p.Line, p.Column = loc.Line(), loc.Column()+1
	}
	return p
}

var (
	undeclared = regexp.MustCompile(`^undeclared reference to '([^']*)'`)
	undefined  = regexp.MustCompile(`^undefined field '([^']*)'`)
	noOverload = regexp.MustCompile(`^found no matching overload for '([^']*)' applied to '(.*)'$`)
)

// problemsOf says what CEL found in sentences that name what there is.
func problemsOf(iss *cel.Issues, tree *ast.AST, missed map[string]string) []ExprProblem {
	var out []ExprProblem
	found := slices.SortedStableFunc(slices.Values(iss.Errors()), func(a, b *cel.Error) int {
		return cmp.Or(cmp.Compare(a.Location.Line(), b.Location.Line()), cmp.Compare(a.Location.Column(), b.Location.Column()))
	})
	for _, e := range found {
		p := ExprProblem{Line: max(e.Location.Line(), 1), Column: max(e.Location.Column(), 0) + 1, Message: e.Message}
		if m := undeclared.FindStringSubmatch(e.Message); m != nil {
			p.Message = noSuch(tree, e.ExprID, m[1])
		} else if m := undefined.FindStringSubmatch(e.Message); m != nil && missed[m[1]] != "" {
			o := objects()[missed[m[1]]]
			p.Message = fmt.Sprintf("%s has no field %s; it has %s.", o.name, m[1], andList(slices.Sorted(maps.Keys(o.fields))))
		} else if m := noOverload.FindStringSubmatch(e.Message); m != nil {
			p.Message = fmt.Sprintf("%s can't be used with %s.", strings.Trim(m[1], "_@"), m[2])
			if strings.Contains(m[2], "double") && strings.Contains(m[2], "int") {
				p.Message += " Write the whole number with a point, as in 0.0."
			}
		} else {
			p.Message = upper(strings.TrimSuffix(p.Message, ".")) + "."
		}
		if out = append(out, p); len(out) == 10 {
			break
		}
	}
	return out
}

// noSuch says that a name means nothing, and which do.
func noSuch(tree *ast.AST, id int64, name string) string {
	call := false
	if tree != nil {
		ast.PostOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
			call = call || e.ID() == id && e.Kind() == ast.CallKind
		}))
	}
	switch {
	case name == "map":
		return "map does not exist here; ask with exists, all, exists_one or filter."
	case call:
		return fmt.Sprintf("There is no function %s.", name)
	}
	return fmt.Sprintf("There is no %s; an expression can look at %s.", name, andList(variables()))
}

func andList(all []string) string { return joined(all, "and") }
func orList(all []string) string  { return joined(all, "or") }

func joined(all []string, word string) string {
	if len(all) < 2 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:len(all)-1], ", ") + " " + word + " " + all[len(all)-1]
}
