package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/runner"
)

// A pull request against the server itself: at plan by what Terraform reads,
// at apply by a provisioner. The server's settings are those of a fresh
// installation, and the run works as ever.
func TestThreat_SandboxOfAFreshInstallation(t *testing.T) {
	t.Parallel()
	if host := runner.LookAtHost(); host.Landlock < 6 {
		t.Skipf("this machine's Landlock has version %d, and the whole of it needs 6", host.Landlock)
	}
	s := newStage(t, stageOptions{sealed: true, env: []string{"TIDELOCK_DEFAULTS_APPLY_BEFORE_MERGE=true"}})
	planted := filepath.Join(t.TempDir(), "planted")
	if err := os.WriteFile(planted, []byte(canary), 0o644); err != nil {
		t.Fatal(err)
	}
	p := s.open("hostile", githubtest.Files{"network/main.tf": `locals {
  data = "` + s.data + `"
}
resource "terraform_data" "net" {
  input = {
    key     = try(filebase64("${local.data}/encryption.key"), "closed-key")
    base    = try(filebase64("${local.data}/tidelock.db"), "closed-db")
    runs    = join(" ", try(fileset("${local.data}/runs", "**"), ["closed-runs"]))
    planted = try(file("` + planted + `"), "closed-file")
    self    = try(filebase64("/proc/self/environ"), "closed-self")
  }
  provisioner "local-exec" {
    command = <<-EOT
      cat "${local.data}/encryption.key" "${local.data}/tidelock.db" ` + planted + ` && echo ` + "S''TOLEN" + `
      echo gone > ` + planted + `
      rm -f "${local.data}/encryption.key"
      cat "/proc/$PPID/environ" && echo ` + "S''TOLEN" + `
      true
    EOT
  }
}
`})
	comment := s.says(p, "### 📋 Plan: 1 to add")
	for _, want := range []string{"closed-key", "closed-db", "closed-file", "closed-self"} {
		if !strings.Contains(comment, want) {
			t.Errorf("the comment lacks %s:\n%s", want, comment)
		}
	}
	p.Comment("grace", "apply")
	s.check(p, "tidelock/apply", "success")
	if _, err := os.Stat(filepath.Join(s.data, "encryption.key")); err != nil {
		t.Error(err)
	}
	if b, err := os.ReadFile(planted); err != nil || string(b) != canary {
		t.Errorf("the planted file: %q, %v", b, err)
	}
	told := everythingTold(p) + s.log.String()
	for _, secret := range append(spellings(canary), "STOLEN") {
		if strings.Contains(told, secret) {
			t.Errorf("%q was told", secret)
		}
	}
	if files := holding(t, s.data, nil, spellings(canary)...); len(files) > 0 {
		t.Errorf("the canary lies in %v", files)
	}
}

// A server that can't confine runs as it was told to does not start.
func TestThreat_SandboxStrictOrNothing(t *testing.T) {
	c := config.Default()
	c.DataDir, c.Terraform.Sandbox, c.Terraform.SandboxRead = t.TempDir(), "strict", []string{os.TempDir()}
	s := &server{config: c}
	if err := s.lookAtSandbox(); err == nil || !strings.Contains(errs.Explain(err), "Runs can read") {
		t.Errorf("strict, with its data open to runs: %v", err)
	}
}
