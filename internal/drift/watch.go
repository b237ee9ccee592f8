package drift

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/tidelock/tidelock/internal/schedule"
	"github.com/tidelock/tidelock/planner"
)

// Defaults are the server's settings, for repositories that say nothing else.
type Defaults struct {
	Cron      string // "" or planner.ScheduleOff for never
	Timezone  string // "" is UTC
	Remediate string // planner.RemediateIssue, …Pull or …Off; "" is the first
}

// Hash tells settings apart: schedules that were read with others are read
// again.
func (d Defaults) Hash() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", d.Cron, d.Timezone, d.Remediate))
	return hex.EncodeToString(sum[:6])
}

// Watch is when a project is checked, or, without a directory, when those of a
// repository are that have no watch of their own.
type Watch struct {
	Dir, Workspace string
	Cron, Timezone string // Cron is "" where it is never due by itself
	Remediate      string
	Next           time.Time // zero for never
}

// Key names the project, as planner.Project.Key does; "" for the rest.
func (w Watch) Key() string {
	if w.Dir == "" {
		return ""
	}
	return planner.Project{Dir: w.Dir, Workspace: w.Workspace}.Key()
}

// same reports whether both are due at the same times.
func (w Watch) same(o Watch) bool { return w.Cron == o.Cron && w.Timezone == o.Timezone }

// Block is a drift block of a project.
type Block struct {
	Dir, Workspace string
	planner.DriftConfig
}

// Watches returns what a repository's blocks come to over the server's
// settings: one for the rest of the projects, and one for each that has a block
// of its own. Pure.
func Watches(d Defaults, whole planner.DriftConfig, own []Block) []Watch {
	around := whole.Over(planner.DriftConfig{Schedule: &d.Cron, Timezone: &d.Timezone, Remediate: &d.Remediate})
	all := []Watch{watch("", "", around)}
	for _, b := range own {
		if !b.Empty() {
			all = append(all, watch(b.Dir, b.Workspace, b.Over(around)))
		}
	}
	return all
}

func watch(dir, workspace string, c planner.DriftConfig) Watch {
	w := Watch{Dir: dir, Workspace: workspace, Cron: *c.Schedule, Timezone: *c.Timezone, Remediate: *c.Remediate}
	if w.Cron == planner.ScheduleOff {
		w.Cron = ""
	}
	if w.Cron == "" {
		w.Timezone = ""
	}
	if w.Remediate == "" {
		w.Remediate = planner.RemediateIssue
	}
	return w
}

// spread is how late a check may begin after its tick, so that those of all
// repositories do not begin at once.
const spread = 10 * time.Minute

// next returns when the watch is due after now; zero for never.
func (w Watch) next(repo int64, now time.Time) time.Time {
	if w.Cron == "" {
		return time.Time{}
	}
	s, err := schedule.Parse(w.Cron, w.Timezone)
	if err != nil {
		return time.Time{} // it was read before: a zone that this machine does not know
	}
	// What is due is the tick and its delay: the tick before now may be due yet.
	tick := s.Next(now.Add(-spread))
	for range 1000 {
		if tick.IsZero() {
			return tick
		}
		if due := tick.Add(s.Spread(repo, tick, spread)); due.After(now) {
			return due
		}
		tick = s.Next(tick)
	}
	return tick
}

// Renew returns the watches that were read with their next times: that of a
// stored one whose times are the same is kept, however long it is past. Pure.
func Renew(repo int64, stored, read []Watch, now time.Time) []Watch {
	out := slices.Clone(read)
	for i, w := range out {
		out[i].Next = w.next(repo, now)
		for _, s := range stored {
			if s.Key() == w.Key() && s.same(w) && !s.Next.IsZero() {
				out[i].Next = s.Next
			}
		}
	}
	return out
}

// Due returns the watches that are due, each with its next time, which is after
// now whatever was missed, and which projects that makes. Pure.
func Due(repo int64, all []Watch, now time.Time) (due []Watch, wanted Wanted) {
	for _, w := range all {
		if w.Next.IsZero() || w.Next.After(now) {
			if w.Dir != "" {
				wanted.Not = append(wanted.Not, w.Key())
			}
			continue
		}
		w.Next = w.next(repo, now)
		due = append(due, w)
		if w.Dir == "" {
			wanted.Rest = true
		} else {
			wanted.Keys = append(wanted.Keys, w.Key())
		}
	}
	return due, wanted
}

// Wanted says which projects a check is of. The zero value is of none.
type Wanted struct {
	Rest    bool     `json:"rest,omitempty"`    // all but those of Not
	Not     []string `json:"not,omitempty"`     // keys: they have a watch of their own
	Keys    []string `json:"keys,omitempty"`    // these, whatever else
	Pattern string   `json:"pattern,omitempty"` // of names; "" for any
}

// Everything is of all projects whose name the pattern fits; "" fits all.
func Everything(pattern string) Wanted { return Wanted{Rest: true, Pattern: pattern} }

// Whole reports whether no project is left out, so that what is not found any
// more is gone.
func (w Wanted) Whole() bool { return w.Rest && len(w.Not) == 0 && w.Pattern == "" }

// Covers reports whether a check of w is of every project that one of o would
// be of, whatever projects there are. Pure.
func (w Wanted) Covers(o Wanted) bool {
	if w.Pattern != "" && w.Pattern != o.Pattern {
		return false
	}
	takes := func(key string) bool { return slices.Contains(w.Keys, key) || w.Rest && !slices.Contains(w.Not, key) }
	for _, key := range o.Keys {
		if !takes(key) {
			return false
		}
	}
	leavesOut := func(key string) bool { return !slices.Contains(o.Not, key) && !takes(key) }
	return !o.Rest || w.Rest && !slices.ContainsFunc(w.Not, leavesOut)
}

// Takes reports whether the check is of the project. Pure.
func (w Wanted) Takes(p planner.Project) bool {
	if w.Pattern != "" {
		if ok, err := doublestar.Match(w.Pattern, p.Name); err != nil || !ok {
			return false
		}
	}
	return slices.Contains(w.Keys, p.Key()) || w.Rest && !slices.Contains(w.Not, p.Key())
}

// WatchOf returns the watch that a project goes by. Pure.
func WatchOf(all []Watch, key string) Watch {
	rest := Watch{Remediate: planner.RemediateIssue}
	for _, w := range all {
		switch w.Key() {
		case key:
			return w
		case "":
			rest = w
		}
	}
	return rest
}
