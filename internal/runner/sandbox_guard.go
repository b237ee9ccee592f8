package runner

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tidelock/tidelock/planner/tfrun"
)

// guard counts what a run has at once and how much it has written, where the
// kernel's own limits don't: those are for each process, and root's number of
// processes has none. It looks now and then, so a run can be over a limit for
// as long as that takes.
type guard struct {
	mu  sync.Mutex
	why string        // the sentence that says which limit was passed
	cpu time.Duration // that each process may use; 0 for no limit

	stop context.CancelFunc // nil where nothing is watched
	done chan struct{}
}

// The guard looks at processes at this pace, and at the disk at its own: never
// for more than a twentieth of the time.
const (
	guardPace = 250 * time.Millisecond
	diskPace  = 2 * time.Second
	diskShare = 20

	// cpuSlack is how far the kernel's limit of processor time lies above the
	// one that the guard keeps, so that the guard, which can say why, is first.
	cpuSlack = 2 * time.Second
)

// cpuEnded are the words by which a program tells that the kernel's limit of
// processor time ended it, or Terraform that it ended a program of its own.
var cpuEnded = []string{"SIGXCPU", "CPU time limit exceeded"}

// guard watches the run until ctx ends, and ends it where it passes a limit:
// too many processes are killed at once; too much on the disk, or of the
// processor's time, has Terraform interrupted, so that it can still write its
// state and give up its lock.
func (s Sandbox) guard(ctx context.Context, spec tfrun.Spec) (context.Context, *guard) {
	g := &guard{}
	if spec.Kind == tfrun.KindPlan && s.on() {
		g.cpu = s.CPU
	}
	if !s.on() || s.Processes <= 0 && s.Disk <= 0 && g.cpu <= 0 {
		return ctx, g
	}
	ctx, stop := context.WithCancel(ctx)
	g.stop, g.done = stop, make(chan struct{})
	before := written(spec)
	go func() { // until explain
		defer close(g.done)
		tick := time.NewTicker(guardPace)
		defer tick.Stop()
		next := time.Now().Add(diskPace)
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if s.Processes > 0 || g.cpu > 0 {
				running := descendants(os.Getpid())
				for _, p := range running {
					if g.cpu > 0 && p.cpu > g.cpu {
						g.say("%s", cpuSentence(g.cpu))
						stop()
						return
					}
				}
				if n := len(running); s.Processes > 0 && n > s.Processes {
					g.say("The run was ended: it had %d processes at once, and terraform.max_processes allows %d.", n, s.Processes)
					stop()
					_ = killDescendants()
					return
				}
			}
			if s.Disk > 0 && time.Now().After(next) {
				began := time.Now()
				if n := written(spec) - before; n > s.Disk {
					g.say("The run was ended: it had written %d MB, and terraform.disk_limit allows %d.", n>>20, s.Disk>>20)
					stop()
					return
				}
				next = time.Now().Add(max(diskPace, diskShare*time.Since(began)))
			}
		}
	}()
	return ctx, g
}

func cpuSentence(limit time.Duration) string {
	return fmt.Sprintf("The run was ended: one of its processes had used more than %s of processor time, which is all that terraform.cpu_limit allows in a plan.", limit)
}

func (g *guard) say(format string, args ...any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.why = fmt.Sprintf(format, args...)
}

// explain ends the watch, and has the result say which limit ended the run. An apply's outcome
// stays what planner made of it.
func (g *guard) explain(r *tfrun.Result) {
	if g.stop != nil {
		g.stop()
		<-g.done
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.why == "" && g.cpu > 0 && slices.ContainsFunc(cpuEnded, func(words string) bool { return strings.Contains(r.Error, words) }) {
		g.why = cpuSentence(g.cpu)
	}
	if g.why == "" || r.Outcome == tfrun.OutcomePlanned || r.Outcome == tfrun.OutcomeNoChange || r.Outcome == tfrun.OutcomeApplied {
		return
	}
	if r.Outcome == tfrun.OutcomeCanceled && !r.Started {
		r.Outcome = tfrun.OutcomeFailed // nobody asked for it
	}
	r.Error = g.why + "\n\n" + r.Error
}

// written is how many bytes lie where the run may write, its work tree
// included.
func written(spec tfrun.Spec) int64 {
	var sum int64
	for _, dir := range []string{spec.Root, spec.DataDir, spec.Home} {
		_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return nil //nolint:nilerr // what is gone meanwhile counts for nothing
			}
			if info, err := d.Info(); err == nil {
				sum += info.Size()
			}
			return nil
		})
	}
	return sum
}
