package toolchaintest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/toolchain"
	"github.com/tidelock/tidelock/internal/toolchain/servers"
)

// find returns the path of a server. Where there is none the test skips, and
// says how to get it.
func find(t *testing.T, s servers.Server) string {
	t.Helper()
	path, err := s.Find(toolchain.Options{})
	if err != nil {
		t.Skip(err)
	}
	return path
}

// start runs a server until the test ends, and returns when it answers at
// address. Its environment is of its own making; it prints to said.
func start(t *testing.T, path, address string, said io.Writer, args ...string) {
	t.Helper()
	cmd := exec.Command(path, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-tick.C:
		case <-ended:
			t.Fatalf("%s ended at once", path)
		case <-ctx.Done():
			t.Fatalf("%s does not answer", path)
		}
	}
}

// FreeAddress is an address of loopback for servers that must know theirs
// before they listen.
func FreeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// transcript is what a server prints.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// after returns what stands behind the mark, up to the end of its line; "" where
// it does not stand there yet.
func (s *transcript) after(mark string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, rest, _ := strings.Cut(s.text.String(), mark)
	line, _, whole := strings.Cut(rest, "\n")
	if !whole {
		return ""
	}
	return strings.TrimSpace(line)
}

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

// Until waits until the condition holds.
func Until(t *testing.T, otherwise string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal(otherwise)
		}
	}
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

// Token returns a token whose policy allows what docs/state.md tells people to
// allow for the key, and no more. It lives for so long, and can be renewed where
// renewable.
func (v *Vault) Token(t *testing.T, key string, ttl time.Duration, renewable bool) string {
	t.Helper()
	policy := "tidelock-" + key
	v.Root(t, http.MethodPut, "sys/policies/acl/"+policy, map[string]any{"policy": fmt.Sprintf(
		"path \"transit/encrypt/%[1]s\" {\n  capabilities = [\"update\"]\n}\npath \"transit/decrypt/%[1]s\" {\n  capabilities = [\"update\"]\n}\n", key)})
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

// The credentials of StartS3's server.
const (
	S3Access = "tidelock-test"
	S3Secret = "the-secret-of-the-test"
)

// StartS3 starts a real S3 server with a bucket, and returns its URL and the
// folder that the bucket is; the test skips where there is none.
func StartS3(t *testing.T, bucket string) (endpoint, folder string) {
	t.Helper()
	path, address, dir := find(t, servers.S3), FreeAddress(t), t.TempDir()
	folder = filepath.Join(dir, "data", bucket)
	for _, d := range []string{folder, filepath.Join(dir, "meta")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	start(t, path, address, io.Discard, "--access", S3Access, "--secret", S3Secret, "--region", "us-east-1", "--port", address, "--quiet",
		"posix", "--sidecar", filepath.Join(dir, "meta"), filepath.Join(dir, "data"))
	return "http://" + address, folder
}

// The account and its key that every Azurite has.
const (
	AzureAccount = "devstoreaccount1"
	AzureKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// StartAzurite starts Azurite and returns its address; the test skips where
// there is none.
func StartAzurite(t *testing.T) string {
	t.Helper()
	path, address := find(t, servers.Azurite), FreeAddress(t)
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	start(t, path, address, io.Discard, "--blobHost", host, "--blobPort", port, "--inMemoryPersistence", "--silent", "--skipApiVersionCheck")
	return address
}
