package keyring_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/keyring"
	"github.com/tidelock/tidelock/internal/redact"
)

func local(t *testing.T, fill byte) keyring.Key {
	t.Helper()
	k, err := keyring.NewLocal(redact.NewSecret(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, 32))))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func ageKey(t *testing.T) keyring.Key {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	k, err := keyring.NewAge(redact.NewSecret("# created: today\n" + id.String() + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// transit is a Vault with one key, as its HTTP API is documented: a stand-in
// that seals nothing, and checks what belongs together.
type transit struct {
	mu    sync.Mutex
	token string
	calls int
	down  bool
}

// set changes what Vault is like, and returns how often it was asked.
func (v *transit) set(token string, down bool) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.token, v.down = token, down
	return v.calls
}

func (v *transit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.calls++
	say := func(code int, body any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(body)
	}
	refuse := func(code int, why string) { say(code, map[string]any{"errors": []string{why}}) }
	var in struct {
		Plaintext, Ciphertext string
		AssociatedData        string `json:"associated_data"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		refuse(400, err.Error())
		return
	}
	const magic = "vault:v1:"
	switch {
	case v.down:
		refuse(503, "Vault is sealed")
	case r.Header.Get("X-Vault-Token") != v.token:
		refuse(403, "permission denied")
	case r.URL.Path == "/v1/team/encrypt/tidelock":
		say(200, map[string]any{"data": map[string]any{"ciphertext": magic + base64.StdEncoding.EncodeToString([]byte(in.AssociatedData+"|"+in.Plaintext))}})
	case r.URL.Path == "/v1/team/decrypt/tidelock":
		raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(in.Ciphertext, magic))
		bound, plain, ok := strings.Cut(string(raw), "|")
		if err != nil || !ok || bound != in.AssociatedData {
			refuse(400, "cipher: message authentication failed")
			return
		}
		say(200, map[string]any{"data": map[string]any{"plaintext": plain}})
	default:
		refuse(404, "no handler for route")
	}
}

func token(text string) func() (redact.Secret, error) {
	return func() (redact.Secret, error) { return redact.NewSecret(text), nil }
}

func vaultKey(t *testing.T) (keyring.Key, *transit) {
	t.Helper()
	v := &transit{token: "s.right"}
	server := httptest.NewServer(v)
	t.Cleanup(server.Close)
	k, err := keyring.NewVault(keyring.Vault{Address: server.URL, Mount: "team", Key: "tidelock", Token: token("s.right")})
	if err != nil {
		t.Fatal(err)
	}
	return k, v
}

func TestEveryKeyWrapsAndBinds(t *testing.T) {
	vault, _ := vaultKey(t)
	for name, k := range map[string]keyring.Key{"local": local(t, 1), "age": ageKey(t), "vault": vault} {
		t.Run(name, func(t *testing.T) {
			r, err := keyring.New(k)
			if err != nil {
				t.Fatal(err)
			}
			plain, w, err := r.NewDataKey(t.Context(), []byte("c1/net/v1"))
			if err != nil || len(plain) != keyring.DataKeySize || w.Key != k.ID() {
				t.Fatal(len(plain), w.Key, err)
			}
			if bytes.Contains(w.Data, plain) {
				t.Error("the data key can be read in what wraps it")
			}
			for range 2 {
				if got, err := r.Open(t.Context(), w, []byte("c1/net/v1")); err != nil || !bytes.Equal(got, plain) {
					t.Errorf("opened: %v", err)
				}
			}
			if _, err := r.Open(t.Context(), w, []byte("c1/net/v2")); err == nil || !strings.Contains(errs.Sentence(err), "tampered") {
				t.Errorf("bound to something else: %v", err)
			}
			for _, data := range [][]byte{nil, []byte("x"), w.Data[:len(w.Data)-1]} {
				if _, err := r.Open(t.Context(), keyring.Wrapped{Key: w.Key, Data: data}, []byte("c1/net/v1")); err == nil {
					t.Errorf("%d bytes of %d opened", len(data), len(w.Data))
				}
			}
		})
	}
}

func TestRewrapLeavesTheDataKey(t *testing.T) {
	old, fresh, bound := local(t, 1), ageKey(t), []byte("x")
	before, err := keyring.New(old)
	if err != nil {
		t.Fatal(err)
	}
	plain, w, err := before.NewDataKey(t.Context(), bound)
	if err != nil {
		t.Fatal(err)
	}
	both, err := keyring.New(fresh, old)
	if err != nil {
		t.Fatal(err)
	}
	stale, versions, err := both.Stale(t.Context())
	if err != nil || versions || !stale(w) {
		t.Fatal(versions, stale(w), err)
	}
	again, err := both.Rewrap(t.Context(), w, bound)
	if err != nil || again.Key != fresh.ID() || stale(again) {
		t.Fatal(again.Key, err)
	}
	after, err := keyring.New(fresh)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := after.Open(t.Context(), again, bound); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("by the new key: %v", err)
	}
	_, err = after.Open(t.Context(), w, bound)
	if !errs.Is(err, errs.Unavailable) || !strings.Contains(errs.Sentence(err), old.ID()) || !strings.Contains(errs.Sentence(err), fresh.ID()) {
		t.Errorf("the lost key is not named: %v", err)
	}
}

func TestKeysThatAreNone(t *testing.T) {
	for _, text := range []string{"", "canary", "AGE-SECRET-KEY-1CANARY", base64.StdEncoding.EncodeToString(make([]byte, 31))} {
		for name, f := range map[string]func(redact.Secret) (keyring.Key, error){"local": keyring.NewLocal, "age": keyring.NewAge} {
			_, err := f(redact.NewSecret(text))
			if !errs.Is(err, errs.Invalid) || strings.Contains(strings.ToLower(fmt.Sprint(err)), "canary") {
				t.Errorf("%s %q: %v", name, text, err)
			}
		}
	}
	if _, err := keyring.New(local(t, 1), local(t, 1)); !errs.Is(err, errs.Invalid) {
		t.Errorf("twice the same: %v", err)
	}
}

// No way to print a key shows what it holds, nor the data keys that it knows.
func TestThreat_KeysDoNotPrint(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	aged, err := keyring.NewAge(redact.NewSecret(id.String()))
	if err != nil {
		t.Fatal(err)
	}
	vault, _ := vaultKey(t)
	keys := []keyring.Key{local(t, 0xAB), aged, vault}
	for _, k := range keys {
		plain, _, err := ring(t, k).NewDataKey(t.Context(), []byte("b"))
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("keys", "key", k, "ring", ring(t, k))
		slog.New(slog.NewTextHandler(&log, nil)).Info("keys", "key", k, "ring", ring(t, k))
		for name, v := range map[string]any{"key": k, "ring": ring(t, k), "within": struct{ K any }{k}, "in a list": []any{k, ring(t, k)}} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
				text := fmt.Sprintf(verb, v) + log.String()
				for _, secret := range []string{
					id.String(), "s.right", fmt.Sprint(plain)[1:40], fmt.Sprintf("%#v", plain)[7:40], fmt.Sprintf("%x", plain),
					strings.Repeat("171 ", 8), strings.Repeat("ab", 8), base64.StdEncoding.EncodeToString(plain),
				} {
					if strings.Contains(text, secret) {
						t.Errorf("%s of %s as %s shows %q: %s", name, k.ID(), verb, secret, text)
					}
				}
			}
		}
	}
}

// Whoever knows the public half of an age key, which stands beside each data key,
// can't pass a data key of their own off as one of ours; a backup for a recipient
// opens with the identity that is given for it.
func TestThreat_AgeKeyOpensOnlyWhatItWrapped(t *testing.T) {
	for name, make := range map[string]func() (identity, public string, err error){
		"x25519": func() (string, string, error) {
			id, err := age.GenerateX25519Identity()
			return id.String(), id.Recipient().String(), err
		},
		"hybrid": func() (string, string, error) {
			id, err := age.GenerateHybridIdentity()
			return id.String(), id.Recipient().String(), err
		},
	} {
		t.Run(name, func(t *testing.T) {
			identity, public, err := make()
			if err != nil {
				t.Fatal(err)
			}
			ours, err := keyring.NewAge(redact.NewSecret(identity))
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := keyring.NewRecipient(public)
			if err != nil {
				t.Fatal(err)
			}
			lenient, err := keyring.NewIdentity(redact.NewSecret(identity))
			if err != nil {
				t.Fatal(err)
			}
			if ours.ID() != theirs.ID() || ours.ID() != lenient.ID() {
				t.Errorf("%s, %s, %s", ours.ID(), theirs.ID(), lenient.ID())
			}
			bound := []byte("c1/net/v1")
			plain, forged, err := ring(t, theirs).NewDataKey(t.Context(), bound)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ring(t, ours).Open(t.Context(), forged, bound); !errs.Is(err, errs.Internal) || !strings.Contains(errs.Sentence(err), "public half") {
				t.Errorf("forged: %v", err)
			}
			if got, err := ring(t, lenient).Open(t.Context(), forged, bound); err != nil || !bytes.Equal(got, plain) {
				t.Errorf("a backup's: %v", err)
			}
			_, made, err := ring(t, ours).NewDataKey(t.Context(), bound)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ring(t, lenient).Open(t.Context(), made, bound); err != nil {
				t.Errorf("what the identity wrapped: %v", err)
			}
			if _, err := ring(t, lenient).Open(t.Context(), forged, []byte("c1/net/v2")); err == nil {
				t.Error("a backup's, bound to something else, opens")
			}
			if _, err := theirs.Unwrap(t.Context(), forged.Data, bound); !errs.Is(err, errs.Unavailable) {
				t.Errorf("without the identity: %v", err)
			}
		})
	}
}

func TestFault36_VaultDownOrTokenGone(t *testing.T) {
	k, v := vaultKey(t)
	ctx := t.Context()
	w, err := k.Wrap(ctx, make([]byte, 32), []byte("b"))
	if err != nil {
		t.Fatal(err)
	}
	v.set("s.other", false)
	if _, err := k.Wrap(ctx, make([]byte, 32), []byte("b")); !errs.Is(err, errs.Unavailable) || !strings.Contains(errs.Sentence(err), "token") {
		t.Errorf("token gone: %v", err)
	}
	v.set("s.right", false)
	if _, err := k.Unwrap(ctx, w, []byte("b")); err != nil {
		t.Error(err)
	}
	calls := v.set("s.right", true)
	if _, err := k.Unwrap(ctx, w, []byte("b")); err != nil || v.set("s.right", true) != calls {
		t.Errorf("a key that was just read: %v, or Vault was asked again", err)
	}
	short, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := k.Unwrap(short, w, []byte("c")); !errors.Is(err, context.Canceled) {
		t.Errorf("whoever asked has gone: %v", err)
	}
}
