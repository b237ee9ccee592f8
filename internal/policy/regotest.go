package policy

import (
	"cmp"
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/tidelock/tidelock/internal/errs"
)

// TestOptions are what Test takes; the zero TestOptions run every test of the
// packs given.
type TestOptions struct {
	// Run is a regular expression: only tests whose name it matches run. A
	// name is the package's and the rule's, "data.main_test.test_public".
	Run string
	// Bundled tests the bundled packs as well.
	Bundled bool
	// Time bounds one test; zero is 10 s.
	Time time.Duration
	// Memory bounds, in bytes, what the tests may add to the memory of the
	// process. Zero is 1 GiB.
	Memory int64
}

// Outcome is how a test ended.
type Outcome string

// The outcomes.
const (
	Passed  Outcome = "pass"
	Failed  Outcome = "fail"
	Broken  Outcome = "error" // it could not be evaluated to its end
	Skipped Outcome = "skip"  // its name begins with todo_test_
)

// TestResult is one test that ran.
type TestResult struct {
	Pack    string        `json:"pack,omitempty"` // "" for the bundled ones
	Package string        `json:"package"`        // "main_test"
	Name    string        `json:"name"`           // "test_public", with the cases of a test by cases: "test_public/443"
	File    string        `json:"file"`
	Line    int           `json:"line"`
	Outcome Outcome       `json:"outcome"`
	Message string        `json:"message,omitempty"` // why it failed, as far as that is known
	Output  string        `json:"output,omitempty"`  // what print printed
	Took    time.Duration `json:"took"`
}

// TestReport is what the tests of packs say.
type TestReport struct {
	Tests    []TestResult `json:"tests"` // by pack, file and line
	Passed   int          `json:"passed"`
	Failed   int          `json:"failed"` // and broken
	Skipped  int          `json:"skipped"`
	Coverage Coverage     `json:"coverage"` // of the rules, not of the tests
}

// Test runs the tests that stand in packs: rules whose name begins with test_
// in files that end in _test.rego. They have the bundled libraries at hand, and
// data.tidelock.fixture to make changes with. What does not compile is an
// errs.Invalid error as New's; a test that fails is none.
func Test(ctx context.Context, packs []Pack, o TestOptions) (TestReport, error) {
	report := TestReport{Tests: []TestResult{}}
	if _, err := regexp.Compile(o.Run); err != nil {
		return report, errs.Wrap(errs.Invalid, err, "The tests to run are named by %q, which is no regular expression.", o.Run)
	}
	bundled, err := (&reader{withTests: true}).read(bundledPack)
	if err != nil {
		return report, err
	}
	sources, err := readPacks(bundled, packs, true)
	if err != nil {
		return report, err
	}
	lib := maps.Clone(bundled.modules)
	for file, m := range bundled.tests {
		if m.Package.Path.Equal(fixture) {
			lib[file] = m
		}
	}
	if !o.Bundled {
		sources = sources[1:]
	}
	defer heap.enter(uint64(or(o.Memory, 1<<30)))()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := heap.watch(canceler{ctx, cancel})
	defer heap.forget(w)
	for _, s := range sources {
		covered, err := testPack(ctx, s, lib, o, &report)
		switch {
		case w.over.Load():
			return report, errs.New(errs.TooLarge, "The tests were stopped: they took more than the %s of memory that they may take.", megabytes(uint64(or(o.Memory, 1<<30))))
		case ctx.Err() != nil:
			return report, errs.Wrap(errs.Canceled, context.Cause(ctx), "The tests were stopped.")
		case err != nil:
			return report, err
		}
		report.Coverage.add(covered.Report(s.modules), s.modules)
	}
	report.Coverage.sum()
	slices.SortStableFunc(report.Tests, func(a, b TestResult) int {
		return cmp.Or(cmp.Compare(a.Pack, b.Pack), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Name, b.Name))
	})
	return report, nil
}

// fixture is the bundled package that makes inputs for tests.
var fixture = ast.MustParseRef("data.tidelock.fixture")

// canceler stops a context in the way that OPA's evaluations are stopped.
type canceler struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func (c canceler) Cancel()         { c.cancel(nil) }
func (c canceler) Cancelled() bool { return c.ctx.Err() != nil }

