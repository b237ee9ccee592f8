package metrics_test

import (
	"bytes"
	"errors"
	"maps"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/metrics"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/state"
)

// What stands in the database is told, on either, however much has ended.
func TestTenThousandRunsAreTold(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, func(o *metrics.Options) { o.Clients = true })
		w.fill(10_000, 3)
		who := state.Who{Actor: access.Actor{Kind: access.User, Name: "canary-person"}, Token: "canary-token"}
		_, err := w.states.Write(t.Context(), state.Write{Client: w.client.ID, Name: "canary-state", Who: who,
			Body: strings.NewReader(`{"version":4,"serial":1,"lineage":"l","outputs":{},"resources":[]}`)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.states.Lock(t.Context(), w.client.ID, "canary-state", who, []byte(`{"ID":"canary-lock"}`)); err != nil {
			t.Fatal(err)
		}
		if err := d.Tx(t.Context(), func(tx *db.Tx) error { return w.queue.Enqueue(t.Context(), tx, step{1}) }); err != nil {
			t.Fatal(err)
		}
		got := w.scrape()
		got.want(t, map[string]float64{
			`tidelock_runs{kind="apply",status="interrupted"}`: 3, `tidelock_runs{kind="plan",status="queued"}`: 0,
			`tidelock_jobs{kind="step",state="waiting"}`: 1, `tidelock_jobs{kind="step",state="dead"}`: 0,
			`tidelock_states`: 1, `tidelock_state_locks`: 1, `tidelock_project_locks`: 0,
			`tidelock_client_states{client="canary-client"}`: 1,
			`tidelock_webhooks_waiting`:                      2, `tidelock_webhooks_set_aside`: 1,
			`tidelock_drift_projects{status="drifted"}`: 0, `tidelock_budgets{standing="over"}`: 0, `tidelock_recoveries_open`: 0,
			`tidelock_state_operations_total{operation="write",outcome="ok"}`: 1, `tidelock_state_operations_total{operation="lock",outcome="locked"}`: 0,
			`tidelock_figures_read{source="runs"}`: 1, `tidelock_figures_read{source="database"}`: 1, `tidelock_figures_read{source="disk"}`: 1,
		})
		if size, ok := got.value("tidelock_database_size_bytes"); !ok || size < 500_000 {
			t.Errorf("the database has %v bytes", size)
		}
		if _, ok := got.value("tidelock_database_wal_size_bytes"); ok != (d.Dialect() == db.SQLite) {
			t.Errorf("a log of %s: %v", d.Dialect(), ok)
		}
		if whole, ok := got.value("tidelock_database_whole"); ok != (d.Dialect() == db.SQLite) || ok && whole != 1 {
			t.Errorf("whole on %s: %v", d.Dialect(), whole)
		}
		if strings.Contains(w.log.String(), "figures") {
			t.Errorf("the log says %s", w.log)
		}
	})
}

// Damage to the database shows in the figures that it can't take down.
func TestDamageToTheDatabaseIsTold(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteDSN(t), db.Served(func(string) {}))
	w := newWorld(t, d)
	got := w.scrape()
	got.want(t, map[string]float64{`tidelock_database_whole`: 1})
	if at, ok := got.value("tidelock_database_checked_timestamp_seconds"); !ok || time.Since(time.UnixMilli(int64(at*1000))) > time.Hour {
		t.Errorf("checked at %v", at)
	}
	var root int64
	if err := d.QueryRowContext(t.Context(), `SELECT rootpage FROM sqlite_master WHERE name = 'drift_checks'`).Scan(&root); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(d.Path(), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{0x5a}, 4096), (root-1)*4096); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Close(), d.CheckWhole(t.Context())); err == nil {
		t.Fatal("the damage is not found")
	}
	w.scrape().want(t, map[string]float64{`tidelock_database_whole`: 0})
}

