package run

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/policy"
)

// Waiver is somebody's word that a finding of the policies is accepted: in one
// plan of one pull, or wherever it comes back in the project until the word
// expires. It opens nothing in any other project, repository or client.
type Waiver struct {
	ID     string
	Client string
	Key
	Project string // display name
	Pull    int    // where the word was given

	PlanDigest  string // the one plan that it is for; "" for one that lasts
	Fingerprint string // of the finding; "" for everything that was found in the plan
	Rule        string // from here on: what it was, for people
	Pack        string
	Address     string
	Message     string

	Actor   access.Actor
	Reason  string
	Given   time.Time
	Expires time.Time // zero: with its plan

	Ended   Ending // "" while it was neither taken back nor seen to expire
	EndedAt time.Time
	EndedBy access.Actor
}

// Ending is how a waiver came to its end.
type Ending string

// The endings.
const (
	Revoked  Ending = "revoked"  // somebody took the word back
	Expired  Ending = "expired"  // its time was over; it counted for nothing from then on, whenever this was noticed
	Replaced Ending = "replaced" // the same person gave a longer word
)

// Sticky reports whether the word lasts from plan to plan.
func (w Waiver) Sticky() bool { return w.PlanDigest == "" }

// Stands reports whether the word still counts. One that expires counts for
// nothing where the time is not known.
func (w Waiver) Stands(now time.Time) bool {
	switch {
	case w.Ended != "":
		return false
	case w.Expires.IsZero():
		return !w.Sticky() // nobody is given a word without an end
	}
	return !now.IsZero() && now.Before(w.Expires)
}

// lapsed reports whether the word was not taken back but is over.
func (w Waiver) lapsed(now time.Time) bool {
	return (w.Ended == "" || w.Ended == Expired) && !w.Expires.IsZero() && !w.Stands(now)
}

// about reports whether the word is of the plan, or of whatever is planned in
// its project.
func (w Waiver) about(r Run) bool {
	if w.Client != r.Client || w.Key != r.Key() {
		return false
	}
	if w.Sticky() {
		return w.Fingerprint != ""
	}
	return w.Pull == r.Pull && w.PlanDigest == r.PlanDigest
}

// Acceptance is how far one finding is accepted.
type Acceptance struct {
	By     []Waiver // words that count, one of each owner, those that last longest first
	Needed int      // of how many owners; 0 for a finding that forbids nothing
	Hard   bool     // nobody can accept it
	Lapsed []Waiver // words that counted once and are over, one of each owner who gave no other, the newest first
}

// Open reports whether the finding keeps the plan from being applied.
func (a Acceptance) Open() bool { return a.Hard || len(a.By) < a.Needed }

// Until says when too few words are left; zero where they are for this plan,
// or were too few all along.
func (a Acceptance) Until() time.Time {
	if a.Needed == 0 || a.Open() {
		return time.Time{}
	}
	return a.By[a.Needed-1].Expires
}

// Standing is how far what the policies found in a plan is accepted.
type Standing struct {
	Findings []Acceptance // of the report's findings, in their order
	Hidden   int          // findings that forbid, beyond those that the report lists
	Rest     Acceptance   // of the hidden ones
	Hard     int          // findings that nobody can accept, the hidden ones too
}

// StandingOf judges who has accepted what of the plan's report at that time.
//
// A word counts if it was given by an owner (which was asked when it was
// given, and is not asked again), by somebody else than the pull's author, and
// was neither taken back nor has expired. As many different owners are needed
// as the report says for the finding's pack. Hard findings are accepted by
// nobody, and findings that the report has no room for only by words for
// everything in this very plan. Pure.
func StandingOf(r Run, now time.Time) Standing {
	if r.Report == nil {
		return Standing{}
	}
	s := Standing{Findings: make([]Acceptance, len(r.Report.Findings)), Hard: r.Report.Hard}
	words := map[string][]Waiver{}
	for _, w := range r.Waivers {
		if w.about(r) && !r.wrote(w.Actor) {
			words[w.Fingerprint] = append(words[w.Fingerprint], w)
		}
	}
	// Findings with one fingerprint and as many owners stand alike.
	type alike struct {
		fingerprint string
		needed      int
	}
	known := map[alike]Acceptance{}
	listed, hard := 0, 0
	for i, f := range r.Report.Findings {
		if !f.Level.Blocks() {
			continue
		}
		listed++
		if f.Level == policy.Hard {
			hard++
		}
		a := alike{f.Fingerprint, r.Report.OwnersOf(f.Pack).Needed()}
		if _, ok := known[a]; !ok {
			of := words[""]
			if f.Fingerprint != "" {
				of = append(slices.Clip(of), words[f.Fingerprint]...)
			}
			known[a] = acceptance(of, a.needed, now)
		}
		s.Findings[i] = known[a]
		s.Findings[i].Hard = f.Level == policy.Hard
	}
	s.Hard = max(s.Hard, hard)
	if s.Hidden = max(r.Report.Mandatory-listed, 0); s.Hidden == 0 && listed == 0 && r.Report.Verdict == policy.Fail {
		s.Hidden = 1 // it says that something forbids the plan, and not what
	}
	if s.Hidden > 0 {
		needed := policy.Owners{}.Needed() // nobody knows whose they are
		for _, o := range r.Report.Owners {
			needed = max(needed, o.Needed())
		}
		s.Rest = acceptance(words[""], needed, now)
		s.Rest.Hard = s.Hard > hard
	}
	return s
}

