package policy

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// Judge asks every rule that is not off about the plan.
//
// What can't be judged is in the report, with verdict Error. An error is
// returned only where there is no answer about the plan: ctx ended
// (errs.Canceled), or the input's overrides are wrong (errs.Invalid). The
// report is then Unjudged's, so that whoever overlooks the error blocks.
func (e *Engine) Judge(ctx context.Context, in Input) (Report, error) {
	t, err := e.tune(in.Overrides)
	if err != nil {
		return Unjudged(err), err
	}
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return canceled(ctx)
	}
	defer heap.enter(e.memory + in.size())()
	input, err := in.build(t.settings, e.needs)
	if err != nil {
		r := Unjudged(err)
		r.Policies = t.version
		return r, nil
	}
	all, cancel := context.WithTimeout(ctx, e.time)
	defer cancel()
	j := judgement{Engine: e, tuning: t, input: input, answers: make([]answer, len(e.rules)), size: len(in.Plan.Raw), concerned: make([]bool, len(e.parts))}
	for i, u := range e.parts {
		j.concerned[i] = u.concerns(in.Plan.Raw)
	}
	j.run(all)
	if ctx.Err() != nil {
		return canceled(ctx)
	}
	report := Report{Findings: []Finding{}, Policies: t.version}
	for i, a := range j.answers {
		if t.levels[e.rules[i].Key()] == Off {
			continue
		}
		report.Rules++
		report.Findings = append(report.Findings, a.findings...)
		if a.problem != nil {
			report.Problems = append(report.Problems, *a.problem)
		}
	}
	mask := new(redact.Masker)
	if len(report.Findings)+len(report.Problems) > 0 {
		mask = redact.NewMasker(sensitiveOf(input)...)
	}
	report.finish(mask, in.Project)
	return report, nil
}

func canceled(ctx context.Context) (Report, error) {
	err := errs.Wrap(errs.Canceled, context.Cause(ctx), "The policies were stopped before they had judged the plan.")
	return Unjudged(err), err
}

// judgement is one plan being judged.
type judgement struct {
	*Engine
	tuning
	input   ast.Value
	answers []answer // one a rule
	size    int      // of the plan's JSON, in bytes
	// concerned says of each part whether the plan holds anything for it.
	concerned []bool
	next      atomic.Int64
}

// answer is what one rule says.
type answer struct {
	findings []Finding
	problem  *Problem
}

// run asks all rules. Each worker takes the next rule that nobody has asked.
func (j *judgement) run(ctx context.Context) {
	var wg sync.WaitGroup
	for range j.workers() {
		wg.Go(func() { j.work(ctx) })
	}
	wg.Wait()
}

// work asks rules until none is left. The rules of one pack, and all bundled
// ones, share what they work out of a plan, such as the changes by type, with
// those that the same worker asks.
func (j *judgement) work(ctx context.Context) {
	caches := map[string]topdown.VirtualCache{}
	for {
		i := int(j.next.Add(1)) - 1
		if i >= len(j.rules) {
			return
		}
		r, a := j.rules[i], &j.answers[i]
		level := j.levels[r.Key()]
		if level == Off || !j.concerned[j.asks[i].unit] {
			continue
		}
		if ctx.Err() != nil {
			a.problem = &Problem{Rule: r.ID, Message: fmt.Sprintf("not asked: the rules before it took the %s that a plan may take", j.time)}
			continue
		}
		if caches[r.Pack] == nil {
			caches[r.Pack] = topdown.NewVirtualCache()
		}
		if a.findings, a.problem = j.ask(ctx, i, caches[r.Pack], level); a.problem != nil {
			delete(caches, r.Pack) // what stopped midway is left out of it
		}
	}
}

// ask evaluates one rule.
func (j *judgement) ask(ctx context.Context, i int, cache topdown.VirtualCache, level Level) ([]Finding, *Problem) {
	r, at := j.rules[i], j.asks[i]
	asks, err := j.parts[at.unit].ready()
	if err != nil {
		return nil, &Problem{Rule: r.ID, File: r.File, Line: r.Line, Message: err.Error()}
	}
	value, problem := j.eval(ctx, r, asks[at.rule].query, cache)
	if problem != nil || value == nil {
		return nil, problem
	}
	findings, err := r.read(value, level)
	if err != nil {
		return nil, &Problem{Rule: r.ID, File: r.File, Line: r.Line, Message: err.Error()}
	}
	if x := asks[at.rule].exceptions; x != nil && len(findings) > 0 {
		value, problem := j.eval(ctx, r, *x, cache)
		if problem != nil {
			return nil, problem
		}
		if r.excepted(value) {
			for i := range findings {
				findings[i].Level = Advisory
				findings[i].Message += " (excepted by the policy)"
			}
		}
	}
	return findings, nil
}

// eval gives the value of a query, nil where it is undefined: the rule is then
// no set, and found nothing.
func (j *judgement) eval(ctx context.Context, r Rule, q rego.PreparedEvalQuery, cache topdown.VirtualCache) (any, *Problem) {
	ctx, cancel := context.WithTimeout(ctx, j.ruleTime)
	defer cancel()
	stop := topdown.NewCancel()
	defer context.AfterFunc(ctx, stop.Cancel)()
	w := heap.watch(stop)
	defer heap.forget(w)
	start := time.Now()
	results, err := q.Eval(ctx, rego.EvalParsedInput(j.input), rego.EvalVirtualCache(cache), rego.EvalExternalCancel(stop))
	switch {
	case w.over.Load():
		return nil, &Problem{Rule: r.ID, File: r.File, Line: r.Line, Message: fmt.Sprintf("stopped after %s: it took more than the %s of memory that judging may take", rounded(time.Since(start)), megabytes(j.memory))}
	case err != nil:
		return nil, r.problem(err, time.Since(start))
	case len(results) == 0:
		return nil, nil
	}
	return results[0].Expressions[0].Value, nil
}

func rounded(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }

func megabytes(n uint64) string { return fmt.Sprintf("%d MB", n>>20) }

func (r Rule) problem(err error, took time.Duration) *Problem {
	p := &Problem{Rule: r.ID, File: r.File, Line: r.Line, Message: err.Error()}
	var fault *topdown.Error
	switch {
	case topdown.IsCancel(err) || errors.Is(err, context.DeadlineExceeded):
		p.Message = fmt.Sprintf("stopped after %s without an answer", rounded(took))
	case errors.As(err, &fault):
		p.Message = fault.Message
		if fault.Location != nil && fault.Location.File != "" {
			p.File, p.Line = fault.Location.File, fault.Location.Row
		}
	}
	return p
}

// excepted reports whether the value of a package's exceptions, lists of rules'
// names, holds the rule's: without its first word, as conftest has it.
func (r Rule) excepted(value any) bool {
	sets, _ := value.([]any)
	return slices.ContainsFunc(sets, func(v any) bool {
		names, _ := v.([]any)
		return slices.ContainsFunc(names, func(name any) bool {
			s, ok := name.(string)
			return ok && r.called(s)
		})
	})
}

// workers is how many ask the rules of one plan: as many as there are
// processors that no other plan has, and one for a small plan, for which to
// work out twice what the rules share takes longer than to ask them.
func (j *judgement) workers() int {
	if j.size < 512<<10 {
		return 1
	}
	return min(max(runtime.GOMAXPROCS(0)/max(len(j.slots), 1), 1), 4)
}
