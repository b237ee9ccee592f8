package run

import (
	"context"
	"fmt"
	"strings"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/planner"
)

// Done reports whether nothing of the pair is left to be applied: what comes
// after it need not wait.
func (p Pair) Done() bool {
	if p.Apply != nil && p.Apply.Status == Applied && p.Apply.PlanRun == p.Plan.ID {
		return true
	}
	return p.Plan.NoChanges()
}

// before returns the pairs that must be applied before the run's plan is
// applied, and are not.
func before(pairs []Pair, r Run) []Pair {
	projects := make([]planner.Project, len(pairs))
	for i, p := range pairs {
		projects[i] = p.Plan.Project
	}
	all := planner.DependenciesOf(projects)
	var out []Pair
	for _, p := range pairs {
		if p.Plan.Key() != r.Key() && !p.Done() && planner.After(r.Project, p.Plan.Project, all) {
			out = append(out, p)
		}
	}
	return out
}

// Before returns the pairs of the change that must be applied before r, and
// are not yet. Pure.
func Before(pairs []Pair, r Run) []Pair { return before(pairs, r) }

// WaitsFor returns the pairs that a Deferred plan waits for: those that its
// project depends on and that are not applied. Pure.
func WaitsFor(pairs []Pair, r Run) []Pair {
	on := map[string]bool{}
	for _, name := range r.Project.DependsOn {
		on[name] = true
	}
	var out []Pair
	for _, p := range pairs {
		if on[p.Plan.Project.Name] && p.Plan.Key() != r.Key() && !p.Done() {
			out = append(out, p)
		}
	}
	return out
}

// names lists the projects of pairs for people.
func names(pairs []Pair) string {
	var out []string
	for _, p := range pairs {
		out = append(out, p.Plan.Project.Name)
	}
	return strings.Join(out, ", ")
}

// broken returns the pairs whose apply came to an end that lets nothing after
// them go on.
func broken(pairs []Pair) []Pair {
	var out []Pair
	for _, p := range pairs {
		switch {
		case p.Plan.Status == Deferred && p.Apply == nil: // its turn comes
		case p.Apply == nil:
			if p.Plan.Status.Finished() {
				out = append(out, p) // nobody asked for it to be applied
			}
		case p.Apply.Status.Finished():
			out = append(out, p)
		}
	}
	return out
}

// Due queues the Deferred runs of a change whose turn has come, and returns
// them. An apply whose predecessor failed, or is not going to be applied, is
// canceled: it has done nothing. commit is what the change's runs are made of
// now: its head, or what that became on the base branch. Call it whenever a
// run of the change was added or has ended.
func (s *Store) Due(ctx context.Context, tx *db.Tx, change, commit string, actor access.Actor) ([]Run, error) {
	runs, err := s.runsOf(ctx, tx, change)
	if err != nil {
		return nil, err
	}
	var due []Run
	for {
		pairs := Pairs(runs)
		moved := false
		for i := range runs {
			r := runs[i]
			if r.Status != Deferred {
				continue
			}
			next, why := turn(pairs, r)
			if next == Deferred {
				continue
			}
			if next == Canceled {
				if err := s.Cancel(ctx, tx, r, actor, why); err != nil {
					return nil, err
				}
				runs[i].Status, runs[i].Error = Canceled, why
				moved = true // and what comes after it
				continue
			}
			if err := s.move(ctx, tx, r, Queued, ""); err != nil {
				return nil, err
			}
			if _, err := exec(ctx, tx, `UPDATE runs SET commit_sha=$2 WHERE id=$1`, r.ID, commit); err != nil {
				return nil, fmt.Errorf("run %s: %w", r.ID, err)
			}
			runs[i].Status, runs[i].Commit = Queued, commit
			due = append(due, runs[i])
		}
		if !moved {
			return due, nil
		}
	}
}

// turn says what a Deferred run becomes now: Queued, Canceled with a reason, or
// Deferred still. Pure.
func turn(pairs []Pair, r Run) (next Status, why string) {
	if r.Kind == Plan {
		if len(WaitsFor(pairs, r)) == 0 {
			return Queued, ""
		}
		return Deferred, ""
	}
	ahead := before(pairs, r)
	switch stopped := broken(ahead); {
	case len(ahead) == 0:
		return Queued, ""
	case len(stopped) > 0:
		return Canceled, fmt.Sprintf("Not begun: %s comes first, and was not applied.", names(stopped))
	}
	return Deferred, ""
}
