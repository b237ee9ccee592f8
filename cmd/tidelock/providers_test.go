package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/providers/providerstest"
	"github.com/tidelock/tidelock/internal/runner"
	"github.com/tidelock/tidelock/internal/toolchain"
)

// standInRegistry serves the stand-in provider as a network mirror.
func standInRegistry(t *testing.T) (r *providerstest.Registry, version, zh string) {
	t.Helper()
	mirror, err := toolchain.ProviderMirror(t.Context(), toolchain.Options{})
	if err != nil {
		t.Fatalf("no stand-in provider: %v", err)
	}
	for _, p := range toolchain.Providers() {
		if p.Name == "aws" {
			version = p.Versions[0]
		}
	}
	platform := runtime.GOOS + "_" + runtime.GOARCH
	archive, err := providerstest.ZipFolder(filepath.Join(mirror, "registry.terraform.io", "hashicorp", "aws", version, platform))
	if err != nil {
		t.Fatal(err)
	}
	if r, err = providerstest.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	for _, host := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		r.Add(host+"/hashicorp/aws", version, archive, platform)
	}
	if zh, _, err = providerstest.Hashes(archive); err != nil {
		t.Fatal(err)
	}
	return r, version, zh
}

// TestProvidersComeFromTheStore: two projects of one pull, in the sandbox, get
// one download; a lock file that was written on a Mac holds; the apply has
// what the plan had; and what may not be used is told before anything runs.
func TestProvidersComeFromTheStore(t *testing.T) {
	t.Parallel()
	mirror, version, zh := standInRegistry(t)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, mirror.CA(), 0o600); err != nil {
		t.Fatal(err)
	}
	code := "terraform {\n  required_providers {\n    aws = {\n      source  = \"hashicorp/aws\"\n      version = \"" + version + "\"\n    }\n  }\n}\nprovider \"aws\" {\n  region = \"eu-central-1\"\n}\n"
	object := func(input string) string {
		return "resource \"aws_s3_bucket\" \"logs\" {\n  bucket = \"" + input + "\"\n}\n"
	}
	lock := ""
	for _, host := range []string{"registry.opentofu.org", "registry.terraform.io"} {
		lock += "provider \"" + host + "/hashicorp/aws\" {\n  version = \"" + version + "\"\n  hashes = [\n    \"h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\n    \"" + zh + "\",\n  ]\n}\n"
	}
	s := newStage(t, stageOptions{
		sealed: runner.LookAtHost().Landlock >= 6,
		files:  githubtest.Files{"one/main.tf": code, "two/main.tf": code, "two/.terraform.lock.hcl": lock},
		env: []string{
			"SSL_CERT_FILE=" + ca, "TIDELOCK_TERRAFORM_PROVIDER_NETWORK_MIRROR=" + mirror.URL() + "/mirror/", "TIDELOCK_TERRAFORM_PROVIDER_DIRECT=false",
			"TIDELOCK_TERRAFORM_PROVIDER_ALLOW=registry.terraform.io/hashicorp/*,registry.opentofu.org/hashicorp/*", "TIDELOCK_DEFAULTS_APPLY_BEFORE_MERGE=true",
		},
	})
	p := s.open("feature", githubtest.Files{"one/logs.tf": object("one"), "two/logs.tf": object("two")})
	s.says(p, "### 📋 Plan: 2 to add")
	p.Comment("grace", "apply")
	s.says(p, "✅ Applied 2 projects")
	if n := mirror.Downloads(); n != 1 {
		t.Errorf("the provider was downloaded %d times", n)
	}
	programs, err := filepath.Glob(filepath.Join(s.data, "providers", "store", "*", "hashicorp", "aws", version, "*", "terraform-provider-*"))
	if err != nil || len(programs) != 1 {
		t.Fatalf("unpacked are %v, %v", programs, err)
	}

	refused := s.open("refused", githubtest.Files{"one/more.tf": "terraform {\n  required_providers {\n    evil = {\n      source = \"evil/miner\"\n    }\n  }\n}\n"})
	comment := s.says(refused, "evil/miner")
	for _, want := range []string{"one/more.tf:3", "terraform.provider_allow"} {
		if !strings.Contains(comment, want) {
			t.Errorf("the comment does not say %q:\n%s", want, comment)
		}
	}
	if n := mirror.Asked("evil"); n != 0 {
		t.Errorf("the mirror was asked for it %d times", n)
	}
}
