package providers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/tidelock/tidelock/internal/providers/providerstest"
	"github.com/tidelock/tidelock/internal/toolchain"
	"github.com/tidelock/tidelock/planner"
)

// tools are the real binaries on this machine, by name.
func tools(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	if path, err := exec.LookPath("terraform"); err == nil {
		out[planner.ToolTerraform] = path
	}
	if b, err := toolchain.FindOpenTofu(t.Context(), toolchain.Options{}); err == nil {
		out[planner.ToolOpenTofu] = b.Path
	}
	if len(out) == 0 {
		t.Skip("there is neither terraform nor tofu")
	}
	return out
}

// standIn is the archive of a real provider.
func standIn(t *testing.T) (archive []byte, version string) {
	t.Helper()
	mirror, err := toolchain.ProviderMirror(t.Context(), toolchain.Options{Progress: os.Stderr})
	if err != nil {
		t.Skip("the stand-in provider can't be built: ", err)
	}
	for _, p := range toolchain.Providers() {
		if p.Name == "aws" {
			version = p.Versions[0]
		}
	}
	archive, err = providerstest.ZipFolder(filepath.Join(mirror, aws, version, runtime.GOOS+"_"+runtime.GOARCH))
	if err != nil {
		t.Fatal(err)
	}
	return archive, version
}

// run runs a tool in dir as a run would, with nothing of this process's
// environment.
func run(t *testing.T, binary, dir, config string, args ...string) (string, error) {
	t.Helper()
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Dir = dir
	cmd.Env = []string{"HOME=" + home, "TMPDIR=" + home, "PATH=/usr/bin:/bin", "TF_CLI_CONFIG_FILE=" + config, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1"}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestParallelInits: twenty runs that begin at once, on two servers that share
// a folder, download what they need once, and init succeeds in each.
func TestParallelInits(t *testing.T) {
	archive, version := standIn(t)
	here := runtime.GOOS + "_" + runtime.GOARCH
	zh, _, err := providerstest.Hashes(archive)
	if err != nil {
		t.Fatal(err)
	}
	for tool, binary := range tools(t) {
		t.Run(tool, func(t *testing.T) {
			r := registry(t)
			provider := defaultHost(tool).String() + "/hashicorp/aws"
			r.Add(provider, version, archive, here)
			o := options(t, r)
			o.Platform = here
			stores := []*Store{open(t, o), open(t, o)}
			code := "terraform {\n  required_providers {\n    aws = {\n      source  = \"hashicorp/aws\"\n      version = \"" + version + "\"\n    }\n  }\n}\n"
			var wg sync.WaitGroup
			for i := range 20 {
				// Half of them have a lock file as it is written on a Mac.
				dir := t.TempDir()
				text := map[string]string{"main.tf": code}
				if i%2 == 1 {
					text[lockName] = locked(provider, version, zh, "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
				}
				for name, content := range text {
					if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				wg.Go(func() {
					if err := initialise(t, stores[i%2], tool, binary, dir); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if n := r.Downloads(); n != 1 {
				t.Errorf("the package was downloaded %d times", n)
			}
			if n := r.Asked("/versions"); n > len(stores) {
				t.Errorf("the versions were asked for %d times", n)
			}
			if _, wrong, err := stores[0].Verify(t.Context()); err != nil || len(wrong) > 0 {
				t.Errorf("afterwards the store is %q, %v", wrong, err)
			}
		})
	}
}

// initialise prepares a run of the project in dir and runs its init, and then
// starts the provider.
func initialise(t *testing.T, s *Store, tool, binary, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	p, err := s.Prepare(t.Context(), Request{Root: root.FS(), Project: planner.Project{Dir: "."}, Tool: tool})
	if err != nil {
		return err
	}
	if len(p.Packages) != 1 || len(p.Notes) > 0 {
		return fmt.Errorf("prepared %+v", p)
	}
	if err := p.AmendLock(root, "."); err != nil {
		return err
	}
	before, _ := os.ReadFile(filepath.Join(dir, lockName))
	out, err := run(t, binary, dir, p.CLIConfig, "init", "-no-color", "-input=false")
	if err != nil {
		return fmt.Errorf("init: %w\n%s", err, out)
	}
	after, err := os.ReadFile(filepath.Join(dir, lockName))
	if err != nil || before != nil && string(before) != string(after) {
		return fmt.Errorf("init altered the lock file: %v\n%s\nbefore\n%s", err, after, before)
	}
	// The run's own folder holds a link, not a copy.
	links, _ := filepath.Glob(filepath.Join(dir, ".terraform", "providers", "*", "*", "*", "*", s.o.Platform))
	if len(links) != 1 {
		return fmt.Errorf("linked are %v", links)
	}
	if to, err := filepath.EvalSymlinks(links[0]); err != nil || !strings.HasPrefix(to, filepath.Join(s.o.Dir, "store")) {
		return fmt.Errorf("%s leads to %s, %v", links[0], to, err)
	}
	if out, err := run(t, binary, dir, p.CLIConfig, "validate", "-no-color"); err != nil {
		return fmt.Errorf("validate: %w\n%s", err, out)
	}
	return nil
}

// TestLockFileOfAMac shows what AmendLock is for: without it the tools refuse
// a mirror of unpacked packages.
func TestLockFileOfAMac(t *testing.T) {
	archive, version := standIn(t)
	here := runtime.GOOS + "_" + runtime.GOARCH
	zh, _, err := providerstest.Hashes(archive)
	if err != nil {
		t.Fatal(err)
	}
	for tool, binary := range tools(t) {
		t.Run(tool, func(t *testing.T) {
			r := registry(t)
			provider := defaultHost(tool).String() + "/hashicorp/aws"
			r.Add(provider, version, archive, here)
			o := options(t, r)
			o.Platform = here
			s := open(t, o)
			dir := t.TempDir()
			text := map[string]string{"main.tf": "provider \"aws\" {}\n", lockName: locked(provider, version, zh, "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")}
			for name, content := range text {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			p, err := s.Prepare(t.Context(), Request{Root: root.FS(), Project: planner.Project{Dir: "."}, Tool: tool})
			if err != nil {
				t.Fatal(err)
			}
			if out, err := run(t, binary, dir, p.CLIConfig, "init", "-no-color", "-input=false"); err == nil {
				t.Errorf("init takes the lock file as it is, so that nothing need be amended:\n%s", out)
			}
			if err := p.AmendLock(root, "."); err != nil {
				t.Fatal(err)
			}
			if out, err := run(t, binary, dir, p.CLIConfig, "init", "-no-color", "-input=false", "-lockfile=readonly"); err != nil {
				t.Errorf("init: %v\n%s", err, out)
			}
		})
	}
}
