package main

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	desks "github.com/tidelock/tidelock/internal/desk"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/terminal"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// planProgress tells on standard error what the plans are at: on a terminal in
// lines that are written anew, elsewhere in a line for each thing that happens.
type planProgress struct {
	mu      sync.Mutex
	screen  terminal.Screen
	look    look
	order   []string // IDs of the runs under way
	now     map[string]*underWay
	ended   int
	of      int
	frame   int
	started time.Time
	stop    chan struct{}
	stopped sync.WaitGroup
}

// underWay is a project that is being planned.
type underWay struct {
	name     string
	since    time.Time
	progress tfrun.Progress
	told     time.Time // when a plain line last spoke of it
}

// heartbeat is how often a plain line says that a plan goes on.
const heartbeat = time.Minute

func newPlanProgress(p *program, noColour bool) *planProgress {
	l := lookOf(p.stderr, p.environ, noColour)
	if ci, _ := config.Lookup(p.environ)("CI"); ci != "" {
		l.terminal = false // some have a terminal, and keep what it is told as a log
	}
	s := &planProgress{look: l, now: map[string]*underWay{}, started: time.Now(), stop: make(chan struct{})}
	s.screen = terminal.Screen{W: p.stderr, Colour: l.colour, Live: l.terminal, Width: l.width}
	every := heartbeat / 6
	if l.terminal {
		every = 120 * time.Millisecond
	}
	s.stopped.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-s.stop:
				return
			case at := <-tick.C:
				s.tick(at)
			}
		}
	})
	return s
}

// close takes away what is live.
func (s *planProgress) close() {
	close(s.stop)
	s.stopped.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.screen.Clear()
}

// event is told what happens.
func (s *planProgress) event(e desks.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of = e.Of
	r := e.Run
	u := s.now[r.ID]
	switch {
	case r.Status.Finished():
		s.ended++
		if u != nil {
			delete(s.now, r.ID)
			for i, id := range s.order {
				if id == r.ID {
					s.order = append(s.order[:i], s.order[i+1:]...)
					break
				}
			}
		}
		s.screen.Put(endOf(r))
	case u == nil:
		s.now[r.ID] = &underWay{name: r.Project.Name, since: r.Started, told: r.Started}
		s.order = append(s.order, r.ID)
		if !s.look.terminal {
			s.screen.Put(terminal.Text(terminal.Plain, terminal.Clean(r.Project.Name)+": planning"))
		}
	default:
		u.progress = e.Progress
	}
	s.draw(time.Now())
}

// endOf is the line about a project that came to its end.
func endOf(r run.Run) terminal.Line {
	name, took := terminal.Clean(r.Project.Name), ""
	if !r.Started.IsZero() && !r.Finished.IsZero() {
		took = " in " + r.Finished.Sub(r.Started).Round(100*time.Millisecond).String()
	}
	switch {
	case r.Status == run.Planned && r.Forbidden():
		return terminal.Text(terminal.Red, "✗ "+name).And(terminal.Plain, ": planned"+took+": "+r.Summary.String()).And(terminal.Red, " A policy forbids it.")
	case r.Status == run.Planned:
		return terminal.Text(terminal.Green, "✓ "+name).And(terminal.Plain, ": planned"+took+": "+r.Summary.String())
	case r.Status == run.Canceled:
		return terminal.Text(terminal.Yellow, "✗ "+name).And(terminal.Plain, ": stopped"+took)
	}
	first, _, _ := strings.Cut(strings.TrimSpace(r.Error), "\n")
	return terminal.Text(terminal.Red, "✗ "+name).And(terminal.Plain, ": failed"+took+": "+terminal.Clean(first))
}

// tick tells that time goes by.
func (s *planProgress) tick(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frame++
	s.draw(at)
	if s.look.terminal {
		return
	}
	for _, id := range s.order {
		if u := s.now[id]; at.Sub(u.told) >= heartbeat {
			u.told = at
			s.screen.Put(terminal.Text(terminal.Plain, terminal.Clean(fmt.Sprintf("%s: still planning, for %s%s", u.name, at.Sub(u.since).Round(time.Second), u.doing()))))
		}
	}
}

// doing is what the project is at, after a comma; "" where that is not known.
func (u *underWay) doing() string {
	out := ""
	for _, part := range []string{u.progress.Counts(), u.progress.Now()} {
		if part != "" {
			out += ", " + part
		}
	}
	return out
}

// spinner turns while something is under way.
var spinner = []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")

// maxLive is how many projects have a live line.
const maxLive = 8

func (s *planProgress) draw(at time.Time) {
	if !s.look.terminal || len(s.order) == 0 {
		s.screen.Draw()
		return
	}
	var lines []terminal.Line
	for i, id := range s.order {
		if i == maxLive {
			lines = append(lines, terminal.Text(terminal.Dim, fmt.Sprintf("  … and %d more", len(s.order)-i)))
			break
		}
		u := s.now[id]
		l := terminal.Text(terminal.Cyan, string(spinner[s.frame%len(spinner)])+" ").And(terminal.Bold, terminal.Clean(u.name))
		lines = append(lines, l.And(terminal.Dim, fmt.Sprintf("  %.0fs%s", at.Sub(u.since).Seconds(), terminal.Clean(u.doing()))))
	}
	lines = append(lines, terminal.Text(terminal.Dim, fmt.Sprintf("  %d of %s planned, %.0fs", s.ended, counted(s.of, "project"), at.Sub(s.started).Seconds())))
	s.screen.Draw(lines...)
}
