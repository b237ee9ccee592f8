package policy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/policies"
)

// Pack is a set of rules beside the bundled ones: every .rego file in FS, apart
// from those that end in _test.rego.
type Pack struct {
	Name string // stands before file names in reports; not empty, unique
	FS   fs.FS
}

// Options are what New takes; the zero Options are the bundled packs as they
// come.
type Options struct {
	Packs     []Pack
	Overrides Overrides
	// RuleTime and Time bound one rule's work on one plan, and all rules'.
	// Zero is 5 s and 20 s. A rule that is stopped makes the verdict Error.
	RuleTime, Time time.Duration
	// Parallel is how many plans are judged at once; further ones wait, which
	// bounds memory. Zero is one a processor.
	Parallel int
}

// Engine judges plans by packs that were compiled once. It is safe for
// concurrent use and never changes.
type Engine struct {
	rules          []Rule
	queries        []rego.PreparedEvalQuery // one a rule, in the same order
	needs          needs
	defaults       Settings // every setting there is, with its default
	settings       []Setting
	sources        string // hash of all Rego
	base           tuning // Options.Overrides
	ruleTime, time time.Duration
	slots          chan struct{}
}

// Limits of what New reads, in bytes: far above any policy people write.
const (
	maxFile = 1 << 20
	maxPack = 16 << 20
)

// New compiles the bundled packs and those of the options. What is wrong with
// them all is one errs.Invalid error that wraps a *LoadError: each problem with
// file and line. Wrong overrides are errs.Invalid too.
func New(o Options) (*Engine, error) {
	modules, hash, problems, err := load(append([]Pack{{FS: policies.FS}}, o.Packs...))
	if err != nil {
		return nil, err
	}
	if len(problems) > 0 {
		return nil, unfit(problems)
	}
	compiler := ast.NewCompiler().WithCapabilities(capabilities()).WithDefaultRegoVersion(ast.RegoV1)
	if compiler.Compile(modules); compiler.Failed() {
		return nil, unfit(problemsOf(compiler.Errors))
	}
	e := &Engine{
		needs:    needsOf(compiler.Modules),
		sources:  hash,
		ruleTime: or(o.RuleTime, 5*time.Second),
		time:     or(o.Time, 20*time.Second),
		slots:    make(chan struct{}, or(o.Parallel, runtime.GOMAXPROCS(0))),
	}
	e.rules, problems = rulesOf(compiler, packOf)
	problems = append(problems, empty(o.Packs, e.rules)...)
	if len(problems) > 0 {
		return nil, unfit(problems)
	}
	ctx := context.Background() // compiles in memory; nothing to cancel
	for _, r := range e.rules {
		q, err := rego.New(
			rego.ParsedQuery(ast.NewBody(ast.NewExpr(ast.NewTerm(r.ref)))),
			rego.Compiler(compiler),
			rego.Capabilities(capabilities()),
		).PrepareForEval(ctx)
		if err != nil {
			return nil, fmt.Errorf("prepare rule %s: %w", r.ID, err)
		}
		e.queries = append(e.queries, q)
	}
	if e.defaults, err = defaultsOf(ctx, compiler); err != nil {
		return nil, err
	}
	if e.settings, problems = settingsOf(compiler, e.defaults); len(problems) > 0 {
		return nil, unfit(problems)
	}
	if e.base, err = e.tune(o.Overrides); err != nil {
		return nil, err
	}
	for i := range e.rules {
		e.rules[i].Level = e.base.levels[e.rules[i].ID]
	}
	return e, nil
}

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

// capabilities is the language that rules are written in: OPA's, without what
// reaches outside or differs from one run to the next. OPA marks those
// built-ins as nondeterministic, so that what it adds is left out as well;
// they are named here too, in case a mark goes. The time of day stays: waivers
// and freezes need it.
func capabilities() *ast.Capabilities {
	c := ast.CapabilitiesForThisVersion(ast.CapabilitiesRegoVersion(ast.RegoV1))
	c.Builtins = slices.DeleteFunc(slices.Clone(c.Builtins), func(b *ast.Builtin) bool {
		switch b.Name {
		case "time.now_ns":
			return false
		case "http.send", "net.lookup_ip_addr", "opa.runtime", "rand.intn", "uuid.rfc4122":
			return true
		}
		return b.Nondeterministic
	})
	c.AllowNet = []string{} // no schema is fetched: an empty list allows no host, a nil one every host
	return c
}

