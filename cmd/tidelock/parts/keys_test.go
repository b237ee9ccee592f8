package parts

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
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
	l := config.Read(filepath.Join(dir, "tidelock-server.hcl"), []string{"SOME_KEY=" + keyTwo}, config.NeedDatabase)
	if err := l.Problems.Err(); err != nil {
		t.Fatal(err)
	}
	ring, err := Keyring(l.Config, redact.NewSecret("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="))
	if err != nil {
		t.Fatal(err)
	}
	if ids := ring.IDs(); len(ids) != 4 || ring.Active() != "vault-infra/team/transit/tidelock" {
		t.Errorf("keys %v, active %s", ids, ring.Active())
	}
	// The token's file is read for each use, and is not there.
	if _, _, err := ring.NewDataKey(t.Context(), nil); !errs.Is(err, errs.Unavailable) || !strings.Contains(errs.Sentence(err), "no token of Vault") || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a token: %v", err)
	}
	earlier, err := EarlierKeys(l.Config)
	if err != nil || len(earlier) != 2 || earlier[0].Reveal() != keyOne || earlier[1].Reveal() != keyTwo {
		t.Errorf("%d earlier keys, %v", len(earlier), err)
	}
	var shown strings.Builder
	if err := l.Write(&shown); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{filepath.Join(dir, "one.key"), `"SOME_KEY"`, `"team/transit/tidelock"`, "active           = true"} {
		if !strings.Contains(shown.String(), want) {
			t.Errorf("not shown: %s\n%s", want, &shown)
		}
	}
	if strings.Contains(shown.String(), keyOne) || strings.Contains(shown.String(), keyTwo) {
		t.Errorf("a key is shown:\n%s", &shown)
	}
	// A key that is not there is named by its block.
	bare := config.Read(filepath.Join(dir, "tidelock-server.hcl"), nil, config.NeedDatabase)
	if _, err := Keyring(bare.Config, redact.NewSecret(keyTwo)); err == nil || !strings.Contains(err.Error(), "SOME_KEY") {
		t.Errorf("the variable is not named: %v", err)
	}
}

const (
	keyOne = "MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE="
	keyTwo = "MjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjI="
)
