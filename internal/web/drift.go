package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/drift"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// driftPage shows how far the world has moved away from the states, over all
// repositories.
type driftPage struct {
	Projects []driftRow  `json:"projects"` // what has drifted first
	Repos    []driftRepo `json:"repos"`    // those that are watched, or of which something is to be said
	chooser
}

// Drifted and Failed count the projects.
func (p driftPage) Drifted() int { return p.count(drift.Drifted) }

// Failed counts those that could not be compared.
func (p driftPage) Failed() int { return p.count(drift.Failed) }

func (p driftPage) count(s drift.Status) (n int) {
	for _, r := range p.Projects {
		if r.Status == s {
			n++
		}
	}
	return n
}

// driftRow is what the last check of a project found.
type driftRow struct {
	Client    string          `json:"client"` // slug
	Repo      repoView        `json:"repo"`
	Project   string          `json:"project"`
	Dir       string          `json:"dir"`
	Workspace string          `json:"workspace"`
	Status    drift.Status    `json:"status"` // clean, drifted or failed
	Since     moment          `json:"since"`  // when that began
	Checked   moment          `json:"checked_at"`
	Run       string          `json:"run_id"` // has the difference and the log
	Summary   *tfplan.Summary `json:"summary,omitempty"`
	Pull      int             `json:"pull,omitempty"`        // the pull request that was changing it
	Remedy    int             `json:"remedy_pull,omitempty"` // the pull request that would take the drift back
}

// PullURL and RemedyURL are on GitHub.
func (r driftRow) PullURL() string { return pullURL(r.Repo, r.Pull) }

// RemedyURL is where the pull request is that would take the drift back.
func (r driftRow) RemedyURL() string { return pullURL(r.Repo, r.Remedy) }

// driftRepo is what is to be said of a repository as a whole.
type driftRepo struct {
	Client   string           `json:"client"`
	Repo     repoView         `json:"repo"`
	Issue    int              `json:"issue,omitempty"`
	State    drift.IssueState `json:"issue_state,omitempty"` // open, closed, or dismissed by a person
	Next     moment           `json:"next_check_at,omitzero"`
	Checking bool             `json:"checking"`          // a check is under way
	Problem  string           `json:"problem,omitempty"` // why the schedule can't be read
	Trouble  string           `json:"trouble,omitempty"` // why GitHub could not be told
}

// IssueURL is where the issue is on GitHub.
func (r driftRepo) IssueURL() string {
	if r.Repo.URL == "" || r.Issue == 0 {
		return ""
	}
	return r.Repo.URL + "/issues/" + strconv.Itoa(r.Issue)
}

func driftBadgeOf(s drift.Status) badge {
	switch s {
	case drift.Clean:
		return badge{"good", "Clean"}
	case drift.Drifted:
		return badge{"warn", "Drift"}
	}
	return badge{"bad", "Not compared"}
}

func (s *site) driftPage(r *http.Request) (shown, error) {
	p := driftPage{}
	live := calm
	err := s.DB.Read(r.Context(), func(q db.Querier) error {
		l, err := s.listing(r.Context(), q, r)
		if err != nil {
			return err
		}
		p.chooser = l.chooser("")
		if p.Projects, err = s.driftProjects(r.Context(), q, l.client.ID); err != nil {
			return err
		}
		p.Repos, err = s.driftRepos(r.Context(), q, l.client.ID)
		for _, one := range p.Repos {
			if one.Checking {
				live = lively
			}
		}
		return err
	})
	return shown{title: "Drift", nav: "drift", live: live, data: p}, err
}

