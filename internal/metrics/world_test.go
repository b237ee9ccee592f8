package metrics_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/budget"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/drift"
	"github.com/tidelock/tidelock/internal/keyring"
	"github.com/tidelock/tidelock/internal/metrics"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/state"
)

// world is a server's rooms, whose figures are told.
type world struct {
	t       *testing.T
	db      *db.DB
	m       *metrics.Metrics
	queue   *queue.Queue
	runs    *run.Store
	states  *state.Store
	tokened sync.Once
	client  clients.Client
	log     *logged
	handler http.Handler
}

type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// step is a job of the world's queue.
type step struct {
	N int `json:"n"`
}

func (step) Kind() string { return "step" }

func newWorld(t *testing.T, d *db.DB, change ...func(*metrics.Options)) *world {
	t.Helper()
	w := &world{t: t, db: d, log: &logged{}}
	log := slog.New(slog.NewTextHandler(w.log, nil))
	secret := redact.NewSecret(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32)))
	local, err := keyring.NewLocal(secret)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := keyring.New(local)
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := blob.Open(filepath.Join(t.TempDir(), "blobs"), secret)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = blobs.Close() })
	trail := access.NewTrail(d)
	o := metrics.Options{Log: log, Version: "1.2.3", Commit: "abc", Database: d.Dialect()}
	for _, f := range change {
		f(&o)
	}
	w.m = metrics.New(o)
	blobs.Observe(w.m.Blobs("blobs"))
	if w.queue, err = queue.New(queue.Options{Node: "a", DB: d, Log: log, Lanes: map[string]int{"main": 1}}); err != nil {
		t.Fatal(err)
	}
	queue.Handle(w.queue, "main", func(context.Context, queue.Job[step]) error { return nil }, queue.HandlerOptions{})
	w.queue.Observe(w.m.Job)
	w.runs = run.NewStore(d, trail, nil)
	w.runs.Observe(w.m.Run)
	w.states = state.New(state.Options{DB: d, Blobs: blobs, Keys: keys, Trail: trail, Tokens: access.NewTokens(d, trail, nil), Observed: w.m.State})
	err = d.Tx(t.Context(), func(tx *db.Tx) (err error) {
		store := clients.NewStore(d)
		if w.client, err = store.Ensure(t.Context(), tx, clients.Installation{ID: 1, Account: "canary-client", AccountID: 1}); err != nil {
			return err
		}
		_, err = store.EnsureRepo(t.Context(), tx, w.client, clients.Repo{ID: 7, Owner: "canary-client", Name: "canary-repo", DefaultBranch: "main"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	w.states.Tokens.Observe(w.m.Token)
	w.m.Webhooks("stored", "ignored", "duplicate", "refused", "lost")
	w.m.Read(metrics.Sources{
		DB: d, Queue: w.queue, Runs: w.runs, States: w.states, Drift: drift.NewStore(d, trail, nil), Budgets: budget.NewStore(d, trail, budget.Options{}),
		Webhooks: func(context.Context) (metrics.Backlog, error) { return metrics.Backlog{Waiting: 2, SetAside: 1}, nil },
		Folders:  map[string]string{"data": t.TempDir()},
	})
	w.handler = w.m.Handler(redact.Secret{})
	return w
}

// fill puts n runs into the database, of which the last open ones have not
// ended.
func (w *world) fill(n, open int) {
	w.t.Helper()
	err := w.db.Tx(w.t.Context(), func(tx *db.Tx) error {
		if _, err := tx.ExecContext(w.t.Context(), `INSERT INTO changes (id, client_id, repo_id, pull, head_sha, status, created_ms, updated_ms) VALUES ('c', $1, 7, 1, 'canary-head', 'ready', 1, 1)`, w.client.ID); err != nil {
			return err
		}
		insert, err := tx.PrepareContext(w.t.Context(), `INSERT INTO runs (id, client_id, change_id, repo_id, pull, kind, project, dir, workspace, status, created_ms) VALUES ($1, $2, 'c', 7, 1, 'apply', 'canary-project', 'canary-dir', 'default', $3, 1)`)
		if err != nil {
			return err
		}
		defer insert.Close()
		for i := range n {
			status := run.Applied
			if i >= n-open {
				status = run.Interrupted
			}
			if _, err := insert.ExecContext(w.t.Context(), fmt.Sprintf("r%05d", i), w.client.ID, string(status)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// tokens shows tokens, once: one that counts, one that nobody has, and one that
// was revoked.
func (w *world) tokens() {
	w.tokened.Do(func() {
		ctx, who := w.t.Context(), access.Actor{Kind: access.User, Name: "canary-person"}
		text, c, err := w.states.Tokens.Create(ctx, access.NewToken{Client: w.client.ID, Name: "canary-token", Projects: []string{"**"}, Scopes: []access.Scope{access.ScopeRead}, By: who})
		if err != nil {
			w.t.Error(err)
			return
		}
		_, _ = w.states.Tokens.Authenticate(ctx, text.Reveal())
		_, _ = w.states.Tokens.Authenticate(ctx, access.TokenPrefix+"canary")
		if _, err := w.states.Tokens.Revoke(ctx, c.ID, who); err != nil {
			w.t.Error(err)
		}
		_, _ = w.states.Tokens.Authenticate(ctx, text.Reveal())
	})
}

// scrape returns what is told, as Prometheus reads it.
func (w *world) scrape() scraped {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, httptest.NewRequest("GET", metrics.Path, nil))
	body, err := io.ReadAll(rec.Body)
	if err != nil || rec.Code != http.StatusOK {
		w.t.Fatalf("status %d, %v: %s", rec.Code, err, body)
	}
	return scraped(body)
}

// scraped is the text of an answer.
type scraped string

// value returns a series' value, as it is written in the answer, and whether
// it is there.
func (s scraped) value(series string) (float64, bool) {
	for line := range strings.Lines(string(s)) {
		if text, ok := strings.CutPrefix(line, series+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			return v, err == nil
		}
	}
	return 0, false
}

func (s scraped) want(t *testing.T, all map[string]float64) {
	t.Helper()
	for series, want := range all {
		if got, ok := s.value(series); !ok || got != want {
			t.Errorf("%s is %v (there: %v), not %v", series, got, ok, want)
		}
	}
}
