package desk

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/tidelock/tidelock/internal/runner"
)

// scratchName begins the names of the folders that plans are made in.
const scratchName = "tidelock-plan-"

// ownerFile is held, by a lock, while whoever made the folder lives.
const ownerFile = "owner"

// scratch makes a folder for one Plan. free removes it.
func scratch() (dir string, free func() error, err error) {
	if dir, err = os.MkdirTemp("", scratchName); err != nil {
		return "", nil, fmt.Errorf("make a folder for the plans: %w", err)
	}
	owner, err := os.OpenFile(filepath.Join(dir, ownerFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		if err = syscall.Flock(int(owner.Fd()), syscall.LOCK_EX); err != nil {
			owner.Close()
		}
	}
	if err != nil {
		_ = os.RemoveAll(dir)
		return "", nil, fmt.Errorf("make a folder for the plans: %w", err)
	}
	return dir, func() error {
		defer owner.Close()
		return removeAll(dir)
	}, nil
}

// sweep removes the folders of plans that were killed, once nothing of theirs
// runs any more: a Terraform that outlives them ends by itself. What is not
// this user's, or in use, is left.
func sweep(in string) {
	dirs, _ := filepath.Glob(filepath.Join(quoteGlob(in), scratchName+"*")) // the pattern is ours
	for _, dir := range dirs {
		owner, err := os.OpenFile(filepath.Join(dir, ownerFile), os.O_WRONLY, 0)
		if err != nil {
			continue
		}
		if syscall.Flock(int(owner.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil && !running(filepath.Join(dir, runsFolder)) {
			_ = removeAll(dir)
		}
		owner.Close()
	}
}

// runsFolder holds the runs' own folders.
const runsFolder = "r"

// running reports whether a runner lives that works in the folder.
func running(runs string) bool {
	entries, err := os.ReadDir(runs)
	if err != nil {
		return false // none was begun
	}
	r, err := runner.New(runner.Options{Dir: runs, Self: "/"}) // starts none
	if err != nil {
		return true
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if state, err := r.State(e.Name()); err != nil || state == runner.StateRunning {
			return true
		}
	}
	return false
}

// removeAll removes a folder, also where something in it was made unwritable,
// as downloaded modules can be.
func removeAll(dir string) error {
	if err := os.RemoveAll(dir); err == nil {
		return nil
	}
	_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			_ = os.Chmod(p, 0o700)
		}
		return nil
	})
	return os.RemoveAll(dir)
}
