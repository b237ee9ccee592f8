package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/toolchain/servers/serverstest"
)

// Fault 36 in the whole program: the key of states is in a real Vault, which is
// sealed while an apply is under way. What the apply has made can't be written,
// and nobody believes it to be: it waits in the run's folder, locked, over a
// crash of the server too, until Vault is back. Nothing is applied twice.
func TestFault36_VaultSealedWhileAnApplyRuns(t *testing.T) {
	t.Parallel()
	vault := serverstest.StartVault(t)
	vault.Key(t, "tidelock", "aes256-gcm96")
	token := filepath.Join(t.TempDir(), "token")
	secret := vault.Token(t, "tidelock", time.Hour, true)
	if err := os.WriteFile(token, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	g := newGate(t)
	s := newStage(t, stageOptions{config: fmt.Sprintf("wrapping_key \"vault\" {\n  vault_key        = \"transit/tidelock\"\n  vault_address    = %q\n  vault_token_file = %q\n  active           = true\n}\n", vault.Address, token)})
	p := s.open("feature", githubtest.Files{"network/main.tf": g.apply("v2") + "resource \"terraform_data\" \"secret\" {\n  input = sensitive(\"canary-36\")\n}\n"})
	s.says(p, "### 📋 Plan: 2 to add")
	s.merge(p)
	g.reached()
	vault.Seal(t)
	g.open()
	s.until("the state is refused", func() bool {
		return strings.Contains(s.log.String(), "job waits") && strings.Contains(s.log.String(), "Vault is sealed")
	})
	if all := s.keptStates(); len(all) != 1 || all[0].Lock == nil || all[0].Lock.Run == "" {
		t.Errorf("the lock is gone: %+v", all)
	}
	if n := s.query("SELECT count(*) FROM state_versions"); n != 0 {
		t.Errorf("%d versions were written", n)
	}
	s.kill()
	s.start()
	vault.Unseal(t)
	if body := s.says(p, "✅"); strings.Contains(body, "❌") {
		t.Errorf("when Vault is back:\n%s", body)
	}
	if got := s.stateOf("network"); !strings.Contains(got, "canary-36") || !strings.Contains(got, `"v2"`) {
		t.Errorf("what the run made is not in the state:\n%s", got)
	}
	if ran, err := os.ReadFile(g.ran); err != nil || strings.Count(string(ran), "ran") != 1 {
		t.Errorf("it was applied as %q, %v", ran, err)
	}
	if n := s.query("SELECT count(*) FROM state_versions WHERE key_id = 'vault-transit/tidelock'"); n != 1 {
		t.Errorf("%d versions are wrapped by Vault's key", n)
	}
	if strings.Contains(s.log.String(), secret) {
		t.Error("the log shows Vault's token")
	}
	if files := holding(t, s.data, []string{"mirrors", "trees"}, "canary-36"); len(files) > 0 {
		t.Errorf("the state lies in %v", files)
	}
}
