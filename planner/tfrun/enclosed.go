package tfrun

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A command that is the first process of a namespace of its own takes all that
// it started with it when it ends. It is also spared by the kernel from every
// signal that it does not catch, but for SIGKILL from outside: an interrupt
// that comes before Terraform listens would be lost, and the whole grace be
// waited for. So whoever interrupts such a command kills it where it does not
// listen, which is what the interrupt would have done to it anywhere else.

// interruptBit is SIGINT's in the sets of signals of /proc.
const interruptBit = 1 << (syscall.SIGINT - 1)

// enclosed returns which children of this process are the first of a namespace
// of their own, and whether they catch an interrupt.
func enclosed() map[int]bool {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	out := map[int]bool{}
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if hears, ok := readEnclosed(pid); ok {
			out[pid] = hears
		}
	}
	return out
}

// readEnclosed reports whether a process is such a child, and whether it
// catches an interrupt.
func readEnclosed(pid int) (hears, ok bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false, false
	}
	var child, first bool
	for line := range strings.Lines(string(b)) {
		key, value, _ := strings.Cut(line, ":")
		fields := strings.Fields(value)
		if len(fields) == 0 {
			continue
		}
		switch key {
		case "PPid":
			child = fields[0] == strconv.Itoa(os.Getpid())
		case "NSpid": // its number in each namespace, the innermost last
			first = len(fields) > 1 && fields[len(fields)-1] == "1"
		case "SigCgt":
			set, err := strconv.ParseUint(fields[0], 16, 64)
			hears = err != nil || set&interruptBit != 0
		}
	}
	return hears, child && first
}

// endEnclosed kills such a child, and with it all that is in its namespace.
func endEnclosed(pid int) {
	p, err := os.FindProcess(pid) // holds on to the process, not to its number
	if err != nil {
		return
	}
	defer func() { _ = p.Release() }()
	if _, ok := readEnclosed(pid); ok {
		_ = p.Kill()
	}
}

// interrupt interrupts a command's process group; a command that is enclosed
// and does not listen is killed.
func interrupt(pid int) error {
	if hears, ok := readEnclosed(pid); ok && !hears {
		return syscall.Kill(-pid, syscall.SIGKILL)
	}
	return syscall.Kill(-pid, syscall.SIGINT)
}

// sweeps is when it is looked, after a stop, for commands that were about to
// start when it came: nothing of them can be lost.
var sweeps = []time.Duration{0, 10 * time.Millisecond, 100 * time.Millisecond, time.Second}

// stoppable returns a context that ends after ctx, when what would not hear
// the interrupt has been ended. done must be called when all is over.
func (e *execution) stoppable(ctx context.Context) (inner context.Context, done func()) {
	if !e.spec.Enclosed {
		return ctx, func() {}
	}
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	over, swept := make(chan struct{}), make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		defer close(swept)
		before := enclosed()
		for pid, hears := range before {
			if !hears {
				endEnclosed(pid)
			}
		}
		cancel()
		for _, wait := range sweeps {
			select {
			case <-over:
				return
			case <-time.After(wait):
			}
			for pid := range enclosed() {
				if _, known := before[pid]; !known {
					endEnclosed(pid)
				}
			}
		}
	})
	return inner, func() {
		close(over)
		if !unwatch() {
			<-swept
		}
		cancel()
	}
}

// askVersion has terraform-exec know the version before anything else is run
// through it: it asks before its first command, and of a thread's commands only
// the first can be enclosed.
func (e *execution) askVersion() error {
	if !e.spec.Enclosed || e.tf == nil || e.tf == e.asked || e.step == "version" {
		return nil
	}
	e.asked = e.tf
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return e.confinedTo(e.access(), func() error {
		_, _, err := e.tf.Version(ctx, false)
		return err
	})
}
