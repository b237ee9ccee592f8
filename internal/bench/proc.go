package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// What this file reads stands in Linux's /proc. Elsewhere the memory and
// processor figures are errors, and the rest works.

// process is one of the machine's, as /proc/PID/stat has it.
type process struct {
	pid, parent int
	start       uint64
	own         uint64 // ticks of processor time
	children    uint64 // the same of the children that it has waited for, and of theirs
}

func readProcess(pid int) (process, bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	end := bytes.LastIndexByte(text, ')') // the name before it may hold anything
	if err != nil || end < 0 {
		return process{}, false
	}
	f := strings.Fields(string(text[end+1:]))
	if len(f) < 20 {
		return process{}, false
	}
	p := process{pid: pid}
	p.parent, _ = strconv.Atoi(f[1])
	p.start, _ = strconv.ParseUint(f[19], 10, 64)
	ticks := func(field int) uint64 {
		n, _ := strconv.ParseUint(f[field], 10, 64)
		return n
	}
	p.own, p.children = ticks(11)+ticks(12), ticks(13)+ticks(14)
	return p, true
}

// kill ends exactly this process, not a later one of its number.
func (p process) kill() {
	if now, ok := readProcess(p.pid); ok && now.start == p.start {
		_ = syscall.Kill(p.pid, syscall.SIGKILL)
	}
}

// below returns the processes that descend from pid.
func below(pid int) []process {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	children := map[int][]process{}
	for _, name := range names {
		if n, err := strconv.Atoi(name); err == nil {
			if p, ok := readProcess(n); ok {
				children[p.parent] = append(children[p.parent], p)
			}
		}
	}
	var out []process
	for queue := []int{pid}; len(queue) > 0; queue = queue[1:] {
		for _, c := range children[queue[0]] {
			out = append(out, c)
			queue = append(queue, c.pid)
		}
	}
	return out
}

// ticksPerSecond is USER_HZ, which is 100 on every Linux that Go runs on.
const ticksPerSecond = 100

// effort is processor time in seconds.
type effort struct{ own, children float64 }

// effortOf returns what a process has used so far, and apart from that the
// children that it has waited for.
func effortOf(pid int) effort {
	p, _ := readProcess(pid)
	return effort{float64(p.own) / ticksPerSecond, float64(p.children) / ticksPerSecond}
}

func (e effort) since(before effort) effort {
	return effort{e.own - before.own, e.children - before.children}
}

func (e effort) sum() float64 { return e.own + e.children }

// resident returns a process's memory in bytes (RSS, with what it shares).
func resident(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	f := strings.Fields(string(text))
	if err != nil || len(f) < 2 {
		return 0, fmt.Errorf("the memory of process %d can't be read here: %v", pid, err)
	}
	pages, err := strconv.ParseInt(f[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

const mega = 1e6

// peak watches the memory of a process and of all below it.
type peak struct {
	stop context.CancelFunc
	done sync.WaitGroup

	all, root int64 // the greatest sums seen, in bytes
	processes int   // the most at a time
}

// watchMemory samples until end is called. What several processes share, such
// as Terraform's code, is counted with each: the sum is never too low.
func watchMemory(ctx context.Context, pid int) *peak {
	ctx, stop := context.WithCancel(ctx)
	p := &peak{stop: stop}
	p.done.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			p.sample(pid)
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	return p
}

func (p *peak) sample(pid int) {
	root, err := resident(pid)
	if err != nil {
		return
	}
	sum, n := root, 1
	for _, c := range below(pid) {
		if rss, err := resident(c.pid); err == nil && rss > 0 {
			sum += rss
			n++
		}
	}
	p.root, p.all, p.processes = max(p.root, root), max(p.all, sum), max(p.processes, n)
}

// end stops watching; the figures stand from then on.
func (p *peak) end() {
	p.stop()
	p.done.Wait()
}

// loadAverage is the machine's load of the last minute, as text.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	load, _, _ := strings.Cut(string(text), " ")
	return load
}

// processor is the processors' name.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "of unknown kind"
}
