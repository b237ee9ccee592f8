package gate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // now.getHours("Europe/Berlin") works in an image without zones

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// What bounds an expression. Its text and its nesting bound how long it takes
// to read. Its steps bound how long it takes to evaluate: one for each
// resource that a loop comes to, for each field, and for each 64 bytes of a
// text, so that an ordinary rule has room for a plan of 100,000 resources.
// The deadline stands behind it, far off, so that a loaded machine closes no
// gate.
//
// CEL has a limit of its own on cost, which is not used: its reckoning goes
// through all that a loop has left on its stack, and so takes the square of
// the resources (a second for 20,000, where the rule itself takes 12 ms).
// What it would catch and steps don't, which is work on values that the
// expression makes itself, is refused when it is read: see look.
const (
	maxExpr    = 4096 // bytes
	maxNodes   = 2000
	maxDepth   = 40
	maxNesting = 2   // of exists, all, … in each other
	maxJoins   = 4   // of texts
	maxPattern = 200 // instructions of a regular expression
	maxText    = 64 << 10
	maxSteps   = 1_000_000
	deadline   = 2 * time.Second
	maxCached  = 512
)

// celEnv is the environment of every expression, built at the first one.
type celEnv struct {
	*cel.Env
	provider *provider
}

var environment = sync.OnceValues(func() (*celEnv, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	e := &celEnv{provider: &provider{Provider: registry}}
	actor := typeOf("actor")
	opts := []cel.EnvOption{
		cel.CustomTypeProvider(e.provider),
		cel.CustomTypeAdapter(registry),
		// No map: only it could name a value that an expression made, and so
		// double one again and again.
		cel.ClearMacros(),
		cel.Macros(cel.HasMacro, cel.AllMacro, cel.ExistsMacro, cel.ExistsOneMacro, cel.FilterMacro),
		cel.EnableHiddenAccumulatorName(true),
		cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true),
		cel.ParserExpressionSizeLimit(maxExpr),
		cel.ParserRecursionLimit(maxDepth),
		cel.ParserErrorRecoveryLimit(8),
		cel.ExpressionNodeLimit(maxNodes),
		cel.ASTValidators(cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateRegexLiterals(),
			cel.ValidateHomogeneousAggregateLiterals()),
		cel.Variable("now", cel.TimestampType),
		cel.Function("memberOf", cel.MemberOverload("actor_member_of", []*cel.Type{actor, cel.StringType}, cel.BoolType,
			cel.BinaryBinding(memberOf))),
		cel.Function("hasRole", cel.MemberOverload("actor_has_role", []*cel.Type{actor, cel.StringType}, cel.BoolType,
			cel.BinaryBinding(hasRole))),
	}
	for name := range objects() {
		if name != "resource" {
			opts = append(opts, cel.Variable(name, typeOf(name)))
		}
	}
	e.Env, err = cel.NewEnv(opts...)
	return e, err
})

// actorAnd returns the facts behind an actor, and the text.
func actorAnd(a, text ref.Val) (*Facts, string, bool) {
	v, ok := a.Value().(*value)
	s, isText := text.Value().(string)
	if !ok || !isText {
		return nil, "", false
	}
	f, ok := v.to.(*Facts)
	return f, s, ok
}

func memberOf(a, team ref.Val) ref.Val {
	f, name, ok := actorAnd(a, team)
	if !ok {
		return types.NewErr("memberOf takes the name of a team")
	}
	in, asked := f.Actor.Teams[strings.ToLower(name)]
	if !asked {
		return types.NewErr("whether the actor is in %s is not known", name)
	}
	return types.Bool(in)
}

func hasRole(a, role ref.Val) ref.Val {
	f, name, ok := actorAnd(a, role)
	if !ok || !slices.Contains(roles, name) {
		return types.NewErr("hasRole takes a role")
	}
	if f.Actor.Role == "" {
		return types.NewErr("actor.role is not known")
	}
	return types.Bool(holds(f.Actor.Role, name))
}

// compiled is an expression that was read, or what is wrong with it.
type compiled struct {
	problems []ExprProblem
	program  cel.Program
	uses     []string // the variables that it names, sorted
	need     Need
}

// ExprProblem is one thing that is wrong with an expression.
type ExprProblem struct {
	Line, Column int // from 1, in the expression's text
	Message      string
}

// cache keeps expressions that were read by their text. Its lock is held
// while one is read, which the bounds above keep short: the provider is
// shared.
var cache = struct {
	sync.Mutex
	byText map[string]*compiled
}{byText: map[string]*compiled{}}

func compile(text string) *compiled {
	cache.Lock()
	defer cache.Unlock()
	if c, ok := cache.byText[text]; ok {
		return c
	}
	c := read(text)
	if len(text) <= maxExpr {
		for old := range cache.byText {
			if len(cache.byText) < maxCached {
				break
			}
			delete(cache.byText, old)
		}
		cache.byText[text] = c
	}
	return c
}

// CheckExpression returns what is wrong with an expression before the act,
// nil where nothing is. Before a plan there is no plan, no cost and no verdict
// of the policies to look at.
func CheckExpression(act Act, text string) []ExprProblem {
	c := compile(text)
	if len(c.problems) > 0 || act != ActPlan {
		return c.problems
	}
	for _, name := range c.uses {
		if name == "plan" || name == "cost" || name == "policy" {
			return []ExprProblem{{Line: 1, Column: 1, Message: fmt.Sprintf("There is no %s yet when a plan is asked for; the gate %q can look at %s.", name, ActPlan, andList([]string{"actor", "checks", "now", "pull"}))}}
		}
	}
	return nil
}

// eval evaluates the expression. why says what kept it from having a result,
// as the end of a sentence in Markdown; "" where it has one.
func (c *compiled) eval(f Facts) (result bool, why string) {
	defer func() {
		if recover() != nil {
			result, why = false, "it could not be evaluated."
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	left := &budget{steps: maxSteps, stop: cancel}
	vars := map[string]any{}
	for _, name := range c.uses {
		if name == "now" {
			if f.Now.IsZero() {
				return false, "the time is not known."
			}
			vars[name] = types.Timestamp{Time: f.Now}
			continue
		}
		o := objects()[name]
		if !o.has(&f) {
			return false, o.unread + " could not be read."
		}
		vars[name] = valueOf(name, &f, left)
	}
	out, _, err := c.program.ContextEval(ctx, vars)
	switch {
	case left.steps < 0: // whatever came out: || and && go over errors
		return false, "it takes more steps than a rule may."
	case ctx.Err() != nil:
		return false, "it takes longer than a rule may."
	case err != nil:
		return false, prose(err.Error()) + "."
	}
	b, ok := out.Value().(bool)
	if !ok {
		return false, "it is neither true nor false."
	}
	return b, ""
}
