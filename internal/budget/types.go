package budget

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost"
)

// Key names a project as locks and states do: immutable IDs and paths.
type Key struct {
	Repo      int64  `json:"repo_id"`
	Dir       string `json:"dir"`
	Workspace string `json:"workspace"`
}

// Service is what one service of a cloud costs a month.
type Service struct {
	Cloud   string          `json:"cloud"`
	Service string          `json:"service"` // as the vendor's billing exports write it
	Label   string          `json:"label"`   // the same in short, for people
	Rate    decimal.Decimal `json:"rate"`    // a month
}

// Amounts are what a ledger row keeps of an estimate: costs a month.
type Amounts struct {
	Currency string          `json:"currency"` // ISO 4217
	Before   decimal.Decimal `json:"before"`
	After    decimal.Decimal `json:"after"`
	Delta    decimal.Decimal `json:"delta"` // After - Before
	// AtLeast is set where Before and After leave something out; Bound says the
	// same of Delta.
	AtLeast  bool       `json:"at_least"`
	Bound    cost.Bound `json:"bound"`
	AsOf     string     `json:"as_of,omitempty"` // the day, or "from to to", of the prices
	Services []Service  `json:"services,omitempty"`
}

// AmountsOf takes from an estimate what the ledger keeps.
func AmountsOf(e cost.Estimate) Amounts {
	return Amounts{
		Currency: e.Currency, Before: e.Before, After: e.After, Delta: e.Delta,
		AtLeast: e.AtLeast, Bound: e.Bound, AsOf: e.AsOf, Services: servicesOf(e),
	}
}

// amountsIn are those of an estimate. Where there is none, or the estimator
// failed, they have no currency: nothing is known then, which is not zero.
func amountsIn(e *cost.Estimate) Amounts {
	if e == nil || e.Failed != "" {
		return Amounts{}
	}
	return AmountsOf(*e)
}

// State says how far an entry is.
type State string

// The states, in the order of a change's life. What was applied stays so,
// whatever becomes of the pull request.
const (
	StatePlanned    State = "planned"    // an estimate; the pull request is open
	StateMerged     State = "merged"     // merged and not applied yet
	StateApplied    State = "applied"    // applied as estimated
	StateFailed     State = "failed"     // an apply failed or was broken off: what holds now is not known
	StateClosed     State = "closed"     // closed without merging
	StateSuperseded State = "superseded" // a newer head took its place
)

// Entry is the ledger's row of one project in one change.
type Entry struct {
	Change string `json:"change"`
	Client string `json:"client"`
	Key
	Project string    `json:"project"` // display name
	Pull    int       `json:"pull"`
	State   State     `json:"state"`
	Plan    string    `json:"plan"` // the run that the estimate is of
	Digest  string    `json:"digest"`
	Planned time.Time `json:"planned"`
	Amounts Amounts   `json:"amounts"` // of the last plan; without a currency where it has no estimate
	Merged  time.Time `json:"merged,omitzero"`
	// Applied is when an apply last ended, well or not, and Last what its plan
	// said; zero and nil before.
	Applied time.Time `json:"applied,omitzero"`
	Last    *Amounts  `json:"last,omitempty"`

	partial  bool // the plan was of some resources alone
	applying bool // an apply of it has begun and not ended
	// moved is Amounts.Delta in the currency of the project's history; lost is
	// set where no rate into that is known.
	moved decimal.Decimal
	lost  bool
}

// Basis says what a project's rate rests on.
type Basis string

// The bases.
const (
	BasisSeen    Basis = "seen"    // what the first plan found there: nothing has been applied here yet
	BasisApplied Basis = "applied" // what was applied last
	BasisUnknown Basis = "unknown" // an apply failed, was broken off or had no estimate: the figure is the last one that was known
)

// Point says what a project costs a month from a moment on.
type Point struct {
	Key
	Client   string
	Project  string
	Run      string // whose end it is; of a BasisSeen, the plan
	Change   string
	At       time.Time
	Basis    Basis
	Currency string
	// Partial is set where the plan was of some resources alone: Rate is then
	// the difference to the rate before.
	Partial  bool
	Rate     decimal.Decimal // of a BasisUnknown nothing: the rate before holds
	AtLeast  bool
	Services []Service
}
