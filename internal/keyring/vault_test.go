package keyring_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/keyring"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/toolchain/servers/serverstest"
)

// line is the network between the server and Vault: it counts calls, and can be
// cut.
type line struct {
	*httptest.Server
	calls atomic.Int64
	cut   atomic.Bool
}

func newLine(t *testing.T, to string) *line {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	l := &line{}
	through := httputil.NewSingleHostReverseProxy(u)
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.calls.Add(1)
		if l.cut.Load() {
			panic(http.ErrAbortHandler) // the connection ends without an answer
		}
		through.ServeHTTP(w, r)
	}))
	t.Cleanup(l.Close)
	return l
}

// realKey is a key of a real Vault, asked with the least rights that suffice.
type realKey struct {
	keyring.Key
	vault *serverstest.Vault
	line  *line
	token atomic.Value // string
	now   atomic.Int64 // seconds that have passed
}

func newRealKey(t *testing.T) *realKey {
	t.Helper()
	k := &realKey{vault: serverstest.StartVault(t)}
	k.line = newLine(t, k.vault.Address)
	k.vault.Key(t, "tidelock", "aes256-gcm96")
	k.token.Store(k.vault.Token(t, "tidelock", time.Hour, true))
	k.Key = k.at(t, "tidelock")
	return k
}

