package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// How often a page looks again, in seconds: while work is under way, and while
// it may begin.
const (
	lively = 2
	calm   = 15
)

// changesPage lists changes, the newest first.
type changesPage struct {
	Changes []changeRow `json:"changes"`
	Next    string      `json:"next,omitempty"` // ?before= of the next piece
	chooser
}

func (s *site) changes(r *http.Request) (shown, error) {
	p := changesPage{Changes: []changeRow{}}
	live := calm
	err := s.DB.Read(r.Context(), func(q db.Querier) error {
		l, err := s.listing(r.Context(), q, r)
		if err != nil {
			return err
		}
		all, err := listChanges(r.Context(), q, l.client.ID, l.before, l.limit+1)
		if err != nil {
			return err
		}
		if len(all) > l.limit {
			all = all[:l.limit]
			p.Next = all[len(all)-1].ID
		}
		p.chooser = l.chooser(p.Next)
		if len(all) == 0 {
			return nil
		}
		pairs, err := s.pairsBetween(r.Context(), q, all[len(all)-1].ID, all[0].ID, l.client.ID)
		if err != nil {
			return err
		}
		for _, c := range all {
			row := s.viewChange(c, pairs[c.ID])
			if busy(row.Phase) {
				live = lively
			}
			p.Changes = append(p.Changes, row)
		}
		return nil
	})
	return shown{title: "Changes", nav: "changes", live: live, data: p}, err
}

// viewChange shows a change as lists do.
func (s *site) viewChange(c listed, pairs []run.Pair) changeRow {
	repo := viewRepo(c.repo)
	return changeRow{
		ID: c.ID, Client: c.client, Repo: repo, Pull: viewPull(c.pull, repo), HeadSHA: c.HeadSHA, BaseSHA: c.BaseSHA,
		Phase: run.PhaseOf(c.Change, pairs), Group: c.GroupRef, Branch: c.Branch, Tally: viewTally(pairs), Summary: sum(pairs),
		Created: s.at(c.Created), Updated: s.at(c.Updated),
	}
}

// busy reports whether something goes on by itself in a phase.
func busy(p run.Phase) bool {
	switch p {
	case run.PhaseQueued, run.PhasePlanning, run.PhaseWaiting, run.PhaseApplying:
		return true
	}
	return false
}

// sum adds up what the plans of a change do.
func sum(pairs []run.Pair) tfplan.Summary {
	var t tfplan.Summary
	for _, p := range pairs {
		t = t.Plus(p.Plan.Summary)
	}
	return t
}

func (s *site) change(r *http.Request) (shown, error) {
	id, err := pathID(r)
	if err != nil {
		return shown{}, err
	}
	var v changeView
	err = s.DB.Read(r.Context(), func(q db.Querier) (err error) {
		v, err = s.readChange(r.Context(), q, id)
		return err
	})
	if err != nil {
		return shown{}, err
	}
	said, err := s.Ledger.Judge(r.Context(), s.DB, id)
	v.Budgets = budgetsSay(said)
	live := calm
	if busy(v.Phase) || slices.ContainsFunc(v.Operations, runView.Busy) {
		live = lively
	}
	return shown{title: v.Pull.Title, nav: "changes", live: live, data: v}, err
}

func (s *site) readChange(ctx context.Context, q db.Querier, id string) (changeView, error) {
	var v changeView
	c, err := s.Runs.Change(ctx, q, id)
	if err != nil {
		return v, err
	}
	l := listed{Change: c}
	client, err := s.Clients.Client(ctx, q, c.Client)
	if err != nil {
		return v, err
	}
	l.client = client.Slug
	if l.repo, err = s.Clients.Repo(ctx, q, c.Repo); err != nil {
		return v, err
	}
	l.pull, err = s.Runs.Pull(ctx, q, c.Repo, c.Pull)
	if errs.Is(err, errs.NotFound) { // its change is there all the same
		l.pull, err = run.Pull{Repo: c.Repo, Number: c.Pull, HeadRepo: c.Repo}, nil
	}
	if err != nil {
		return v, err
	}
	runs, err := s.Runs.Runs(ctx, q, id)
	if err != nil {
		return v, err
	}
	pairs := arranged(run.Pairs(runs))
	v = changeView{
		changeRow: s.viewChange(l, pairs), Reason: plain(c.Reason), Notes: plain(c.Notes), MergeSHA: c.MergeSHA, AutoMerge: c.AutoMerge,
		TrustedBy: viewActor(c.Trusted), Cost: totalCost(pairs), Projects: []pairView{}, Operations: []runView{},
	}
	for _, r := range runs {
		if r.Kind == run.StateChange || r.Kind == run.Drift {
			v.Operations = append(v.Operations, s.viewRun(r, v.Client, v.Repo))
		}
	}
	slices.SortFunc(v.Operations, func(a, b runView) int { return strings.Compare(b.ID, a.ID) }) // IDs sort by age
	if err := s.addPairs(ctx, q, &v, pairs); err != nil {
		return v, err
	}
	others, err := siblings(ctx, q, c.Repo, c.Pull)
	for _, o := range others {
		v.Earlier = append(v.Earlier, siblingRef{ID: o.ID, HeadSHA: o.HeadSHA, This: o.ID == id, Group: o.GroupRef, Created: s.at(o.Created)})
	}
	return v, err
}

// addPairs adds the projects, each with who holds its lock.
func (s *site) addPairs(ctx context.Context, q db.Querier, v *changeView, pairs []run.Pair) error {
	locks, err := s.Runs.Locks(ctx, q, v.Repo.ID)
	if err != nil {
		return err
	}
	held := make(map[run.Key]run.Lock, len(locks))
	for _, l := range locks {
		held[l.Key] = l
	}
	for _, p := range pairs {
		pv := pairView{
			Name: p.Plan.Project.Name, Dir: p.Plan.Project.Dir, Workspace: p.Plan.Project.Workspace, Plan: s.viewRun(*p.Plan, v.Client, v.Repo),
		}
		pv.Plan.WaitsFor = waitsFor(pairs, *p.Plan)
		if p.Apply != nil {
			apply := s.viewRun(*p.Apply, v.Client, v.Repo)
			apply.WaitsFor = waitsFor(pairs, *p.Apply)
			pv.Apply = &apply
		}
		if l, ok := held[p.Plan.Key()]; ok {
			lock := s.viewLock(l, v.Client, v.Repo)
			pv.Lock = &lock
		}
		v.Projects = append(v.Projects, pv)
	}
	return nil
}

// total adds the plans' estimates up; nil where none is known.
func total(pairs []run.Pair) *cost.Estimate {
	var sum *cost.Estimate
	for _, p := range pairs {
		e := p.Plan.Estimate
		switch {
		case e == nil:
		case sum == nil:
			one := *e
			sum = &one
		default:
			both := sum.Plus(*e)
			sum = &both
		}
	}
	return sum
}