func (s *site) driftProjects(ctx context.Context, q db.Querier, client string) ([]driftRow, error) {
	all, err := rows(ctx, q, func(scan func(...any) error) (driftRow, error) {
		var (
			v              driftRow
			repo           clients.Repo
			since, checked int64
			summary        string
		)
		err := scan(&v.Client, &repo.ID, &repo.Owner, &repo.Name, &repo.CloneURL, &v.Project, &v.Dir, &v.Workspace, &v.Status, &since, &checked, &v.Run, &v.Pull, &v.Remedy, &summary)
		if err != nil {
			return v, err
		}
		v.Repo, v.Since, v.Checked = viewRepo(repo), s.at(db.FromMillis(since)), s.at(db.FromMillis(checked))
		if v.Status != drift.Failed && summary != "" {
			v.Summary = &tfplan.Summary{}
			err = parse(summary, v.Summary)
		}
		return v, err
	}, `SELECT k.slug, r.id, r.owner, r.name, r.clone_url, d.project, d.dir, d.workspace, d.status, d.since_ms, d.checked_ms, d.run_id, d.pull, d.remedy, coalesce(u.summary, '')
		FROM drift_projects d JOIN clients k ON k.id = d.client_id JOIN repos r ON r.id = d.repo_id LEFT JOIN runs u ON u.id = d.run_id
		WHERE ($1 = '' OR d.client_id = $1)
		ORDER BY CASE d.status WHEN 'drifted' THEN 0 WHEN 'failed' THEN 1 ELSE 2 END, r.owner, r.name, d.project, d.dir, d.workspace LIMIT 5000`, client)
	if err != nil {
		return nil, fmt.Errorf("list drift: %w", err)
	}
	return all, nil
}

func (s *site) driftRepos(ctx context.Context, q db.Querier, client string) ([]driftRepo, error) {
	all, err := rows(ctx, q, func(scan func(...any) error) (driftRepo, error) {
		var (
			v    driftRepo
			repo clients.Repo
			next int64
			open int
		)
		err := scan(&v.Client, &repo.ID, &repo.Owner, &repo.Name, &repo.CloneURL, &v.Issue, &v.State, &v.Problem, &v.Trouble, &next, &open)
		v.Repo, v.Checking, v.Problem, v.Trouble = viewRepo(repo), open > 0, plain(v.Problem), plain(v.Trouble)
		if next != 0 {
			v.Next = s.at(db.FromMillis(next))
		}
		if v.State == drift.IssueIntended {
			v.State = ""
		}
		return v, err
	}, `SELECT k.slug, r.id, r.owner, r.name, r.clone_url, d.issue, d.issue_state, d.problem, d.trouble,
			coalesce((SELECT min(w.next_ms) FROM drift_schedules w WHERE w.repo_id = d.repo_id AND w.next_ms > 0), 0),
			(SELECT count(*) FROM drift_checks c WHERE c.repo_id = d.repo_id AND c.status IN ('asked', 'queued', 'running'))
		FROM drift_repos d JOIN clients k ON k.id = d.client_id JOIN repos r ON r.id = d.repo_id
		WHERE ($1 = '' OR d.client_id = $1) AND r.status = 'active' AND (d.issue > 0 OR d.problem <> '' OR d.trouble <> ''
			OR EXISTS (SELECT 1 FROM drift_schedules w WHERE w.repo_id = d.repo_id AND w.next_ms > 0)
			OR EXISTS (SELECT 1 FROM drift_checks c WHERE c.repo_id = d.repo_id))
		ORDER BY r.owner, r.name LIMIT 5000`, client)
	if err != nil {
		return nil, fmt.Errorf("list watched repositories: %w", err)
	}
	return all, nil
}

// Ahead says how long it is until the moment: "in 4 min", "in 3 h"; "now" where
// it has come.
func (m moment) Ahead() string {
	d := m.Sub(m.now)
	switch {
	case d <= 0:
		return "now"
	case d.Minutes() < 60:
		return "in " + strconv.Itoa(int(d.Minutes())+1) + " min"
	case d.Hours() < 48:
		return "in " + strconv.Itoa(int(d.Hours()+0.5)) + " h"
	}
	return "in " + many(int(d.Hours()/24+0.5), "day")
}
