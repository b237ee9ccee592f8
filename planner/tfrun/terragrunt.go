package tfrun

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// Terragrunt is a Terragrunt on this machine, in front of the run's Terraform.
// All that a run asks of Terraform it asks of `terragrunt run --`, whose
// output is Terraform's own: events, plan file and JSON are what they are
// without it.
type Terragrunt struct {
	Path    string `json:"path"`    // absolute
	Version string `json:"version"` // "1.0.0"
}

// InstallTerragrunt is what to do where there is none, a sentence.
const InstallTerragrunt = "Install it from https://terragrunt.gruntwork.io/docs/getting-started/install/ where the PATH of the server has it, or name its path in terraform.terragrunt."

// FindTerragrunt returns the Terragrunt that configured names, a path or a name
// looked for on PATH; where it is empty, the one on PATH. It runs it once to
// ask its version. Errors are errs.NotFound or errs.Invalid.
func FindTerragrunt(ctx context.Context, configured string) (Terragrunt, error) {
	name := configured
	if name == "" {
		name = "terragrunt"
	}
	path, err := exec.LookPath(name)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return Terragrunt{}, errs.Wrap(errs.NotFound, err, "There is no Terragrunt %s that can be run. %s", name, InstallTerragrunt)
	}
	home, err := os.MkdirTemp("", "tidelock-version-")
	if err != nil {
		return Terragrunt{}, fmt.Errorf("make a home for %s: %w", path, err)
	}
	defer os.RemoveAll(home)
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.Dir = home
	cmd.Env = []string{"HOME=" + home}
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		return Terragrunt{}, errs.Wrap(errs.Invalid, err, "The Terragrunt %s can't be run.", path)
	}
	first, _, _ := strings.Cut(strings.TrimSpace(out.String()), "\n")
	version, ok := strings.CutPrefix(first, "terragrunt version v")
	if !ok || !plainVersion(version) || !atLeast(version, 0, 0) {
		return Terragrunt{}, errs.New(errs.Invalid, "%s is no Terragrunt: its version is not understood.", path)
	}
	return Terragrunt{Path: path, Version: version}, nil
}

// modern reports whether it has `terragrunt run` and reads TG_… variables. Both
// came with its new command line in the course of 0.7x; up to 1.0 it takes the
// old one too.
func (t Terragrunt) modern() bool { return atLeast(t.Version, 0, 80) }

// command is what stands before Terraform's own arguments, for sh.
func (t Terragrunt) command() string {
	if t.modern() {
		return shellQuote(t.Path) + " run --"
	}
	return shellQuote(t.Path)
}

// unit is what a run of a Terragrunt unit has besides.
type unit struct {
	data   string // TF_DATA_DIR: a name, which is another directory in each unit's folder, and no other run's
	script string // what Terragrunt starts as Terraform
	at     string // file in which that notes the folder it was started in
	dir    string // the folder in which Terragrunt runs Terraform, known after init
}

// unitNote is the file in which a unit's folder is noted.
func unitNote(s Spec) string { return filepath.Join(s.DataDir, "unit") }

// unitEnv prepares Terragrunt's part of the environment.
func (e *execution) unitEnv() (map[string]string, error) {
	t := e.spec.Terragrunt
	if t == nil {
		return nil, nil
	}
	e.unit = unit{
		data: ".tidelock-" + strings.ToLower(rand.Text()[:12]), script: e.spec.Home + ".unit", at: unitNote(e.spec),
	}
	// Terragrunt runs Terraform for the units that this one depends on too;
	// the last folder before a command ends is this one's.
	script := "#!" + shell + "\nprintf %s \"$PWD\" > " + shellQuote(e.unit.at) + "\nexec " + shellQuote(e.spec.Binary) + " \"$@\"\n"
	if err := os.WriteFile(e.unit.script, []byte(script), 0o700); err != nil {
		return nil, fmt.Errorf("write the script for Terragrunt: %w", err)
	}
	cache := filepath.Join(e.spec.DataDir, "terragrunt")
	env := map[string]string{"TF_DATA_DIR": e.unit.data}
	if !t.modern() {
		for name, value := range map[string]string{
			"TFPATH": e.unit.script, "DOWNLOAD": cache, "NON_INTERACTIVE": "true", "NO_COLOR": "true", "FORWARD_TF_STDOUT": "true",
			// A plan makes no bucket, and changes none.
			"FAIL_ON_STATE_BUCKET_CREATION": "true", "DISABLE_BUCKET_UPDATE": "true",
		} {
			env["TERRAGRUNT_"+name] = value
		}
		return env, nil
	}
	for name, value := range map[string]string{
		"TF_PATH": e.unit.script, "DOWNLOAD_DIR": cache, "NON_INTERACTIVE": "true", "NO_COLOR": "true", "TF_FORWARD_STDOUT": "true", "LOG_FORMAT": "bare",
		"NO_AUTO_PROVIDER_CACHE_DIR": "true", // providers come as the server's CLI configuration says
		"BACKEND_BOOTSTRAP":          "false", "DISABLE_BUCKET_UPDATE": "true",
	} {
		env["TG_"+name] = value
	}
	return env, nil
}

