// Package replay judges recorded plans anew: what would other policies have
// said of the pull requests of the last weeks? It tells what they would have
// blocked and what they would have let through, before anyone is held up.
//
// It changes nothing. What rules are told of a pull request is what is stored
// of it: a label that was set and taken away since is not seen, and who had
// approved is not known any more.
package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// Change is how the new verdict on a plan differs from the recorded one.
type Change string

// The changes, those first that a reader asks for first.
const (
	Blocked  Change = "blocked"  // passed then, and would be blocked
	Unjudged Change = "unjudged" // could be judged then, and could not now: that blocks too
	Stricter Change = "stricter" // was blocked, and would be for more
	Freed    Change = "freed"    // was blocked, and would pass
	Looser   Change = "looser"   // was blocked, and would be for less
	Warned   Change = "warned"   // other warnings, and nothing else
	Same     Change = "same"
	Gone     Change = "gone" // the plan is not kept any more, or can't be read
)

var changes = []Change{Blocked, Unjudged, Stricter, Freed, Looser, Warned, Same, Gone}

// Changes are all there are, in the order in which they are told.
func Changes() []Change { return slices.Clone(changes) }

// Plan is a recorded plan with what was said of it then and is said of it now.
type Plan struct {
	Client   string           `json:"client"` // its slug
	Repo     string           `json:"repo"`   // "owner/name"
	Pull     int              `json:"pull"`
	Title    string           `json:"title"`
	Project  string           `json:"project"`
	Commit   string           `json:"commit"`
	Run      string           `json:"run"`
	Made     time.Time        `json:"made"`
	Change   Change           `json:"change"`
	Then     policy.Verdict   `json:"then"`
	Now      policy.Verdict   `json:"now,omitempty"`
	Found    []policy.Finding `json:"found"` // now and not then
	Gone     []policy.Finding `json:"gone"`  // then and not now
	Problems []policy.Problem `json:"problems,omitempty"`
	Why      string           `json:"why,omitempty"` // it is Gone
}

// Replay is what to judge anew, and by what. All but Client and Repo is needed.
type Replay struct {
	DB      *db.DB
	Runs    *run.Store
	Clients *clients.Store
	Blobs   *blob.Store
	Client  string // the ID of the only client; "" for all
	Repo    int64  // the only repository; 0 for all
	Since   time.Time
	// Judge says what the other policies make of a plan. It is called by
	// several at once.
	Judge func(ctx context.Context, r run.Run, in policy.Input) (policy.Report, error)
	// Progress hears how many were judged so far; nil is nobody.
	Progress func(done int)
}

// Run judges the recorded plans, and returns them in the order in which they
// were made. A plan that can't be read any more is told as such; that the
// database can't be, is an error.
func (y Replay) Run(ctx context.Context) ([]Plan, error) {
	var recorded []run.Run
	if err := y.Runs.Recorded(ctx, y.DB, y.Client, y.Repo, y.Since, func(r run.Run) error {
		recorded = append(recorded, brief(r))
		return nil
	}); err != nil {
		return nil, err
	}
	out := make([]Plan, len(recorded))
	done := make(chan struct{}, len(recorded))
	g, judging := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	var told errgroup.Group
	told.Go(func() error {
		n := 0
		for range done {
			if n++; y.Progress != nil {
				y.Progress(n)
			}
		}
		return nil
	})
	for i, r := range recorded {
		g.Go(func() (err error) {
			defer func() { done <- struct{}{} }()
			if err := judging.Err(); err != nil {
				return err
			}
			out[i], err = y.one(judging, r)
			return err
		})
	}
	err := g.Wait()
	close(done)
	_ = told.Wait() // it never fails
	return out, err
}

// brief leaves out what is large and not asked for, since all of the runs are
// held at once.
func brief(r run.Run) run.Run {
	r.Diff, r.Resources, r.Gates = "", nil, ""
	return r
}

