package runner

import (
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The memory of all processes counts, at the moment when they have the most
// together; what they have given back by then and code that all share do not.
func TestMemoryOfAllProcesses(t *testing.T) {
	const each = 40 << 20
	var m memoryWatch
	m.look()
	base := m.peak.Load()
	var ends []func()
	for range 2 {
		// tail keeps the last line in memory, and this one has no end.
		cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", "{ head -c 41943040 /dev/zero; sleep 1000; } | tail -n 1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		end := sync.OnceFunc(func() {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			_ = cmd.Wait()
		})
		defer end()
		ends = append(ends, end)
	}
	for deadline := time.Now().Add(20 * time.Second); m.peak.Load()-base < 2*each; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d MB were seen, not %d", (m.peak.Load()-base)>>20, 2*each>>20)
		}
		m.next = time.Time{}
		m.look()
	}
	for _, end := range ends {
		end()
	}
	seen := m.result()
	if seen-base < 2*each || seen-base > 6*each {
		t.Errorf("%d MB", (seen-base)>>20)
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
	var m memoryWatch
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
