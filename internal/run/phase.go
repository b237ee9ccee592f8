package run

// Phase is what the change as a whole is doing.
type Phase string

const (
	PhaseQueued     Phase = "queued"     // nothing is known yet
	PhasePlanning   Phase = "planning"   // plans are under way
	PhaseWaiting    Phase = "waiting"    // some plans wait for another pull's lock, none runs
	PhaseFailed     Phase = "failed"     // it can't be planned, or a plan failed
	PhaseForbidden  Phase = "forbidden"  // a policy forbids it, or could not judge it
	PhasePlanned    Phase = "planned"    // everything is planned and may be applied
	PhaseUnchanged  Phase = "unchanged"  // the plans change nothing
	PhaseEmpty      Phase = "empty"      // no project is touched
	PhaseApplying   Phase = "applying"   // applies are under way or queued
	PhaseApplied    Phase = "applied"    // everything is applied
	PhaseCanceled   Phase = "canceled"   // somebody stopped the plans
	PhaseAttention  Phase = "attention"  // an apply failed, is held or was interrupted: a person must decide
	PhaseGated      Phase = "gated"      // it is not planned before somebody has done something
	PhaseSuperseded Phase = "superseded" // a newer head took its place
	PhaseClosed     Phase = "closed"     // the pull was closed without merging
)

// PhaseOf derives the phase from a change's rows; nothing stores it. Pure.
func PhaseOf(c Change, pairs []Pair) Phase {
	switch c.Status {
	case Pending:
		return PhaseQueued
	case Empty:
		return PhaseEmpty
	case Unplannable:
		return PhaseFailed
	case Gated:
		return PhaseGated
	case Outdated:
		return PhaseSuperseded
	case Closed:
		return PhaseClosed
	}
	n := TallyOf(pairs)
	switch {
	case n.Planning > 0:
		return PhasePlanning
	case n.Applying > 0:
		return PhaseApplying
	case n.Attention > 0:
		return PhaseAttention
	case n.Failed > 0:
		return PhaseFailed
	case n.Canceled > 0:
		return PhaseCanceled
	case n.Forbidden > 0:
		return PhaseForbidden
	case n.Waiting > 0:
		return PhaseWaiting
	case n.Ready > 0:
		return PhasePlanned
	case n.Deferred > 0:
		return PhaseWaiting
	case n.Applied > 0:
		return PhaseApplied
	}
	return PhaseUnchanged
}

// Tally counts the pairs of a change by what they are at; each counts once.
type Tally struct {
	Planning, Waiting, Failed, Forbidden, Ready, Unchanged int
	Applying, Applied, Attention                           int
	Deferred, Canceled                                     int
}

// TallyOf counts. A plan that nobody judged is Forbidden: it never passes for
// one that was.
func TallyOf(pairs []Pair) Tally {
	var n Tally
	for _, p := range pairs {
		switch {
		case p.Apply != nil && p.Apply.Status == Applied:
			n.Applied++
		case p.Apply != nil && p.Apply.Status == Blocked:
			n.Waiting++
		case p.Apply != nil && !p.Apply.Status.Finished():
			n.Applying++
		case p.Apply != nil && p.Apply.Status != Superseded && p.Apply.Status != Canceled:
			n.Attention++
		case p.Plan.Status == Blocked:
			n.Waiting++
		case p.Plan.Status == Deferred:
			n.Deferred++
		case p.Plan.Status == Canceled:
			n.Canceled++
		case !p.Plan.Status.Finished():
			n.Planning++
		case p.Plan.Status == Superseded: // a newer head's plans are what counts
		case p.Plan.Status != Planned:
			n.Failed++
		case p.Plan.Forbidden():
			n.Forbidden++
		case p.Plan.NoChanges():
			n.Unchanged++
		default:
			n.Ready++
		}
	}
	return n
}
