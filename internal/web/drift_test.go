package web

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/drift"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// driftWorld is a repository with one project that has drifted, one that could
// not be compared and one that is clean. It returns the first one's run.
func driftWorld(w *world, name, diff string) run.Run {
	w.t.Helper()
	store := drift.NewStore(w.opts.DB, w.opts.Trail, w.opts.Now)
	var runs []run.Run
	w.tx(func(ctx context.Context, tx *db.Tx) error {
		if err := store.SaveWatches(ctx, tx, w.repo.ClientID, w.repo.ID, []drift.Watch{{Cron: "0 6 * * *", Remediate: "pull"}}, "d", ""); err != nil {
			return err
		}
		c, err := w.opts.Runs.OpenBranch(ctx, tx, w.repo.ClientID, w.repo.ID, "main", "c0ffee")
		if err != nil {
			return err
		}
		check, err := store.Ask(ctx, tx, w.repo.ClientID, w.repo.ID, drift.Everything(""), drift.BySchedule)
		if err != nil {
			return err
		}
		var projects []planner.Project
		for _, dir := range []string{name, "live/broken", "live/clean"} {
			projects = append(projects, planner.Project{Name: dir, Dir: dir, Workspace: "default"})
		}
		runs, err = w.opts.Runs.AddDrift(ctx, tx, c, projects, planner.Options{}, "c0ffee", check.ID, drift.BySchedule)
		return err
	})
	w.tx(func(ctx context.Context, tx *db.Tx) error {
		for i, status := range []drift.Status{drift.Drifted, drift.Failed, drift.Clean} {
			r, err := w.opts.Runs.Begin(ctx, tx, runs[i], "test")
			if err != nil {
				return err
			}
			final := run.Planned
			switch status {
			case drift.Drifted:
				r.Summary, r.Diff, r.PlanDigest = tfplan.Summary{Update: 2, Delete: 1}, diff, "x"
			case drift.Failed:
				r.Error, final = name, run.Failed
			}
			if err := w.opts.Runs.Finish(ctx, tx, r, final); err != nil {
				return err
			}
			if err := store.Note(ctx, tx, r.Client, r.Repo, drift.Found{Check: r.Batch, Run: r.ID, Project: r.Project, Status: status, Digest: "x", Pull: i, At: w.opts.Now()}); err != nil {
				return err
			}
			runs[i] = r
		}
		return nil
	})
	all, err := store.Projects(w.t.Context(), w.opts.DB, "", w.repo.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range all {
		if p.Status == drift.Drifted {
			if err := store.SetRemedy(w.t.Context(), p, 31, p.Digest); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	known, err := store.Repo(w.t.Context(), w.opts.DB, w.repo.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := store.SetIssue(w.t.Context(), known, drift.Issue{Number: 30, State: drift.IssueOpen}); err != nil {
		w.t.Fatal(err)
	}
	if err := store.EndTelling(w.t.Context(), w.repo.ID, "GitHub refuses "+name); err != nil {
		w.t.Fatal(err)
	}
	return runs[0]
}

func TestDriftPage(t *testing.T) {
	w := local(t)
	if text := content(w.page("/drift")); !strings.Contains(text, "No project was compared yet.") {
		t.Errorf("an empty page says %q", text)
	}
	r := driftWorld(w, "live/db", "~ port = 5432 -> 5433")
	w.pass(2 * time.Hour)
	doc := w.page("/drift")
	rows := find(find(doc, "tbody", "")[0], "tr", "")
	if len(rows) != 3 {
		t.Fatalf("%d projects", len(rows))
	}
	for i, wants := range [][]string{
		{"acme/infra live/db", "Drift", "~2", "−1", "#31 takes it back", "2 h ago"}, {"live/broken", "Not compared", "#1 is changing it"}, {"live/clean", "Clean"},
	} {
		for _, want := range wants {
			has(t, "a project", rows[i], want)
		}
	}
	repos := find(find(doc, "tbody", "")[1], "tr", "")
	for _, want := range []string{"#30", "open", "Comparing", "GitHub refuses live/db"} {
		has(t, "the repository", repos[0], want)
	}
	if !strings.Contains(outer(doc), `href="https://github.example.com/acme/infra/issues/30"`) || !strings.Contains(outer(doc), `href="https://github.example.com/acme/infra/pull/31"`) {
		t.Error("issue and pull request are not linked")
	}
	// The run and its branch stand for a pull request that is not there.
	page := outer(w.page("/runs/" + r.ID))
	if !strings.Contains(page, "5433") || !strings.Contains(page, `href="/drift"`) || strings.Contains(page, "#0") {
		t.Errorf("the run's page: %s", page)
	}
	if page := outer(w.page("/changes/" + r.Change)); !strings.Contains(page, "Branch <code>main</code>") || strings.Contains(page, "#0") || strings.Contains(page, "/pull/0") {
		t.Errorf("the change's page: %s", page)
	}
	if page := outer(w.page("/history")); !strings.Contains(page, "Drift check") || strings.Contains(page, "#0") {
		t.Errorf("the history: %s", page)
	}
	if text := content(w.page("/")); strings.Contains(text, "#0") {
		t.Errorf("the list of changes has a branch: %s", text)
	}
	if res := w.ask("GET", "/drift?client=nobody"); res.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown client: %s", res.Status)
	}
}

// Every field of the answer stands in docs/api.md.
func TestDriftAsJSON(t *testing.T) {
	w := local(t)
	driftWorld(w, "live/db", "~ port")
	var got struct {
		Projects []struct {
			Project, Status string
			Run             string `json:"run_id"`
			Remedy          int    `json:"remedy_pull"`
			Summary         map[string]int
			Since           time.Time
		}
		Repos []struct {
			Issue int
			State string    `json:"issue_state"`
			Next  time.Time `json:"next_check_at"`
		}
	}
	w.json("/api/v1/drift?client=acme", &got)
	if len(got.Projects) != 3 || len(got.Repos) != 1 {
		t.Fatalf("%+v", got)
	}
	p, r := got.Projects[0], got.Repos[0]
	if p.Project != "live/db" || p.Status != "drifted" || p.Remedy != 31 || p.Summary["update"] != 2 || p.Since.IsZero() || len(p.Run) != 36 || r.Issue != 30 || r.State != "open" || !r.Next.After(w.opts.Now()) {
		t.Errorf("%+v", got)
	}
	doc, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal([]byte(w.text("/api/v1/drift")), &v); err != nil {
		t.Fatal(err)
	}
	fields := 0
	walk(v, func(key string) {
		fields++
		if !strings.Contains(string(doc), "`"+key+"`") {
			t.Errorf("docs/api.md does not tell of the field %s", key)
		}
	})
	if fields < 40 {
		t.Errorf("only %d fields were seen", fields)
	}
}

// What strangers chose is text on this page, too.
func TestThreat_DriftPageShowsTextOnly(t *testing.T) {
	w := local(t)
	const payload = `<script>window.hacked=1</script><img src=x onerror=alert(1)>"'&`
	driftWorld(w, payload, payload)
	doc := w.page("/drift")
	if strings.Contains(outer(doc), "<script>window") || len(find(doc, "img", "")) != 1 || !strings.Contains(content(doc), payload) {
		t.Errorf("the page: %s", outer(doc))
	}
}
