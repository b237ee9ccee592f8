package policy

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/tidelock/tidelock/internal/errs"
)

// Options are what New takes; the zero Options are the bundled packs as they
// come.
type Options struct {
	Packs     []Pack
	Overrides Overrides
	// RuleTime and Time bound one rule's work on one plan, and all rules'.
	// Zero is 5 s and 20 s. A rule that is stopped makes the verdict Error.
	RuleTime, Time time.Duration
	// Memory bounds, in bytes, what the rules may add to the memory of the
	// process for one plan, beside some twelve times the plan's own JSON. Zero
	// is 1 GiB. A rule that is stopped for it makes the verdict Error.
	Memory int64
	// Parallel is how many plans are judged at once; further ones wait, which
	// bounds memory. Zero is one a processor.
	Parallel int
}

// Engine judges plans by packs that were compiled once. It is safe for
// concurrent use and never changes.
type Engine struct {
	rules          []Rule
	asks           []position // of each rule, in the same order
	parts          []*unit    // the bundled packs first, and then the others
	files          []string
	needs          needs
	defaults       Settings // every setting there is, with its default
	settings       []Setting
	sources        string // hash of all Rego and its data
	base           tuning // Options.Overrides
	ruleTime, time time.Duration
	memory         uint64
	slots          chan struct{}
}

// position is where a rule stands among the units.
type position struct{ unit, rule int }

// ask is how a rule is asked.
type ask struct {
	query rego.PreparedEvalQuery
	// exceptions gives the rules of the package that are not to deny, as
	// conftest has it; nil where the package has none.
	exceptions *rego.PreparedEvalQuery
}

// New compiles the bundled packs and those of the options. What is wrong with
// them all is one errs.Invalid error that wraps a *LoadError: each problem with
// file and line. Wrong overrides are errs.Invalid too.
func New(o Options) (*Engine, error) {
	base, err := bundledUnits()
	if err != nil {
		return nil, err
	}
	sources, err := readPacks(base.whole, o.Packs, false)
	if err != nil {
		return nil, err
	}
	units, problems := unitsOf(base, sources)
	if len(problems) > 0 {
		return nil, unfit(problems)
	}
	e := &Engine{
		parts:    units,
		defaults: base.defaults,
		settings: base.settings,
		ruleTime: or(o.RuleTime, 5*time.Second),
		time:     or(o.Time, 20*time.Second),
		memory:   uint64(or(o.Memory, 1<<30)),
		slots:    make(chan struct{}, or(o.Parallel, runtime.GOMAXPROCS(0))),
	}
	if problems = e.take(units); len(problems) > 0 {
		return nil, unfit(problems)
	}
	sum := sha256.New()
	for _, s := range sources {
		fmt.Fprintln(sum, s.Name, s.hash)
	}
	e.sources = hex.EncodeToString(sum.Sum(nil))
	if e.base, err = e.tune(o.Overrides); err != nil {
		return nil, err
	}
	for i := range e.rules {
		e.rules[i].Level = e.base.levels[e.rules[i].Key()]
	}
	return e, nil
}

// take gathers the rules of the units.
func (e *Engine) take(units []*unit) (problems []Problem) {
	e.needs = needs{keys: map[string]bool{}, facts: map[string]bool{}}
	type numbered struct {
		Rule
		position
	}
	var all []numbered
	for i, u := range units {
		problems = append(problems, u.problems...)
		e.needs.join(u.needs)
		e.files = append(e.files, u.files...)
		if u.pack != "" && len(u.rules) == 0 && len(u.problems) == 0 {
			// A wrong folder would otherwise pass every plan.
			problems = append(problems, Problem{File: u.pack, Message: "the pack holds no rule: none of its packages has a set named deny, violation or warn"})
		}
		for j, r := range u.rules {
			all = append(all, numbered{r, position{i, j}})
		}
	}
	slices.SortStableFunc(all, func(a, b numbered) int { return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Pack, b.Pack)) })
	for _, n := range all {
		e.rules, e.asks = append(e.rules, n.Rule), append(e.asks, n.position)
	}
	slices.Sort(e.files)
	e.files = slices.Compact(e.files)
	return problems
}

// Files are the patterns of the repository's files that rules ask for, sorted:
// paths within the repository, with *, ** and ?. Input.Files is to hold what
// they match.
func (e *Engine) Files() []string { return slices.Clone(e.files) }

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// Rules returns the engine's rules in the order of their IDs, with the levels
// that the server set.
func (e *Engine) Rules() []Rule { return slices.Clone(e.rules) }

// Settings returns every setting of every pack with its default.
func (e *Engine) Settings() Settings {
	out := Settings{}
	for pack, values := range e.defaults {
		out[pack] = maps.Clone(values)
	}
	return out
}

// defaultsOf evaluates the bundled packs' settings without any input.
func defaultsOf(ctx context.Context, compiler *ast.Compiler) (Settings, error) {
	out := Settings{}
	for _, m := range compiler.Modules {
		pack, ok := settingsPack(m)
		if !ok {
			continue
		}
		rs, err := rego.New(rego.ParsedQuery(ast.NewBody(ast.NewExpr(ast.NewTerm(m.Package.Path)))), rego.Compiler(compiler)).Eval(ctx)
		if err != nil || len(rs) != 1 {
			return nil, fmt.Errorf("read the settings of %s: %w", m.Package.Path, err)
		}
		values, err := plain(rs[0].Expressions[0].Value)
		if err != nil {
			return nil, fmt.Errorf("read the settings of %s: %w", m.Package.Path, err)
		}
		out[pack], _ = values.(map[string]any)
	}
	return out, nil
}

// version hashes everything that decides how a plan is judged.
func (e *Engine) version(t tuning) string {
	raw, err := json.Marshal([]any{InputVersion, e.sources, t.levels, t.settings})
	if err != nil {
		panic(err) // strings, and values that came from JSON
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

func unfit(problems []Problem) error {
	const shown = 20
	if len(problems) > shown {
		problems = append(problems[:shown:shown], Problem{Message: fmt.Sprintf("and %d more", len(problems)-shown)})
	}
	err := &LoadError{Problems: problems}
	return errs.Wrap(errs.Invalid, err, "The policies could not be judged, since they do not compile: %s.", problems[0])
}

// problemsOf takes OPA's errors apart.
func problemsOf(err error) []Problem {
	var list ast.Errors
	if !errors.As(err, &list) {
		return []Problem{{Message: err.Error()}}
	}
	problems := make([]Problem, 0, len(list))
	for _, e := range list {
		p := Problem{Message: or(misread(e), e.Message)}
		if e.Location != nil {
			p.File, p.Line = e.Location.File, e.Location.Row
		}
		problems = append(problems, p)
	}
	slices.SortFunc(problems, func(a, b Problem) int { return strings.Compare(a.String(), b.String()) })
	return problems
}
