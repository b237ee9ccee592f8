package state_test

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/keyring"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/state"
	"github.com/tidelock/tidelock/internal/toolchain/servers/serverstest"
	"github.com/tidelock/tidelock/internal/toolchain/toolchaintest"
)

// vaultWorld is a world whose states are sealed by a key of a real Vault, which
// is asked with a token that may do no more than the manual says.
type vaultWorld struct {
	*world
	vault *serverstest.Vault
	token atomic.Value // string
}

func newVaultWorld(t *testing.T) *vaultWorld {
	t.Helper()
	v := &vaultWorld{vault: serverstest.StartVault(t)}
	v.vault.Key(t, "tidelock", "aes256-gcm96")
	v.token.Store(v.vault.Token(t, "tidelock", time.Hour, true))
	clock := func() time.Time { return v.now() }
	key, err := keyring.NewVault(keyring.Vault{
		Address: v.vault.Address, Key: "tidelock", Now: clock,
		Token: func() (redact.Secret, error) { return redact.NewSecret(v.token.Load().(string)), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	v.world = newWorld(t, dbtest.SQLite(t), func(o *state.Options) {
		if o.Keys, err = keyring.New(key, localKey(t, 1)); err != nil {
			t.Fatal(err)
		}
	})
	return v
}

// wrapped returns the wrapped data keys of all versions.
func (v *vaultWorld) wrapped() (all []string) {
	v.t.Helper()
	rows, err := v.db.QueryContext(v.t.Context(), `SELECT key_id, wrapped FROM state_versions ORDER BY id`)
	if err != nil {
		v.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var data []byte
		if err := rows.Scan(&id, &data); err != nil {
			v.t.Fatal(err)
		}
		if id != "vault-transit/tidelock" {
			v.t.Errorf("a version is wrapped by %s", id)
		}
		all = append(all, string(data))
	}
	if err := rows.Err(); err != nil {
		v.t.Fatal(err)
	}
	return all
}

// held counts what is stored: versions, locks, files of blobs.
func (v *vaultWorld) held() (n [3]int) {
	v.t.Helper()
	if err := v.db.QueryRowContext(v.t.Context(), `SELECT (SELECT count(*) FROM state_versions), (SELECT count(*) FROM state_locks)`).Scan(&n[0], &n[1]); err != nil {
		v.t.Fatal(err)
	}
	err := filepath.WalkDir(v.blobs, func(_ string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && !e.IsDir() {
			n[2]++
		}
		return err
	})
	if err != nil {
		v.t.Fatal(err)
	}
	return n
}

// Fault 36 the whole way: real Terraform, the state service, a key in a real
// Vault. While Vault can't be used nothing is written, and whoever asks reads
// why; what Terraform could not save goes in when Vault is back.
func TestFault36_StatesWhoseKeyIsInVault(t *testing.T) {
	v := newVaultWorld(t)
	tools := toolchaintest.Tools(t)
	tool := tools["terraform"]
	if tool == "" {
		tool = tools["tofu"]
	}
	token := v.world.token(v.acme, "**")
	l := newLaptop(t, v.world, tool, token, prod, "TF_HTTP_RETRY_MAX=0")
	l.run("init")
	l.run("apply", "-auto-approve")
	if !strings.Contains(l.run("plan"), "No changes") {
		t.Error("a plan differs from what was applied")
	}
	for _, w := range v.wrapped() {
		if !strings.HasPrefix(w, "vault:v1:") {
			t.Errorf("wrapped as %s", w)
		}
	}

	// Vault is sealed between a plan and its end.
	code, err := os.ReadFile(filepath.Join(l.dir, "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	l.write("main.tf", strings.ReplaceAll(string(code), `"one"`, `"three"`))
	before := v.held()
	v.vault.Seal(t)
	l.fails("giving up after", "apply", "-auto-approve") // what it read is remembered; what it writes needs Vault
	if after := v.held(); after != before {
		t.Errorf("held %v, then %v", before, after)
	}
	if _, err := os.Stat(filepath.Join(l.dir, "errored.tfstate")); err != nil {
		t.Errorf("Terraform kept no errored.tfstate: %v", err)
	}
	for what, body := range map[string]string{"small": doc(50, "l", "x"), "large": doc(50, "l", noise(900<<10))} {
		a := v.want(http.StatusServiceUnavailable, token, http.MethodPost, "/state/acme/net/new-"+what, body)
		if !strings.Contains(a.body, "sealed") || !strings.Contains(a.body, "vault-transit/tidelock") || !strings.Contains(a.body, "Nothing was changed") {
			t.Errorf("%s: %s", what, a.body)
		}
	}
	if after := v.held(); after != before {
		t.Errorf("held %v, then %v", before, after)
	}
	v.pass(6 * time.Minute) // data keys are forgotten
	if a := v.want(http.StatusServiceUnavailable, token, http.MethodGet, "/state/acme/"+prod, ""); !strings.Contains(a.body, "sealed") || strings.Contains(a.body, "terraform_data") {
		t.Errorf("read: %s", a.body)
	}
	l.fails("giving up after", "plan", "-lock=false")
	// Locks need no key.
	v.want(http.StatusOK, token, "LOCK", "/state/acme/"+prod, lockInfo("A"))
	v.want(http.StatusOK, token, "UNLOCK", "/state/acme/"+prod, lockInfo("A"))

	v.vault.Unseal(t)
	l.run("state", "push", "errored.tfstate")
	if !strings.Contains(l.run("plan"), "No changes") {
		t.Error("what was pushed is not what was applied")
	}

	// The token is revoked, as in an emergency: five minutes later nothing opens.
	v.vault.Revoke(t, v.token.Load().(string))
	v.pass(6 * time.Minute)
	a := v.want(http.StatusServiceUnavailable, token, http.MethodGet, "/state/acme/"+prod, "")
	if !strings.Contains(a.body, "revoked") || strings.Contains(a.body, v.token.Load().(string)) {
		t.Errorf("revoked: %s", a.body)
	}
	if strings.Contains(v.log.String(), v.token.Load().(string)) {
		t.Error("the log shows the token")
	}
	v.token.Store(v.vault.Token(t, "tidelock", time.Hour, true))
	l.run("plan")
}

// A key that is rotated in Vault: what is there opens, key rotate wraps it by the
// newest version, and then the old one may be closed. No content is rewritten.
func TestRotateFollowsVaultsVersions(t *testing.T) {
	v := newVaultWorld(t)
	bodies := []string{doc(1, "l", "one"), doc(2, "l", noise(900<<10)), doc(3, "l", "three")}
	for _, b := range bodies {
		v.write(b)
	}
	files := blobContents(t, v.blobs)
	rotate := func() int {
		t.Helper()
		done, lost, err := v.store.Rotate(t.Context(), state.Who{Actor: alice}, nil)
		if err != nil || lost != 0 {
			t.Fatalf("%d lost, %v", lost, err)
		}
		return done
	}
	if done := rotate(); done != 0 {
		t.Errorf("%d were wrapped anew, and none was stale", done)
	}
	v.vault.Root(t, http.MethodPost, "transit/keys/tidelock/rotate", nil)
	v.pass(6 * time.Minute)
	if got, err := v.read(2); err != nil || got != bodies[1] {
		t.Errorf("by the old version: %v", err)
	}
	if done := rotate(); done != len(bodies) {
		t.Errorf("%d were wrapped anew, not %d", done, len(bodies))
	}
	if done := rotate(); done != 0 {
		t.Errorf("%d were wrapped anew a second time", done)
	}
	for _, w := range v.wrapped() {
		if !strings.HasPrefix(w, "vault:v2:") {
			t.Errorf("wrapped as %s", w)
		}
	}
	v.vault.Root(t, http.MethodPost, "transit/keys/tidelock/config", map[string]any{"min_decryption_version": 2})
	v.pass(6 * time.Minute)
	for i, b := range bodies {
		if got, err := v.read(int64(i + 1)); err != nil || got != b {
			t.Errorf("version %d: %v", i+1, err)
		}
	}
	for name, content := range blobContents(t, v.blobs) {
		if !bytes.Equal(files[name], content) {
			t.Errorf("%s was rewritten", name)
		}
	}
	v.vault.Seal(t)
	if _, _, err := v.store.Rotate(t.Context(), state.Who{Actor: alice}, nil); !errs.Is(err, errs.Unavailable) || !strings.Contains(errs.Sentence(err), "sealed") {
		t.Errorf("rotated while Vault is sealed: %v", err)
	}
}

func blobContents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		all[path], err = os.ReadFile(path)
		return err
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("%d blobs, %v", len(all), err)
	}
	return all
}
