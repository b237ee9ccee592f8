package toolchain

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// report tells a person what is going on. On a terminal the state of a step is
// one line that is rewritten every second; elsewhere a line every quarter of a
// minute, so that a log stays readable and is never silent for long.
type report struct {
	w        io.Writer
	terminal bool
	every    time.Duration
	now      func() time.Time
}

func newReport(w io.Writer) *report {
	r := &report{w: w, every: 15 * time.Second, now: time.Now}
	if w == nil {
		r.w = io.Discard
	}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		r.terminal, r.every = true, time.Second
	}
	return r
}

func (r *report) say(format string, args ...any) {
	fmt.Fprintf(r.w, format+"\n", args...)
}

// step runs one command and shows label, the elapsed time and what count makes
// of each line that the command prints. It returns the command's standard
// output; an error ends with the last lines of its standard error.
func (r *report) step(cmd *exec.Cmd, label string, count func(line string) (state string)) ([]byte, error) {
	started := r.now()
	var mu sync.Mutex
	state := ""
	show := func(end string) {
		mu.Lock()
		defer mu.Unlock()
		text := fmt.Sprintf("  %s · %s", label, r.now().Sub(started).Round(time.Second))
		if state != "" {
			text += " · " + state
		}
		if r.terminal {
			text = "\r\033[K" + text
		}
		fmt.Fprint(r.w, text+end)
	}
	var out bytes.Buffer
	tail := &lines{keep: 12, each: func(line string) {
		if s := count(line); s != "" {
			mu.Lock()
			state = s
			mu.Unlock()
		}
	}}
	cmd.Stdout, cmd.Stderr = &out, tail
	if err := cmd.Start(); err != nil {
		return nil, err
	}

	end := "\n"
	if r.terminal {
		end = ""
		show(end)
	}
	ctx, stop := context.WithCancel(context.Background())
	var ticking sync.WaitGroup
	ticking.Go(func() {
		t := time.NewTicker(r.every)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				show(end)
			case <-ctx.Done():
				return
			}
		}
	})
	err := cmd.Wait()
	stop()
	ticking.Wait()
	tail.flush()
	show("\n")
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, strings.Join(tail.last, "\n"))
	}
	return out.Bytes(), nil
}

// lines is a writer that hands on whole lines and remembers the last ones.
type lines struct {
	each func(string)
	keep int
	last []string
	rest []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, found := bytes.Cut(l.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		l.line(string(line))
		l.rest = rest
	}
}

func (l *lines) flush() {
	s := bufio.NewScanner(bytes.NewReader(l.rest))
	for s.Scan() {
		l.line(s.Text())
	}
	l.rest = nil
}

func (l *lines) line(s string) {
	if l.last = append(l.last, s); len(l.last) > l.keep {
		l.last = l.last[1:]
	}
	l.each(s)
}
