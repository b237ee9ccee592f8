package actuals

import (
	"cmp"
	"slices"

	"github.com/shopspring/decimal"
)

// Estimated is what a project was estimated to cost for a month.
type Estimated struct {
	Repo      int64
	Dir       string
	Workspace string
	Name      string
	Currency  string
	Amount    decimal.Decimal // of the month, or of the part of it that Elapsed says
	Elapsed   decimal.Decimal // the part of the month that Amount is of, 0 to 1
	AtLeast   bool            // something of it has no price
	Known     bool            // false: the ledger can't say
	Services  []EstimatedService
}

// EstimatedService is what one service was estimated to cost a month at the
// month's end. Unlike Amount it says nothing of what was there before.
type EstimatedService struct {
	Provider, Service string
	Rate              decimal.Decimal
}

// Line is an estimate and what was billed, side by side. Either may be
// missing: that is no zero.
type Line struct {
	Repo       int64            `json:"repo,omitempty"`
	Dir        string           `json:"dir,omitempty"`
	Workspace  string           `json:"workspace,omitempty"`
	Name       string           `json:"name"`
	Estimate   *decimal.Decimal `json:"estimate"` // of the part of the month that was billed; null: not known
	AtLeast    bool             `json:"estimate_at_least,omitempty"`
	Actual     *decimal.Decimal `json:"actual"`     // see Amounts.Compared; null: nothing was matched
	Difference *decimal.Decimal `json:"difference"` // actual less estimate; null where either is
	Percent    *decimal.Decimal `json:"percent"`    // of the estimate; null where that is 0 too
}

// Comparison holds the estimates of a client's month against what was billed,
// in one currency.
type Comparison struct {
	Currency  string          `json:"currency"`
	Total     Line            `json:"total"`
	Projects  []Line          `json:"projects"`
	Services  []Line          `json:"services"`
	Unmatched decimal.Decimal `json:"unmatched"` // billed to the client and to none of its projects
	// Share is Unmatched in parts of all that is compared, without regard to
	// signs.
	Share decimal.Decimal `json:"unmatched_share"`
}

// Compare holds estimates against a month. Currencies stay apart: what was
// estimated in one and billed in another stands in both, without a difference.
// An estimate of more of the month than was billed counts as far as the bill
// goes, as though it were spread evenly.
func Compare(m Month, estimates []Estimated) []Comparison {
	byCurrency := map[string]*Currency{}
	var names []string
	for i := range m.Currencies {
		byCurrency[m.Currencies[i].Currency] = &m.Currencies[i]
		names = append(names, m.Currencies[i].Currency)
	}
	for _, e := range estimates {
		if !slices.Contains(names, e.Currency) {
			names = append(names, e.Currency)
		}
	}
	slices.Sort(names)
	var all []Comparison
	for _, currency := range names {
		var of []Estimated
		for _, e := range estimates {
			if e.Currency == currency {
				of = append(of, e)
			}
		}
		all = append(all, compareIn(currency, m, byCurrency[currency], of))
	}
	return all
}

func compareIn(currency string, m Month, billed *Currency, estimates []Estimated) Comparison {
	c := Comparison{Currency: currency, Projects: []Line{}, Services: []Line{}}
	c.Total = Line{Name: m.Client}
	if billed != nil {
		c.Total.Actual = ref(billed.Total.Compared)
		for _, p := range billed.Projects {
			c.Projects = append(c.Projects, Line{Repo: p.Repo, Dir: p.Dir, Workspace: p.Workspace, Name: p.Name, Actual: ref(p.Amounts.Compared)})
		}
		for _, s := range billed.Services {
			c.Services = append(c.Services, Line{Name: s.Service, Actual: ref(s.Amounts.Compared)})
		}
		for _, how := range billed.Matched {
			if how.How == ByAccount || how.How == ByClient {
				c.Unmatched, c.Share = c.Unmatched.Add(how.Amounts.Compared), c.Share.Add(how.Share)
			}
		}
	}
	sum, known := decimal.Zero, 0
	for _, e := range estimates {
		i := slices.IndexFunc(c.Projects, func(l Line) bool { return l.Repo == e.Repo && l.Dir == e.Dir && l.Workspace == e.Workspace })
		if i < 0 {
			c.Projects = append(c.Projects, Line{Repo: e.Repo, Dir: e.Dir, Workspace: e.Workspace, Name: e.Name})
			i = len(c.Projects) - 1
		}
		l := &c.Projects[i]
		l.AtLeast = e.AtLeast
		c.Total.AtLeast = c.Total.AtLeast || e.AtLeast || !e.Known
		if !e.Known {
			continue
		}
		amount := e.Amount
		if m.Known && e.Elapsed.GreaterThan(m.Covered) {
			amount = amount.Mul(m.Covered).DivRound(e.Elapsed, 6)
		}
		l.Estimate = ref(amount)
		sum = sum.Add(amount)
		known++
		for _, s := range e.Services {
			i := slices.IndexFunc(c.Services, func(l Line) bool { return l.Name == s.Service })
			if i < 0 {
				c.Services = append(c.Services, Line{Name: s.Service})
				i = len(c.Services) - 1
			}
			rate := s.Rate
			if m.Known {
				rate = rate.Mul(m.Covered)
			}
			if have := c.Services[i].Estimate; have != nil {
				rate = rate.Add(*have)
			}
			c.Services[i].Estimate = ref(rate)
		}
	}
	if known > 0 {
		c.Total.Estimate = ref(sum)
	}
	// A service with nothing but taxes or credits has nothing to compare.
	c.Services = slices.DeleteFunc(c.Services, func(l Line) bool { return l.Estimate == nil && l.Actual.IsZero() })
	c.Total.differ()
	for i := range c.Projects {
		c.Projects[i].differ()
	}
	for i := range c.Services {
		c.Services[i].differ()
	}
	slices.SortStableFunc(c.Projects, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Repo, b.Repo), cmp.Compare(a.Dir, b.Dir), cmp.Compare(a.Workspace, b.Workspace))
	})
	slices.SortStableFunc(c.Services, func(a, b Line) int { return cmp.Compare(a.Name, b.Name) })
	return c
}

func ref(d decimal.Decimal) *decimal.Decimal { return &d }

// differ fills in the difference where both sides are known.
func (l *Line) differ() {
	if l.Estimate == nil || l.Actual == nil {
		return
	}
	l.Difference = ref(l.Actual.Sub(*l.Estimate))
	if !l.Estimate.IsZero() {
		l.Percent = ref(l.Difference.Mul(decimal.NewFromInt(100)).DivRound(*l.Estimate, 2))
	}
}