func (y Replay) one(ctx context.Context, r run.Run) (Plan, error) {
	p := Plan{Pull: r.Pull, Project: r.Project.Name, Commit: r.Commit, Run: r.ID, Made: r.Created, Found: []policy.Finding{}, Gone: []policy.Finding{}}
	var then policy.Report
	if r.Report != nil {
		then = *r.Report
	}
	p.Then = cmp.Or(then.Verdict, policy.Error)
	in, err := y.facts(ctx, &p, r)
	if err != nil {
		return p, err
	}
	if in.Plan, err = y.plan(ctx, r); err != nil {
		if ctx.Err() != nil {
			return p, ctx.Err()
		}
		p.Change, p.Why = Gone, errs.Sentence(err)
		return p, nil
	}
	now, err := y.Judge(ctx, r, in)
	if err != nil {
		if ctx.Err() != nil {
			return p, ctx.Err()
		}
		now = policy.Unjudged(err)
	}
	p.Now, p.Problems = now.Verdict, now.Problems
	p.Found, p.Gone = differ(then.Findings, now.Findings)
	p.Change = changeOf(then, now, p.Found, p.Gone)
	return p, nil
}

// facts are what the rules are told beside the plan, from what is stored.
func (y Replay) facts(ctx context.Context, p *Plan, r run.Run) (policy.Input, error) {
	pull, err := y.Runs.Pull(ctx, y.DB, r.Repo, r.Pull)
	if err != nil {
		return policy.Input{}, err
	}
	repo, err := y.Clients.Repo(ctx, y.DB, r.Repo)
	if err != nil {
		return policy.Input{}, err
	}
	client, err := y.Clients.Client(ctx, y.DB, r.Client)
	if err != nil {
		return policy.Input{}, err
	}
	p.Client, p.Repo, p.Title = client.Slug, repo.FullName(), pull.Title
	in := policy.Input{
		Pull: &policy.Pull{
			Repo: p.Repo, Number: pull.Number, Title: pull.Title, Author: pull.Author, Labels: pull.Labels, Draft: pull.Draft,
			HeadRef: pull.HeadRef, BaseRef: pull.BaseRef, HeadSHA: r.Commit, Approvals: []string{},
		},
		Project: policy.Project{Name: r.Project.Name, Dir: r.Project.Dir, Workspace: r.Project.Workspace},
		Client:  policy.Client{Slug: client.Slug, Name: client.Name},
		Actor:   &policy.Actor{Kind: string(r.Actor.Kind), Login: r.Actor.Name},
	}
	if r.StateLineage != "" {
		in.State = &policy.State{Lineage: r.StateLineage, Serial: r.StateSerial}
	}
	return in, nil
}

func (y Replay) plan(ctx context.Context, r run.Run) (*tfplan.Plan, error) {
	saved, err := y.Blobs.Get(ctx, r.Client, r.PlanJSONBlob)
	if err != nil {
		return nil, err
	}
	plan, err := tfplan.ParsePlan(saved)
	if err := errors.Join(err, saved.Close()); err != nil {
		return nil, fmt.Errorf("read the plan of run %s: %w", r.ID, err)
	}
	return plan, nil
}

// differ tells the findings apart by rule, address, level and message: what
// people would read.
func differ(then, now []policy.Finding) (found, gone []policy.Finding) {
	return without(now, then), without(then, now)
}

func without(all, known []policy.Finding) []policy.Finding {
	type key struct {
		rule, address, message string
		level                  policy.Level
	}
	of := func(f policy.Finding) key { return key{f.Rule, f.Address, f.Message, f.Level} }
	seen := map[key]bool{}
	for _, f := range known {
		seen[of(f)] = true
	}
	out := []policy.Finding{}
	for _, f := range all {
		if !seen[of(f)] {
			out = append(out, f)
		}
	}
	return out
}

// changeOf names the difference. It is pure.
func changeOf(then, now policy.Report, found, gone []policy.Finding) Change {
	blocks := func(f policy.Finding) bool { return f.Level.Blocks() }
	switch {
	case now.Verdict == policy.Error && then.Verdict != policy.Error:
		return Unjudged
	case now.Verdict.Blocks() && !then.Verdict.Blocks():
		return Blocked
	case !now.Verdict.Blocks() && then.Verdict.Blocks():
		return Freed
	case slices.ContainsFunc(found, blocks):
		return Stricter
	case slices.ContainsFunc(gone, blocks):
		return Looser
	case len(found)+len(gone) > 0:
		return Warned
	}
	return Same
}

// Tally counts plans by what changed.
func Tally(plans []Plan) map[Change]int {
	out := map[Change]int{}
	for _, c := range changes {
		out[c] = 0
	}
	for _, p := range plans {
		out[p.Change]++
	}
	return out
}
