package runner

import (
	"bytes"
	"fmt"
	"os"
	"sync"
)

// LogLimit is how long a run's log may get, in bytes. Of a longer one the
// beginning and the end are kept, and what is missing is named between them.
const LogLimit = 256 << 20

// keptTail is how much of the log is kept in memory once the disk is full or
// the limit reached, in bytes: its end, which says how the run went.
const keptTail = 64 << 10

// diskLog writes the log. When the disk is full, or the log as long as it may
// get, it holds back the end of what comes, and close writes that: once there
// is room again. It never fails: a full disk must not stop an apply.
type diskLog struct {
	mu    sync.Mutex
	f     *os.File
	limit int64 // 0 for none
	size  int64 // that is written
	full  bool  // nothing more is, before the end
	why   string
	tail  []byte // since then, from the start on
	lost  int    // bytes that neither the disk nor the tail has
}

// Write takes a part of the log.
func (l *diskLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rest := p
	if !l.full {
		fits := p
		if l.limit > 0 && int64(len(p)) > l.limit-l.size {
			fits = p[:bytes.LastIndexByte(p[:max(0, l.limit-l.size)], '\n')+1]
		}
		n, err := l.f.Write(fits)
		l.size += int64(n)
		switch {
		case err != nil:
			l.full, l.why = true, "The disk was full from here on"
		case len(fits) < len(p):
			l.full, l.why = true, fmt.Sprintf("The log is longer than %d MB", l.limit>>20)
		default:
			return len(p), nil
		}
		rest = p[n:]
	}
	l.tail = append(l.tail, rest...)
	// It is cut back now and then only: moving it at each write would cost
	// more than what is written.
	if len(l.tail) > 4*keptTail {
		l.cutBack()
	}
	return len(p), nil
}

// cutBack leaves no more than keptTail of the tail, from the beginning of a
// line on: half a line may hold half a secret, which nobody would recognise.
func (l *diskLog) cutBack() {
	if over := len(l.tail) - keptTail; over > 0 {
		if i := bytes.IndexByte(l.tail[over-1:], '\n'); i >= 0 && i < keptTail/2 {
			over += i
		}
		l.lost += over
		l.tail = append(l.tail[:0], l.tail[over:]...)
	}
}

// close writes what was held back.
func (l *diskLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full {
		l.cutBack()
		note := "\n(" + l.why
		if l.lost > 0 {
			note += fmt.Sprintf("; %d bytes are missing", l.lost)
		}
		_, _ = l.f.WriteString(note + ".)\n")
		_, _ = l.f.Write(l.tail)
	}
	_ = l.f.Close()
}