// Names are those of Prometheus's conventions; what is told names nobody.
func TestFiguresNameNobodyAndKeepTheConventions(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.fill(3, 1)
	w.everything()
	problems, err := testutil.GatherAndLint(w.m.Gatherer())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if !strings.HasPrefix(p.Metric, "go_") && !strings.HasPrefix(p.Metric, "process_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	got := w.scrape()
	for _, canary := range []string{"canary", w.client.ID, "secret", t.TempDir()} {
		if i := strings.Index(string(got), canary); i >= 0 {
			t.Errorf("the figures have %q: %s", canary, got[max(0, i-100):i+len(canary)])
		}
	}
	labels := map[string]bool{}
	for _, f := range metrics.All() {
		if f.Help == "" || !strings.HasPrefix(f.Name, "tidelock_") || strings.HasSuffix(f.Name, "_total") != (f.Type == "counter") {
			t.Errorf("figure %+v", f)
		}
		for _, l := range f.Labels {
			labels[l] = true
			if (l == "client") != strings.HasPrefix(f.Name, "tidelock_client_") {
				t.Errorf("%s has the label %s", f.Name, l)
			}
		}
	}
	want := []string{"client", "code", "commit", "database", "folder", "goversion", "kind", "method", "operation", "outcome", "resource", "route", "source", "standing", "state", "status", "store", "version"}
	if got := slices.Sorted(maps.Keys(labels)); !slices.Equal(got, want) {
		t.Errorf("the labels are %q, not %q: may a new one name somebody, or take many values?", got, want)
	}
}

// everything has each thing happen that is counted.
func (w *world) everything() {
	w.m.Job(queue.Attempt{Kind: "step", Outcome: queue.Done, Took: time.Second})
	w.m.Run(run.Ended{Kind: run.Plan, Outcome: run.Planned, Took: time.Second})
	w.m.Run(run.Ended{Kind: run.Plan, Outcome: run.Superseded, Waited: time.Second})
	w.m.Webhook("stored")
	w.m.GitHub("GET", "/repositories/{id}", 200, time.Second)
	w.m.GitHub("GET", "/repositories/{id}", 0, time.Second)
	w.m.State(state.Act{Kind: "read", Err: errs.New(errs.NotFound, "canary")})
	w.m.State(state.Act{Kind: "lock", Err: &state.HeldError{}})
	w.tokens()
	w.m.Blobs("blobs")(blob.Act{Kind: "write", Err: errors.New("canary")})
	w.http("/state/canary", "LOCK", 200)
}

func TestWhatHappensIsCounted(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.everything()
	w.scrape().want(t, map[string]float64{
		`tidelock_jobs_worked_total{kind="step",outcome="done"}`: 1, `tidelock_jobs_worked_total{kind="step",outcome="dead"}`: 0,
		`tidelock_job_duration_seconds_sum{kind="step"}`:              1,
		`tidelock_runs_finished_total{kind="plan",outcome="planned"}`: 1, `tidelock_runs_finished_total{kind="plan",outcome="superseded"}`: 1,
		`tidelock_runs_finished_total{kind="apply",outcome="interrupted"}`:   0,
		`tidelock_run_duration_seconds_count{kind="plan",outcome="planned"}`: 1,
		`tidelock_webhooks_received_total{outcome="stored"}`:                 1, `tidelock_webhooks_received_total{outcome="refused"}`: 0,
		`tidelock_github_request_duration_seconds_count{code="200",method="GET",route="/repositories/{id}"}`:  1,
		`tidelock_github_request_duration_seconds_count{code="none",method="GET",route="/repositories/{id}"}`: 1,
		`tidelock_tokens_shown_total{outcome="unknown"}`:                                                      1, `tidelock_tokens_shown_total{outcome="ok"}`: 1, `tidelock_tokens_shown_total{outcome="revoked"}`: 1, `tidelock_tokens_shown_total{outcome="failed"}`: 0,
		`tidelock_state_operations_total{operation="read",outcome="not_found"}`: 1, `tidelock_state_operations_total{operation="lock",outcome="locked"}`: 1,
		`tidelock_blob_operations_total{operation="write",outcome="failed",store="blobs"}`: 1, `tidelock_blob_operations_total{operation="read",outcome="ok",store="blobs"}`: 0,
		`tidelock_http_request_duration_seconds_count{method="LOCK",route="/known",status="2xx"}`: 1,
	})
	if _, ok := w.scrape().value(`tidelock_run_duration_seconds_count{kind="plan",outcome="superseded"}`); ok {
		t.Error("a run that never began took time")
	}
}

// A source that can't be read is left out, said so once in the log, and keeps
// no other from being told.
func TestASourceThatFailsIsLeftOut(t *testing.T) {
	d, err := db.Open(t.Context(), dbtest.SQLiteDSN(t))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, d)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got := w.scrape()
		got.want(t, map[string]float64{
			`tidelock_figures_read{source="runs"}`: 0, `tidelock_figures_read{source="queue"}`: 0, `tidelock_figures_read{source="webhooks"}`: 1,
			`tidelock_webhooks_waiting`: 2, `tidelock_http_requests_in_flight`: 0,
		})
		if _, ok := got.value("tidelock_states"); ok {
			t.Error("states are told, of a database that is closed")
		}
	}
	if n := strings.Count(w.log.String(), "source=runs"); n != 1 {
		t.Errorf("the log tells of it %d times: %s", n, w.log)
	}
}

// Scrapes and events go together; the race detector watches.
func TestScrapesAndEventsTogether(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.fill(100, 10)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				w.everything()
			}
		})
	}
	for range 3 {
		wg.Go(func() {
			for range 3 {
				rec := httptest.NewRecorder()
				w.handler.ServeHTTP(rec, httptest.NewRequest("GET", metrics.Path, nil))
				if rec.Code != 200 {
					t.Errorf("status %d", rec.Code)
				}
			}
		})
	}
	wg.Wait()
	w.scrape().want(t, map[string]float64{`tidelock_runs_finished_total{kind="plan",outcome="planned"}`: 80, `tidelock_http_requests_in_flight`: 0})
}
