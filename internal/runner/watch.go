package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// State is what a run folder proves of a run.
type State string

// The states.
const (
	StateAbsent   State = "absent"   // there is no folder
	StatePrepared State = "prepared" // Terraform was certainly not started, and nobody is about to
	StateRunning  State = "running"  // a runner process lives
	StateFinished State = "finished" // the result is there
	StateLost     State = "lost"     // Terraform may have been started, and the runner is gone without a result
)

// ErrInterrupted is what Wait returns when a run is lost: what it did, nobody
// knows. None of its processes is left.
var ErrInterrupted = errors.New("the run was interrupted")

// ErrNotStarted is what Wait returns when the journal proves that nothing was
// started.
var ErrNotStarted = errors.New("the run was not started")

// Progress is how far a run is.
type Progress = tfrun.Progress

// State returns what is known of a run.
func (r *Runner) State(runID string) (State, error) {
	if !validRunID(runID) {
		return "", fmt.Errorf("runner: %q can't be a run's ID", runID)
	}
	dir := r.Dir(runID)
	if _, err := os.Stat(dir); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return StateAbsent, nil
		}
		return "", fmt.Errorf("runner: %w", err)
	}
	// The lock first: a runner stores its result before it lets go.
	live, err := locked(dir)
	if err != nil {
		return "", fmt.Errorf("runner: run %s: %w", runID, err)
	}
	if live {
		return StateRunning, nil
	}
	if _, err := os.Stat(filepath.Join(dir, resultFile)); err == nil {
		return StateFinished, nil
	}
	h, err := readHistory(dir)
	switch {
	case h.executing || h.finished:
		return StateLost, nil
	case err != nil:
		// A journal that can't be read proves nothing.
		return StateLost, fmt.Errorf("runner: run %s: %w", runID, err)
	}
	return StatePrepared, nil
}

// poll is how often the journal is read while a run goes on.
const poll = 100 * time.Millisecond

// Wait follows a run to its end and returns its result, also of a run that an
// earlier server started. onProgress, which may be nil, is called from Wait's
// goroutine. The error is ErrInterrupted, ErrNotStarted, ctx's, or one of
// reading; a failed plan is a Result, not an error.
func (r *Runner) Wait(ctx context.Context, runID string, onProgress func(Progress)) (tfrun.Result, error) {
	dir := r.Dir(runID)
	follow := follower{path: filepath.Join(dir, journalFile)}
	report := func() error {
		entries, err := follow.next()
		var last *entry
		for i, e := range entries {
			if e.Event == eventProgress && e.Progress != nil { // an earlier version's has another form
				last = &entries[i]
			}
		}
		if last != nil && onProgress != nil {
			onProgress(*last.Progress)
		}
		return err
	}
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		state, err := r.State(runID)
		if err != nil {
			return tfrun.Result{}, err
		}
		if state != StateRunning {
			if err := report(); err != nil && state == StateFinished {
				return tfrun.Result{}, fmt.Errorf("runner: run %s: %w", runID, err)
			}
			return r.settle(runID, state)
		}
		if err := report(); err != nil {
			return tfrun.Result{}, fmt.Errorf("runner: run %s: %w", runID, err)
		}
		select {
		case <-ctx.Done():
			return tfrun.Result{}, fmt.Errorf("runner: wait for run %s: %w", runID, ctx.Err())
		case <-r.ended(runID):
		case <-tick.C:
		}
	}
}

// ended is closed when our own child has ended; nil, which blocks, for a run
// that is not our child.
func (r *Runner) ended(runID string) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.children[runID]
}

// settle turns the state of a run that does not run into what Wait returns.
func (r *Runner) settle(runID string, state State) (tfrun.Result, error) {
	switch state {
	case StateAbsent, StatePrepared:
		return tfrun.Result{}, fmt.Errorf("runner: run %s: %w", runID, ErrNotStarted)
	case StateLost:
		if err := r.sweep(runID); err != nil {
			return tfrun.Result{}, fmt.Errorf("runner: run %s: %w; %w", runID, ErrInterrupted, err)
		}
		return tfrun.Result{}, fmt.Errorf("runner: run %s: %w", runID, ErrInterrupted)
	}
	if err := r.endUnfinished(runID); err != nil {
		return tfrun.Result{}, fmt.Errorf("runner: run %s: %w", runID, err)
	}
	b, err := os.ReadFile(filepath.Join(r.Dir(runID), resultFile))
	if err != nil {
		return tfrun.Result{}, fmt.Errorf("runner: read the result of run %s: %w", runID, err)
	}
	var result tfrun.Result
	if err := json.Unmarshal(b, &result); err != nil {
		return tfrun.Result{}, fmt.Errorf("runner: read the result of run %s: %w", runID, err)
	}
	return result, nil
}

// sweep kills what a lost run left behind.
func (r *Runner) sweep(runID string) error {
	h, err := readHistory(r.Dir(runID))
	if !h.started {
		return err
	}
	return killAll(func() []process { return leftovers(runID, h.runner) })
}

// endUnfinished kills what a runner left behind that did not live to say that
// it was through: an apply's result is stored before it is asked what state it
// has left.
func (r *Runner) endUnfinished(runID string) error {
	if h, err := readHistory(r.Dir(runID)); err == nil && h.finished {
		return nil
	}
	return r.sweep(runID)
}

// Stop stops a run and returns when it has ended: Terraform is interrupted,
// and after the grace killed with all that it started. A run that does not
// run is left as it is. When ctx ends first, the run is killed at once.
func (r *Runner) Stop(ctx context.Context, runID string) error {
	dir := r.Dir(runID)
	asked := false
	deadline := time.Now().Add(r.opts.Grace + 15*time.Second)
	tick := time.NewTicker(poll / 2)
	defer tick.Stop()
	for {
		state, err := r.State(runID)
		if err != nil {
			return err
		}
		if state == StateLost {
			return r.sweep(runID)
		}
		if state != StateRunning {
			return nil
		}
		h, err := readHistory(dir)
		if err != nil {
			return fmt.Errorf("runner: stop run %s: %w", runID, err)
		}
		p, known := readProcess(h.runner.PID)
		if known = known && h.started && p.start == h.runner.StartTime; known && !asked {
			if err := sendSignal(p, syscall.SIGINT); err != nil {
				return fmt.Errorf("runner: stop run %s: %w", runID, err)
			}
			asked = true
		}
		if known && (ctx.Err() != nil || time.Now().After(deadline)) {
			return r.kill(runID, p)
		}
		if !known && time.Now().After(deadline) {
			return errs.New(errs.Internal, "The run %s can't be stopped: its process can't be found.", runID)
		}
		select {
		case <-ctx.Done():
		case <-r.ended(runID):
		case <-tick.C:
		}
	}
}

// kill ends a runner that does not stop: first what is below it, while it
// still adopts what is orphaned, then the runner, then what got away.
func (r *Runner) kill(runID string, p process) error {
	if err := killAll(func() []process { return descendants(p.pid) }); err != nil {
		r.opts.Log.Error("processes of a run survive", "run", runID, "error", err)
	}
	if err := sendSignal(p, syscall.SIGKILL); err != nil {
		return fmt.Errorf("runner: stop run %s: %w", runID, err)
	}
	return r.sweep(runID)
}
