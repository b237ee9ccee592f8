package runner

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/tidelock/tidelock/planner/tfrun"
)

// The pulse of a run is felt at pulsePace. Progress is journaled at most that
// often, and again after freshPace without any, since what goes on has gone on
// for longer by then. After quietAfter without a word of Terraform's the
// journal says so, and the log, there at growing intervals. saidPace is how
// often the log tells how far it is.
const (
	pulsePace  = 200 * time.Millisecond
	freshPace  = 5 * time.Second
	quietAfter = 30 * time.Second
	saidPace   = 30 * time.Second
)

// pulse hears what a run says, by its log and its progress, and tells how far
// it is: also when it says nothing. It is safe for concurrent use.
type pulse struct {
	log   io.Writer
	write func(entry) // to the journal

	mu      sync.Mutex
	began   time.Time
	heard   time.Time      // the last word
	last    tfrun.Progress // as it was told
	at      time.Time      // when that was
	pending bool           // it is not journaled yet
	written time.Time      // when something was
	said    time.Time      // when the log was told how far it is
	counts  string         // that it was told
	quiet   time.Duration  // the log is told when it was quiet for so long
}

func newPulse(log io.Writer, write func(entry)) *pulse {
	now := time.Now()
	return &pulse{log: log, write: write, began: now, heard: now, at: now, written: now, said: now, quiet: quietAfter}
}

// Write hears a part of the log and passes it on.
func (p *pulse) Write(b []byte) (int, error) {
	p.mu.Lock()
	p.heard, p.quiet = time.Now(), quietAfter
	p.mu.Unlock()
	return p.log.Write(b)
}

// progress hears how far the run is.
func (p *pulse) progress(now tfrun.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last, p.at, p.pending = now, time.Now(), true
	p.heard, p.quiet = p.at, quietAfter
	if p.at.Sub(p.written) >= pulsePace {
		p.journal(p.at)
	}
}

// beat is called at pulsePace.
func (p *pulse) beat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.pending || now.Sub(p.written) >= freshPace {
		p.journal(now)
	}
	state := p.present(now)
	switch {
	case state.Quiet >= p.quiet && p.quiet > 0:
		p.note(state, "")
		p.quiet *= 2
		p.said, p.counts = now, state.Counts()
	case state.Quiet == 0 && now.Sub(p.said) >= saidPace:
		if counts := state.Counts(); counts != p.counts {
			p.note(state, "after "+now.Sub(p.began).Round(time.Second).String())
			p.counts = counts
		}
		p.said = now
	}
}

// flush journals what is not journaled yet.
func (p *pulse) flush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending {
		p.journal(time.Now())
	}
}

// present is how far the run is at this moment.
func (p *pulse) present(now time.Time) tfrun.Progress {
	state := p.last
	if state.Doing != "" {
		state.Elapsed += now.Sub(p.at)
	}
	if quiet := now.Sub(p.heard); quiet >= quietAfter {
		state.Quiet = quiet
	}
	return state
}

func (p *pulse) journal(now time.Time) {
	state := p.present(now)
	p.write(entry{Event: eventProgress, Progress: &state})
	p.pending, p.written = false, now
}

// note writes a line of our own into the log, in brackets as Terraform writes none.
func (p *pulse) note(state tfrun.Progress, when string) {
	var parts []string
	if counts := state.Counts(); counts != "" {
		parts = append(parts, strings.TrimSpace(counts+" "+when))
	}
	if now := state.Now(); now != "" {
		parts = append(parts, now)
	}
	if len(parts) > 0 {
		_, _ = fmt.Fprintf(p.log, "[Tidelock: %s]\n", strings.Join(parts, "; "))
	}
}