// acceptance counts the words.
func acceptance(words []Waiver, needed int, now time.Time) Acceptance {
	a := Acceptance{Needed: needed}
	said := map[string]bool{}
	once := func(from []Waiver, counts func(Waiver) bool) (out []Waiver) {
		for _, w := range from {
			if who := identity(w.Actor); counts(w) && !said[who] {
				said[who] = true
				out = append(out, w)
			}
		}
		return out
	}
	words = slices.Clone(words)
	slices.SortStableFunc(words, longestFirst)
	a.By = once(words, func(w Waiver) bool { return w.Stands(now) })
	slices.SortStableFunc(words, func(x, y Waiver) int { return y.Expires.Compare(x.Expires) })
	a.Lapsed = once(words, func(w Waiver) bool { return w.lapsed(now) })
	return a
}

// longestFirst orders waivers by when they end, those without an end first.
func longestFirst(x, y Waiver) int {
	switch {
	case x.Expires.IsZero() != y.Expires.IsZero():
		return map[bool]int{true: -1, false: 1}[x.Expires.IsZero()]
	case !x.Expires.Equal(y.Expires):
		return y.Expires.Compare(x.Expires)
	}
	return cmp.Or(x.Given.Compare(y.Given), cmp.Compare(x.ID, y.ID))
}

// identity tells people apart: by GitHub's number, since a login may pass to
// somebody else.
func identity(a access.Actor) string {
	if a.ID != 0 {
		return strconv.FormatInt(a.ID, 10)
	}
	return a.Kind + " " + strings.ToLower(a.Name)
}

// wrote reports whether the actor opened the run's pull.
func (r Run) wrote(a access.Actor) bool {
	if a.ID != 0 && r.AuthorID != 0 {
		return a.ID == r.AuthorID
	}
	return r.Author != "" && strings.EqualFold(a.Name, r.Author)
}

// Open counts the findings that keep the plan from being applied.
func (s Standing) Open() int {
	n := 0
	for _, a := range s.Findings {
		if a.Open() {
			n++
		}
	}
	if s.Hidden > 0 && s.Rest.Open() {
		n += s.Hidden
	}
	return n
}

// Accepted counts the findings that would keep it from being applied, had
// nobody accepted them.
func (s Standing) Accepted() int {
	n := 0
	for _, a := range s.Findings {
		if a.Needed > 0 && !a.Open() {
			n++
		}
	}
	if s.Hidden > 0 && !s.Rest.Open() {
		n += s.Hidden
	}
	return n
}

// Until says when the first of what is accepted now is so no more; zero where
// all of it is accepted for this plan.
func (s Standing) Until() time.Time {
	var first time.Time
	for _, a := range append(slices.Clip(s.Findings), s.Rest) {
		if u := a.Until(); !u.IsZero() && (first.IsZero() || u.Before(first)) {
			first = u
		}
	}
	return first
}

// By returns who accepted anything, once each.
func (s Standing) By() []access.Actor {
	var out []access.Actor
	said := map[string]bool{}
	for _, a := range append(slices.Clip(s.Findings), s.Rest) {
		for _, w := range a.By {
			if who := identity(w.Actor); !said[who] {
				said[who] = true
				out = append(out, w.Actor)
			}
		}
	}
	return out
}

// Standing judges who has accepted what of the plan's report, as it was when
// the run was read.
func (r Run) Standing() Standing { return StandingOf(r, r.Read) }

// Forbidden reports whether the policies keep a plan from being applied: they
// found something that not enough of those with the right to do so have
// accepted, or that nobody can, or they never judged it. It speaks of the
// moment when the run was read.
func (r Run) Forbidden() bool {
	switch {
	case r.Report == nil:
		return true
	case !r.Report.Verdict.Blocks():
		return false
	case r.Report.Verdict != policy.Fail: // it could not be judged, so there is nothing to accept
		return true
	case r.Report.Hard > 0 || len(r.Waivers) == 0:
		return true
	}
	return r.Standing().Open() > 0
}

// Spoken is the plan as it would be read at that time, had the word been said.
func (w Word) Spoken(now time.Time) Run {
	r := w.Plan
	r.Read, r.Waivers = now, slices.Clone(r.Waivers)
	for _, f := range w.accepts() {
		r.Waivers = append(r.Waivers, w.waiver(f, now))
	}
	return r
}

// accepts lists what is accepted, everything as a finding without a
// fingerprint.
func (w Word) accepts() []policy.Finding {
	if w.All {
		return append(slices.Clip(w.Findings), policy.Finding{})
	}
	return w.Findings
}

// waiver is the word about one finding, without an ID.
func (w Word) waiver(f policy.Finding, given time.Time) Waiver {
	r := w.Plan
	out := Waiver{
		Client: r.Client, Key: r.Key(), Project: r.Project.Name, Pull: r.Pull, Fingerprint: f.Fingerprint, Rule: f.Rule, Pack: f.Pack,
		Address: f.Address, Message: f.Message, Actor: w.Actor, Reason: w.Reason, Given: given, Expires: w.Expires,
	}
	if w.Expires.IsZero() {
		out.PlanDigest = r.PlanDigest
	}
	return out
}
