package gate

import (
	"fmt"
	"time"
)

// Record is one evaluation and what it was bound to. It is stored with the
// intent to act, and compared with what is there once the lock is held.
type Record struct {
	Act         Act       `json:"act"`
	HeadSHA     string    `json:"head_sha"`
	BaseSHA     string    `json:"base_sha"`
	PlanDigest  string    `json:"plan_digest,omitempty"` // "" before there is a plan: of ActPlan
	StateSerial int64     `json:"state_serial,omitempty"`
	Verdicts    []Verdict `json:"verdicts"`
	At          time.Time `json:"at"`
}

// Open reports whether every gate was open.
func (r Record) Open() bool { return len(Closed(r.Verdicts)) == 0 }

// Matches reports whether the record speaks of what is there now.
func (r Record) Matches(now Record) bool { return len(r.Changed(now)) == 0 }

// Changed returns a sentence for everything that the record was bound to and
// that is another now. What is not known is taken for changed.
func (r Record) Changed(now Record) []string {
	var out []string
	differ := func(what, was, is string) {
		if was == "" || was != is {
			out = append(out, fmt.Sprintf("The %s was %s and is %s.", what, known(was), known(is)))
		}
	}
	differ("act", string(r.Act), string(now.Act))
	differ("head commit", r.HeadSHA, now.HeadSHA)
	differ("base commit", r.BaseSHA, now.BaseSHA)
	if r.Act == ActPlan && r.PlanDigest == "" && now.PlanDigest == "" {
		return out
	}
	differ("plan's digest", r.PlanDigest, now.PlanDigest)
	if r.StateSerial != now.StateSerial {
		out = append(out, fmt.Sprintf("The state's serial was %d and is %d.", r.StateSerial, now.StateSerial))
	}
	return out
}

func known(sha string) string {
	if sha == "" {
		return "not known"
	}
	return "`" + short(sha) + "`"
}
