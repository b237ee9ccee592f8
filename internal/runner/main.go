package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// order is spec.json: the spec and what ties it to one start.
type order struct {
	Nonce   string     `json:"nonce"`
	Spec    tfrun.Spec `json:"spec"`
	Sandbox Sandbox    `json:"sandbox,omitzero"`
}

// pass is what comes through the runner's standard input: what must not touch
// the disk.
type pass struct {
	Nonce string            `json:"nonce"`
	Env   map[string]string `json:"env"`
	Ready bool              `json:"ready"` // someone listens on readyFD
}

// readyFD is the file descriptor on which the runner tells the server that it
// has begun.
const readyFD = 3

// reserved is the room kept on the disk during an apply, in bytes, for the
// journal, the result and a state that could not be written elsewhere.
const reserved = 8 << 20

// Main is the runner process: `tidelock runner --dir DIR` calls it and exits
// with what it returns. It does what dir's spec.json says, once. SIGINT and
// SIGTERM, and the end of ctx, stop it as tfrun.Execute stops: Terraform is
// interrupted, and after spec.Grace killed with all that it started.
func Main(ctx context.Context, dir string) int {
	if err := main(ctx, dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func main(ctx context.Context, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := Hide(); err != nil { // the client's credentials come in a moment
		return err
	}
	signal.Ignore(syscall.SIGHUP, syscall.SIGPIPE)
	ctx, unnotify := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer unnotify()
	lock, ok, err := awaitLock(ctx, dir)
	if err != nil {
		return err
	}
	if !ok {
		return errors.New("another runner holds this run's lock")
	}
	defer lock.Close()
	spec, box, ready, err := receive(dir)
	if err != nil {
		return err
	}
	if h, err := readHistory(dir); err != nil || h.started {
		return errors.Join(errors.New("this run was started before"), err)
	}
	if err := becomeReaper(); err != nil {
		return err
	}
	spec.EndLeft = endLeft
	j, err := openJournal(dir)
	if err != nil {
		return err
	}
	logged, err := os.OpenFile(filepath.Join(dir, logFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	log := &diskLog{f: logged, limit: LogLimit}
	if err := j.write(self(), false); err != nil {
		return err
	}
	if spec.Kind != tfrun.KindPlan {
		if err := reserve(filepath.Join(dir, reserveFile), reserved); err != nil {
			return finish(dir, j, log, tfrun.Result{Outcome: tfrun.OutcomeFailed, Error: "The disk of the server has no room for the run's records. Nothing was started."})
		}
	}
	// From here on the run counts as begun, and is never begun again.
	if err := j.write(entry{Event: eventExecuting}, true); err != nil {
		return err
	}
	if err := syncDir(dir); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if err := box.prepare(&spec); err != nil {
		return finish(dir, j, log, tfrun.Result{Outcome: tfrun.OutcomeFailed, Error: errs.Sentence(err) + " Nothing was started."})
	}
	if ready != nil {
		_, _ = ready.Write([]byte{'1'}) // the server may be gone; the run goes on
		_ = ready.Close()
	}
	spec.Keep = func(result tfrun.Result) error { return storeResult(dir, result) }
	result := execute(ctx, spec, box, j, log)
	return finish(dir, j, log, result)
}

// lockPatience is how long a runner waits for its run's lock.
const lockPatience = 3 * time.Second

// awaitLock takes the run's lock. A server that lays another start, and a
// runner whose start was superseded, hold it for a moment only: the last of
// several starts must not give up for the one before. One that works holds it
// to its end, and is found in the journal.
func awaitLock(ctx context.Context, dir string) (lock *os.File, ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if lock, ok, err = takeLock(dir); ok || err != nil {
			return lock, ok, err
		}
		select {
		case <-ctx.Done():
			return nil, false, nil
		case <-tick.C:
		}
	}
}

// receive reads what to do, and makes sure that it is meant for this start:
// a runner that was slow to begin may find that the server was restarted and
// has started another.
func receive(dir string) (spec tfrun.Spec, box Sandbox, ready *os.File, err error) {
	b, err := io.ReadAll(os.Stdin)
	if err != nil {
		return spec, box, nil, fmt.Errorf("read the pass: %w", err)
	}
	var p pass
	if err := json.Unmarshal(b, &p); err != nil {
		return spec, box, nil, errors.New("read the pass: it is not whole: the server died while it started this runner")
	}
	if b, err = os.ReadFile(filepath.Join(dir, specFile)); err != nil {
		return spec, box, nil, fmt.Errorf("read the spec: %w", err)
	}
	var o order
	if err := json.Unmarshal(b, &o); err != nil {
		return spec, box, nil, fmt.Errorf("read the spec: %w", err)
	}
	if p.Nonce == "" || o.Nonce != p.Nonce {
		return spec, box, nil, errors.New("this start was superseded by another")
	}
	if p.Ready {
		ready = os.NewFile(readyFD, "ready")
	}
	o.Spec.Env = p.Env
	return o.Spec, o.Sandbox, ready, nil
}

// execute runs the spec and sees to it that nothing of it is left.
func execute(ctx context.Context, spec tfrun.Spec, box Sandbox, j *journal, log io.Writer) tfrun.Result {
	ctx, guard := box.guard(ctx, spec)
	grace := spec.Grace
	if grace <= 0 {
		grace = tfrun.DefaultGrace
	}
	over := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-over:
			return
		case <-ctx.Done():
		}
		_ = j.write(entry{Event: eventStopping}, true)
		// Terraform has been interrupted, and is killed when the grace is
		// over. What holds its output open beyond that is killed here, or
		// Execute would wait for it.
		select {
		case <-over:
		case <-time.After(grace + time.Second):
			_ = killDescendants()
		}
	})
	beat := newPulse(log, func(e entry) { _ = j.write(e, false) })
	memory := memoryWatch{below: os.Getpid()}
	watch.Go(func() {
		tick := time.NewTicker(pulsePace)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
			}
			beat.beat()
			memory.look()
		}
	})
	result := tfrun.Execute(ctx, spec, beat.progress, beat)
	close(over)
	watch.Wait()
	beat.flush()
	result.PeakMemory = memory.result()
	guard.explain(&result)
	if err := killDescendants(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	reapOrphans()
	return result
}

// finish stores the result, whole, and then says so in the journal. The room
// that was reserved is what it has on a full disk; the log comes last, for
// the result says the most of it.
func finish(dir string, j *journal, log *diskLog, result tfrun.Result) error {
	_ = os.Remove(filepath.Join(dir, reserveFile))
	if err := storeResult(dir, result); err != nil {
		return err
	}
	log.close()
	return j.write(entry{Event: eventFinished}, true)
}

func storeResult(dir string, result tfrun.Result) error {
	b, err := json.Marshal(result)
	if err == nil {
		err = writeFile(filepath.Join(dir, resultFile), b)
	}
	if err != nil {
		return fmt.Errorf("store the result: %w", err)
	}
	return nil
}
