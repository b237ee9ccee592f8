// Package toolchaintest gives tests the real Terraform and OpenTofu of this
// machine, and the stand-in provider. It is for tests alone.
package toolchaintest

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/tidelock/tidelock/internal/toolchain"
)

// found are the tools on this machine, looked for once in a test process.
var found = sync.OnceValues(func() (map[string]string, error) {
	b, err := toolchain.Terraform(context.Background(), toolchain.Options{Progress: os.Stderr})
	if err != nil {
		return nil, err
	}
	all := map[string]string{b.Name: b.Path}
	if b, err := toolchain.FindOpenTofu(context.Background(), toolchain.Options{}); err == nil {
		all["tofu"] = b.Path
	}
	return all, nil
})

// Tools returns the paths of the binaries that are to be had, by "terraform"
// and "tofu": at least one, and OpenTofu beside Terraform where it is there.
func Tools(t *testing.T) map[string]string {
	t.Helper()
	all, err := found()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 1 {
		t.Log("only one of Terraform and OpenTofu is here; the other is skipped")
	}
	return all
}

// CLI runs a tool by itself in dir, without the code under test, and returns
// what it printed. cli.rc in dir is its configuration.
func CLI(t *testing.T, binary, dir string, args ...string) string {
	t.Helper()
	rc := filepath.Join(dir, "cli.rc")
	if _, err := os.Stat(rc); err != nil {
		Write(t, rc, "")
	}
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	cmd.Env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "TF_CLI_CONFIG_FILE=" + rc, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1"}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %v: %v\n%s%s", binary, args, err, stdout.String(), stderr.String())
	}
	return stdout.String()
}

// Mirror returns a CLI configuration that installs the stand-in provider, and
// nothing else.
func Mirror(t *testing.T) string {
	t.Helper()
	dir, err := toolchain.ProviderMirror(t.Context(), toolchain.Options{Progress: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	return "provider_installation {\n  filesystem_mirror {\n    path = " + strconv.Quote(dir) + "\n  }\n}\n"
}

// Write writes a file, and the folders above it.
func Write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Terragrunt returns the path of the real one. Where there is none, the test
// skips: it is built only where that is asked for.
func Terragrunt(t *testing.T) string {
	t.Helper()
	find := toolchain.FindTerragrunt
	if os.Getenv(toolchain.TerragruntVariable) == "1" {
		find = func(o toolchain.Options) (string, error) { return toolchain.Terragrunt(t.Context(), o) }
	}
	path, err := find(toolchain.Options{Progress: os.Stderr})
	if err != nil {
		t.Skip(err)
	}
	return path
}
