package drift

// Remedy is the pull request that would take a project's drift back, as GitHub
// shows it now.
type Remedy struct {
	There, Open, Merged bool
}

// Cure is what is to be done about a project's drift by pull request.
type Cure int

const (
	NoCure  Cure = iota // nothing
	Offer               // open one
	Refresh             // write its report anew, which has it planned again
	Retract             // close it: there is nothing to take back
	Forget              // it is over: note that there is none
)

// Remedied says what is to be done about a project's drift by pull request.
// wanted is whether the repository wants it so. One that somebody closed is not
// opened again for the same drift, and of one that was merged the apply is
// waited for. Pure.
func Remedied(p Project, wanted bool, r Remedy) Cure {
	there := p.Remedy != 0
	switch p.Status {
	case Clean:
		switch {
		case there && r.Open:
			return Retract
		case there:
			return Forget
		}
	case Drifted:
		switch {
		case !wanted && there && r.Open:
			return Retract
		case !wanted:
		case !there:
			return Offer
		case p.Digest == p.RemedyDigest:
		case r.Open:
			return Refresh
		default:
			return Offer
		}
	}
	return NoCure
}
