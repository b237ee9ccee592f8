package main

import (
	"context"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A server's figures are told at an address of their own, after a pull request
// went through it, and name nobody; the address that everybody reaches has none.
func TestThreat_MetricsNameNobodyAndHaveAnAddressOfTheirOwn(t *testing.T) {
	t.Parallel()
	const token = "canary-token-of-the-platform-team"
	own := freeAddress(t)
	s := newStage(t, stageOptions{env: []string{
		"TIDELOCK_METRICS_LISTEN=" + own, "TIDELOCK_METRICS_TOKEN=" + token, "TIDELOCK_REPLICA_URL=" + filepath.Join(t.TempDir(), "replica"),
	}})
	p := s.open("canary-branch", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")

	ask := func(url, token string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	for _, where := range []string{"http://" + s.listen + "/metrics", "http://" + s.listen + "/api/v1/metrics"} {
		if code, body := ask(where, token); code != http.StatusNotFound || strings.Contains(body, "tidelock_") {
			t.Errorf("%s answers %d: %s", where, code, body)
		}
	}
	if code, body := ask("http://"+own+"/metrics", ""); code != http.StatusUnauthorized || strings.Contains(body, "tidelock_") {
		t.Errorf("without the token: %d: %s", code, body)
	}

	// What the server has told GitHub is counted by the time that it is told;
	// the jobs' own ends, and the replica, come a moment later.
	var code int
	var figures string
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	wanted := []string{
		`tidelock_runs_finished_total{kind="plan",outcome="planned"} 1`,
		`tidelock_run_duration_seconds_count{kind="plan",outcome="planned"} 1`,
		`tidelock_jobs_worked_total{kind="plan_run",outcome="done"} 1`,
		`tidelock_webhooks_received_total{outcome="lost"} 0`,
		`tidelock_webhooks_waiting 0`,
		`tidelock_http_request_duration_seconds_count{method="POST",route="/webhook",status="2xx"}`,
		`tidelock_http_request_duration_seconds_count{method="GET",route="/healthz",status="2xx"}`,
		`tidelock_http_request_duration_seconds_count{method="GET",route="unknown",status="4xx"}`,
		`tidelock_github_request_duration_seconds_count{code="200",method="GET",route="/repositories/{id}/pulls/{n}"}`,
		`tidelock_github_requests_left{resource="core"}`,
		`tidelock_state_operations_total{operation="write",outcome="ok"}`,
		`tidelock_blob_operations_total{operation="write",outcome="ok",store="blobs"}`,
		`tidelock_blob_operations_total{operation="write",outcome="ok",store="replica"}`,
		`tidelock_replica_lag_seconds `,
		`tidelock_replica_last_success_timestamp_seconds `,
		`tidelock_disk_free_bytes{folder="data"}`,
		`tidelock_database_wal_size_bytes `,
		`tidelock_runs{kind="apply",status="interrupted"} 0`,
		`tidelock_project_locks 1`,
		`tidelock_build_info{`,
		`process_resident_memory_bytes `,
		`go_sql_wait_duration_seconds_total{db_name="write"}`,
	}
	for {
		code, figures = ask("http://"+own+"/metrics", token)
		missing := ""
		for _, w := range wanted {
			if !strings.Contains(figures, "\n"+w) {
				missing = w
			}
		}
		if missing == "" {
			break
		}
		select {
		case <-ctx.Done():
			t.Fatalf("status %d, and no %s:\n%s", code, missing, figures)
		case <-time.After(100 * time.Millisecond):
		}
	}
	if strings.Contains(figures, "tidelock_figures_read{source=\"runs\"} 0") || strings.Contains(s.log.String(), "figures not") {
		t.Errorf("not all could be read: %s", figures)
	}
	for _, name := range []string{"canary", "acme", "infra", s.data, "a-secret-for-webhooks"} {
		if i := strings.Index(figures, name); i >= 0 {
			t.Errorf("the figures have %q: %s", name, figures[max(0, i-200):i+len(name)])
		}
	}
}
