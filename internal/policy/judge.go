package policy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
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
	report := Report{Findings: []Finding{}, Policies: t.version}
	input, err := in.build(t.settings, e.needs)
	if err != nil {
		r := Unjudged(err)
		r.Policies = t.version
		return r, nil
	}
	all, cancel := context.WithTimeout(ctx, e.time)
	defer cancel()
	// Rules of one plan share what they work out of it, such as the changes by
	// type. One rule is asked after the other: plans are judged side by side.
	cache := topdown.NewVirtualCache()
	for i, r := range e.rules {
		level := t.levels[r.ID]
		if level == Off {
			continue
		}
		report.Rules++
		if all.Err() != nil && ctx.Err() == nil {
			report.Problems = append(report.Problems, Problem{Rule: r.ID, Message: fmt.Sprintf("not asked: the rules before it took the %s that a plan may take", e.time)})
			continue
		}
		findings, problem := e.ask(all, i, input, cache, level)
		if ctx.Err() != nil {
			return canceled(ctx)
		}
		report.Findings = append(report.Findings, findings...)
		if problem != nil {
			report.Problems = append(report.Problems, *problem)
			cache = topdown.NewVirtualCache() // what stopped midway is left out of it
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

// ask evaluates one rule.
func (e *Engine) ask(ctx context.Context, i int, input ast.Value, cache topdown.VirtualCache, level Level) ([]Finding, *Problem) {
	r := e.rules[i]
	ctx, cancel := context.WithTimeout(ctx, e.ruleTime)
	defer cancel()
	start := time.Now()
	results, err := e.queries[i].Eval(ctx, rego.EvalParsedInput(input), rego.EvalVirtualCache(cache))
	if err != nil {
		return nil, r.problem(err, time.Since(start))
	}
	if len(results) == 0 { // undefined: the rule is no set, and found nothing
		return nil, nil
	}
	findings, err := r.read(results[0].Expressions[0].Value, level)
	if err != nil {
		return nil, &Problem{Rule: r.ID, File: r.File, Line: r.Line, Message: err.Error()}
	}
	return findings, nil
}

func (r Rule) problem(err error, took time.Duration) *Problem {
	p := &Problem{Rule: r.ID, File: r.File, Line: r.Line, Message: err.Error()}
	var fault *topdown.Error
	switch {
	case topdown.IsCancel(err) || errors.Is(err, context.DeadlineExceeded):
		p.Message = fmt.Sprintf("stopped after %s without an answer", took.Round(10*time.Millisecond))
	case errors.As(err, &fault):
		p.Message = fault.Message
		if fault.Location != nil && fault.Location.File != "" {
			p.File, p.Line = fault.Location.File, fault.Location.Row
		}
	}
	return p
}

// read makes findings of a rule's value: a set or list of texts or objects, as
// conftest takes them, or a single text, object or true.
func (r Rule) read(value any, level Level) ([]Finding, error) {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	var out []Finding
	for _, v := range list {
		f := Finding{Rule: r.ID, Pack: r.Pack, Title: r.Title, Severity: r.Severity, Level: level, Help: r.Mend}
		switch v := v.(type) {
		case bool:
			if !v {
				continue
			}
			f.Message = r.Title
		case string:
			f.Message = v
		case map[string]any:
			f.Message = first(v, "msg", "message")
			f.Address = first(v, "address", "resource")
			if details, ok := v["details"].(map[string]any); ok && f.Address == "" {
				f.Address = first(details, "address", "resource")
			}
			f.Fingerprint = first(v, "fingerprint")
			if f.Message == "" {
				return nil, errors.New(`gave an object without a "msg"`)
			}
			// A finding may be weaker than its rule, never stronger: levels are
			// the server's.
			if v["level"] == string(Advisory) {
				f.Level = Advisory
			}
		default:
			return nil, fmt.Errorf("gave %s, which is neither a text nor an object with a \"msg\"", compact(v))
		}
		out = append(out, f)
	}
	return out, nil
}

func first(m map[string]any, keys ...string) string {
	for _, k := range keys {
		if s, ok := m[k].(string); ok && strings.TrimSpace(s) != "" {
			return s
		}
	}
	return ""
}

func compact(v any) string {
	raw, err := json.Marshal(v)
	if err != nil || len(raw) > 60 {
		return "something"
	}
	return string(raw)
}
