package serverstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/toolchain/servers"
)

// Vault is a real Vault that keeps everything in memory, with the transit engine
// at transit/.
type Vault struct {
	Address string // URL
	unseal  string
}

const rootToken = "root-of-the-test"

// StartVault starts a real Vault; the test skips where there is none.
func StartVault(t *testing.T) *Vault {
	t.Helper()
	address := FreeAddress(t)
	var said transcript
	start(t, find(t, servers.Vault), address, &said, "server", "-dev", "-dev-root-token-id="+rootToken, "-dev-listen-address="+address, "-dev-no-store-token")
	v := &Vault{Address: "http://" + address}
	Until(t, "Vault does not say that it is ready", func() bool {
		v.unseal = said.after("Unseal Key:")
		return v.unseal != "" && v.do(t, http.MethodGet, "sys/health", nil, nil) == http.StatusOK
	})
	v.Root(t, http.MethodPost, "sys/mounts/transit", map[string]any{"type": "transit"})
	return v
}

// Root asks Vault as its root may, and returns the answer, which must be none of
// failure.
func (v *Vault) Root(t *testing.T, method, path string, body map[string]any) map[string]any {
	t.Helper()
	var answer map[string]any
	if code := v.do(t, method, path, body, &answer); code/100 != 2 {
		t.Fatalf("vault: %s %s: %d %v", method, path, code, answer)
	}
	return answer
}

func (v *Vault) do(t *testing.T, method, path string, body map[string]any, answer *map[string]any) int {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, v.Address+"/v1/"+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Vault-Token", rootToken)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	if answer != nil {
		_ = json.NewDecoder(resp.Body).Decode(answer) // there may be none
	}
	return resp.StatusCode
}

// Key makes a key of the transit engine.
func (v *Vault) Key(t *testing.T, name, kind string) {
	t.Helper()
	v.Root(t, http.MethodPost, "transit/keys/"+name, map[string]any{"type": kind})
}

// Policy is what docs/operations.md tells people to allow for the key, and no
// more.
func Policy(key string) string {
	return fmt.Sprintf("path \"transit/encrypt/%[1]s\" {\n  capabilities = [\"update\"]\n}\npath \"transit/decrypt/%[1]s\" {\n  capabilities = [\"update\"]\n}\n", key)
}

// Token returns a token of that Policy for the key. It lives for so long, and can be renewed where
// renewable.
func (v *Vault) Token(t *testing.T, key string, ttl time.Duration, renewable bool) string {
	t.Helper()
	policy := "tidelock-" + key
	v.Root(t, http.MethodPut, "sys/policies/acl/"+policy, map[string]any{"policy": Policy(key)})
	answer := v.Root(t, http.MethodPost, "auth/token/create", map[string]any{
		"policies": []string{policy}, "ttl": ttl.String(), "renewable": renewable, "no_parent": true,
	})
	auth, _ := answer["auth"].(map[string]any)
	token, _ := auth["client_token"].(string)
	if token == "" {
		t.Fatalf("vault made no token: %v", answer)
	}
	return token
}

// Revoke ends a token.
func (v *Vault) Revoke(t *testing.T, token string) {
	t.Helper()
	v.Root(t, http.MethodPost, "auth/token/revoke", map[string]any{"token": token})
}

// Seal closes Vault.
func (v *Vault) Seal(t *testing.T) {
	t.Helper()
	v.Root(t, http.MethodPut, "sys/seal", nil)
}

// Unseal opens Vault again.
func (v *Vault) Unseal(t *testing.T) {
	t.Helper()
	v.Root(t, http.MethodPut, "sys/unseal", map[string]any{"key": v.unseal})
	Until(t, "Vault stays sealed", func() bool { return v.do(t, http.MethodGet, "sys/health", nil, nil) == http.StatusOK })
}
