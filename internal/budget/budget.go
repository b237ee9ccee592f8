package budget

import (
	"cmp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/shopspring/decimal"
)

// Budget is what some projects may cost a month, as the server's configuration
// says. Several may look at the same project: each counts.
type Budget struct {
	Name       string
	Scope      Scope
	Month      Month // the one month that it is for; zero: every month
	Amount     decimal.Decimal
	Currency   string // ISO 4217
	Thresholds []Threshold
	Owners     Owners
	OnExceed   string // Gate or Warn
	Place      string // file:line of its block
}

// What a budget does to a change that is over it.
const (
	Gate = "gate" // it is not applied before its owners approve the cost
	Warn = "warn" // it is told
)

// Scope says which projects a budget looks at: those that everything it says
// holds for. The zero one looks at all of all clients.
type Scope struct {
	Client      string   // pattern of a client's slug
	Environment string   // pattern of an environment's name
	Repos       []string // patterns of owner/name
	Projects    []string // patterns of names
}

// Target is a project as scopes look at it.
type Target struct {
	Client      string // slug
	Repo        string // owner/name
	Project     string // name
	Dir         string
	Workspace   string
	Environment string // its name; "" for none
}

// Holds reports whether a budget looks at the project. GitHub does not tell
// upper case from lower, so clients and repositories are compared without it.
func (s Scope) Holds(t Target) bool {
	one := func(pattern, value string) bool {
		ok, err := doublestar.Match(pattern, value)
		return ok && err == nil
	}
	some := func(patterns []string, value string, fold bool) bool {
		if fold {
			value = strings.ToLower(value)
		}
		return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool {
			if fold {
				p = strings.ToLower(p)
			}
			return one(p, value)
		})
	}
	return (s.Client == "" || one(strings.ToLower(s.Client), strings.ToLower(t.Client))) &&
		(s.Environment == "" || one(s.Environment, t.Environment)) &&
		some(s.Repos, t.Repo, true) && some(s.Projects, t.Project, false)
}

// Owners are those who may approve what is over a budget, and how many of them
// must.
type Owners struct {
	Who   []string `json:"who,omitempty"`   // logins, or teams as "organization/team"; empty is whoever has the role maintain
	Count int      `json:"count,omitempty"` // how many different ones; 0 is one
}

// Needed is how many owners must approve, at least one.
func (o Owners) Needed() int { return max(o.Count, 1) }

// String names them, for people.
func (o Owners) String() string {
	who := strings.Join(o.Who, ", ")
	return cmp.Or(who, "role maintain")
}

// thresholds returns the budget's, with the amounts that they are crossed at,
// in the order of those.
func (b Budget) thresholds() []Threshold {
	out := slices.Clone(b.Thresholds)
	for i := range out {
		t := &out[i]
		t.Amount = t.Value
		if t.Kind != Absolute {
			t.Amount = b.Amount.Mul(t.Value).Shift(-2)
		}
	}
	slices.SortStableFunc(out, func(x, y Threshold) int { return x.Amount.Cmp(y.Amount) })
	return out
}

// key names a threshold within its budget.
func (t Threshold) key() string { return string(t.Kind) + " " + t.Value.String() }
