package run

// ChangeStatus says how far a change's planning is. What became of its runs is
// never copied here: it is read from them.
type ChangeStatus string

const (
	Pending     ChangeStatus = "pending"    // its projects are not known yet
	Ready       ChangeStatus = "ready"      // its runs exist
	Empty       ChangeStatus = "empty"      // it touches no project
	Unplannable ChangeStatus = "failed"     // it cannot be planned; the reason says why
	Gated       ChangeStatus = "gated"      // a gate keeps it from being planned; the reason says which
	Outdated    ChangeStatus = "superseded" // a newer head took its place
	Closed      ChangeStatus = "closed"     // its pull was closed without merging
)

// Live reports whether the change can still be planned or applied.
func (s ChangeStatus) Live() bool { return s != Outdated && s != Closed }

// Kind is what a run does.
type Kind string

const (
	Plan        Kind = "plan"
	Apply       Kind = "apply"
	StateChange Kind = "state" // import, state rm or state mv: lives as an apply does
	Drift       Kind = "drift" // a comparison of state and world: lives as a plan does, is never applied and takes no lock
)

// Status is where a run stands.
type Status string

const (
	Queued      Status = "queued"      // waits for a worker
	Blocked     Status = "blocked"     // waits for another pull's lock; starts by itself when that is released
	Deferred    Status = "deferred"    // waits for other projects of its change to be applied; starts by itself then
	Checking    Status = "checking"    // an apply proves that it applies what was reviewed; nothing has started
	Running     Status = "running"     // a plan runs, or an apply was about to start or started
	Planned     Status = "planned"     // a plan ended well
	Applied     Status = "applied"     // an apply ended well
	Failed      Status = "failed"      // ended with an error of Terraform's or of its configuration
	Held        Status = "held"        // an apply that needs a person: what would be applied is not what was reviewed
	Interrupted Status = "interrupted" // an apply whose end nobody saw; a person decides
	Canceled    Status = "canceled"    // stopped on purpose
	Superseded  Status = "superseded"  // a newer head, or a newer run of the project, took its place
)

// Finished reports whether the run has come to an end.
func (s Status) Finished() bool {
	switch s {
	case Queued, Blocked, Deferred, Checking, Running:
		return false
	}
	return true
}

// edges lists the moves that a run may make. Running apply → Queued is absent
// on purpose: an apply is never retried by itself.
var edges = map[Kind]map[Status][]Status{
	Plan: {
		// Planned is reachable from Queued where an earlier plan stands for it.
		Queued:   {Running, Blocked, Deferred, Planned, Failed, Canceled, Superseded},
		Blocked:  {Queued, Canceled, Superseded},
		Deferred: {Queued, Canceled, Superseded},
		Running:  {Running, Planned, Failed, Canceled, Superseded, Queued},
		Planned:  {Superseded},
		Failed:   {Superseded},
	},
	Apply: {
		Queued:   {Checking, Blocked, Deferred, Failed, Canceled, Superseded},
		Blocked:  {Queued, Canceled, Superseded},
		Deferred: {Queued, Canceled, Superseded},
		// Applied is reachable from Checking where nothing is left to be applied.
		Checking: {Checking, Running, Blocked, Applied, Held, Failed, Canceled, Superseded},
		// Checking is reachable from Running in one case: Terraform refused the
		// saved plan as stale, which proves that nothing was applied.
		// Canceled is reachable only where nothing had been applied yet.
		Running: {Applied, Failed, Interrupted, Checking, Canceled},
		Held:    {Superseded},
		Failed:  {Superseded},
		// An interrupted apply ends only by a person's word.
		Interrupted: {Superseded},
	},
}

// CanBecome reports whether a run of the kind may move from s to next.
func (s Status) CanBecome(kind Kind, next Status) bool {
	switch kind {
	case StateChange:
		kind = Apply
	case Drift:
		kind = Plan
	}
	for _, to := range edges[kind][s] {
		if to == next {
			return true
		}
	}
	return false
}
