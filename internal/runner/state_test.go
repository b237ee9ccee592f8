package runner

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// What a run puts in the place of its state is read as a file of its own
// folder, or not at all: no link leads to the server's files, and no pipe
// keeps the server waiting.
func TestThreat_StateOfARunLeadsNowhere(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("canary"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, lay := range map[string]func(dir, path string) error{
		"a link":           func(_, path string) error { return os.Symlink(secret, path) },
		"a pipe":           func(_, path string) error { return syscall.Mkfifo(path, 0o600) },
		"a folder":         func(_, path string) error { return os.Mkdir(path, 0o700) },
		"a link to within": func(dir, path string) error { return os.Symlink(filepath.Join(dir, "other"), path) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "other"), []byte("canary"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := lay(dir, filepath.Join(dir, "terraform.tfstate")); err != nil {
				t.Fatal(err)
			}
			f, err := OpenState(tfrun.Spec{StateDir: dir, ManagedBackend: "/elsewhere/terraform.tfstate"})
			if err == nil {
				b, _ := io.ReadAll(f)
				t.Errorf("read %q", b)
			}
		})
	}
	dir := t.TempDir()
	spec := tfrun.Spec{StateDir: dir, ManagedBackend: "/elsewhere/terraform.tfstate", Workspace: "prod"}
	if _, err := OpenState(spec); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("none: %v", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "terraform.tfstate.d", "prod"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "terraform.tfstate.d", "prod", "terraform.tfstate"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := OpenState(spec)
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	// The folder of the workspace, made to lead elsewhere.
	if err := os.RemoveAll(filepath.Join(dir, "terraform.tfstate.d")); err != nil {
		t.Fatal(err)
	}
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "terraform.tfstate"), []byte("canary"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "terraform.tfstate.d"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "terraform.tfstate.d", "prod")); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenState(spec); err == nil {
		t.Error("a link of a folder was followed out of the run's")
	}
	if _, err := OpenWithin(dir, secret); err == nil || errs.Is(err, errs.Invalid) {
		t.Errorf("a path beside the folder: %v", err)
	}
}
