// Package configtest writes configurations for tests.
package configtest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Key is a GitHub App's private key as GitHub makes them, in PEM; the same at
// each call.
var Key = sync.OnceValue(func() string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
})

// WebhookSecret is the secret that Good's webhooks are signed with.
const WebhookSecret = "webhook-secret-of-the-tests"

// Good returns a folder with a configuration that has no problem, with more at
// its end, and the path of its file. The first line of more is line 7.
func Good(t *testing.T, more string) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	file = filepath.Join(dir, "tidelock-server.hcl")
	for path, text := range map[string]string{
		filepath.Join(dir, "app.pem"):        Key(),
		filepath.Join(dir, "webhook.secret"): WebhookSecret + "\n",
		file: `data_dir = "data"
github {
  app_id              = 12345
  private_key_file    = "app.pem"
  webhook_secret_file = "webhook.secret"
}
` + more,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, file
}

// Empty returns the path of a configuration file that says nothing.
func Empty(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "empty.hcl")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
