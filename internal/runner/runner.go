package runner

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// Options configure a Runner.
type Options struct {
	Dir   string        // folder of the run folders, absolute; made when missing
	Self  string        // path of the tidelock binary
	Log   *slog.Logger  // may be nil
	Grace time.Duration // how long Terraform may take to end when it is stopped; 0 means tfrun.DefaultGrace
	// Sandbox is what runs are kept in; the zero value is none.
	Sandbox Sandbox
}

// Runner is the server's side: it starts runner processes and looks after
// them, those of an earlier server on the same folder too. It is safe for
// concurrent use; two servers must not share a folder.
type Runner struct {
	opts     Options
	mu       sync.Mutex
	children map[string]chan struct{} // run → closed when our own child has ended
}

// New returns a Runner on a folder.
func New(o Options) (*Runner, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Grace <= 0 {
		o.Grace = tfrun.DefaultGrace
	}
	if !filepath.IsAbs(o.Dir) || !filepath.IsAbs(o.Self) {
		return nil, fmt.Errorf("runner: the paths %q and %q must be absolute", o.Dir, o.Self)
	}
	if err := o.Sandbox.check(LookAtHost()); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("runner: make the folder of runs: %w", err)
	}
	return &Runner{opts: o, children: map[string]chan struct{}{}}, nil
}

