package main

import (
	"strings"

	"github.com/tidelock/tidelock/internal/cost"
	desks "github.com/tidelock/tidelock/internal/desk"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// plannedJSON is the answer of `tidelock plan --json`; docs/desk.md says what
// each field is.
type plannedJSON struct {
	Root        string               `json:"root"`
	Repository  string               `json:"repository,omitempty"` // "owner/name", where origin says so
	Branch      string               `json:"branch,omitempty"`
	Head        string               `json:"head,omitempty"`
	Uncommitted bool                 `json:"uncommitted"`
	Base        string               `json:"base,omitempty"`
	BaseCommit  string               `json:"base_commit,omitempty"`
	Changed     []string             `json:"changed"`
	Phase       run.Phase            `json:"phase"` // planned | unchanged | empty | forbidden | failed | canceled
	Summary     tfplan.Summary       `json:"summary"`
	Estimate    *cost.Estimate       `json:"estimate,omitempty"` // of all projects
	Projects    []plannedProjectJSON `json:"projects"`
	Problems    []string             `json:"problems"` // of the whole: why nothing can be planned, and what else somebody should look at
	Notes       []string             `json:"notes"`    // of this desk: not in the comment
	Comments    []string             `json:"comments"`
}

type plannedProjectJSON struct {
	Name         string          `json:"name"`
	Dir          string          `json:"dir"`
	Workspace    string          `json:"workspace"`
	Layer        int             `json:"layer"`
	Order        int             `json:"order"`
	Reason       string          `json:"reason,omitempty"` // why the change concerns it
	Status       run.Status      `json:"status"`           // planned | failed | deferred | canceled
	After        []string        `json:"after"`            // names of the projects that must be applied before it can be planned
	Options      planner.Options `json:"options,omitzero"`
	Summary      tfplan.Summary  `json:"summary"`
	Digest       string          `json:"digest,omitempty"`
	InputsDigest string          `json:"inputs_digest"`
	Diff         string          `json:"diff,omitempty"`
	Policy       *policy.Report  `json:"policy,omitempty"`
	Estimate     *cost.Estimate  `json:"estimate,omitempty"`
	Error        string          `json:"error,omitempty"`
	Seconds      float64         `json:"seconds"`
	Out          string          `json:"out,omitempty"` // where the plan is kept
}

func newPlannedJSON(planned desks.Planned, o desks.Options) plannedJSON {
	v := planned.View
	out := plannedJSON{
		Root: planned.Root, Branch: planned.Branch, Head: v.Change.HeadSHA, Uncommitted: planned.Dirty,
		Base: planned.Base, BaseCommit: v.Change.BaseSHA, Changed: append([]string{}, planned.Changed...), Phase: v.Phase(),
		Projects: []plannedProjectJSON{}, Problems: []string{}, Notes: append([]string{}, planned.Notes...), Comments: planned.Comments(),
	}
	if v.Repo.Owner != "" {
		out.Repository = v.Repo.FullName()
	}
	for _, text := range []string{v.Change.Reason, v.Change.Notes} {
		for line := range strings.Lines(text) {
			out.Problems = append(out.Problems, strings.TrimSpace(line))
		}
	}
	for _, pair := range v.Pairs {
		r := pair.Plan
		p := plannedProjectJSON{
			Name: r.Project.Name, Dir: r.Project.Dir, Workspace: r.Project.Workspace, Layer: r.Layer, Order: r.Project.Order,
			Reason: planned.Reasons[r.Project.Key()], Status: r.Status, After: []string{}, Options: r.Options,
			Summary: r.Summary, Digest: r.PlanDigest, InputsDigest: r.InputsDigest, Diff: r.Diff, Policy: r.Report, Estimate: r.Estimate, Error: r.Error,
		}
		if r.Status == run.Deferred {
			for _, w := range run.WaitsFor(v.Pairs, *r) {
				p.After = append(p.After, w.Plan.Project.Name)
			}
		}
		if !r.Started.IsZero() && !r.Finished.IsZero() {
			p.Seconds = r.Finished.Sub(r.Started).Seconds()
			if o.Out != "" {
				p.Out = o.OutDir(r.Project)
			}
		}
		out.Summary = out.Summary.Plus(r.Summary)
		switch {
		case r.Estimate == nil:
		case out.Estimate == nil:
			sum := *r.Estimate
			out.Estimate = &sum
		default:
			sum := out.Estimate.Plus(*r.Estimate)
			out.Estimate = &sum
		}
		out.Projects = append(out.Projects, p)
	}
	return out
}
