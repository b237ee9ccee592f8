package runner

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tidelock/tidelock/internal/toolchain"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// daemon is a site whose apply leaves behind what testdata/hostile/daemon.sh
// starts, and then does more.
func daemon(t *testing.T, shared bool, more string) *prey {
	t.Helper()
	p := newPrey(t, "provisioner", Sandbox{Mode: ModeAuto})
	box := p.box(ModeAuto)
	box.SharedPIDs = shared
	p.reopen(box)
	script, err := os.ReadFile(filepath.Join("..", "..", "testdata", "hostile", "daemon.sh"))
	if err != nil {
		t.Fatal(err)
	}
	p.arm(string(script) + more)
	if err := mkfifo(p.path("tree/never")); err != nil {
		t.Fatal(err)
	}
	return p
}

// waits reports whether somebody waits at the daemon's pipe.
func (p *prey) waits() bool {
	p.t.Helper()
	fd, err := unix.Open(p.path("tree/never"), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENXIO) {
		return false
	}
	if err != nil {
		p.t.Fatal(err)
	}
	_ = unix.Close(fd) // which lets the daemon go, too
	return true
}

func needPIDs(t *testing.T) {
	t.Helper()
	if !LookAtHost().PIDs {
		t.Skip("namespaces of processes need root with CAP_SYS_ADMIN")
	}
}

// TestThreat_SandboxDaemon: what hides from the run that started it is gone
// when the run is over, with a namespace of processes and without.
func TestThreat_SandboxDaemon(t *testing.T) {
	for name, shared := range map[string]bool{"namespace": false, "search": true} {
		t.Run(name, func(t *testing.T) {
			if !shared {
				needPIDs(t)
			}
			p := daemon(t, shared, "")
			if r := p.planAndApply(); r.Outcome != tfrun.OutcomeApplied {
				t.Fatalf("%+v", r)
			}
			if b, err := os.ReadFile(p.path("tree/found")); err != nil || len(b) == 0 {
				t.Fatalf("the daemon did not start: %v", err)
			}
			if p.waits() {
				t.Error("the daemon is still there")
			}
		})
	}
}

// TestThreat_SandboxDaemonOfAKilledRunner: nobody is left to search, and the
// daemon ends all the same.
func TestThreat_SandboxDaemonOfAKilledRunner(t *testing.T) {
	needPIDs(t)
	p := daemon(t, false, "\ncat ./never2\n")
	if err := mkfifo(p.path("tree/never2")); err != nil {
		t.Fatal(err)
	}
	plan := p.run(p.spec("plan", tfrun.KindPlan))
	if plan.Outcome != tfrun.OutcomePlanned {
		t.Fatalf("%+v", plan)
	}
	apply := p.spec("apply", tfrun.KindApply)
	apply.PlanFile = p.runner.PlanPath("plan")
	if err := p.runner.Start(t.Context(), apply); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the daemon to start", func() bool {
		b, _ := os.ReadFile(p.path("tree/found"))
		return len(b) > 0
	})
	if err := sendSignal(p.runnerOf("apply"), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// Looked at by its open files, for to open the pipe would let it go.
	eventually(t, "the daemon to end", func() bool { return !holdsOpen(p.path("tree/never")) })
}

// holdsOpen reports whether a process has the file open, or is at opening it
// with the file's folder as its own.
func holdsOpen(path string) bool {
	dir := filepath.Dir(path)
	found, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, cwd := range found {
		if at, err := os.Readlink(cwd); err == nil && at == dir {
			return true
		}
	}
	return false
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		<-time.After(10 * time.Millisecond)
	}
}

// TestSandboxStopsWhatDoesNotListen: the kernel spares a namespace's first
// process from an interrupt that it does not catch. It is not waited for.
func TestSandboxStopsWhatDoesNotListen(t *testing.T) {
	needPIDs(t)
	// Not the shell itself, which may listen.
	deaf := planner.Hook{When: planner.BeforePlan, Run: []string{"sh", "-c", "echo on >found; exec cat ./never"}}
	for _, tc := range []string{"stopped", "out of time"} {
		t.Run(tc, func(t *testing.T) {
			s := newSite(t, plain)
			if err := mkfifo(s.path("tree/never")); err != nil {
				t.Fatal(err)
			}
			spec, hook := s.spec("plan", tfrun.KindPlan), deaf
			spec.Grace = 2 * time.Minute
			want := tfrun.OutcomeCanceled
			if tc != "stopped" {
				hook.Timeout, want = 200*time.Millisecond, tfrun.OutcomeFailed
			}
			spec.Hooks = []planner.Hook{hook}
			if err := s.runner.Start(t.Context(), spec); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if tc == "stopped" {
				eventually(t, "the hook", func() bool {
					b, _ := os.ReadFile(s.path("tree/found"))
					return len(b) > 0
				})
				if err := sendSignal(s.runnerOf("plan"), unix.SIGTERM); err != nil {
					t.Fatal(err)
				}
			}
			if r, err := s.runner.Wait(ctx, "plan", nil); err != nil || r.Outcome != want {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
}

// TestSandboxUnknownVersion: terraform-exec asks for the version first, and the
// command after that is enclosed as well.
func TestSandboxUnknownVersion(t *testing.T) {
	for name, find := range map[string]func() (toolchain.Binary, error){
		"terraform": func() (toolchain.Binary, error) { return toolchain.Terraform(t.Context(), toolchain.Options{}) },
		"tofu":      func() (toolchain.Binary, error) { return toolchain.FindOpenTofu(t.Context(), toolchain.Options{}) },
	} {
		t.Run(name, func(t *testing.T) {
			tool, err := find()
			if err != nil {
				t.Skipf("no %s: %v", name, err)
			}
			s := newSite(t, plain)
			s.binary = tfrun.Binary{Path: tool.Path}
			if r := s.run(s.spec("plan", tfrun.KindPlan)); r.Outcome != tfrun.OutcomePlanned {
				t.Errorf("%+v", r)
			}
		})
	}
}
