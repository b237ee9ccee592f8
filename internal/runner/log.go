package runner

import (
	"fmt"
	"os"
	"sync"
)

// keptTail is how much of the log is kept in memory while the disk is full,
// in bytes: its end, which says how the run went.
const keptTail = 64 << 10

// diskLog writes the log. When the disk is full it holds back the end of what
// comes, and close writes that, once there is room again. It never fails: a
// full disk must not stop an apply.
type diskLog struct {
	mu   sync.Mutex
	f    *os.File
	full bool
	tail []byte // since the disk was full
	lost int    // bytes that neither the disk nor the tail has
}

// Write takes a part of the log.
func (l *diskLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rest := p
	if !l.full {
		n, err := l.f.Write(p)
		if err == nil {
			return len(p), nil
		}
		l.full = true
		rest = p[n:]
	}
	l.tail = append(l.tail, rest...)
	if over := len(l.tail) - keptTail; over > 0 {
		l.lost += over
		l.tail = append(l.tail[:0], l.tail[over:]...)
	}
	return len(p), nil
}

// close writes what was held back.
func (l *diskLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full {
		note := "\n(The disk was full from here on"
		if l.lost > 0 {
			note += fmt.Sprintf("; %d bytes are missing", l.lost)
		}
		_, _ = l.f.WriteString(note + ".)\n")
		_, _ = l.f.Write(l.tail)
	}
	_ = l.f.Close()
}
