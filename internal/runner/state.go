package runner

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// NewStateDir makes a folder in the run's for its copy of a state. Each start
// gets one of its own: an earlier one that begins late must not find its state
// exchanged.
func (r *Runner) NewStateDir(runID string) (string, error) {
	if err := r.Prepare(runID); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(r.Dir(runID), "state-")
	if err != nil {
		return "", fmt.Errorf("runner: make a folder for the state: %w", err)
	}
	return dir, nil
}

// Spec returns what the run was last told to do, without its environment, or
// errs.NotFound.
func (r *Runner) Spec(runID string) (tfrun.Spec, error) {
	if !validRunID(runID) {
		return tfrun.Spec{}, fmt.Errorf("runner: %q can't be a run's ID", runID)
	}
	b, err := os.ReadFile(filepath.Join(r.Dir(runID), specFile))
	if errors.Is(err, fs.ErrNotExist) {
		return tfrun.Spec{}, errs.Wrap(errs.NotFound, err, "The run %s has no folder here.", runID)
	}
	if err != nil {
		return tfrun.Spec{}, fmt.Errorf("runner: %w", err)
	}
	var o order
	if err := json.Unmarshal(b, &o); err != nil {
		return tfrun.Spec{}, fmt.Errorf("runner: read the spec of run %s: %w", runID, err)
	}
	return o.Spec, nil
}

// OpenState opens the run's copy of its state, as it is now; fs.ErrNotExist
// where there is none. What the run has put in its place, a link or a pipe
// perhaps, is not followed: the run is other people's code.
func OpenState(s tfrun.Spec) (*os.File, error) {
	if s.StateDir == "" {
		return nil, fs.ErrNotExist
	}
	path := tfrun.ManagedState(filepath.Join(s.StateDir, filepath.Base(s.ManagedBackend)), s.Workspace)
	return OpenWithin(s.StateDir, path)
}

// OpenWithin opens a regular file below dir, wherever links in it lead.
func OpenWithin(dir, path string) (*os.File, error) {
	name, ok := strings.CutPrefix(path, dir+string(filepath.Separator))
	if !ok {
		return nil, fmt.Errorf("runner: %s is not below %s", path, dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errs.New(errs.Invalid, "The run's state is no file any more.")
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
