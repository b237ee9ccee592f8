package state_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/keyring"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/state"
)

var (
	alice = access.Actor{Kind: access.User, Name: "alice", ID: 7}
	bob   = access.Actor{Kind: access.User, Name: "bob", ID: 8}
)

// world is a store with the clients acme and beta, and its HTTP backend.
type world struct {
	t       testing.TB
	db      *db.DB
	store   *state.Store
	tokens  *access.Tokens
	trail   *access.Trail
	clients *clients.Store
	acme    clients.Client
	beta    clients.Client
	blobs   string // folder
	url     string // of the server
	log     *logged
	now     func() time.Time

	mu    sync.Mutex
	shift time.Duration // of the clock
}

// logged is a log that a test reads.
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

func localKey(t testing.TB, fill byte) keyring.Key {
	t.Helper()
	k, err := keyring.NewLocal(redact.NewSecret(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, 32))))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newWorld(t testing.TB, d *db.DB, change ...func(*state.Options)) *world {
	t.Helper()
	w := &world{t: t, db: d, blobs: filepath.Join(t.TempDir(), "blobs"), log: &logged{}, clients: clients.NewStore(d)}
	w.now = func() time.Time {
		w.mu.Lock()
		defer w.mu.Unlock()
		return time.Now().Add(w.shift)
	}
	blobs, err := blob.Open(w.blobs, redact.NewSecret(base64.StdEncoding.EncodeToString(make([]byte, 32))))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = blobs.Close() })
	keys, err := keyring.New(localKey(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	w.trail = access.NewTrail(d)
	w.tokens = access.NewTokens(d, w.trail, w.now)
	o := state.Options{DB: d, Blobs: blobs, Keys: keys, Trail: w.trail, Tokens: w.tokens, Now: w.now, Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, f := range change {
		f(&o)
	}
	w.store = state.New(o)
	err = d.Tx(t.Context(), func(tx *db.Tx) error {
		if w.acme, err = w.clients.Ensure(t.Context(), tx, clients.Installation{ID: 1, Account: "acme", AccountID: 1}); err != nil {
			return err
		}
		w.beta, err = w.clients.Ensure(t.Context(), tx, clients.Installation{ID: 2, Account: "beta", AccountID: 2})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(w.store.Handler(w.clients))
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

// pass moves the clock.
func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shift += d
}

// token makes a token of the client.
func (w *world) token(c clients.Client, projects string, scopes ...access.Scope) string {
	w.t.Helper()
	if scopes == nil {
		scopes = access.Scopes()
	}
	n := access.NewToken{Client: c.ID, Name: "test", Projects: []string{projects}, Scopes: scopes, By: alice}
	if slices.Contains(scopes, access.ScopeForceWrite) {
		n.Expires = w.now().Add(time.Hour)
	}
	t, _, err := w.tokens.Create(context.Background(), n)
	if err != nil {
		w.t.Fatal(err)
	}
	return t.Reveal()
}

// answer is what the backend said.
type answer struct {
	code int
	body string
	head http.Header
}

// ask makes a request of the backend; header pairs follow the body.
func (w *world) ask(token, method, path, body string, header ...string) answer {
	w.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if token != "" {
		req.SetBasicAuth("tidelock", token)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{resp.StatusCode, string(b), resp.Header}
}

// want asks and checks the status.
func (w *world) want(code int, token, method, path, body string, header ...string) answer {
	w.t.Helper()
	a := w.ask(token, method, path, body, header...)
	if a.code != code {
		w.t.Errorf("%s %s: %d, not %d: %s", method, path, a.code, code, a.body)
	}
	return a
}

// doc is a small state.
func doc(serial int, lineage, extra string) string {
	return fmt.Sprintf(`{"version":4,"terraform_version":"1.11.4","serial":%d,"lineage":%q,"outputs":{},"resources":[{"mode":"managed","type":"terraform_data","name":"a","provider":"x","instances":[{"attributes":{"input":%q}}]}],"check_results":null}`, serial, lineage, extra)
}

func sumOf(body string) string {
	sum := md5.Sum([]byte(body))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func lockInfo(id string) string {
	return fmt.Sprintf(`{"ID":%q,"Operation":"OperationTypeApply","Info":"","Who":"carol@laptop","Version":"1.11.4","Created":"2026-01-02T03:04:05.678Z","Path":""}`, id)
}

// events returns the actions of the trail, the newest first.
func (w *world) events(client string) []string {
	w.t.Helper()
	all, err := w.trail.List(context.Background(), client, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	var actions []string
	for _, e := range all {
		if e.Action != "token.created" {
			actions = append(actions, e.Action)
		}
	}
	return actions
}

func sqliteWorld(t *testing.T, change ...func(*state.Options)) *world {
	t.Helper()
	return newWorld(t, dbtest.SQLite(t), change...)
}

var errFull = errs.New(errs.Unavailable, "The disk of the server is all but full.")

// noise returns text that does not compress to less than half.
func noise(n int) string {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b)
	return base64.StdEncoding.EncodeToString(b)[:n]
}
