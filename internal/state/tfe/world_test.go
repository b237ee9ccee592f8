package tfe_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/md5"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
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
	"github.com/tidelock/tidelock/internal/keyring"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/state"
	"github.com/tidelock/tidelock/internal/state/tfe"
)

var alice = access.Actor{Kind: access.User, Name: "alice", ID: 7}

// world is a server with the clients acme and beta: the API, the HTTP backend
// beside it, and discovery, over TLS.
type world struct {
	t      testing.TB
	db     *db.DB
	store  *state.Store
	tokens *access.Tokens
	trail  *access.Trail
	acme   clients.Client
	beta   clients.Client
	server *httptest.Server
	url    string // with the name localhost, which clients of the API take
	host   string
	ca     string // file with the certificate that the server has
	client *http.Client
	log    *logged

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

var zeroKey = redact.NewSecret(base64.StdEncoding.EncodeToString(make([]byte, 32)))

func newWorld(t testing.TB, d *db.DB, change ...func(*state.Options)) *world {
	t.Helper()
	w := &world{t: t, db: d, log: &logged{}}
	now := func() time.Time {
		w.mu.Lock()
		defer w.mu.Unlock()
		return time.Now().Add(w.shift)
	}
	blobs, err := blob.Open(filepath.Join(t.TempDir(), "blobs"), zeroKey)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = blobs.Close() })
	local, err := keyring.NewLocal(zeroKey)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := keyring.New(local)
	if err != nil {
		t.Fatal(err)
	}
	w.trail = access.NewTrail(d)
	w.tokens = access.NewTokens(d, w.trail, now)
	o := state.Options{DB: d, Blobs: blobs, Keys: keys, Trail: w.trail, Tokens: w.tokens, Now: now, Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, f := range change {
		f(&o)
	}
	w.store = state.New(o)
	all := clients.NewStore(d)
	err = d.Tx(t.Context(), func(tx *db.Tx) error {
		if w.acme, err = all.Ensure(t.Context(), tx, clients.Installation{ID: 1, Account: "acme", AccountID: 1}); err != nil {
			return err
		}
		w.beta, err = all.Ensure(t.Context(), tx, clients.Installation{ID: 2, Account: "beta", AccountID: 2})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	api := tfe.New(tfe.Options{States: w.store, Clients: all, Key: zeroKey})
	backend := w.store.Handler(all)
	handler := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, state.Prefix):
			backend.ServeHTTP(rw, r)
		case r.URL.Path == "/.well-known/terraform.json":
			rw.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(rw).Encode(tfe.Services())
		default:
			api.ServeHTTP(rw, r)
		}
	})
	certificate, ca := certify(t)
	w.server = httptest.NewUnstartedServer(handler)
	w.server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	w.server.StartTLS()
	t.Cleanup(w.server.Close)
	w.host = "localhost:" + w.server.URL[strings.LastIndexByte(w.server.URL, ':')+1:]
	w.url = "https://" + w.host
	w.ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(w.ca, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	w.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	t.Cleanup(w.client.CloseIdleConnections)
	return w
}

// certify makes a certificate of localhost that vouches for itself.
func certify(t testing.TB) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
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
	t, _ := w.credential(c, projects, scopes...)
	return t
}

func (w *world) credential(c clients.Client, projects string, scopes ...access.Scope) (string, access.Credential) {
	w.t.Helper()
	if scopes == nil {
		scopes = access.Scopes()
	}
	n := access.NewToken{Client: c.ID, Name: "test", Projects: []string{projects}, Scopes: scopes, By: alice}
	if slices.Contains(scopes, access.ScopeForceWrite) {
		n.Expires = w.store.Now().Add(time.Hour)
	}
	t, cred, err := w.tokens.Create(context.Background(), n)
	if err != nil {
		w.t.Fatal(err)
	}
	return t.Reveal(), cred
}

// answer is what the server said.
type answer struct {
	code int
	body string
	head http.Header
}

// ask makes a request; the path may be a whole address.
func (w *world) ask(token, method, path, body string) answer {
	w.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = w.url + path
	}
	req, err := http.NewRequestWithContext(context.Background(), method, path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := w.client.Do(req)
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
func (w *world) want(code int, token, method, path, body string) answer {
	w.t.Helper()
	a := w.ask(token, method, path, body)
	if a.code != code {
		w.t.Errorf("%s %s: %d, not %d: %s", method, path, a.code, code, a.body)
	}
	return a
}

// thing is a resource of an answer.
type thing struct {
	ID         string
	Type       string
	Attributes map[string]any
}

func (a answer) one(t testing.TB) thing {
	t.Helper()
	var doc struct{ Data thing }
	if err := json.Unmarshal([]byte(a.body), &doc); err != nil || doc.Data.ID == "" {
		t.Fatalf("no resource: %v: %s", err, a.body)
	}
	return doc.Data
}

func (a answer) many(t testing.TB) []thing {
	t.Helper()
	var doc struct{ Data []thing }
	if err := json.Unmarshal([]byte(a.body), &doc); err != nil || doc.Data == nil {
		t.Fatalf("no resources: %v: %s", err, a.body)
	}
	return doc.Data
}

func (a answer) names(t testing.TB) string {
	t.Helper()
	var names []string
	for _, x := range a.many(t) {
		names = append(names, fmt.Sprint(x.Attributes["name"]))
	}
	return strings.Join(names, " ")
}

// doc is a small state.
func doc(serial int, lineage, extra string) string {
	return fmt.Sprintf(`{"version":4,"terraform_version":"1.11.4","serial":%d,"lineage":%q,"outputs":{"a":{"value":%q,"type":"string"},"secret":{"value":["x"],"type":["list","string"],"sensitive":true}},"resources":[{"mode":"managed","type":"terraform_data","name":"a","provider":"x","instances":[{"attributes":{"input":%q}}]}],"check_results":null}`, serial, lineage, extra, extra)
}

func sumOf(body string) string {
	sum := md5.Sum([]byte(body))
	return hex.EncodeToString(sum[:])
}

// announcement is the request that announces a version.
func announcement(serial int, lineage, body string, more string) string {
	return fmt.Sprintf(`{"data":{"type":"state-versions","attributes":{"serial":%d,"lineage":%q,"md5":%q%s}}}`, serial, lineage, sumOf(body), more)
}

const orgs = "/api/v2/organizations/acme"

func named(name string) string {
	return fmt.Sprintf(`{"data":{"type":"workspaces","attributes":{"name":%q}}}`, name)
}

// make makes a workspace and returns the path of its ID.
func (w *world) make(token, name string) string {
	w.t.Helper()
	return "/api/v2/workspaces/" + w.want(201, token, "POST", orgs+"/workspaces", named(name)).one(w.t).ID
}

// push writes a state as clients do, and returns the path of the version.
func (w *world) push(token, ws, body string, serial int, lineage string) string {
	w.t.Helper()
	v := w.want(201, token, "POST", ws+"/state-versions", announcement(serial, lineage, body, "")).one(w.t)
	if up, ok := v.Attributes["hosted-state-upload-url"].(string); ok {
		w.want(200, "", "PUT", up, body)
	}
	return "/api/v2/state-versions/" + v.ID
}

// events returns the actions of the trail, the newest first.
func (w *world) events(client string) []string {
	w.t.Helper()
	all, err := w.trail.List(context.Background(), client, 1000)
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
