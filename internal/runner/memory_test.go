package runner

import (
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The memory of all processes counts, at the moment when they have the most
// together; what they have given back by then and code that all share do not.
func TestMemoryOfAllProcesses(t *testing.T) {
	const both = 80 << 20
	// tail keeps the last line in memory, and this one has no end.
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c",
		"for i in 1 2; do { head -c 41943040 /dev/zero; sleep 1000; } | tail -n 1 & done; wait")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	defer end()
	m := memoryWatch{below: cmd.Process.Pid}
	for deadline := time.Now().Add(time.Minute); m.peak.Load() < both; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d MB were seen, not %d", m.peak.Load()>>20, both>>20)
		}
		m.next = time.Time{}
		m.look()
	}
	end()
	m.looks = memoryLooks // enough, however fast it was
	seen := m.result()
	if seen > 2*both {
		t.Errorf("%d MB", seen>>20)
	}
	m.next = time.Time{}
	m.look()
	if m.result() != seen {
		t.Error("the peak fell")
	}
}

// A look at a short run may have seen a small process alone, and the large one
// never: then what the system counted is believed.
func TestMemoryOfAShortRun(t *testing.T) {
	if err := exec.CommandContext(t.Context(), "/bin/sh", "-c", "head -c 41943040 /dev/zero | tail -n 1").Run(); err != nil {
		t.Fatal(err)
	}
	m := memoryWatch{looks: 1}
	m.peak.Store(100 << 10)
	if got := m.result(); got < 40<<20 {
		t.Errorf("%d KB", got>>10)
	}
	m.looks = memoryLooks
	if got := m.result(); got != 100<<10 {
		t.Errorf("looked at often: %d KB", got>>10)
	}
}

func TestMemoryIsLookedAtInMeasure(t *testing.T) {
	m := memoryWatch{below: os.Getpid()}
	m.look()
	if wait := time.Until(m.next); wait <= 0 || wait > 10*memoryPace {
		t.Errorf("the next look is in %s", wait)
	}
	next := m.next
	m.look()
	if m.next != next {
		t.Error("it looked before its time")
	}
}
