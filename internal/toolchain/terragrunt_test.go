package toolchain

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/errs"
)

func TestFindTerragrunt(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	o := Options{Cache: filepath.Join(dir, "cache")}
	if _, err := FindTerragrunt(o); !errs.Is(err, errs.NotFound) || !strings.Contains(errs.Sentence(err), TerragruntVariable+"=1") {
		t.Errorf("%v", err)
	}
	cached := terragruntPath(o.Cache)
	write := func(path string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(cached)
	for range 2 { // building is not needed
		if path, err := Terragrunt(t.Context(), o); err != nil || path != cached {
			t.Errorf("%q, %v", path, err)
		}
	}
	write(filepath.Join(dir, "terragrunt"))
	if path, err := FindTerragrunt(o); err != nil || path != filepath.Join(dir, "terragrunt") {
		t.Errorf("%q, %v", path, err)
	}
}

// TestBuildTerragrunt builds the real one, which takes minutes: only where that
// is asked for.
func TestBuildTerragrunt(t *testing.T) {
	if os.Getenv(TerragruntVariable) != "1" {
		t.Skipf("building Terragrunt takes minutes: %s=1 asks for it", TerragruntVariable)
	}
	path, err := Terragrunt(context.Background(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(path, "--version").Output(); err != nil || !strings.HasPrefix(string(out), "terragrunt version v") {
		t.Errorf("%q, %v", out, err)
	}
}
