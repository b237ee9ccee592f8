package main

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/internal/terminal"
	"github.com/tidelock/tidelock/policies"
)

// tracedRule is what one plan did to a rule.
type tracedRule struct {
	Findings []policy.Finding `json:"findings"`
	Reached  []policy.Lines   `json:"reached"`
	Missed   []policy.Lines   `json:"missed"`
	Problems []policy.Problem `json:"problems,omitempty"`

	source []string // the rule's file by lines; nil where it can't be had
}

// traceRule asks one rule about a plan, and which of its lines that reached.
func (p *program) traceRule(ctx context.Context, judging policyset.Judging, r policy.Rule, path string) (*tracedRule, error) {
	in, err := p.readPlan(path)
	if err != nil {
		return nil, err
	}
	in.Overrides = policy.Overrides{Levels: map[string]policy.Level{}, Settings: judging.Overrides.Settings}
	for _, other := range judging.Engine.Rules() {
		if other.Key() != r.Key() {
			in.Overrides.Levels[other.Key()] = policy.Off
		}
	}
	if r.Level == policy.Off {
		r.Level = policy.Advisory // it is asked here all the same
	}
	in.Overrides.Levels[r.Key()] = r.Level
	report, err := judging.Engine.Judge(ctx, in)
	if err != nil {
		return nil, err
	}
	covered, err := judging.Engine.Cover(ctx, []policy.Input{in}, r.Pack == "")
	if err != nil {
		return nil, err
	}
	t := &tracedRule{Findings: report.Findings, Problems: report.Problems, Reached: []policy.Lines{}, Missed: []policy.Lines{}}
	for _, f := range covered.Files {
		if f.File == r.File {
			t.Reached, t.Missed = f.Reached, f.Missed
		}
	}
	return t, nil
}

// put shows the rule's code, with a sign before the lines that count.
func (t *tracedRule) put(s terminal.Screen) {
	for _, problem := range t.Problems {
		s.Put(terminal.Text(terminal.Red, "✗ could not be judged: ").And(terminal.Plain, terminal.Clean(problem.String())))
	}
	for _, f := range t.Findings {
		putFinding(s, f)
	}
	if len(t.Findings)+len(t.Problems) == 0 {
		s.Put(terminal.Text(terminal.Green, "The rule finds nothing in this plan."), nil)
	}
	within := func(all []policy.Lines, n int) bool {
		return slices.ContainsFunc(all, func(l policy.Lines) bool { return l.From <= n && n <= l.To })
	}
	for i, line := range t.source {
		n := i + 1
		style, sign := terminal.Dim, " "
		switch {
		case strings.HasPrefix(line, "#"):
			continue // the annotations are shown above
		case within(t.Reached, n):
			style, sign = terminal.Green, "+"
		case within(t.Missed, n):
			style, sign = terminal.Red, "-"
		}
		s.Put(terminal.Text(style, fmt.Sprintf("%s %4d  %s", sign, n, terminal.Clean(strings.ReplaceAll(line, "\t", "    ")))))
	}
}

// source returns the lines of a rule's file: of the bundled ones, and of the
// packs that were given.
func (j *judges) source(r policy.Rule) []string {
	var from fs.FS = policies.FS
	name := r.File
	if r.Pack != "" {
		i := slices.IndexFunc(j.given.Packs, func(p policy.Pack) bool { return p.Name == r.Pack })
		if i < 0 {
			return nil
		}
		from, name = j.given.Packs[i].FS, strings.TrimPrefix(r.File, r.Pack+"/")
	}
	text, err := fs.ReadFile(from, name)
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimRight(string(text), "\n"), "\n")
}