// load parses every pack. File names are those in the pack, after the pack's
// name and a slash where it has one.
func load(packs []Pack) (modules map[string]*ast.Module, hash string, problems []Problem, err error) {
	modules = map[string]*ast.Module{}
	sum := sha256.New()
	size := 0
	for i, pack := range packs {
		if i > 0 && !free(pack.Name, packs[:i]) {
			return nil, "", nil, errs.New(errs.Invalid, "A policy pack is called %q; a pack needs a name of its own, without a slash, that no bundled pack has.", pack.Name)
		}
		err := fs.WalkDir(pack.FS, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() || !strings.HasSuffix(name, ".rego") || strings.HasSuffix(name, "_test.rego") {
				return nil
			}
			file := path.Join(pack.Name, name)
			if info, err := d.Info(); err != nil {
				return err
			} else if size += int(info.Size()); info.Size() > maxFile || size > maxPack {
				return errs.New(errs.TooLarge, "The policies are too large: %s passes %d MB a file or %d MB for all.", file, maxFile>>20, maxPack>>20)
			}
			src, err := fs.ReadFile(pack.FS, name)
			if err != nil {
				return err
			}
			fmt.Fprintf(sum, "%d %s %d\n%s", len(file), file, len(src), src)
			m, err := ast.ParseModuleWithOpts(file, string(src), ast.ParserOptions{
				RegoVersion: ast.RegoV1, ProcessAnnotation: true, Capabilities: capabilities(),
			})
			switch {
			case err != nil:
				problems = append(problems, problemsOf(err)...)
			case m == nil: // a file of comments
			case i > 0 && len(m.Package.Path) > 1 && m.Package.Path[1].Equal(ast.StringTerm(bundledRoot)):
				problems = append(problems, Problem{File: file, Line: m.Package.Location.Row, Message: "package " + bundledRoot + " belongs to the bundled policies; choose another name"})
			default:
				modules[file] = m
			}
			return nil
		})
		if err != nil {
			return nil, "", nil, fmt.Errorf("read policy pack %q: %w", pack.Name, err)
		}
	}
	return modules, hex.EncodeToString(sum.Sum(nil)), problems, nil
}

// free reports whether a pack may have the name. File names begin with it, so a
// bundled pack's name would put its files in the place of bundled ones.
func free(name string, taken []Pack) bool {
	return name != "" && name != "." && name != ".." && !strings.Contains(name, "/") && !bundled(name) &&
		!slices.ContainsFunc(taken, func(p Pack) bool { return p.Name == name })
}

// bundled reports whether a name is one of the folders of package policies.
func bundled(name string) bool {
	_, err := fs.Stat(policies.FS, name)
	return err == nil
}

// packOf gives the pack of a file as load names it, "" for the bundled ones.
func packOf(file string) string {
	name, _, _ := strings.Cut(file, "/")
	if bundled(name) {
		return ""
	}
	return name
}

// empty finds the packs that hold no rule at all: a wrong folder would
// otherwise pass every plan.
func empty(packs []Pack, rules []Rule) (problems []Problem) {
	for _, p := range packs {
		if !slices.ContainsFunc(rules, func(r Rule) bool { return r.Pack == p.Name }) {
			problems = append(problems, Problem{File: p.Name, Message: "the pack holds no rule: none of its packages has a set named deny, violation or warn"})
		}
	}
	return problems
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
		p := Problem{Message: e.Message}
		if e.Location != nil {
			p.File, p.Line = e.Location.File, e.Location.Row
		}
		problems = append(problems, p)
	}
	slices.SortFunc(problems, func(a, b Problem) int { return strings.Compare(a.String(), b.String()) })
	return problems
}
