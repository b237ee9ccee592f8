package tfrun

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tidelock/tidelock/planner"
)

// A data directory outlives its run, so that the next one in it can leave init
// out. But a run is other people's code, and could lay a module of its own
// there for a later commit, which somebody has read and found harmless. So it
// is used again only where it is proven to be as init left it, and emptied
// otherwise. What proves it stands beside the directory, where no run may
// write.

// initRecord is what is known of the init that filled a data directory.
type initRecord struct {
	// Inputs is a hash of what init read; see initInputs.
	Inputs string `json:"inputs"`
	// Stamp is a hash of what init left; see dataStamp.
	Stamp string `json:"stamp"`
	// Lock is the lock file after it, and Added whether init had to add to it.
	Lock  []byte `json:"lock,omitempty"`
	Added bool   `json:"added,omitempty"`
}

func (e *execution) recordPath() string { return e.spec.DataDir + ".init" }

// initInputs returns a hash of all that decides what init does, "" where that
// can't be told.
func (e *execution) initInputs(root *os.Root) string {
	s := e.spec
	if e.result.TerraformVersion == "" || s.Terragrunt != nil { // whose cache is made anew
		return ""
	}
	code, ok := planner.InitInputs(root.FS(), s.Dir)
	if !ok {
		return ""
	}
	cli, err := os.ReadFile(s.CLIConfig)
	if err != nil {
		return ""
	}
	lock, err := root.ReadFile(filepath.Join(filepath.FromSlash(s.Dir), lockName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	h := sha256.New()
	fmt.Fprintf(h, "1 %q\n", []string{code, s.Binary, e.result.TerraformVersion, s.Workspace, s.ManagedBackend, string(cli), string(lock)})
	return hex.EncodeToString(h.Sum(nil))
}

// openKept looks whether the data directory is what init would make. Where it
// is not what the last init left, it is emptied.
func (e *execution) openKept(root *os.Root) {
	e.inputs = e.initInputs(root)
	var r initRecord
	text, err := os.ReadFile(e.recordPath())
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err == nil {
		var stamp string
		if stamp, err = dataStamp(e.spec.DataDir); err == nil && (stamp == "" || stamp != r.Stamp) {
			err = errors.New("something else is there than init left")
		}
	}
	if err != nil {
		e.emptied = true
		return
	}
	if e.inputs != "" && e.inputs == r.Inputs {
		e.kept = &r
	}
}

// keepInit records what init has done, before anything of the project runs.
func (e *execution) keepInit() error {
	if e.inputs == "" {
		return nil
	}
	if err := e.endLeft(); err != nil { // OpenTofu's init may run programs that the code names
		return err
	}
	stamp, err := dataStamp(e.spec.DataDir)
	if err != nil || stamp == "" {
		return err
	}
	lock, err := os.ReadFile(filepath.Join(e.dir, lockName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("keep the lock file: %w", err)
	}
	text, err := json.Marshal(initRecord{Inputs: e.inputs, Stamp: stamp, Lock: lock, Added: e.result.LockFileChanged})
	if err != nil {
		return fmt.Errorf("record init: %w", err)
	}
	tmp := e.recordPath() + ".new"
	if err := os.WriteFile(tmp, text, 0o600); err != nil {
		return fmt.Errorf("record init: %w", err)
	}
	if err := os.Rename(tmp, e.recordPath()); err != nil {
		return fmt.Errorf("record init: %w", err)
	}
	return nil
}

// forget empties the data directory, but of what holds it, and forgets what is
// known of it.
func (e *execution) forget() error {
	if err := os.Remove(e.recordPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("empty the run's directory: %w", err)
	}
	entries, err := os.ReadDir(e.spec.DataDir)
	if err != nil {
		return fmt.Errorf("empty the run's directory: %w", err)
	}
	for _, d := range entries {
		if d.Name() == useFile {
			continue
		}
		if err := os.RemoveAll(filepath.Join(e.spec.DataDir, d.Name())); err != nil {
			return fmt.Errorf("empty the run's directory: %w", err)
		}
	}
	return nil
}

// reuse puts back what init would have made in the work tree.
func (e *execution) reuse(root *os.Root) error {
	e.result.LockFileChanged = e.kept.Added
	if e.kept.Lock == nil {
		return nil
	}
	return replaceFile(root, filepath.Join(filepath.FromSlash(e.spec.Dir), lockName), e.kept.Lock)
}

// planAfresh plans once more, with init before it: Terraform asked for that.
func (e *execution) planAfresh(ctx context.Context) error {
	e.kept = nil
	e.out.diagnostics = nil // those were of the attempt
	e.out.say("\ninit is run after all, and the plan made anew.\n")
	if err := e.forget(); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(e.spec.DataDir, "environment"), []byte(e.spec.Workspace), 0o600); err != nil {
		return fmt.Errorf("choose the workspace: %w", err)
	}
	if err := e.init(ctx); err != nil {
		return err
	}
	return e.plan(ctx)
}

// wantsInit reports whether a plan failed because Terraform wishes that init
// had been run.
func (e *execution) wantsInit(err error) bool {
	text := err.Error()
	for _, d := range e.out.diagnostics {
		text += d.Summary + d.Detail
	}
	return strings.Contains(text, "terraform init") || strings.Contains(text, "tofu init")
}

// dataStamp returns a hash of what the kernel says of everything in a data
// directory: names, sizes, inodes, times of change, where links lead. Nobody
// but who sets the machine's clock chooses a time of change, so what has its
// stamp has its content; a run's sandbox takes the clock away. "" where the
// system does not tell.
//
// A change within one tick of the file system's clock, some milliseconds, would
// go unseen: whoever takes the stamp does it while nothing of the project runs,
// and longer than that before it can.
func dataStamp(dir string) (string, error) {
	h := sha256.New()
	known := true
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if name == "." || name == useFile || name == "environment" { // ours, written by each run
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		target := ""
		if info.Mode()&fs.ModeSymlink != 0 {
			if target, err = os.Readlink(path); err != nil {
				return err
			}
		}
		text, ok := kernelStamp(info)
		known = known && ok
		_, err = fmt.Fprintf(h, "%q %q %s\n", name, target, text)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("look at the run's directory: %w", err)
	}
	if !known {
		return "", nil
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// stands reports whether an earlier plan is as good as a new one would be. A
// state that can't be read is for the plan to complain about.
func (e *execution) stands(ctx context.Context) bool {
	want := e.spec.Standing
	if want == nil {
		return false
	}
	e.step = "state"
	head, err := e.pullState(ctx)
	if err != nil || head.Lineage != want.Lineage || head.Serial != want.Serial {
		return false
	}
	e.result.StateLineage, e.result.StateSerial = head.Lineage, head.Serial
	e.out.say("\nNothing that shapes the plan has changed, and the state is the one that it was made of: it stands.\n")
	return true
}
