package budget

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost"
)

// Query asks for a report. From and To are both included; both zero is the
// present month.
type Query struct {
	Client string // its ID; "" for all
	From   Month
	To     Month
}

// Report is what the ledger says of some months, by client and project.
type Report struct {
	From    Month          `json:"from"`
	To      Month          `json:"to"`
	AsOf    time.Time      `json:"as_of"` // when it was made: the present month is told up to here
	Clients []ClientReport `json:"clients"`
}

// ClientReport is one client's part. Clients without a project in the ledger
// are left out.
type ClientReport struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
	Name string `json:"name"`
	// Currency is the one that Months and Forecast are in: the projects' own
	// where they have one in common, USD where they don't. Then LeftOut names
	// the currencies that no rate is known for, whose projects are not in the
	// sums.
	Currency string          `json:"currency"`
	LeftOut  []string        `json:"left_out,omitempty"`
	Months   []Figures       `json:"months"` // the projects' sums
	Projects []ProjectReport `json:"projects"`
	Budgets  []Status        `json:"budgets,omitempty"` // those that look at something of the client's, as they stand now; none where To is past
	// Forecast is of what the present month will cost, Next of the month after
	// it; both nil where To is past.
	Forecast *Forecast `json:"forecast,omitempty"`
	Next     *Forecast `json:"next,omitempty"`
}

// ProjectReport is one project's part, in its own currency.
type ProjectReport struct {
	Key
	RepoName string    `json:"repo"`    // owner/name
	Project  string    `json:"project"` // display name
	Currency string    `json:"currency"`
	Basis    Basis     `json:"basis"`              // of the rate at the end of To
	Services []Service `json:"services,omitempty"` // what that rate is made of, the dearest first
	Months   []Figures `json:"months"`
	Entries  []Entry   `json:"entries,omitempty"` // changes of the project that the months speak of, the newest first, at most 100
}

// Figures are one month's.
type Figures struct {
	Month Month `json:"month"`
	// Rate is what the project costs a month as of the month's end; in the
	// present month, as of now.
	Rate decimal.Decimal `json:"rate"`
	// Cost is what the month has cost, so far where it is the present one: each
	// rate by the share of the month that it lasted. A month counts as 1,
	// however many days it has, so that a rate that lasts all month costs
	// exactly itself.
	Cost decimal.Decimal `json:"cost"`
	// Applied is how the rate moved in the month through applies.
	Applied decimal.Decimal `json:"applied"`
	// Merged is the sum of the differences of what was merged in the month and
	// is not applied yet; Open of what is planned in open pull requests, told
	// in the present month alone.
	Merged decimal.Decimal `json:"merged"`
	Open   decimal.Decimal `json:"open"`
	// How far each of the three is known; left out where there is none.
	AppliedBound cost.Bound `json:"applied_bound,omitempty"`
	MergedBound  cost.Bound `json:"merged_bound,omitempty"`
	OpenBound    cost.Bound `json:"open_bound,omitempty"`
	// How many entries each of the three is made of.
	AppliedCount int `json:"applied_count"`
	MergedCount  int `json:"merged_count"`
	OpenCount    int `json:"open_count"`
	// AtLeast is set where Rate or Cost leave something out.
	AtLeast bool `json:"at_least"`
	// Known is false where an apply failed and nothing has been applied since,
	// or where the month was over before anything was known.
	Known bool `json:"known"`

	rateKnown bool // of Rate alone
}

// Forecast is where a month is heading.
type Forecast struct {
	Month  Month           `json:"month"`
	Amount decimal.Decimal `json:"amount"` // what the whole month will cost
	// Method names how it was reckoned, for people.
	Method string `json:"method"`
	// WithMerged is the same with what is merged and not applied yet taken as
	// applied now.
	WithMerged decimal.Decimal `json:"with_merged"`
	// Trend is the linear trend over the last whole months, nil where fewer
	// than three are known.
	Trend       *decimal.Decimal `json:"trend,omitempty"`
	TrendMethod string           `json:"trend_method,omitempty"`
	AtLeast     bool             `json:"at_least"`
	Known       bool             `json:"known"`
}

// Status is one budget as it stands in a month.
type Status struct {
	Budget   string          `json:"budget"`
	Month    Month           `json:"month"`
	Currency string          `json:"currency"`
	Amount   decimal.Decimal `json:"amount"`
	// Rate is what the projects it looks at cost a month now, Merged what is
	// merged or being applied on top, with how far that is known, Cost what the month has cost so far, and Projected what
	// the month will cost with what is merged.
	Rate      decimal.Decimal `json:"rate"`
	Merged    decimal.Decimal `json:"merged"`
	Cost      decimal.Decimal `json:"cost"`
	Projected decimal.Decimal `json:"projected"`
	// MergedBound is left out where nothing is merged.
	MergedBound cost.Bound `json:"merged_bound,omitempty"`
	Method      string     `json:"method"`
	Projects    int        `json:"projects"` // how many it looks at
	AtLeast     bool       `json:"at_least"`
	Known       bool       `json:"known"`
	// Shared is set where it looks at projects of several clients: its amounts
	// are for none of them to see.
	Shared bool `json:"shared"`
	// LeftOut names the currencies that can't be compared with the budget's.
	LeftOut    []string    `json:"left_out,omitempty"`
	Thresholds []Threshold `json:"thresholds,omitempty"`
	// Over is set where Rate with Merged is over Amount.
	Over     bool   `json:"over"`
	OnExceed string `json:"on_exceed"` // gate | warn
	Owners   string `json:"owners"`    // who says approve-cost, for people
	Needed   int    `json:"needed"`    // how many of them
}

// Kind of a threshold.
type ThresholdKind string

// The kinds.
const (
	Absolute  ThresholdKind = "absolute"  // the rate reaches an amount
	Percent   ThresholdKind = "percent"   // the rate reaches a part of the budget
	Projected ThresholdKind = "projected" // what the month will cost reaches a part of the budget
)

// Threshold is one mark of a budget.
type Threshold struct {
	Kind    ThresholdKind   `json:"kind"`
	Value   decimal.Decimal `json:"value"`  // in the budget's currency, or in percent of its amount
	Amount  decimal.Decimal `json:"amount"` // the amount that it is crossed at
	Crossed bool            `json:"crossed"`
	Alerted time.Time       `json:"alerted,omitzero"` // when it was told of in this month
}
