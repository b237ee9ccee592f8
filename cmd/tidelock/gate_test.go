package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stop is a place at which a Terraform run stops until the test lets it on: a
// pipe that the run reads. So a test knows that a run is under way, and keeps
// it there, without waiting for any length of time.
type stop struct {
	t    *testing.T
	path string
	ran  string // every apply that comes to the gate adds a line here
	keep *os.File
}

func newGate(t *testing.T) *stop {
	t.Helper()
	dir := t.TempDir()
	g := &stop{t: t, path: filepath.Join(dir, "gate"), ran: filepath.Join(dir, "ran")}
	if err := syscall.Mkfifo(g.path, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.open)
	return g
}

// plan is code whose plan stops at the gate.
func (g *stop) plan() string {
	return fmt.Sprintf("resource \"terraform_data\" \"net\" {\n  input = trimspace(file(%q))\n}\n", g.path)
}

// apply is code whose apply stops at the gate.
func (g *stop) apply(input string) string {
	return fmt.Sprintf(`resource "terraform_data" "net" {
  input = %q
  triggers_replace = %q
  provisioner "local-exec" {
    command = "echo ran >> %s; cat %s"
  }
}
`, input, input, g.ran, g.path)
}

// reached waits until a run stands at the gate.
func (g *stop) reached() {
	g.t.Helper()
	eventually(g.t, "a run at the gate", func() bool {
		f, err := os.OpenFile(g.path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if errors.Is(err, syscall.ENXIO) {
			return false // nobody reads yet
		}
		if err != nil {
			g.t.Fatal(err)
		}
		g.keep = f
		return true
	})
}

// rearm forgets who stood at the gate, because it was killed.
func (g *stop) rearm() { g.keep.Close() }

// open lets everybody through, from now on.
func (g *stop) open() {
	pipe, err := os.OpenFile(g.path, os.O_RDWR, 0) // never waits, so that readers of the pipe find a writer
	if err != nil {
		return // the test is over and its folder gone
	}
	if info, err := pipe.Stat(); err == nil && info.Mode()&os.ModeNamedPipe != 0 {
		free := g.path + ".free"
		if err := os.WriteFile(free, []byte("go\n"), 0o600); err != nil {
			g.t.Error(err)
		}
		if err := os.Rename(free, g.path); err != nil {
			g.t.Error(err)
		}
	}
	pipe.Close()
	if g.keep != nil {
		g.keep.Close()
	}
}

// times returns how often an apply came to the gate.
func (g *stop) times() int {
	b, err := os.ReadFile(g.ran)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		g.t.Fatal(err)
	}
	return strings.Count(string(b), "ran\n")
}

// eventually waits for what GitHub can't tell of: files and processes.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// runners returns the processes of the runs that have a folder, from their own
// journals.
func (s *stage) runners() []int {
	s.t.Helper()
	var pids []int
	journals, err := filepath.Glob(filepath.Join(s.data, "runs", "*", "journal.jsonl"))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, path := range journals {
		b, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			s.t.Fatal(err)
		}
		first, _, whole := strings.Cut(string(b), "\n")
		if !whole {
			continue // being written
		}
		var e struct {
			PID int `json:"pid"`
		}
		if err := json.Unmarshal([]byte(first), &e); err != nil {
			s.t.Fatalf("%s: %v", path, err)
		}
		pids = append(pids, e.PID)
	}
	return pids
}

// runnerOf returns the process of the only runner that is under way.
func (s *stage) runnerOf() int {
	s.t.Helper()
	pids := s.runners()
	if len(pids) != 1 || pids[0] <= 1 {
		s.t.Fatalf("%d runners are under way, not one: %v", len(pids), pids)
	}
	return pids[0]
}

// childOf returns the process that pid started whose command line contains
// the text.
func childOf(t *testing.T, pid int, text string) int {
	t.Helper()
	for _, p := range processes(t) {
		if p.parent == pid && strings.Contains(p.command, text) {
			return p.pid
		}
	}
	t.Fatalf("process %d has no child %q", pid, text)
	return 0
}

type procInfo struct {
	pid, parent int
	command     string
}

// processes lists what runs on this machine.
func processes(t *testing.T) []procInfo {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Skipf("no /proc: %v", err)
	}
	var out []procInfo
	for _, e := range entries {
		var p procInfo
		if _, err := fmt.Sscan(e.Name(), &p.pid); err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue // gone meanwhile
		}
		after := string(stat[strings.LastIndexByte(string(stat), ')')+1:])
		var state string
		if _, err := fmt.Sscan(after, &state, &p.parent); err != nil {
			continue
		}
		cmd, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		p.command = strings.ReplaceAll(string(cmd), "\x00", " ")
		out = append(out, p)
	}
	return out
}
