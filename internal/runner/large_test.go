package runner

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// mostOf returns the most memory that a process has had, in bytes, as far as
// the kernel still knows.
func mostOf(pid int) int64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	line, _, _ := strings.Cut(rest, "kB")
	n, _ := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	return n << 10
}

// watched runs the spec and returns with its result the most memory that the
// runner process itself had, and how often progress was told.
func (s *site) watched(spec tfrun.Spec) (r tfrun.Result, memory int64, told []tfrun.Progress) {
	s.t.Helper()
	if err := s.runner.Start(s.t.Context(), spec); err != nil {
		s.t.Fatal(err)
	}
	runner := s.runnerOf(spec.RunID)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				memory = max(memory, mostOf(runner.pid))
			}
		}
	}()
	r, err := s.runner.Wait(s.t.Context(), spec.RunID, func(p Progress) { told = append(told, p) })
	close(stop)
	<-stopped
	if err != nil {
		s.t.Fatal(err)
	}
	return r, memory, told
}

// A program that prints 200 MB before the plan: all of it is in the log, and
// none of it in the runner's memory.
func TestLogOf200MB(t *testing.T) {
	s := newSite(t, plain)
	spec := s.spec("plan", tfrun.KindPlan)
	const line = "0123456789 0123456789 0123456789 0123456789 0123456789 012345678\n"
	lines := 200 << 20 / len(line)
	if raced {
		lines /= 10
	}
	spec.Hooks = []planner.Hook{{When: planner.BeforePlan, Run: []string{"/bin/sh", "-c", fmt.Sprintf("yes '%s' 2>/dev/null | head -n %d", strings.TrimSpace(line), lines)}}}
	r, memory, _ := s.watched(spec)
	if r.Outcome != tfrun.OutcomePlanned {
		t.Fatalf("%+v", r)
	}
	f, err := os.Open(s.runner.LogPath("plan"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	found, buf := 0, make([]byte, 1<<20)
	var rest []byte
	for {
		n, err := f.Read(buf)
		rest = append(rest, buf[:n]...)
		end := bytes.LastIndexByte(rest, '\n') + 1
		found += bytes.Count(rest[:end], []byte(line))
		rest = append(rest[:0], rest[end:]...)
		if err != nil {
			break
		}
	}
	if found != lines {
		t.Errorf("%d of %d lines are in the log of %d MB", found, lines, info.Size()>>20)
	}
	t.Logf("the runner had %d MB", memory>>20)
	if memory == 0 || memory > 100<<20 {
		t.Errorf("the runner had %d MB", memory>>20)
	}
}

// A plan of 10,000 objects, with a real Terraform: it is told as it goes on,
// and what it took is known afterwards.
func TestPlanOf10000Objects(t *testing.T) {
	if raced {
		t.Skip("Terraform alone takes as long as it does, and nothing of it is ours")
	}
	s := newSite(t, "resource \"terraform_data\" \"a\" {\n  count = 10000\n  input = \"object ${count.index}\"\n}\n")
	began := time.Now()
	r, memory, told := s.watched(s.spec("plan", tfrun.KindPlan))
	if r.Outcome != tfrun.OutcomePlanned || r.Summary.Create != 10_000 || r.Steps != 10_000 {
		t.Fatalf("%+v", r)
	}
	last := told[len(told)-1]
	if last.Done != 10_000 || last.Total != 10_000 {
		t.Errorf("the last word is %+v of %d", last, len(told))
	}
	if r.PeakMemory < 50<<20 {
		t.Errorf("its processes had %d MB", r.PeakMemory>>20)
	}
	journal, err := os.Stat(s.runner.Dir("plan") + "/" + journalFile)
	if err != nil || journal.Size() > 256<<10 {
		t.Errorf("the journal has %d KB, %v", journal.Size()>>10, err)
	}
	t.Logf("after %s; the runner had %d MB, what it started %d", time.Since(began).Round(time.Millisecond), memory>>20, r.PeakMemory>>20)
	if memory > 512<<20 {
		t.Errorf("the runner had %d MB", memory>>20)
	}
}