// beRepository makes the work tree look like a repository, where it is none:
// Terragrunt's functions ask git for the root.
func (e *execution) beRepository() error {
	git := filepath.Join(e.spec.Root, ".git")
	if _, err := os.Lstat(git); e.spec.Terragrunt == nil || err == nil {
		return nil
	}
	tmp, err := os.MkdirTemp(e.spec.Root, ".git-")
	if err != nil {
		return fmt.Errorf("make the work tree a repository: %w", err)
	}
	defer os.RemoveAll(tmp)
	for _, dir := range []string{"objects", "refs"} {
		if err := os.Mkdir(filepath.Join(tmp, dir), 0o700); err != nil {
			return fmt.Errorf("make the work tree a repository: %w", err)
		}
	}
	for name, text := range map[string]string{"HEAD": "ref: refs/heads/none\n", "config": "[core]\n\trepositoryformatversion = 0\n"} {
		if err := os.WriteFile(filepath.Join(tmp, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("make the work tree a repository: %w", err)
		}
	}
	// Whole or not at all: another run of the tree may do the same.
	if err := os.Rename(tmp, git); err != nil && !errors.Is(err, fs.ErrExist) {
		if _, there := os.Lstat(git); there != nil {
			return fmt.Errorf("make the work tree a repository: %w", err)
		}
	}
	return nil
}

// findUnit finds out where Terragrunt runs Terraform, and refuses a unit whose
// state would be gone with that.
func (e *execution) findUnit() error {
	if e.spec.Terragrunt == nil {
		return nil
	}
	text, err := readSmall(e.unit.at)
	if err != nil {
		return errs.Wrap(errs.Invalid, err, "Terragrunt did not run Terraform for the unit %s. Where the unit says so (skip, exclude), keep it from being a project with ignore in tidelock.hcl.", e.spec.Dir)
	}
	e.unit.dir = string(text)
	dir := e.workDir()
	if dir == e.dir && e.unit.dir != e.dir {
		return errs.New(errs.Invalid, "Terragrunt runs the unit %s outside of the run's own folders. Leave download_dir out of its configuration.", e.spec.Dir)
	}
	const lost = "its state would be gone with the run's folder. Give it a remote_state block, best in the file that all units include, or a backend block in its code."
	b, err := readSettled(filepath.Join(dir, e.unit.data))
	switch {
	case err != nil:
		return err
	case b == (settled{}):
		return errs.New(errs.Invalid, "The unit %s declares no backend: %s", e.spec.Dir, lost)
	case b.gone(e):
		return errs.New(errs.Invalid, "The unit %s keeps its state in a file beside its code: %s", e.spec.Dir, lost)
	}
	return nil
}

// unitFailed says more of an init that asked Tidelock itself in vain. What
// Terragrunt makes of a unit's code only Terragrunt knows, so that no copy of the
// state can be put in the place of its backend, and a run has no credential for
// it. A unit that brings one of its own gets through init.
func (e *execution) unitFailed(ctx context.Context, err error) error {
	r := e.spec.Reads
	if e.spec.Terragrunt == nil || r == nil || r.Server.Host == "" || ctx.Err() != nil {
		return err
	}
	text := err.Error()
	for _, d := range e.out.diagnostics {
		text += d.Summary + d.Detail
	}
	if !strings.Contains(text, r.Server.Host) {
		return err
	}
	return errs.Wrap(errs.Invalid, err, "The code of the unit %s names this Tidelock, as its backend most likely, and a run of Terragrunt's is given no credential for it. Give its remote_state another backend (s3, gcs, azurerm, …), or take the backend out and have the project run without Terragrunt, with kind = \"terraform\" in %s: then Tidelock keeps its state. Nothing was planned, and no state was touched.",
		e.spec.Dir, planner.ConfigFile)
}

// workDir is where Terraform itself runs, absolute: what Terragrunt says of
// that holds only while it leads to the run's own folders, and not through a
// link to anywhere else.
func (e *execution) workDir() string {
	if e.unit.dir == "" {
		return e.dir
	}
	real, err := filepath.EvalSymlinks(e.unit.dir)
	if err != nil {
		return e.dir
	}
	for _, ours := range []string{e.spec.Root, e.spec.DataDir} {
		if top, err := filepath.EvalSymlinks(ours); err == nil && within(top, real) {
			return real
		}
	}
	return e.dir
}

// leaveUnits removes what Terraform has laid beside units in the work tree.
func (e *execution) leaveUnits() error {
	if e.unit.data == "" {
		return nil
	}
	err := filepath.WalkDir(e.spec.Root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && !d.IsDir(): // another run's, and gone
			return nil
		case err != nil:
			return err
		case d.Name() == e.unit.data:
			if err := os.RemoveAll(p); err != nil {
				return err
			}
			return fs.SkipDir
		case d.Name() == ".git":
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("clear the units' directories: %w", err)
	}
	return nil
}

// readSmall reads a file that the run's own code may have laid: a plain one, and
// not much of it.
func readSmall(name string) ([]byte, error) {
	f, err := openPlain(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 1<<20))
}

// openPlain opens a file that the run's own code may have laid, if it is a plain
// one.
func openPlain(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, errors.Join(fmt.Errorf("%s is no plain file", name), err)
	}
	return f, nil
}
