package web

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/sarif"
)

// findingsAnswer is what the policies and the scanners found in a plan.
type findingsAnswer struct {
	ID        string `json:"id"`
	Change    string `json:"change_id"`
	Project   string `json:"project"`
	Commit    string `json:"commit"`
	Forbidden bool   `json:"forbidden"`
	policy.Report
}

// judged reads a run that has a report, with its repository.
func (s *site) judged(r *http.Request) (stored run.Run, repo clients.Repo, err error) {
	id, err := pathID(r)
	if err != nil {
		return stored, repo, err
	}
	err = s.DB.Read(r.Context(), func(q db.Querier) error {
		if stored, err = s.Runs.Run(r.Context(), q, id); err != nil {
			return err
		}
		if stored.Commit == "" {
			change, err := s.Runs.Change(r.Context(), q, stored.Change)
			if err != nil {
				return err
			}
			stored.Commit = change.HeadSHA
		}
		repo, err = s.Clients.Repo(r.Context(), q, stored.Repo)
		return err
	})
	if err == nil && stored.Report == nil {
		err = errs.New(errs.NotFound, "The policies have not judged this run.")
	}
	return stored, repo, err
}

// findings answers with a run's findings as JSON.
func (s *site) findings(w http.ResponseWriter, r *http.Request) error {
	stored, _, err := s.judged(r)
	if err != nil {
		return err
	}
	a := findingsAnswer{ID: stored.ID, Change: stored.Change, Project: stored.Project.Name, Commit: stored.Commit, Forbidden: stored.Forbidden(), Report: *stored.Report}
	if a.Findings == nil {
		a.Findings = []policy.Finding{}
	}
	return writeJSON(w, http.StatusOK, a)
}

// sarif answers with the same in the form that other tools read.
func (s *site) sarif(w http.ResponseWriter, r *http.Request) error {
	stored, repo, err := s.judged(r)
	if err != nil {
		return err
	}
	rules, err := s.rules(r)
	if err != nil {
		return err
	}
	known := map[string]policy.Rule{}
	for _, rule := range rules {
		known[rule.ID] = rule
	}
	var b bytes.Buffer
	err = sarif.Write(&b, sarif.Report{
		Report: *stored.Report, Version: s.Version, Repo: viewRepo(repo).URL, Commit: stored.Commit, Project: stored.Project.Name,
		Rules: known, Accepted: acceptedBy(stored),
	})
	if err != nil {
		return fmt.Errorf("findings of run %s: %w", stored.ID, err)
	}
	w.Header().Set("Content-Type", "application/sarif+json")
	w.Header().Set("Content-Disposition", `attachment; filename="`+stored.ID+`.sarif"`)
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	_, _ = w.Write(b.Bytes()) // nobody is left to be told
	return nil
}

// acceptedBy says who accepts a finding of the run, and why.
func acceptedBy(r run.Run) func(int) string {
	standing := r.Standing()
	return func(i int) string {
		if i >= len(standing.Findings) || !r.Report.Findings[i].Level.Blocks() || standing.Findings[i].Open() {
			return ""
		}
		var words []string
		for _, w := range standing.Findings[i].By {
			word := w.Actor.String()
			if w.Reason != "" {
				word += ": " + w.Reason
			}
			words = append(words, word)
		}
		return strings.Join(words, "; ")
	}
}

// explains is the page that explains a finding's rule: the one here for rules
// of policies, the scanner's for a scanner's; "" where there is none.
func explains(f policy.Finding) string {
	if f.Source == "" {
		if f.Pack == policyset.RepositoryPack { // its rules are explained where they stand
			return ""
		}
		return "/policies/" + url.PathEscape(f.Rule)
	}
	if u, err := url.Parse(f.URL); err == nil && (u.Scheme == "https" || u.Scheme == "http") {
		return f.URL
	}
	return ""
}

// spot is where a finding stands: "live/main.tf:3", and the lines on GitHub.
type spot struct{ Text, URL string }

// spotOf is nil for a finding of no file.
func spotOf(r runView, f policy.Finding) *spot {
	if f.File == "" {
		return nil
	}
	s := spot{Text: f.File}
	lines := ""
	if f.Line > 0 {
		s.Text += ":" + strconv.Itoa(f.Line)
		lines = "#L" + strconv.Itoa(f.Line)
		if f.EndLine > f.Line {
			lines += "-L" + strconv.Itoa(f.EndLine)
		}
	}
	if r.Repo.URL != "" && r.Commit != "" {
		s.URL = r.Repo.URL + "/blob/" + r.Commit + "/" + (&url.URL{Path: f.File}).EscapedPath() + lines
	}
	return &s
}
