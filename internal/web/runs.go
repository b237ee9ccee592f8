package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// runPage is one run with everything that is known of it.
type runPage struct {
	runView
	PullTitle string     `json:"pull_title"`
	Applies   string     `json:"apply_run_id,omitempty"` // of a plan: the apply of it
	Together  []together `json:"together,omitempty"`     // the other runs of its batch

	Log      string `json:"-"` // its end; JSON has an address of its own for it
	LogCut   bool   `json:"-"`
	LogGrows bool   `json:"-"` // it is not at its end yet
	LogError string `json:"-"` // why it can't be shown
}

// togetherLimit is how many runs of a batch are listed.
const togetherLimit = 200

// together is another run that the same command asked for.
type together struct {
	ID      string `json:"id"`
	Project string `json:"project"`
}

// Run returns the page's run as lists show it.
func (p runPage) Run() runView { return p.runView }

func (s *site) run(r *http.Request) (shown, error) {
	id, err := pathID(r)
	if err != nil {
		return shown{}, err
	}
	p, stored, err := s.readRun(r.Context(), id)
	if err != nil {
		return shown{}, err
	}
	if stored.LogBlob != "" && !strings.HasPrefix(r.URL.Path, "/api/") {
		// A log that can't be read must not take the page with it.
		if p.Log, p.LogCut, err = s.logEnd(r.Context(), stored, maxShownLog); err != nil {
			s.Log.Error("log can't be read", keyRun, id, keyError, err)
			p.LogError = "The stored log can't be read: it was damaged, or its encryption key is another one. The server's log has the details."
		}
	}
	if s.followable(stored) && !strings.HasPrefix(r.URL.Path, "/api/") {
		if p.Log, p.LogCut, err = s.liveLog(r.Context(), stored); err != nil {
			s.Log.Warn("log of a run can't be followed", keyRun, id, keyError, err)
		}
		p.LogGrows = p.Log != ""
	}
	live := 0
	if p.Busy() {
		live = lively
	}
	return shown{title: heading(p.Kind) + " " + p.Project, nav: "history", live: live, data: p}, nil
}

func (s *site) readRun(ctx context.Context, id string) (p runPage, stored run.Run, err error) {
	err = s.DB.Read(ctx, func(q db.Querier) error {
		if stored, err = s.Runs.Run(ctx, q, id); err != nil {
			return err
		}
		client, err := s.Clients.Client(ctx, q, stored.Client)
		if err != nil {
			return err
		}
		repo, err := s.Clients.Repo(ctx, q, stored.Repo)
		if err != nil {
			return err
		}
		change, err := s.Runs.Change(ctx, q, stored.Change)
		if err != nil {
			return err
		}
		pull, err := s.Runs.Pull(ctx, q, stored.Repo, stored.Pull)
		if err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
		p = runPage{runView: s.viewRun(stored, client.Slug, viewRepo(repo)), PullTitle: pull.Title}
		if p.Commit == "" {
			p.Commit = change.HeadSHA
		}
		if stored.Batch != "" {
			others, err := s.Runs.Batch(ctx, q, stored.Batch)
			if err != nil {
				return err
			}
			for _, o := range others {
				if o.ID != id && o.Client == stored.Client && len(p.Together) < togetherLimit {
					p.Together = append(p.Together, together{o.ID, o.Project.Name})
				}
			}
		}
		if stored.Kind != run.Plan && stored.Status != run.Deferred {
			return nil
		}
		runs, err := s.Runs.Runs(ctx, q, stored.Change)
		for _, o := range runs {
			if o.PlanRun == id {
				p.Applies = o.ID
			}
		}
		p.WaitsFor = waitsFor(run.Pairs(runs), stored)
		return err
	})
	return p, stored, err
}

func (s *site) readBlob(ctx context.Context, client, ref string, limit int64) ([]byte, error) {
	f, err := s.Blobs.Get(ctx, client, ref)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = errs.New(errs.TooLarge, "This is too long to be shown: it has more than %d MB.", limit>>20)
	}
	return b, err
}

// planPage is a plan in whole, however long: what a comment and the other
// pages show may be cut.
type planPage struct {
	ID      string `json:"id"`
	Change  string `json:"change_id"`
	Project string `json:"project"`
	Diff    string `json:"diff"`
}

// maxPlan bounds the plan JSON that is read for a page, in bytes: reading it
// takes several times as much memory for a moment.
const maxPlan = 64 << 20

func (s *site) plan(r *http.Request) (shown, error) {
	id, err := pathID(r)
	if err != nil {
		return shown{}, err
	}
	stored, err := s.Runs.Run(r.Context(), s.DB, id)
	if err != nil {
		return shown{}, err
	}
	if stored.PlanJSONBlob == "" {
		return shown{}, errs.New(errs.NotFound, "This run left no plan.")
	}
	b, err := s.readBlob(r.Context(), stored.Client, stored.PlanJSONBlob, maxPlan)
	if err != nil {
		return shown{}, fmt.Errorf("plan of run %s: %w", id, err)
	}
	parsed, err := tfplan.ParsePlan(bytes.NewReader(b))
	if err != nil {
		return shown{}, fmt.Errorf("plan of run %s: %w", id, err)
	}
	p := planPage{ID: id, Change: stored.Change, Project: stored.Project.Name, Diff: plain(s.Masker.String(wholePlan(parsed)))}
	return shown{title: "Plan of " + p.Project, nav: "history", data: p}, nil
}

// wholePlan is all of a plan in Terraform's form. Sensitive values do not
// show: tfplan.Text sees to that.
func wholePlan(p *tfplan.Plan) string {
	text := tfplan.Text(p, tfplan.TextOptions{Reads: true})
	if text == "" {
		text = p.Summary().String()
	}
	return text + "\n"
}