func (k *realKey) at(t *testing.T, name string) keyring.Key {
	t.Helper()
	begun := time.Now()
	key, err := keyring.NewVault(keyring.Vault{
		Address: k.line.URL, Mount: "transit", Key: name,
		Token: func() (redact.Secret, error) { return redact.NewSecret(k.token.Load().(string)), nil },
		Now:   func() time.Time { return begun.Add(time.Duration(k.now.Load()) * time.Second) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// forget lets the time pass that data keys are remembered for.
func (k *realKey) forget() { k.now.Add(301) }

func ring(t *testing.T, active keyring.Key, others ...keyring.Key) *keyring.Ring {
	t.Helper()
	r, err := keyring.New(active, others...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What these tests do they do with the rights that the manual tells people to
// give.
func TestManualNamesThePolicy(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "```hcl\n"+serverstest.Policy("tidelock")+"```") {
		t.Error("docs/operations.md has another policy than the tests")
	}
}

func TestRealVaultWrapsAndBinds(t *testing.T) {
	k := newRealKey(t)
	r, bound := ring(t, k.Key), []byte("c1/net/v1")
	plain, w, err := r.NewDataKey(t.Context(), bound)
	if err != nil || k.line.calls.Load() != 1 {
		t.Fatalf("%d calls, %v", k.line.calls.Load(), err)
	}
	if bytes.Contains(w.Data, plain) || !bytes.HasPrefix(w.Data, []byte("vault:v1:")) || w.Key != "vault-transit/tidelock" {
		t.Errorf("wrapped as %s by %s", w.Data, w.Key)
	}
	open := func(what string, calls int64) {
		t.Helper()
		before := k.line.calls.Load()
		if got, err := r.Open(t.Context(), w, bound); err != nil || !bytes.Equal(got, plain) || k.line.calls.Load()-before != calls {
			t.Errorf("%s: %d calls, want %d, %v", what, k.line.calls.Load()-before, calls, err)
		}
	}
	open("just written", 1) // that Vault opens it, too, shows now
	open("just read", 0)
	k.forget()
	open("a while ago", 1)
	// Rights to encrypt alone show at the first read, not when all is forgotten.
	k.vault.Root(t, http.MethodPut, "sys/policies/acl/tidelock-tidelock", map[string]any{"policy": strings.Split(serverstest.Policy("tidelock"), "path \"transit/decrypt")[0]})
	_, half, err := r.NewDataKey(t.Context(), bound)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Open(t.Context(), half, bound); !errs.Is(err, errs.Unavailable) || !strings.Contains(errs.Sentence(err), "not allow to decrypt") {
		t.Errorf("without the right to decrypt: %v", err)
	}
	k.vault.Root(t, http.MethodPut, "sys/policies/acl/tidelock-tidelock", map[string]any{"policy": serverstest.Policy("tidelock")})
	// Vault itself checks what it is bound to.
	for name, other := range map[string][]byte{"another version": []byte("c1/net/v2"), "nothing": nil} {
		if _, err := r.Open(t.Context(), w, other); !errs.Is(err, errs.Internal) || !strings.Contains(errs.Sentence(err), "tampered") {
			t.Errorf("bound to %s: %v", name, err)
		}
	}
	for name, data := range map[string][]byte{"cut": w.Data[:len(w.Data)-6], "no prefix": w.Data[9:], "another's": []byte("vault:v1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")} {
		if _, err := r.Open(t.Context(), keyring.Wrapped{Key: w.Key, Data: data}, bound); err == nil || !strings.Contains(errs.Sentence(err), "tampered") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A key is rotated in Vault: what it wrapped opens, what is wrapped anew has the
// new version, and then the old one may be closed.
func TestRealVaultRotates(t *testing.T) {
	k := newRealKey(t)
	r, bound := ring(t, k.Key), []byte("b")
	plain, w, err := r.NewDataKey(t.Context(), bound)
	if err != nil {
		t.Fatal(err)
	}
	k.vault.Root(t, http.MethodPost, "transit/keys/tidelock/rotate", nil)
	k.forget()
	if got, err := r.Open(t.Context(), w, bound); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("by the old version: %v", err)
	}
	stale, versions, err := r.Stale(t.Context())
	if err != nil || !versions || !stale(w) {
		t.Fatalf("versions %v, stale %v, %v", versions, err == nil && stale(w), err)
	}
	fresh, err := r.Rewrap(t.Context(), w, bound)
	if err != nil || stale(fresh) || !bytes.HasPrefix(fresh.Data, []byte("vault:v2:")) {
		t.Fatalf("%s, %v", fresh.Data, err)
	}
	k.vault.Root(t, http.MethodPost, "transit/keys/tidelock/config", map[string]any{"min_decryption_version": 2})
	k.forget()
	if got, err := r.Open(t.Context(), fresh, bound); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("by the new version: %v", err)
	}
	if _, err := r.Open(t.Context(), w, bound); !errs.Is(err, errs.Unavailable) || !strings.Contains(errs.Sentence(err), "min_decryption_version") {
		t.Errorf("by the closed version: %v", err)
	}
}

// Fault 36 on a real Vault: each refusal says what it is and what to mend, in
// time, and what is mended works again.
func TestFault36_RealVaultSealedDownRevokedLost(t *testing.T) {
	k := newRealKey(t)
	r, bound, ctx := ring(t, k.Key), []byte("b"), t.Context()
	_, w, err := r.NewDataKey(ctx, bound)
	if err != nil {
		t.Fatal(err)
	}
	works := func(after string) {
		t.Helper()
		k.forget()
		if _, err := r.Open(ctx, w, bound); err != nil {
			t.Errorf("after %s: %v", after, err)
		}
		if _, _, err := r.NewDataKey(ctx, bound); err != nil {
			t.Errorf("after %s: %v", after, err)
		}
		if err := r.Probe(ctx); err != nil {
			t.Errorf("after %s: %v", after, err)
		}
	}
	refused := func(kind errs.Kind, words ...string) {
		t.Helper()
		k.forget()
		_, unwrap := r.Open(ctx, w, bound)
		_, _, wrap := r.NewDataKey(ctx, bound)
		for act, err := range map[string]error{"wrap": wrap, "unwrap": unwrap, "probe": r.Probe(ctx)} {
			if !errs.Is(err, kind) || !strings.Contains(errs.Sentence(err), k.ID()) {
				t.Errorf("%s: %v", act, err)
			}
			for _, word := range words {
				if !strings.Contains(errs.Sentence(err), word) {
					t.Errorf("%s: %q lacks %q", act, errs.Sentence(err), word)
				}
			}
			if strings.Contains(fmt.Sprint(err), k.token.Load().(string)) && k.token.Load() != "" {
				t.Errorf("%s: the error shows the token: %v", act, err)
			}
		}
	}

	k.vault.Seal(t)
	refused(errs.Unavailable, "sealed", "Nothing was changed")
	k.vault.Unseal(t)
	works("unsealing")

	k.line.cut.Store(true)
	refused(errs.Unavailable, "does not answer", "Nothing was changed")
	k.line.cut.Store(false)
	works("the network is back")

	old := k.token.Load().(string)
	k.vault.Revoke(t, old)
	refused(errs.Unavailable, "expired or was revoked")
	k.token.Store("")
	refused(errs.Unavailable, "no token", "vault_token_file")
	k.token.Store(k.vault.Token(t, "tidelock", time.Hour, true))
	works("a new token")

	k.token.Store(k.vault.Token(t, "another", time.Hour, true))
	refused(errs.Unavailable, "policy does not allow")
	k.token.Store(k.vault.Token(t, "tidelock", time.Hour, true))
	works("the right policy")

	// The backup comes back under the same name.
	k.vault.Root(t, http.MethodPost, "transit/keys/tidelock/config", map[string]any{"deletion_allowed": true, "exportable": true, "allow_plaintext_backup": true})
	kept, _ := k.vault.Root(t, http.MethodGet, "transit/backup/tidelock", nil)["data"].(map[string]any)
	k.vault.Root(t, http.MethodDelete, "transit/keys/tidelock", nil)
	k.forget()
	if _, err := r.Open(ctx, w, bound); !errs.Is(err, errs.Unavailable) || !strings.Contains(errs.Sentence(err), "was deleted") || !strings.Contains(errs.Sentence(err), k.ID()) {
		t.Errorf("deleted, unwrap: %v", err)
	}
	// With these rights no key comes into being unasked.
	if _, _, err := r.NewDataKey(ctx, bound); !errs.Is(err, errs.Unavailable) || !strings.Contains(errs.Sentence(err), "deleted") {
		t.Errorf("deleted, wrap: %v", err)
	}
	k.vault.Key(t, "tidelock", "aes256-gcm96")
	if _, err := r.Open(ctx, w, bound); !errs.Is(err, errs.Internal) || !strings.Contains(errs.Sentence(err), "made anew") {
		t.Errorf("made anew: %v", err)
	}
	k.vault.Root(t, http.MethodPost, "transit/restore/tidelock", map[string]any{"backup": kept["backup"], "force": true})
	works("the key is restored")
}

// A token that a person put there is renewed as long as Vault lets it be, and
// told of before it ends.
func TestRealVaultTokenIsRenewed(t *testing.T) {
	k := newRealKey(t)
	life := func(token string) int64 {
		t.Helper()
		data, _ := k.vault.Root(t, http.MethodPost, "auth/token/lookup", map[string]any{"token": token})["data"].(map[string]any)
		ttl, _ := data["ttl"].(float64)
		return int64(ttl)
	}
	renew := func() (left, of time.Duration) {
		t.Helper()
		left, of, err := keyring.Renew(t.Context(), k.Key)
		if err != nil {
			t.Fatal(err)
		}
		return left, of
	}
	token := k.token.Load().(string)
	if left, of := renew(); of != time.Hour || left < 59*time.Minute {
		t.Errorf("a fresh token: %v of %v", left, of)
	}
	// It has lived for most of its time.
	k.vault.Root(t, http.MethodPost, "auth/token/renew", map[string]any{"token": token, "increment": "10m"})
	if before := life(token); before > 600 {
		t.Fatalf("it has %d seconds left", before)
	}
	if left, _ := renew(); left < 59*time.Minute || life(token) < 3500 {
		t.Errorf("renewed to %v, Vault says %d s", left, life(token))
	}
	short := k.vault.Token(t, "tidelock", time.Hour, false)
	k.token.Store(short)
	if left, of := renew(); of != time.Hour || left > time.Hour || life(short) > 3600 {
		t.Errorf("one that can't be renewed: %v of %v", left, of)
	}
	k.vault.Revoke(t, short)
	if _, _, err := keyring.Renew(t.Context(), k.Key); !errs.Is(err, errs.Unavailable) || strings.Contains(fmt.Sprint(err), short) {
		t.Errorf("revoked: %v", err)
	}
}

// Where a token is of no use that is said once, and once when it is well again.
func TestKeepSaysWhatItSees(t *testing.T) {
	k, v := vaultKey(t)
	v.set("s.other", false)
	var said bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	log := slog.New(slog.NewTextHandler(writerFunc(func(p []byte) (int, error) {
		defer cancel()
		return said.Write(p)
	}), nil))
	go func() {
		defer close(done)
		ring(t, local(t, 1), k).Keep(ctx, log)
	}()
	<-done
	if text := said.String(); !strings.Contains(text, "WARN") || !strings.Contains(text, "vault-team/tidelock") || strings.Contains(text, "s.right") {
		t.Errorf("it said: %s", text)
	}
	ring(t, local(t, 1)).Keep(t.Context(), log) // no key needs a token: it returns
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// A key that can't bind is refused, rather than binding nothing.
func TestRealVaultKeyThatTakesNoAssociatedData(t *testing.T) {
	k := newRealKey(t)
	for _, kind := range []string{"rsa-2048", "ed25519"} {
		k.vault.Key(t, kind, kind)
		k.token.Store(k.vault.Token(t, kind, time.Hour, true))
		if _, _, err := ring(t, k.at(t, kind)).NewDataKey(t.Context(), []byte("b")); !errs.Is(err, errs.Unavailable) || !strings.Contains(errs.Sentence(err), "aes256-gcm96") {
			t.Errorf("%s: %v", kind, err)
		}
	}
	k.vault.Root(t, http.MethodPost, "transit/keys/derived", map[string]any{"type": "aes256-gcm96", "derived": true})
	k.token.Store(k.vault.Token(t, "derived", time.Hour, true))
	if _, _, err := ring(t, k.at(t, "derived")).NewDataKey(t.Context(), []byte("b")); !errs.Is(err, errs.Unavailable) || !strings.Contains(errs.Sentence(err), "not derived") {
		t.Errorf("derived: %v", err)
	}
}

// The operator's own environment for Vault leads neither elsewhere nor with
// another token.
func TestVaultEnvironmentDoesNotLeadElsewhere(t *testing.T) {
	right := &transit{token: "s.right"}
	server := httptest.NewServer(right)
	t.Cleanup(server.Close)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Error("the environment's Vault was asked")
		http.Error(w, "no", http.StatusTeapot)
	}))
	t.Cleanup(elsewhere.Close)
	for name, v := range map[string]string{"VAULT_ADDR": elsewhere.URL, "VAULT_AGENT_ADDR": elsewhere.URL, "VAULT_TOKEN": "s.other", "VAULT_NAMESPACE": "other", "VAULT_WRAP_TTL": "60s"} {
		t.Setenv(name, v)
	}
	k, err := keyring.NewVault(keyring.Vault{Address: server.URL, Mount: "team", Key: "tidelock", Token: token("s.right")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Wrap(t.Context(), make([]byte, 32), []byte("b")); err != nil {
		t.Error(err)
	}
}

// A Vault that takes the connection and says nothing does not hold whoever asks
// longer than they wait.
func TestVaultThatHangs(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	k, err := keyring.NewVault(keyring.Vault{Address: "http://" + l.Addr().String(), Key: "tidelock", Token: token("s.right")})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := k.Wrap(ctx, make([]byte, 32), nil); err == nil || ctx.Err() == nil {
		t.Errorf("it answered: %v", err)
	}
}