// validRunID reports whether an ID can name a folder, and no other one.
func validRunID(id string) bool {
	for i := range len(id) {
		c := id[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && (i == 0 || c != '-' && c != '_') {
			return false
		}
	}
	return id != "" && len(id) <= 64
}

// Dir returns a run's folder. The paths in it are where a spec's should lie.
func (r *Runner) Dir(runID string) string { return filepath.Join(r.opts.Dir, runID) }

// LogPath is what Terraform said, as text; it grows while the run goes on.
func (r *Runner) LogPath(runID string) string { return filepath.Join(r.Dir(runID), logFile) }

// PlanPath is where the plan file belongs.
func (r *Runner) PlanPath(runID string) string { return filepath.Join(r.Dir(runID), "plan") }

// PlanJSONPath is where the plan's JSON belongs.
func (r *Runner) PlanJSONPath(runID string) string { return filepath.Join(r.Dir(runID), "plan.json") }

// ScanPath is the folder of what scanners wrote.
func (r *Runner) ScanPath(runID string) string { return filepath.Join(r.Dir(runID), "scans") }

// DataPath is where Terraform's data directory belongs.
func (r *Runner) DataPath(runID string) string { return filepath.Join(r.Dir(runID), "data") }

// HomePath is where the run's HOME belongs.
func (r *Runner) HomePath(runID string) string { return filepath.Join(r.Dir(runID), "home") }

// Prepare makes a run's folder, so that a plan file to apply can be laid into
// it before Start.
func (r *Runner) Prepare(runID string) error {
	if !validRunID(runID) {
		return fmt.Errorf("runner: %q can't be a run's ID", runID)
	}
	if err := os.MkdirAll(r.Dir(runID), 0o700); err != nil {
		return fmt.Errorf("runner: make the run's folder: %w", err)
	}
	return nil
}

// Start starts a runner process for the spec, and returns when that has
// journaled that it begins: from then on the run is under way, whatever
// happens to this process. A run that is under way, or ever was, is
// errs.Conflict; one that was cut off while it began is ErrInterrupted. Any
// other error means that nothing was started, and the run can be started
// again. Paths that the spec leaves empty are set to those of the
// run's folder, and Grace to the Runner's.
func (r *Runner) Start(ctx context.Context, spec tfrun.Spec) error {
	if err := r.Prepare(spec.RunID); err != nil {
		return err
	}
	r.fill(&spec)
	nonce, err := r.lay(spec)
	if err != nil {
		return err
	}
	err = r.spawn(ctx, spec, nonce)
	if err == nil {
		return nil
	}
	// The child may have begun all the same: only its journal tells.
	state, serr := r.State(spec.RunID)
	switch {
	case serr != nil:
		return errors.Join(err, serr)
	case state == StateRunning || state == StateFinished:
		return nil
	case state == StateLost:
		return errors.Join(err, ErrInterrupted, r.sweep(spec.RunID))
	}
	return err
}

func (r *Runner) fill(spec *tfrun.Spec) {
	for _, p := range []struct {
		to   *string
		path string
	}{
		{&spec.DataDir, r.DataPath(spec.RunID)}, {&spec.Home, r.HomePath(spec.RunID)},
		{&spec.PlanFile, r.PlanPath(spec.RunID)}, {&spec.PlanJSON, r.PlanJSONPath(spec.RunID)},
		{&spec.ScanDir, r.ScanPath(spec.RunID)},
	} {
		if *p.to == "" {
			*p.to = p.path
		}
	}
	if spec.Grace <= 0 {
		spec.Grace = r.opts.Grace
	}
}

// lay writes the spec, under the run's lock so that no runner begins
// meanwhile, and makes sure that none ever did.
func (r *Runner) lay(spec tfrun.Spec) (nonce string, err error) {
	dir := r.Dir(spec.RunID)
	lock, ok, err := takeLock(dir)
	if err != nil {
		return "", fmt.Errorf("runner: %w", err)
	}
	if !ok {
		return "", errs.New(errs.Conflict, "The run %s is under way.", spec.RunID)
	}
	defer lock.Close()
	h, err := readHistory(dir)
	if err != nil {
		return "", fmt.Errorf("runner: run %s: %w", spec.RunID, err)
	}
	if h.executing || h.finished {
		return "", errs.New(errs.Conflict, "The run %s was started before.", spec.RunID)
	}
	// A runner that began and did nothing leaves an entry that says so.
	if err := os.Remove(filepath.Join(dir, journalFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("runner: %w", err)
	}
	nonce = rand.Text()
	b, err := json.Marshal(order{Nonce: nonce, Spec: spec, Sandbox: r.opts.Sandbox})
	if err != nil {
		return "", fmt.Errorf("runner: write the spec: %w", err)
	}
	if err := writeFile(filepath.Join(dir, specFile), b); err != nil {
		return "", fmt.Errorf("runner: write the spec: %w", err)
	}
	return nonce, nil
}

// spawn starts the process and waits until it says that it has begun.
func (r *Runner) spawn(ctx context.Context, spec tfrun.Spec, nonce string) error {
	dir := r.Dir(spec.RunID)
	secret, err := json.Marshal(pass{Nonce: nonce, Env: spec.Env, Ready: true})
	if err != nil {
		return fmt.Errorf("runner: %w", err)
	}
	stderr, err := os.OpenFile(filepath.Join(dir, stderrFile), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("runner: %w", err)
	}
	defer stderr.Close()
	readyR, readyW, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("runner: %w", err)
	}
	defer readyR.Close()
	cmd := exec.Command(r.opts.Self, "runner", "--dir", dir)
	cmd.Dir = dir
	cmd.Env = []string{"LANG=C.UTF-8"} // not empty, which would mean the server's own
	cmd.Stdin = bytes.NewReader(secret)
	cmd.Stdout, cmd.Stderr = stderr, stderr
	cmd.ExtraFiles = []*os.File{readyW} // readyFD
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		readyW.Close()
		return fmt.Errorf("runner: start a process for run %s: %w", spec.RunID, err)
	}
	readyW.Close()
	ended := make(chan struct{})
	r.mu.Lock()
	r.children[spec.RunID] = ended
	r.mu.Unlock()
	go func() { // ends with the child; the server may end before both
		err := cmd.Wait()
		r.mu.Lock()
		delete(r.children, spec.RunID)
		r.mu.Unlock()
		close(ended)
		if err != nil {
			r.opts.Log.Warn("a runner process failed", "run", spec.RunID, "error", err)
		}
	}()
	began := make(chan bool, 1)
	go func() { // ends when the child closes its end, at the latest when it ends
		n, _ := io.ReadFull(readyR, make([]byte, 1))
		began <- n == 1
	}()
	select {
	case ok := <-began:
		if ok {
			return nil
		}
		<-ended
		text, _ := os.ReadFile(filepath.Join(dir, stderrFile))
		return fmt.Errorf("runner: run %s did not begin: %s", spec.RunID, bytes.TrimSpace(text))
	case <-ctx.Done():
		_ = cmd.Process.Kill()
		<-ended
		return fmt.Errorf("runner: start run %s: %w", spec.RunID, ctx.Err())
	}
}

// Remove deletes a run's folder, after it has ended whatever a lost run left
// behind: a Terraform that outlives its runner would go on working in the tree
// that the next attempt gets. A run that is under way is errs.Conflict. The
// run's lock is held meanwhile, so that a runner that was slow to begin finds
// either its whole folder or none.
func (r *Runner) Remove(runID string) error {
	if !validRunID(runID) {
		return fmt.Errorf("runner: %q can't be a run's ID", runID)
	}
	dir := r.Dir(runID)
	lock, ok, err := takeLock(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("runner: remove run %s: %w", runID, err)
	case !ok:
		return errs.New(errs.Conflict, "The run %s is under way.", runID)
	}
	defer lock.Close()
	if err := r.endUnfinished(runID); err != nil {
		return fmt.Errorf("runner: remove run %s: %w", runID, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("runner: remove run %s: %w", runID, err)
	}
	return nil
}
