package actuals

import (
	"time"

	"github.com/shopspring/decimal"
)

// Amounts are sums of charges in one currency.
type Amounts struct {
	Billed    decimal.Decimal `json:"billed"`    // what the invoice has
	Effective decimal.Decimal `json:"effective"` // what was paid in advance spread over what it covers
	List      decimal.Decimal `json:"list"`      // at list prices; a least where Unlisted is not 0
	// Compared is what estimates are held against: the effective cost of usage
	// and purchases, corrections included, without taxes, credits and
	// adjustments.
	Compared decimal.Decimal `json:"compared"`
	Lines    int64           `json:"lines"`              // of the export
	Unlisted int64           `json:"unlisted,omitempty"` // those without a list cost
}

// Plus returns the sum of both.
func (a Amounts) Plus(b Amounts) Amounts {
	return Amounts{a.Billed.Add(b.Billed), a.Effective.Add(b.Effective), a.List.Add(b.List), a.Compared.Add(b.Compared), a.Lines + b.Lines, a.Unlisted + b.Unlisted}
}

// Month is what one client was billed for one month.
type Month struct {
	Client string `json:"client"` // slug
	Month  string `json:"month"`  // 2006-01
	// Known is false where no export that was imported has the client's
	// charges of the month: that is no zero.
	Known bool `json:"known"`
	// Through is the end of the last usage that the exports have, of whatever
	// sub account, Covered the part of the month before it, 0 to 1. Where the
	// exports of several billing accounts, or several imports, end at different
	// times it is the earliest.
	Through    time.Time       `json:"through,omitzero"`
	Covered    decimal.Decimal `json:"covered"`
	Currencies []Currency      `json:"currencies"` // by name
	Imported   time.Time       `json:"imported,omitzero"`
}

// Currency is the part of a month that was billed in one currency.
type Currency struct {
	Currency   string     `json:"currency"` // ISO 4217
	Total      Amounts    `json:"total"`
	Categories []Category `json:"categories"`
	Matched    []Matched  `json:"matched"`  // in the order of How, without what has no lines
	Projects   []Project  `json:"projects"` // by name, then directory and workspace
	Services   []Service  `json:"services"` // of all, those that belong to no project too
}

// Category is what one kind of charge came to.
type Category struct {
	Category   string  `json:"category"` // Usage, Purchase, Tax, Credit or Adjustment
	Correction bool    `json:"correction,omitempty"`
	Amounts    Amounts `json:"amounts"`
}

// How a charge was matched, from the surest on.
const (
	ByID      = "id"      // its resource is known from the state of a project
	ByTag     = "tag"     // its tags name a project, or one resource alone
	ByAccount = "account" // the client is known by the account, the project is not
	ByClient  = "client"  // the client is known by tags in a shared account, the project is not
)

// Matched is what was matched in one way.
type Matched struct {
	How     string          `json:"how"`
	Amounts Amounts         `json:"amounts"`
	Share   decimal.Decimal `json:"share"` // of what is compared, without regard to signs, 0 to 1
}

// Project is what was billed for one project.
type Project struct {
	Repo      int64     `json:"repo"`
	Dir       string    `json:"dir"`
	Workspace string    `json:"workspace"`
	Name      string    `json:"name"`
	Amounts   Amounts   `json:"amounts"`
	Services  []Service `json:"services"`
}

// Service is what one of the provider's services came to.
type Service struct {
	Provider string  `json:"provider"` // as the export has it: AWS, Microsoft, Google Cloud
	Service  string  `json:"service"`
	Amounts  Amounts `json:"amounts"`
}

// Unattributed is what nobody's configuration claims, of one account and
// currency.
type Unattributed struct {
	Provider       string          `json:"provider"`
	BillingAccount string          `json:"billing_account"`
	SubAccount     string          `json:"sub_account,omitempty"`
	Name           string          `json:"name,omitempty"` // the sub account's
	Why            string          `json:"why"`            // nobody | several
	Currency       string          `json:"currency"`
	Amounts        Amounts         `json:"amounts"`
	Share          decimal.Decimal `json:"share"` // of all money in the currency that month, whoever's
}
