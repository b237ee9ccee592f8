package web

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/run"
)

// TestAPIIsDocumented holds docs/api.md against what is really answered: every
// address and every field must stand there.
func TestAPIIsDocumented(t *testing.T) {
	w := local(t)
	paths := routes(t, w)
	w.deadJob("gone")
	costWorld(w, "live/web")
	paths["/api/v1/states/acme/net/prod?from=1&to=2"], paths["/api/v1/inventory?full=1&provider=aws"] = nil, nil
	for _, path := range askedPaths(w) {
		paths["/api/v1"+path] = nil
	}
	doc, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	template := map[string]string{}
	for path := range paths {
		bare, _, _ := strings.Cut(path, "?")
		parts := strings.Split(bare, "/")
		for i, p := range parts {
			if len(p) == 36 || i == 4 && parts[3] == "policies" {
				parts[i] = "{id}"
			}
			if i == 4 && (parts[3] == "costs" || parts[3] == "states") {
				parts[i] = "{client}"
			}
		}
		if len(parts) > 5 && parts[3] == "states" {
			parts = append(parts[:5], "{project}")
		}
		template[path] = strings.Join(parts, "/")
	}
	fields, seen := 0, map[string]bool{}
	for path, tpl := range template {
		if !strings.HasPrefix(path, "/api/") {
			continue
		}
		if !strings.Contains(string(doc), "## GET "+tpl+"\n") {
			t.Errorf("docs/api.md does not tell of %s", tpl)
		}
		res := w.ask("GET", path)
		if res.StatusCode != http.StatusOK {
			continue // the whole plan of a run that has none
		}
		if strings.HasSuffix(path, "/sarif") {
			continue // its form is not ours; see TestFindings
		}
		if ct := res.Header.Get("Content-Type"); ct != "application/json; charset=utf-8" {
			t.Errorf("%s is sent as %s", path, ct)
		}
		var v any
		if err := json.NewDecoder(res.Body).Decode(&v); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		walk(v, func(key string) {
			fields++
			seen[key] = true
			if !strings.Contains(string(doc), "`"+key+"`") && !strings.Contains(string(doc), `"`+key+`"`) {
				t.Errorf("docs/api.md does not tell of the field %s of %s", key, tpl)
			}
		})
	}
	if fields < 200 {
		t.Errorf("only %d fields were seen", fields)
	}
	for _, key := range []string{
		"group_ref", "trusted_by", "operations", "options", "flags", "part", "operation", "args", "layer", "order_group", "depends_on", "waits_for",
		"used_percent", "with_merged", "earlier", "thresholds", "services",
		"retry", "stopped_by", "forbidden", "waivers", "gates", "verdicts", "batch", "together", "complete", "deferred", "canceled",
	} {
		if !seen[key] {
			t.Errorf("the test has not seen the field %s", key)
		}
	}
}

// walk visits every key of a JSON value, but those of what depends on an event
// or a job.
func walk(v any, visit func(string)) {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			visit(key)
			if key != "detail" && key != "args" && key != "controls" {
				walk(inner, visit)
			}
		}
	case []any:
		for _, inner := range v {
			walk(inner, visit)
		}
	}
}

func TestChangeAsJSON(t *testing.T) {
	w := local(t)
	change, plan := busyWorld(w)
	var got struct {
		ID, Client string
		Repo       struct{ Name, URL string }
		Pull       struct {
			Number int
			State  string
			Labels []string
		}
		Phase    run.Phase
		Tally    map[string]int
		Summary  map[string]int
		Cost     struct{ Delta, Bound string }
		Created  time.Time `json:"created_at"`
		Projects []struct {
			Name string
			Plan struct {
				ID, Status, Verdict, Diff string
				Took                      int64      `json:"took_ms"`
				Finished                  *time.Time `json:"finished_at"`
				Report                    struct{ Findings []struct{ Rule string } }
			}
			Apply *struct{ ID string }
			Lock  *struct{ Pull int }
		}
	}
	w.json("/api/v1/changes/"+change.ID, &got)
	switch {
	case got.ID != change.ID, got.Client != "acme", got.Repo.URL != "https://github.example.com/acme/infra", got.Pull.Number != 12, got.Pull.State != "open",
		!slices.Equal(got.Pull.Labels, []string{"infra"}), got.Phase != run.PhaseFailed, got.Tally["projects"] != 3, got.Tally["forbidden"] != 1,
		got.Summary["replace"] != 1, got.Cost.Delta != "61.32", got.Cost.Bound != "exact", got.Created.IsZero(), len(got.Projects) != 3:
		t.Fatalf("got %+v", got)
	}
	p := got.Projects[0]
	if p.Plan.ID != plan.ID || p.Plan.Verdict != "fail" || p.Plan.Took != 4200 || p.Plan.Finished == nil || p.Plan.Report.Findings[0].Rule != "security.aws.public_ingress" ||
		p.Plan.Diff != sampleDiff || p.Apply != nil || p.Lock == nil || p.Lock.Pull != 12 {
		t.Errorf("the first project is %+v", p)
	}
	// What has not happened is left out rather than year 1.
	w.plans(w.open(w.repo, 40, "waits", "h40"), "later")
	if text := w.text("/api/v1/history?limit=1"); strings.Contains(text, "finished_at") || strings.Contains(text, "0001-01-01") {
		t.Errorf("a run that waits: %s", text)
	}
}