func testPack(ctx context.Context, s source, lib map[string]*ast.Module, o TestOptions, report *TestReport) (*cover.Cover, error) {
	own := maps.Clone(s.modules)
	maps.Copy(own, s.tests)
	modules := maps.Clone(own)
	maps.Copy(modules, used(own, lib))
	if len(s.problems) > 0 {
		return nil, unfit(s.problems)
	}
	covered := cover.New()
	run := func(adjust func(*tester.Runner) *tester.Runner, each func(*tester.Result)) error {
		store := inmem.NewFromObject(s.data)
		return storage.Txn(ctx, store, storage.WriteParams, func(txn storage.Transaction) error {
			results, err := adjust(tester.NewRunner().
				SetCompiler(newCompiler(s).WithEnablePrintStatements(true)).
				SetStore(store).
				CapturePrintOutput(true).
				SetTimeout(or(o.Time, 10*time.Second)).
				SetModules(modules)).
				RunTests(ctx, txn)
			if err != nil {
				return unfit(problemsOf(err))
			}
			for r := range results {
				each(r)
			}
			return nil
		})
	}
	first := len(report.Tests)
	var failed []string
	err := run(func(r *tester.Runner) *tester.Runner { return r.SetCoverageQueryTracer(covered).Filter(o.Run) }, func(r *tester.Result) {
		if r.Fail && len(r.SubResults) == 0 {
			failed = append(failed, regexp.QuoteMeta(r.Package+"."+r.Name))
		}
		report.take(s.Name, r)
	})
	if err != nil || len(failed) == 0 {
		return covered, err
	}
	// What was not true is told by a trace, which would be far too much to have
	// of every test.
	only := "^(" + strings.Join(failed, "|") + ")$"
	return covered, run(func(r *tester.Runner) *tester.Runner { return r.EnableTracing(true).Filter(only) }, func(r *tester.Result) {
		for i := range report.Tests[first:] {
			t := &report.Tests[first+i]
			if t.Outcome == Failed && "data."+t.Package == r.Package && t.Name == r.Name {
				t.Line, t.Message = untrue(r, t.Line)
			}
		}
	})
}

// untrue finds the expression of a test that did not hold: the last one of its
// own that failed.
func untrue(r *tester.Result, line int) (int, string) {
	for _, e := range slices.Backward(r.Trace) {
		if e.Op == topdown.FailOp && e.Location != nil && r.Location != nil && e.Location.File == r.Location.File && e.Location.Row >= r.Location.Row {
			text, _, _ := strings.Cut(strings.TrimSpace(string(e.Location.Text)), "\n")
			return e.Location.Row, "not true: " + text
		}
	}
	return line, ""
}

// take adds one result, and where it is a test by cases, each case.
func (t *TestReport) take(pack string, r *tester.Result) {
	base := TestResult{Pack: pack, Package: strings.TrimPrefix(r.Package, "data."), Name: r.Name, Took: r.Duration, Output: cleanLines(r.Output)}
	if r.Location != nil {
		base.File, base.Line = r.Location.File, r.Location.Row
	}
	switch {
	case r.Error != nil:
		base.Outcome, base.Message = Broken, r.Error.Error()
	case r.Skip:
		base.Outcome = Skipped
	case r.Fail:
		base.Outcome = Failed
	default:
		base.Outcome = Passed
	}
	if len(r.SubResults) == 0 || r.Error != nil {
		t.add(base)
		return
	}
	t.cases(base, r.SubResults)
}

func (t *TestReport) cases(base TestResult, sub tester.SubResultMap) {
	for _, name := range slices.Sorted(maps.Keys(sub)) {
		x := base
		x.Name += "/" + name
		if len(sub[name].SubResults) > 0 {
			t.cases(x, sub[name].SubResults)
			continue
		}
		x.Outcome, x.Message = Passed, ""
		if sub[name].Fail {
			x.Outcome = Failed
		}
		t.add(x)
	}
}

func (t *TestReport) add(r TestResult) {
	switch r.Outcome {
	case Passed:
		t.Passed++
	case Skipped:
		t.Skipped++
	default:
		t.Failed++
	}
	t.Tests = append(t.Tests, r)
}

// cleanLines makes what a test printed fit to be shown, in lines.
func cleanLines(raw []byte) string {
	lines := strings.Split(strings.TrimRight(string(raw), "\n"), "\n")
	for i, l := range lines {
		lines[i] = clean(l, maxMessage)
	}
	return strings.Join(lines, "\n")
}
