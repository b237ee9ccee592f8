package comment

import (
	"time"

	"github.com/tidelock/tidelock/internal/run"
)

// While a change is under way GitHub is told of it rarely: people can't read
// faster, and GitHub counts every write. First comes silence, since most plans
// end before anybody looks; then the check says that work is under way; then
// the comment tells how far it is, at growing intervals.
const (
	FirstWord     = 4 * time.Second  // the check; also how long an answer that is not urgent waits
	firstProgress = 30 * time.Second // the comment
	longestPause  = 10 * time.Minute
)

// NextWord returns how long after the work began GitHub is to be told next,
// where so much time has passed: 4 s, 30 s, 1 min 30 s, 3 min 30 s, …
func NextWord(passed time.Duration) time.Duration {
	if passed < FirstWord {
		return FirstWord
	}
	due := firstProgress
	for pause := time.Minute; due <= passed; pause = min(2*pause, longestPause) {
		due += pause
	}
	return due
}

// Pace is what GitHub may be told of the change now.
type Pace struct {
	Busy    bool // something of it is under way
	Check   bool // its checks may be told
	Comment bool // so may its comments
}

// PaceOf says what may be told after so much time. Pure.
func PaceOf(v View, began time.Time) Pace {
	if !v.busy() {
		return Pace{Check: true, Comment: true}
	}
	if began.IsZero() { // it began this moment
		return Pace{Busy: true}
	}
	passed := v.Now.Sub(began)
	return Pace{Busy: true, Check: passed >= FirstWord, Comment: passed >= firstProgress}
}

// busy reports whether anything of the change is being worked on.
func (v View) busy() bool {
	switch v.Phase() {
	case run.PhaseQueued:
		return true
	case run.PhasePlanning, run.PhaseApplying:
		for _, p := range v.Pairs {
			for _, r := range []*run.Run{p.Plan, p.Apply} {
				if r != nil && !r.Status.Finished() && !r.Waits() {
					return true
				}
			}
		}
	}
	return false
}
