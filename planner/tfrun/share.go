package tfrun

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
)

// Terraform locks a state for a plan as it does for an apply: of two plans of
// one project at the same time, one fails, or sleeps for a second and more
// until it tries again. Plans only read. So runs on a managed state keep a
// lock of their own beside it: plans share it, an apply has it alone, and a
// plan that shares it needs none of Terraform's. It is held by the open file,
// and so ends with the runner however that ends.

// shareWait is how long an apply waits for the plans at hand where its spec
// does not say.
const shareWait = 5 * time.Second

// shareState takes part in the managed state's use by plans. false: an apply
// has it, or the state is not a managed one; then Terraform's lock is needed,
// and says who holds it.
func (e *execution) shareState() (release func(), shared bool, err error) {
	if e.spec.ManagedBackend == "" {
		return func() {}, false, nil
	}
	f, err := e.openShare()
	if err != nil {
		return nil, false, err
	}
	if ok, err := flock(f, syscall.LOCK_SH); !ok || err != nil {
		f.Close()
		return func() {}, false, err
	}
	return func() { f.Close() }, true, nil
}

// ownState waits until no plan uses the managed state and keeps it to this
// apply until release.
func (e *execution) ownState(ctx context.Context) (release func(), err error) {
	if e.spec.ManagedBackend == "" {
		return func() {}, nil
	}
	wait := shareWait
	if d, err := time.ParseDuration(e.spec.LockTimeout); err == nil {
		wait = d
	}
	f, err := e.openShare()
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(wait); ; {
		ok, err := flock(f, syscall.LOCK_EX)
		if ok {
			return func() { f.Close() }, nil
		}
		if err == nil && !time.Now().Before(deadline) {
			e.result.Locked = true
			err = errs.New(errs.Conflict, "Another run of this project uses its state.")
		}
		if err == nil {
			select {
			case <-ctx.Done():
				err = ctx.Err()
			case <-time.After(10 * time.Millisecond):
				continue
			}
		}
		f.Close()
		return nil, err
	}
}

// useFile is what a run holds in its data directory while it lasts.
const useFile = "tidelock.use"

// InUse reports whether a run is under way, or still ending, with the data
// directory: neither that nor the work tree beside it may be taken from under
// it.
func InUse(dataDir string) bool {
	f, err := os.OpenFile(filepath.Join(dataDir, useFile), os.O_RDWR, 0)
	if err != nil {
		return false // none ever began
	}
	defer f.Close() // and with it the lock, if nobody had it
	free, err := flock(f, syscall.LOCK_EX)
	return err == nil && !free
}

// ownData keeps the data directory, and with it the project's directory in the
// work tree, to this run. One that was superseded may still be ending there:
// it would take our files away with its own. Held by the open file too.
//
// Where a run or its Terraform was killed, what it was writing into the data
// directory may be there by half, and Terraform could not read it: the file is
// empty only where whoever held it came to an end, and whole says so of ours.
func (e *execution) ownData(ctx context.Context) (release func(whole bool), err error) {
	if !filepath.IsAbs(e.spec.DataDir) {
		return func(bool) {}, nil // which is refused before anything is touched
	}
	if err := os.MkdirAll(e.spec.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("make a directory of the run's: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(e.spec.DataDir, useFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the run's directory: %w", err)
	}
	for {
		ok, err := flock(f, syscall.LOCK_EX)
		if ok {
			if err = e.beginData(f); err == nil {
				return func(whole bool) {
					if whole {
						_ = f.Truncate(0) // or the next one begins with less
					}
					f.Close()
				}, nil
			}
		} else if err == nil {
			select {
			case <-ctx.Done():
				err = ctx.Err()
			case <-time.After(10 * time.Millisecond):
				continue
			}
		}
		f.Close()
		return nil, err
	}
}

// beginData empties the data directory where the run before did not come to its
// end, and marks it as in use by this one.
func (e *execution) beginData(use *os.File) error {
	info, err := use.Stat()
	if err != nil {
		return fmt.Errorf("lock the run's directory: %w", err)
	}
	if info.Size() > 0 {
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
	}
	if _, err := use.WriteAt([]byte(e.spec.RunID+"\n"), 0); err != nil {
		return fmt.Errorf("lock the run's directory: %w", err)
	}
	return nil
}

// openShare opens the lock's file. It is never removed: who opened it before
// and who opens it after would lock two files.
func (e *execution) openShare() (*os.File, error) {
	path := ManagedState(filepath.Join(e.spec.stateDir(), filepath.Base(e.spec.ManagedBackend)), e.spec.Workspace) + ".use"
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("lock the state: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the state: %w", err)
	}
	return f, nil
}

// flock tries a lock and reports whether it has it now.
func flock(f *os.File, how int) (bool, error) {
	err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("lock the state: %w", err)
	}
	return true, nil
}
