package web

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// The types here are what the templates show and what the JSON answers are.
// Their JSON names are stable (docs/api.md): fields are added, never renamed.

// moment is a time beside the time at which it is looked at.
type moment struct {
	time.Time
	now time.Time
}

// MarshalJSON gives RFC 3339 in UTC; a moment that has not come is left out by
// omitzero.
func (m moment) MarshalJSON() ([]byte, error) { return json.Marshal(m.Time.UTC()) }

// IsZero reports whether the moment has not come.
func (m moment) IsZero() bool { return m.Time.IsZero() }

func (s *site) at(t time.Time) moment { return moment{t, s.Now()} }

type repoView struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`          // owner/name
	URL  string `json:"url,omitempty"` // on GitHub
}

func viewRepo(r clients.Repo) repoView {
	v := repoView{ID: r.ID, Name: r.FullName()}
	u, err := url.Parse(r.CloneURL)
	if err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" {
		u.User = nil
		v.URL = strings.TrimSuffix(u.String(), ".git")
	}
	return v
}

type pullView struct {
	Number   int      `json:"number"`
	URL      string   `json:"url,omitempty"`
	Title    string   `json:"title"`
	Author   string   `json:"author"`
	State    string   `json:"state"` // open, merged or closed
	Draft    bool     `json:"draft"`
	Fork     bool     `json:"fork"`
	HeadRef  string   `json:"head_ref"`
	BaseRef  string   `json:"base_ref"`
	MergeSHA string   `json:"merge_sha,omitempty"`
	Labels   []string `json:"labels"`
}

func viewPull(p run.Pull, repo repoView) pullView {
	v := pullView{
		Number: p.Number, Title: p.Title, Author: p.Author, State: "closed", Draft: p.Draft, Fork: p.Fork(),
		HeadRef: p.HeadRef, BaseRef: p.BaseRef, MergeSHA: p.MergeSHA, Labels: p.Labels, URL: pullURL(repo, p.Number),
	}
	switch {
	case p.Merged:
		v.State = "merged"
	case p.Open:
		v.State = "open"
	}
	if v.Labels == nil {
		v.Labels = []string{}
	}
	return v
}

func pullURL(repo repoView, number int) string {
	if repo.URL == "" || number == 0 {
		return ""
	}
	return repo.URL + "/pull/" + strconv.Itoa(number)
}

// tallyView says how many of a change's projects are at what.
type tallyView struct {
	Projects  int `json:"projects"`
	Planning  int `json:"planning"`
	Waiting   int `json:"waiting"`  // for another pull's lock
	Deferred  int `json:"deferred"` // wait for other projects of the change
	Failed    int `json:"failed"`
	Forbidden int `json:"forbidden"`
	Ready     int `json:"ready"` // planned, and would change something
	Unchanged int `json:"unchanged"`
	Applying  int `json:"applying"`
	Applied   int `json:"applied"`
	Attention int `json:"attention"` // a person must decide
	Canceled  int `json:"canceled"`  // their plans were stopped
}

func viewTally(pairs []run.Pair) tallyView {
	n := run.TallyOf(pairs)
	return tallyView{
		Projects: len(pairs), Planning: n.Planning, Waiting: n.Waiting, Failed: n.Failed, Forbidden: n.Forbidden, Ready: n.Ready,
		Unchanged: n.Unchanged, Applying: n.Applying, Applied: n.Applied, Attention: n.Attention,
		Deferred: n.Deferred, Canceled: n.Canceled,
	}
}

// changeRow is a change as lists show it.
type changeRow struct {
	ID      string         `json:"id"`
	Client  string         `json:"client"` // slug
	Repo    repoView       `json:"repo"`
	Pull    pullView       `json:"pull"`
	HeadSHA string         `json:"head_sha"`
	BaseSHA string         `json:"base_sha"`
	Phase   run.Phase      `json:"phase"`
	Group   string         `json:"group_ref,omitempty"` // the merge queue's branch that this is the head of
	Branch  string         `json:"branch,omitempty"`    // of a change that is of no pull: the branch whose tip it is
	Tally   tallyView      `json:"tally"`
	Summary tfplan.Summary `json:"summary"` // over all projects
	Created moment         `json:"created_at"`
	Updated moment         `json:"updated_at"`
}

// changeView is a change with everything that it did.
type changeView struct {
	changeRow
	Reason     string        `json:"reason,omitempty"` // why it can't be planned, or what it waits for
	Notes      string        `json:"notes,omitempty"`  // what was left out of planning
	MergeSHA   string        `json:"merge_sha,omitempty"`
	AutoMerge  bool          `json:"auto_merge"`
	TrustedBy  *access.Actor `json:"trusted_by,omitempty"` // who let this head of a fork be planned
	Cost       *costView     `json:"cost,omitempty"`       // over all projects
	Budgets    []budgetSays  `json:"budgets,omitempty"`    // of what is still to be applied
	Projects   []pairView    `json:"projects"`
	Operations []runView     `json:"operations"` // state operations and drift checks, the newest first
	Earlier    []siblingRef  `json:"commits"`    // every change of the pull, the newest first
}

// Row returns the change as lists show it.
func (v changeView) Row() changeRow { return v.changeRow }

// Own returns the pull's newest change that is no merge queue's, "" where
// there is none.
func (v changeView) Own() string {
	for _, o := range v.Earlier {
		if o.Group == "" {
			return o.ID
		}
	}
	return ""
}

// costView is an estimate's line, and its figures.
type costView struct {
	Line     string `json:"line"`
	Currency string `json:"currency"`
	Before   string `json:"before"` // decimal, a month
	After    string `json:"after"`
	Delta    string `json:"delta"`
	Bound    string `json:"bound"` // exact, at_least, at_most or partial
	AsOf     string `json:"as_of,omitempty"`
	// Services is the month by service, the dearest first.
	Services []cost.ServiceAmount `json:"services,omitempty"`
}

// Chart draws the month by service.
func (c *costView) Chart() string { return cost.Chart(c.Services, c.Currency) }

func viewCost(e *cost.Estimate) *costView {
	if e == nil {
		return nil
	}
	return &costView{
		Line: e.Line(), Currency: e.Currency, Before: e.Before.StringFixed(2), After: e.After.StringFixed(2), Delta: e.Delta.StringFixed(2),
		Bound: string(e.Bound), AsOf: e.AsOf, Services: e.ByService(),
	}
}

// siblingRef is a change of the same pull at some head.
type siblingRef struct {
	ID      string `json:"id"`
	HeadSHA string `json:"head_sha"`
	This    bool   `json:"this"`
	Group   string `json:"group_ref,omitempty"` // of a merge queue's
	Created moment `json:"created_at"`
}

// pairView is what a change did with one project.
type pairView struct {
	Name      string    `json:"name"`
	Dir       string    `json:"dir"`
	Workspace string    `json:"workspace"`
	Plan      runView   `json:"plan"`
	Apply     *runView  `json:"apply,omitempty"`
	Lock      *lockView `json:"lock,omitempty"` // whoever holds it
}

// Now returns the run that says where the project stands.
func (p pairView) Now() runView {
	if p.Apply != nil && p.Apply.Status != run.Superseded && p.Apply.Status != run.Canceled {
		return *p.Apply
	}
	return p.Plan
}

// Shown returns the run whose diff a reader must judge: that of a held apply
// where it has one, since what would be done now is no longer what was planned.
func (p pairView) Shown() runView {
	if p.Apply != nil && p.Apply.Status == run.Held && p.Apply.Diff != "" {
		return *p.Apply
	}
	return p.Plan
}

// runView is one run. Lists leave Diff, Report and Estimate out.
type runView struct {
	ID        string          `json:"id"`
	Client    string          `json:"client"` // slug
	Change    string          `json:"change_id"`
	Repo      repoView        `json:"repo"`
	Pull      int             `json:"pull"`
	Kind      run.Kind        `json:"kind"`
	Project   string          `json:"project"`
	Dir       string          `json:"dir"`
	Workspace string          `json:"workspace"`
	Commit    string          `json:"commit,omitempty"`          // what is planned or applied
	Since     string          `json:"unchanged_since,omitempty"` // the commit that the plan was made of, where nothing that shapes it has changed since
	MadeAt    moment          `json:"made_at,omitzero"`          // when that was
	Tool      string          `json:"tool,omitempty"`            // what it is or was run with: "Terraform 1.11.4"
	Status    run.Status      `json:"status"`
	Actor     access.Actor    `json:"actor"`
	Node      string          `json:"node,omitempty"`
	PlanRun   string          `json:"plan_run_id,omitempty"` // of an apply: the plan that was reviewed
	Summary   *tfplan.Summary `json:"summary,omitempty"`     // once it is planned
	Verdict   policy.Verdict  `json:"verdict,omitempty"`
	Cost      *costView       `json:"cost,omitempty"`
	Error     string          `json:"error,omitempty"`
	Done      int             `json:"progress_done"` // steps
	Total     int             `json:"progress_total"`
	Progress  *progressView   `json:"progress,omitempty"` // while it is under way

	InputsDigest string `json:"inputs_digest,omitempty"`
	PlanDigest   string `json:"plan_digest,omitempty"`
	StateLineage string `json:"state_lineage,omitempty"`
	StateSerial  int64  `json:"state_serial,omitempty"`

	Layer     int            `json:"layer,omitempty"`       // from 1: a layer is planned when those below are applied
	Order     int            `json:"order_group,omitempty"` // lower groups are applied first
	DependsOn []string       `json:"depends_on,omitempty"`
	WaitsFor  []string       `json:"waits_for,omitempty"` // of a deferred run: the projects that come first
	Options   *optionsView   `json:"options,omitempty"`
	Operation *operationView `json:"operation,omitempty"` // of a state operation
	Retry     bool           `json:"retry"`               // an apply that goes on where a failed one ended
	StoppedBy *access.Actor  `json:"stopped_by,omitempty"`
	Batch     string         `json:"batch,omitempty"` // the same for runs that one command asked for

	// Of a plan that was made: whether policies keep it from being applied,
	// and who accepted what they found.
	Forbidden *bool          `json:"forbidden,omitempty"`
	Waivers   []access.Actor `json:"waivers,omitempty"`
	// Acceptances are of the report's findings that forbid it, or would.
	Acceptances []acceptanceView `json:"acceptances,omitempty"`
	Gates       *gatesView       `json:"gates,omitempty"` // what let it through

	Diff     string         `json:"diff,omitempty"`
	Report   *policy.Report `json:"report,omitempty"`
	Estimate *cost.Estimate `json:"estimate,omitempty"`
	HasLog   bool           `json:"has_log"`
	HasPlan  bool           `json:"has_plan"` // the whole plan can be read, however long

	Created  moment `json:"created_at"`
	Started  moment `json:"started_at,omitzero"`
	Finished moment `json:"finished_at,omitzero"`
	TookMS   int64  `json:"took_ms,omitempty"`
	// PeakMemory is the most that the run's processes had at once, in bytes.
	PeakMemory int64 `json:"peak_memory,omitempty"`
}

// Silent reports whether nothing was heard of Terraform for long.
func (r runView) Silent() bool { return r.Progress != nil && r.Progress.SilentMS > 0 }

// progressView is what a run does that is under way.
type progressView struct {
	Now         string `json:"now,omitempty"`
	Counts      string `json:"counts,omitempty"`
	Estimated   bool   `json:"total_estimated"` // the total is what the last plan took
	SilentMS    int64  `json:"silent_ms,omitempty"`
	MachineWait string `json:"waits_for_machine,omitempty"`
}

func viewProgress(r run.Run) *progressView {
	if r.Status != run.Running && r.Status != run.Checking {
		return nil
	}
	v := progressView{Now: plain(r.Now.Text), Counts: r.Counts(), Estimated: r.Now.Guess, SilentMS: r.Now.Quiet.Milliseconds(), MachineWait: r.Now.Waits}
	if v == (progressView{}) {
		return nil
	}
	return &v
}

// Busy reports whether the run is still under way.
func (r runView) Busy() bool { return !r.Status.Finished() }

// Accepted reports whether somebody accepted what the policies found, so that
// the plan may be applied.
func (r runView) Accepted() bool {
	return r.Report != nil && r.Report.Verdict == policy.Fail && r.Forbidden != nil && !*r.Forbidden
}

func (s *site) viewRun(r run.Run, client string, repo repoView) runView {
	v := runView{
		ID: r.ID, Client: client, Change: r.Change, Repo: repo, Pull: r.Pull, Kind: r.Kind, Project: r.Project.Name, Dir: r.Project.Dir,
		Workspace: r.Project.Workspace, Commit: r.Commit, Tool: r.ToolTitle(), Since: r.Since, MadeAt: s.at(r.Made), Status: r.Status, Actor: r.Actor, Node: r.Node, PlanRun: r.PlanRun, Error: plain(r.Error),
		Done: r.Done, Total: r.Total, Progress: viewProgress(r), PeakMemory: r.PeakMemory, InputsDigest: r.InputsDigest, PlanDigest: r.PlanDigest, StateLineage: r.StateLineage,
		StateSerial: r.StateSerial, Diff: plain(r.Diff), Report: r.Report, Estimate: r.Estimate, Cost: viewCost(r.Estimate),
		HasLog: r.LogBlob != "", HasPlan: r.PlanJSONBlob != "", Order: r.Project.Order, DependsOn: r.Project.DependsOn,
		Options: viewOptions(r), Operation: viewOperation(r), Retry: r.Retry, StoppedBy: viewActor(r.StopActor), Batch: r.Batch,
		Waivers: r.Standing().By(), Acceptances: s.viewAcceptances(r), Gates: viewGates(r.Gates),
		Created: s.at(r.Created), Started: s.at(r.Started), Finished: s.at(r.Finished),
	}
	if r.Kind == run.Apply || r.Status == run.Planned || r.PlanDigest != "" {
		v.Summary = &r.Summary
	}
	if r.Kind == run.Plan || r.Kind == run.Apply {
		v.Layer = r.Layer + 1
	}
	if r.Report != nil {
		v.Verdict = r.Report.Verdict
	}
	if r.Kind == run.Plan && r.Status == run.Planned {
		forbidden := r.Forbidden()
		v.Forbidden = &forbidden
	}
	if !r.Started.IsZero() && !r.Finished.IsZero() {
		v.TookMS = r.Finished.Sub(r.Started).Milliseconds()
	}
	return v
}

// lockView says who alone may change a project.
type lockView struct {
	Client    string   `json:"client"`
	Repo      repoView `json:"repo"`
	Dir       string   `json:"dir"`
	Workspace string   `json:"workspace"`
	Pull      int      `json:"pull"`
	Change    string   `json:"change_id"`
	Run       string   `json:"run_id,omitempty"` // the apply or state operation that is under way
	Kind      run.Kind `json:"-"`                // of that run, where it is known
	Holder    string   `json:"holder"`
	Fence     int64    `json:"fence"`
	Taken     moment   `json:"taken_at"`
}

func (s *site) viewLock(l run.Lock, client string, repo repoView) lockView {
	return lockView{
		Client: client, Repo: repo, Dir: l.Dir, Workspace: l.Workspace, Pull: l.Pull, Change: l.Change, Run: l.Run, Holder: l.Holder,
		Fence: l.Fence, Taken: s.at(l.Taken),
	}
}
