package runner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tidelock/tidelock/planner/tfrun"
)

// The files of a run folder.
const (
	specFile    = "spec.json"
	lockFile    = "lock"
	journalFile = "journal.jsonl"
	resultFile  = "result.json"
	logFile     = "log.txt"
	stderrFile  = "stderr.txt"
	reserveFile = "reserve"
)

// The journal's events, in the order they come.
const (
	eventStarted   = "started"   // the runner holds the lock; nothing was done yet
	eventExecuting = "executing" // Terraform may have been started
	eventProgress  = "progress"
	eventStopping  = "stopping" // it was asked to stop
	eventFinished  = "finished" // result.json is there
)

// entry is a line of the journal.
type entry struct {
	At    time.Time `json:"at"`
	Event string    `json:"event"`

	// Of eventStarted: who the runner is. A pid means nothing after a
	// reboot, or once another process has it.
	PID       int    `json:"pid,omitempty"`
	StartTime uint64 `json:"start_time,omitempty"` // of the process, in clock ticks since the boot
	Boot      string `json:"boot,omitempty"`

	Progress *tfrun.Progress `json:"progress,omitempty"` // of eventProgress
}

// journalRoom is kept on the disk for the journal, in bytes: the entries that
// prove something are few and short.
const journalRoom = 64 << 10

// journal is written by the runner alone, from any of its goroutines.
type journal struct {
	mu   sync.Mutex
	f    *os.File
	size int64 // of whole lines
}

func openJournal(dir string) (*journal, error) {
	f, err := os.OpenFile(filepath.Join(dir, journalFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	_ = preallocate(f, size+journalRoom) // a file system that can't has to do without
	return &journal{f: f, size: size}, nil
}

// write appends an entry; sure says that it must be on the disk before write
// returns. An entry for which the disk has no room leaves nothing behind:
// half a line would spoil those after it.
func (j *journal) write(e entry, sure bool) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	e.At = time.Now().UTC()
	b, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	n, err := j.f.Write(append(b, '\n'))
	if err != nil {
		if n > 0 {
			err = errors.Join(err, j.f.Truncate(j.size))
		}
		return fmt.Errorf("journal: %w", err)
	}
	j.size += int64(n)
	if sure {
		if err := j.f.Sync(); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	return nil
}

// follower reads a journal as it grows.
type follower struct {
	path   string
	offset int64
	rest   []byte // a line that is not whole yet
}

// next returns the entries that came since the last call. A last line that
// was cut off by a crash is never returned.
func (f *follower) next() ([]entry, error) {
	file, err := os.Open(f.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	defer file.Close()
	if _, err := file.Seek(f.offset, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	fresh, err := io.ReadAll(file)
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	f.offset += int64(len(fresh))
	f.rest = append(f.rest, fresh...)
	var out []entry
	for {
		line, rest, whole := bytes.Cut(f.rest, []byte("\n"))
		if !whole {
			return out, nil
		}
		f.rest = rest
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return out, fmt.Errorf("read the journal: %w", err)
		}
		out = append(out, e)
	}
}

// history is what a whole journal says.
type history struct {
	started, executing, finished bool
	runner                       entry // the started entry
}

func readHistory(dir string) (history, error) {
	var h history
	f := follower{path: filepath.Join(dir, journalFile)}
	entries, err := f.next()
	for _, e := range entries {
		switch e.Event {
		case eventStarted:
			h.started, h.runner = true, e
		case eventExecuting:
			h.executing = true
		case eventFinished:
			h.finished = true
		}
	}
	return h, err
}

// writeFile writes a file whole or not at all, and has it on the disk before
// it returns.
func writeFile(path string, content []byte) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if serr := f.Sync(); err == nil {
		err = serr
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
