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

// memoryWatch keeps the most memory that all processes below one had at once.
type memoryWatch struct {
	below int // its ID
	peak  atomic.Int64
	looks int // that saw a process
	next  time.Time
}

// Memory is looked at four times in a second at most, and for no more than a
// twentieth of the time.
const (
	memoryPace  = 250 * time.Millisecond
	memoryShare = 20
	// memoryLooks are enough to have seen a run at work. Fewer may all have
	// fallen into moments between two processes, or before one had begun.
	memoryLooks = 8
)

// look measures, where it is time to.
func (m *memoryWatch) look() {
	began := time.Now()
	if began.Before(m.next) {
		return
	}
	var sum int64
	for _, p := range descendants(m.below) {
		sum += ownMemory(p.pid)
	}
	if sum > 0 {
		m.looks++
		m.peak.Store(max(m.peak.Load(), sum))
	}
	m.next = began.Add(max(memoryPace, memoryShare*time.Since(began)))
}

// result is the peak. For a run that ended before it was looked at often it is
// no less than what its largest process had, shared code included.
func (m *memoryWatch) result() int64 {
	peak := m.peak.Load()
	var usage syscall.Rusage
	if m.looks < memoryLooks && syscall.Getrusage(syscall.RUSAGE_CHILDREN, &usage) == nil {
		return max(peak, usage.Maxrss<<10)
	}
	return peak
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
