package gate

import (
	"context"
	"errors"
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
// to read; costLimit bounds how long it takes to evaluate: about a unit for
// each step, so that rules over some thousands of resources have room. The
// deadline stands behind it, far off, so that a loaded machine closes no gate.
const (
	maxExpr    = 4096 // characters
	maxNodes   = 2000
	maxDepth   = 40
	maxNesting = 2   // of exists, all, … in each other
	maxJoins   = 4   // of texts
	maxPattern = 200 // instructions of a regular expression
	costLimit  = 2_000_000
	deadline   = 2 * time.Second
	maxCached  = 512
)

// celEnv is the environment of every expression, built at the first one.
type celEnv struct {
	*cel.Env
	provider *provider
	adapter  types.Adapter
}

var environment = sync.OnceValues(func() (*celEnv, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	e := &celEnv{provider: &provider{Provider: registry}, adapter: adapter{registry}}
	actor := typeOf("actor")
	opts := []cel.EnvOption{
		cel.CustomTypeProvider(e.provider),
		cel.CustomTypeAdapter(e.adapter),
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

func memberOf(a, team ref.Val) ref.Val {
	f, ok := a.Value().(*Facts)
	name, text := team.Value().(string)
	if !ok || !text {
		return types.NewErr("memberOf takes the name of a team")
	}
	in, asked := f.Actor.Teams[strings.ToLower(name)]
	if !asked {
		return types.NewErr("whether the actor is in %s is not known", name)
	}
	return types.Bool(in)
}

func hasRole(a, role ref.Val) ref.Val {
	f, ok := a.Value().(*Facts)
	name, text := role.Value().(string)
	if !ok || !text || !slices.Contains(roles, name) {
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
			return []ExprProblem{{Line: 1, Column: 1, Message: fmt.Sprintf("There is no %s yet when a plan is asked for; the gate %q can look at %s.", name, ActPlan, orList([]string{"actor", "checks", "now", "pull"}))}}
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
		vars[name] = &value{typ: types.NewObjectType(typePrefix + name), to: &f}
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	out, _, err := c.program.ContextEval(ctx, vars)
	switch {
	case err == nil:
		b, ok := out.Value().(bool)
		if !ok {
			return false, "it is neither true nor false."
		}
		return b, ""
	case strings.Contains(err.Error(), "cost limit exceeded"):
		return false, "it takes more steps than a rule may."
	case errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "interrupted"):
		return false, "it takes longer than a rule may."
	}
	return false, prose(err.Error()) + "."
}
