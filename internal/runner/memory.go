package runner

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// memoryWatch keeps the most memory that all processes below this one had at
// once.
type memoryWatch struct {
	peak  atomic.Int64
	taken bool
	next  time.Time
}

// Memory is looked at four times in a second at most, and for no more than a
// twentieth of the time.
const (
	memoryPace  = 250 * time.Millisecond
	memoryShare = 20
)

// look measures, where it is time to.
func (m *memoryWatch) look() {
	began := time.Now()
	if began.Before(m.next) {
		return
	}
	var sum int64
	for _, p := range descendants(os.Getpid()) {
		sum += ownMemory(p.pid)
	}
	if sum > 0 {
		m.taken = true
		m.peak.Store(max(m.peak.Load(), sum))
	}
	m.next = began.Add(max(memoryPace, memoryShare*time.Since(began)))
}

// result is the peak. For a run that ended before anybody looked it is that of
// its largest process.
func (m *memoryWatch) result() int64 {
	if !m.taken {
		var usage syscall.Rusage
		if syscall.Getrusage(syscall.RUSAGE_CHILDREN, &usage) == nil {
			return usage.Maxrss << 10
		}
	}
	return m.peak.Load()
}

// ownMemory is what a process has in memory that no file backs, in bytes: code
// is shared between all Terraforms, and can be read again.
func ownMemory(pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	f := bytes.Fields(b) // size resident shared …, in pages
	if len(f) < 3 {
		return 0
	}
	resident, _ := strconv.ParseInt(string(f[1]), 10, 64)
	shared, _ := strconv.ParseInt(string(f[2]), 10, 64)
	return max(0, resident-shared) * int64(os.Getpagesize())
}
