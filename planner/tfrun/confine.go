package tfrun

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

// Access is what one command of a run may touch, beyond what every program
// needs. All paths are absolute; those that do not exist are passed over.
type Access struct {
	Read    []string // files and folders to read, and to run programs from
	Write   []string // files and folders to read and write
	Network bool
}

// Limits bound each process that a run starts, by the limits that the kernel
// keeps and a process can't raise again. 0 leaves one as it is.
type Limits struct {
	Memory    int64 `json:"memory,omitempty"`     // bytes of writable memory of each process
	File      int64 `json:"file,omitempty"`       // bytes of the largest file
	Processes int   `json:"processes,omitempty"`  // of the user, threads too; root is not bound by it
	OpenFiles int   `json:"open_files,omitempty"` // of each process
	CPU       int64 `json:"cpu,omitempty"`        // seconds of processor time of each process
}

// cpuMargin is how many seconds of processor time lie between SIGXCPU and
// SIGKILL.
const cpuMargin = 5

// script returns the lines of shell that set the limits. A limit that can't
// be set ends the command: nothing runs weaker than it was told to.
func (l Limits) script() string {
	var b []byte
	set := func(try string, n int64) {
		if n > 0 {
			b = fmt.Appendf(b, try+" || exit 125\n", n)
		}
	}
	b = append(b, "ulimit -c 0 || exit 125\n"...) // a core would hold what the memory holds
	set("ulimit -d %d", l.Memory/1024)
	set("ulimit -f %d", l.File/512)
	set("ulimit -n %d", int64(l.OpenFiles))
	// Whoever is over is told first, by SIGXCPU, which programs written in Go
	// print; what goes on in spite of it is killed.
	if l.CPU > 0 {
		b = fmt.Appendf(b, "ulimit -S -t %d && ulimit -H -t %d || exit 125\n", l.CPU, l.CPU+cpuMargin)
	}
	// The one option that shells do not agree on: bash has -u, the others -p.
	set("n=%d; if [ -n \"$BASH_VERSION\" ]; then ulimit -u $n; else ulimit -p $n; fi", int64(l.Processes))
	return string(b)
}

// access is what the commands of this run have in common.
func (e *execution) access() Access {
	s := e.spec
	a := Access{
		Read:  []string{s.Binary, s.CLIConfig, s.PlanFile, e.wrapper},
		Write: []string{s.Root, s.DataDir, s.Home, e.tmp},
		// Of a plan, init alone needs the network in any case: it fetches
		// modules and providers, and runs none of them.
		Network: s.Kind != KindPlan || !s.NoPlanNetwork || e.step == "init" || e.step == "workspace",
	}
	if s.Reads != nil && s.Reads.Dir != "" {
		a.Read = append(a.Read, s.Reads.Dir)
	}
	if s.Terragrunt != nil {
		a.Read = append(a.Read, s.Terragrunt.Path, e.unit.script)
	}
	return a
}

// confined runs start, which starts a command and waits for its end, on a
// thread of the run's own that has been confined first: what a thread starts
// inherits its confinement, and can't shed it. Nothing else runs on that
// thread, which ends with the command; so the runner itself stays free to
// write its journal, and no process stands between it and Terraform.
//
// states says whether the command may write the managed state.
func (e *execution) confined(states bool, start func() error) error {
	a := e.access()
	if s := e.spec; s.ManagedBackend != "" {
		dir := s.stateDir()
		if states {
			a.Write = append(a.Write, dir)
		} else {
			a.Read = append(a.Read, dir)
		}
	}
	return e.confinedTo(a, start)
}

// confinedTo is confined for a command of whose access the caller decides.
func (e *execution) confinedTo(a Access, start func() error) error {
	if e.spec.Confine == nil {
		return start()
	}
	if err := e.askVersion(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
		if err := e.spec.Confine(a); err != nil {
			done <- fmt.Errorf("confine the run: %w", err)
			return
		}
		done <- start()
	}()
	return <-done
}

// endLeft ends whatever the commands so far have left behind: it could change
// what is looked at next, after that was done.
func (e *execution) endLeft() error {
	if e.spec.EndLeft == nil {
		return nil
	}
	if err := e.spec.EndLeft(); err != nil {
		return fmt.Errorf("end what was left behind: %w", err)
	}
	return nil
}

// layPlanFile makes the plan's file beforehand where the run is confined: it
// stands in the runner's own folder, in which Terraform may make none. done
// takes it away again where no plan came of it.
func (e *execution) layPlanFile() (done func(), err error) {
	if e.spec.Confine == nil {
		return func() {}, nil
	}
	f, err := os.OpenFile(e.spec.PlanFile, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("keep the plan: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("keep the plan: %w", err)
	}
	return func() {
		if info, err := os.Stat(e.spec.PlanFile); err == nil && info.Size() == 0 {
			if err := os.Remove(e.spec.PlanFile); err != nil && !errors.Is(err, os.ErrNotExist) {
				e.out.say("The empty plan file could not be removed: " + err.Error() + "\n")
			}
		}
	}, nil
}
