package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/redact"
)

const (
	keyOne = "MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE="
	keyTwo = "MjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjI="
)

func TestWrappingKeys(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"one.key": keyOne + "\n",
		"tidelock-server.hcl": `
data_dir = "data"
wrapping_key "vault" {
  vault_key        = "team/transit/tidelock"
  vault_address    = "https://vault.example.com:8200"
  vault_token_file = "token"
  vault_namespace  = "infra"
  active           = true
}
wrapping_key "file" { file = "one.key" }
wrapping_key "env" { env = "SOME_KEY" }
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l := loadConfig(filepath.Join(dir, "tidelock-server.hcl"), []string{"SOME_KEY=" + keyTwo}, needDatabase)
	if err := l.problems.Err(); err != nil {
		t.Fatal(err)
	}
	ring, err := l.config.keyring(redact.NewSecret("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="))
	if err != nil {
		t.Fatal(err)
	}
	if ids := ring.IDs(); len(ids) != 4 || ring.Active() != "vault-infra/team/transit/tidelock" {
		t.Errorf("keys %v, active %s", ids, ring.Active())
	}
	earlier, err := l.config.earlierKeys()
	if err != nil || len(earlier) != 2 || earlier[0].Reveal() != keyOne || earlier[1].Reveal() != keyTwo {
		t.Errorf("%d earlier keys, %v", len(earlier), err)
	}
	var shown strings.Builder
	l.writeWrappingKeys(&shown)
	for _, want := range []string{filepath.Join(dir, "one.key"), `"SOME_KEY"`, `"team/transit/tidelock"`, "active           = true"} {
		if !strings.Contains(shown.String(), want) {
			t.Errorf("not shown: %s\n%s", want, &shown)
		}
	}
	if strings.Contains(shown.String(), keyOne) || strings.Contains(shown.String(), keyTwo) {
		t.Errorf("a key is shown:\n%s", &shown)
	}
	// A key that is not there is named by its block.
	l.config.environ = func() []string { return nil }
	if _, err := l.config.keyring(redact.NewSecret(keyTwo)); err == nil || !strings.Contains(err.Error(), "SOME_KEY") {
		t.Errorf("the variable is not named: %v", err)
	}
}

func TestWrappingKeysThatAreWrong(t *testing.T) {
	for name, tc := range map[string]struct {
		key  WrappingKey
		says string
	}{
		"nothing":               {WrappingKey{}, "needs one of"},
		"two":                   {WrappingKey{File: "a", Env: "B"}, "no more than one"},
		"a variable":            {WrappingKey{Env: "a b"}, "not the name of an environment variable"},
		"Vault's without one":   {WrappingKey{File: "a", VaultAddress: "https://v"}, "names no vault_key"},
		"Vault's, no address":   {WrappingKey{VaultKey: "transit/k", VaultTokenFile: "t"}, "vault_address"},
		"Vault's, no mount":     {WrappingKey{VaultKey: "k", VaultAddress: "https://v", VaultTokenFile: "t"}, "transit/k"},
		"Vault's, no URL":       {WrappingKey{VaultKey: "transit/k", VaultAddress: "v", VaultTokenFile: "t"}, "whole URL"},
		"Vault's, a user's":     {WrappingKey{VaultKey: "transit/k", VaultAddress: "https://a:b@v", VaultTokenFile: "t"}, "password"},
		"all right, of age":     {WrappingKey{AgeFile: "a"}, ""},
		"all right, of Vault's": {WrappingKey{VaultKey: "transit/k", VaultAddress: "https://v", VaultTokenFile: "t"}, ""},
	} {
		if got := tc.key.problem(); tc.says == "" && got != "" || !strings.Contains(got, tc.says) {
			t.Errorf("%s: %q", name, got)
		}
	}
}
