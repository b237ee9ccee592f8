package policy

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/tidelock/tidelock/internal/errs"
)

// Coverage says which lines of rules were reached.
type Coverage struct {
	Files   []FileCoverage `json:"files"`   // by name
	Lines   int            `json:"lines"`   // of all that can be reached
	Reached int            `json:"reached"` //
	Percent float64        `json:"percent"` // 100 where there are no lines
}

// FileCoverage is Coverage of one file.
type FileCoverage struct {
	File    string  `json:"file"` // the pack's name before it
	Reached []Lines `json:"reached"`
	Missed  []Lines `json:"missed"`
	Percent float64 `json:"percent"`

	lines, reached int
}

// Lines are a range, from 1, the last one included.
type Lines struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// add takes over OPA's report of the files of modules.
func (c *Coverage) add(report cover.Report, modules map[string]*ast.Module) {
	for _, file := range slices.Sorted(maps.Keys(modules)) {
		f := FileCoverage{File: file, Reached: []Lines{}, Missed: []Lines{}}
		// A line counts once: as reached, where anything on it was not missed.
		reached, missed := map[int]bool{}, map[int]bool{}
		if r := report.Files[file]; r != nil {
			mark(reached, r.Covered)
			mark(missed, r.NotCovered)
		}
		for line := range missed {
			delete(reached, line)
		}
		f.Reached, f.Missed = ranges(reached), ranges(missed)
		f.reached, f.lines = len(reached), len(reached)+len(missed)
		f.Percent = percent(f.reached, f.lines)
		c.Files = append(c.Files, f)
	}
}

// sum works the totals out.
func (c *Coverage) sum() {
	slices.SortFunc(c.Files, func(a, b FileCoverage) int { return strings.Compare(a.File, b.File) })
	c.Lines, c.Reached = 0, 0
	for _, f := range c.Files {
		c.Lines += f.lines
		c.Reached += f.reached
	}
	c.Percent = percent(c.Reached, c.Lines)
}

func mark(lines map[int]bool, all []cover.Range) {
	for _, r := range all {
		for line := r.Start.Row; line <= r.End.Row; line++ {
			lines[line] = true
		}
	}
}

func ranges(lines map[int]bool) []Lines {
	out := []Lines{}
	for _, line := range slices.Sorted(maps.Keys(lines)) {
		if n := len(out); n > 0 && out[n-1].To == line-1 {
			out[n-1].To = line
			continue
		}
		out = append(out, Lines{line, line})
	}
	return out
}

func percent(part, whole int) float64 {
	if whole == 0 {
		return 100
	}
	return 100 * float64(part) / float64(whole)
}

// Cover judges plans by the packs that are not bundled, and by those too where
// bundled is set, and says which lines of their rules were reached: a rule that
// no plan ever reached may be one that can't be. Levels don't count: rules that
// are off are asked as well.
func (e *Engine) Cover(ctx context.Context, inputs []Input, bundled bool) (Coverage, error) {
	var c Coverage
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	allow := e.memory
	for _, in := range inputs {
		allow += in.size()
	}
	defer heap.enter(allow)()
	w := heap.watch(canceler{ctx, cancel})
	defer heap.forget(w)
	for _, u := range e.parts {
		if u.pack == "" && !bundled {
			continue
		}
		asks, err := u.ready()
		if err != nil {
			return c, err
		}
		covered := cover.New()
		for _, in := range inputs {
			t, err := e.tune(in.Overrides)
			if err != nil {
				return c, err
			}
			input, err := in.build(t.settings, e.needs)
			if err != nil {
				return c, err
			}
			for _, a := range asks {
				one, done := context.WithTimeout(ctx, e.ruleTime)
				// A rule that fails has reached what it has reached; Judge
				// tells of what is wrong with it.
				_, _ = a.query.Eval(one, rego.EvalParsedInput(input), rego.EvalQueryTracer(covered))
				done()
				if ctx.Err() != nil {
					return c, errs.Wrap(errs.Canceled, context.Cause(ctx), "The policies were stopped before they had judged all plans.")
				}
			}
		}
		c.add(covered.Report(u.modules), u.modules)
	}
	c.sum()
	return c, nil
}
