package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
)

// recorded are the webhooks that GitHub itself publishes as examples.
func recorded(t *testing.T) []struct {
	Event string         `json:"event"`
	Body  map[string]any `json:"body"`
} {
	t.Helper()
	f, err := os.Open("../../internal/github/testdata/payloads.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Payloads []struct {
			Event string         `json:"event"`
			Body  map[string]any `json:"body"`
		} `json:"payloads"`
	}
	if err := json.NewDecoder(z).Decode(&all); err != nil {
		t.Fatal(err)
	}
	if len(all.Payloads) != 329 {
		t.Fatalf("%d recorded webhooks, there are 329", len(all.Payloads))
	}
	return all.Payloads
}

// All 329 webhooks that GitHub has recorded are posted to the server, once as
// they are and once as if they were about our own repository. It takes them
// all, sets none aside, and writes nothing: none is about anything that is
// there.
func TestRecordedWebhooksChangeNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{detect: true, env: []string{"TIDELOCK_GITHUB_SWEEP_INTERVAL=1h", "TIDELOCK_GITHUB_RECONCILE_INTERVAL=1h"}})
	before := len(s.gh.Calls())
	posted := 0
	post := func(kind, event string, body map[string]any) {
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		posted++
		if status := s.post(event, fmt.Sprintf("recorded-%s-%04d", kind, posted), raw); status != http.StatusAccepted {
			t.Errorf("%s of %s: status %d", kind, event, status)
		}
	}
	all := recorded(t)
	for _, r := range all {
		post("foreign", r.Event, r.Body)
	}
	for _, r := range all {
		switch r.Event {
		case "installation", "installation_repositories", "installation_target", "repository":
			continue // these say that what is ours is gone, and would be believed
		}
		repo, ok := r.Body["repository"].(map[string]any)
		if !ok {
			continue
		}
		repo["id"], repo["name"], repo["full_name"] = s.repo.ID(), "infra", "acme/infra"
		if owner, ok := repo["owner"].(map[string]any); ok {
			owner["login"] = "acme"
		}
		r.Body["installation"] = map[string]any{"id": s.repo.Installation()}
		post("ours", r.Event, r.Body)
	}
	if posted < 550 {
		t.Fatalf("%d were posted", posted)
	}
	eventually(t, "all to be worked off", func() bool { return s.query("SELECT COUNT(*) FROM deliveries WHERE status='queued'") == 0 })
	if n := s.query("SELECT COUNT(*) FROM deliveries WHERE guid LIKE 'recorded-%' AND status='failed'"); n != 0 {
		t.Errorf("%d were set aside", n)
	}
	if n := s.query("SELECT COUNT(*) FROM deliveries WHERE guid LIKE 'recorded-%'"); n != posted {
		t.Errorf("%d of %d are kept", n, posted)
	}
	for _, c := range s.gh.Calls()[before:] {
		if strings.HasPrefix(c.Path, "/app/hook/deliveries/") {
			continue // the sweep asks for what was sent before the server was there
		}
		if c.Method != http.MethodGet && !strings.HasSuffix(c.Path, "/access_tokens") {
			t.Errorf("it wrote: %s %s", c.Method, c.Path)
		}
	}
	if n := len(s.runs()); n != 0 {
		t.Errorf("%d runs", n)
	}
	p := s.open("feature", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
}
