package costreport

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/actuals"
	"github.com/tidelock/tidelock/internal/budget"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/errs"
)

// Asked is what a report is to be of.
type Asked struct {
	From, To budget.Month
	Project  string // only projects of this name or directory; "" for all
}

// trail is how many months charts go back before the last one.
const trail = 6

// AskedFor reads months as people give them: one month, or the first and the
// last; none is the present one.
func AskedFor(month, from, to string, now time.Time) (Asked, error) {
	present := budget.MonthOf(now)
	a := Asked{From: present, To: present}
	if month != "" {
		if from != "" || to != "" {
			return a, errs.New(errs.Invalid, "Give either one month, or the first and the last.")
		}
		from, to = month, month
	}
	var err error
	if to != "" {
		if a.To, err = budget.ParseMonth(to); err != nil {
			return a, err
		}
		a.From = a.To
	}
	if from != "" {
		if a.From, err = budget.ParseMonth(from); err != nil {
			return a, err
		}
	}
	switch {
	case present.Before(a.To):
		return a, errs.New(errs.Invalid, "%s has not begun: the ledger ends with %s. A report of that month forecasts it and the one after it.", a.To, present)
	case a.To.Before(a.From):
		return a, errs.New(errs.Invalid, "The first month, %s, is after the last, %s.", a.From, a.To)
	case a.From.Add(maxMonths - 1).Before(a.To):
		return a, errs.New(errs.Invalid, "A report is of %d months at most.", maxMonths)
	}
	return a, nil
}

// maxMonths is how many months a report is of at most.
const maxMonths = 60

// Query is what the ledger is to be asked, for the charts also the months
// before.
func (a Asked) Query(client string) budget.Query {
	from := a.To.Add(-trail)
	if a.From.Before(from) {
		from = a.From
	}
	return budget.Query{Client: client, From: from, To: a.To}
}

// Statement is a report as it is told. Its JSON names are stable
// (docs/cost.md): fields are added, never renamed. Amounts are decimals in
// text.
type Statement struct {
	From    budget.Month `json:"from"`
	To      budget.Month `json:"to"`
	AsOf    time.Time    `json:"as_of"`
	Project string       `json:"project,omitempty"` // only projects of this name or directory
	Clients []Client     `json:"clients"`
	// Budgets are those that look at several clients' projects. They are told in
	// a report of all clients alone: their amounts are for none of them to see.
	Budgets []Budget `json:"budgets,omitempty"`
}

// Client is one client's part.
type Client struct {
	Summary
	Services []Service `json:"services"` // what the rate at the end is made of, the dearest first
	Projects []Project `json:"projects"`
	Changes  []Change  `json:"changes"` // that moved or may move costs in the months, the newest first

	parts []part // what the charts' columns are stacked of
}

// Summary is what a client's projects come to together.
type Summary struct {
	Slug     string           `json:"slug"`
	Name     string           `json:"name"`
	Currency string           `json:"currency"`           // of Months, Forecast and a Client's Services
	LeftOut  []string         `json:"left_out,omitempty"` // currencies whose projects are not in the sums, for want of a rate
	Months   []Month          `json:"months"`             // the projects' sums
	Earlier  []Month          `json:"earlier,omitempty"`  // of the months before, which charts show too
	Forecast *budget.Forecast `json:"forecast,omitempty"` // of the present month, where the report goes up to it
	Next     *budget.Forecast `json:"next,omitempty"`     // of the month after it
	Budgets  []Budget         `json:"budgets"`
	Shared   []string         `json:"shared_budgets,omitempty"` // names of those that look at other clients' projects too
}

// Month is one month's figures with what was billed for it.
type Month struct {
	budget.Figures
	Billed *Bill `json:"billed,omitempty"`

	currency string
}

// Bill is what the cloud really billed of a month.
type Bill struct {
	Amount   decimal.Decimal  `json:"amount"` // effective cost without taxes, credits and adjustments
	Currency string           `json:"currency"`
	Covered  decimal.Decimal  `json:"covered"`              // the part of the month that is billed, 0 to 1
	Through  time.Time        `json:"through,omitzero"`     // up to when
	Beyond   *decimal.Decimal `json:"difference,omitempty"` // Amount less the estimated cost; left out where the two can't be compared
}

// Budget is a budget as it stands.
type Budget struct {
	budget.Status
	Used *decimal.Decimal `json:"used_percent,omitempty"` // what Rate is of Amount; left out where that is nothing
}

// Service is what one service of a cloud costs a month, over the projects.
type Service struct {
	Cloud   string          `json:"cloud,omitempty"`
	Service string          `json:"service"` // as the vendor bills it; "" for what is not split
	Label   string          `json:"label"`
	Rate    decimal.Decimal `json:"rate"`
}

// Project is one project's part, in its own currency.
type Project struct {
	Repo      string           `json:"repo"` // owner/name
	Project   string           `json:"project"`
	Dir       string           `json:"dir"`
	Workspace string           `json:"workspace"`
	Currency  string           `json:"currency"`
	Basis     budget.Basis     `json:"basis,omitempty"` // seen, applied or unknown; left out before the first plan
	Months    []Month          `json:"months"`
	Services  []budget.Service `json:"services,omitempty"`

	key budget.Key
}

// Change is what one change does to one project's costs.
type Change struct {
	ID        string          `json:"change_id"`
	Repo      string          `json:"repo"`
	Pull      int             `json:"pull"`
	Project   string          `json:"project"`
	Dir       string          `json:"dir"`
	Workspace string          `json:"workspace"`
	State     budget.State    `json:"state"` // planned, merged, applied or failed
	At        time.Time       `json:"at"`    // when it came to that
	Currency  string          `json:"currency,omitempty"`
	Before    decimal.Decimal `json:"before"`
	After     decimal.Decimal `json:"after"`
	Delta     decimal.Decimal `json:"delta"`
	Bound     cost.Bound      `json:"bound,omitempty"` // of Delta; left out where there is no estimate
}

// New makes a statement of what the ledger said to Asked.Query. Bills may be
// of more clients and months than that, or of none.
func New(a Asked, r budget.Report, bills []actuals.Month) Statement {
	s := Statement{From: a.From, To: a.To, AsOf: r.AsOf, Project: a.Project, Clients: []Client{}}
	byMonth := map[[2]string]actuals.Month{}
	for _, b := range bills {
		byMonth[[2]string{b.Client, b.Month}] = b
	}
	for _, in := range r.Clients {
		in.Projects = slices.Clone(in.Projects)
		if a.Project != "" {
			in.Projects = slices.DeleteFunc(in.Projects, func(p budget.ProjectReport) bool { return p.Project != a.Project && p.Dir != a.Project })
			if len(in.Projects) == 0 {
				continue
			}
			narrow(&in, r.AsOf)
		}
		bill := func(m budget.Month) (actuals.Month, bool) {
			b, ok := byMonth[[2]string{in.Slug, m.String()}]
			return b, ok && b.Known
		}
		s.Clients = append(s.Clients, newClient(a, in, r.AsOf, bill))
	}
	return s
}

// billing finds a client's bill of a month.
type billing func(budget.Month) (actuals.Month, bool)

func newClient(a Asked, in budget.ClientReport, now time.Time, bill billing) Client {
	c := Client{
		Summary:  Summary{Slug: in.Slug, Name: in.Name, Currency: in.Currency, LeftOut: in.LeftOut, Months: []Month{}, Budgets: []Budget{}},
		Services: []Service{}, Projects: []Project{}, Changes: []Change{}, parts: parts(in),
	}
	c.Forecast, c.Next = rounded(in.Forecast), rounded(in.Next)
	for _, f := range in.Months {
		f.Cost = f.Cost.Round(places)
		m := Month{Figures: f, currency: in.Currency}
		if b, ok := bill(f.Month); ok {
			if a.Project == "" {
				m.billed(b, now, func(cur actuals.Currency) (actuals.Amounts, bool) { return cur.Total, true })
			} else {
				m.billed(b, now, func(cur actuals.Currency) (actuals.Amounts, bool) { return sumOf(cur, in.Projects) })
			}
		}
		if f.Month.Before(a.From) {
			c.Earlier = append(c.Earlier, m)
		} else {
			c.Months = append(c.Months, m)
		}
	}
	for _, b := range in.Budgets {
		if b.Shared {
			c.Shared = append(c.Shared, b.Budget)
			continue
		}
		c.Budgets = append(c.Budgets, newBudget(b))
	}
	for _, p := range in.Projects {
		v := Project{
			Repo: p.RepoName, Project: p.Project, Dir: p.Dir, Workspace: p.Workspace, Currency: p.Currency, Basis: p.Basis, Services: p.Services, Months: []Month{}, key: p.Key,
		}
		for _, f := range p.Months {
			if f.Month.Before(a.From) {
				continue
			}
			f.Cost = f.Cost.Round(places)
			m := Month{Figures: f, currency: p.Currency}
			if b, ok := bill(f.Month); ok {
				m.billed(b, now, func(cur actuals.Currency) (actuals.Amounts, bool) { return sumOf(cur, []budget.ProjectReport{p}) })
			}
			v.Months = append(v.Months, m)
		}
		c.Projects = append(c.Projects, v)
		c.Changes = append(c.Changes, changes(a, p, now)...)
	}
	slices.SortStableFunc(c.Changes, func(x, y Change) int { return cmp.Or(y.At.Compare(x.At), cmp.Compare(y.ID, x.ID)) })
	c.Services = services(c, in.Projects)
	return c
}

func newBudget(b budget.Status) Budget {
	b.Cost, b.Projected = b.Cost.Round(places), b.Projected.Round(places)
	v := Budget{Status: b}
	if b.Amount.IsPositive() {
		used := b.Rate.Mul(decimal.NewFromInt(100)).DivRound(b.Amount, 1)
		v.Used = &used
	}
	return v
}

// places is how many decimals an amount has that is the part of a month which
// a rate lasted: it seldom comes out even.
const places = 6

func rounded(f *budget.Forecast) *budget.Forecast {
	if f == nil {
		return nil
	}
	out := *f
	out.Amount, out.WithMerged = f.Amount.Round(places), f.WithMerged.Round(places)
	if f.Trend != nil {
		trend := f.Trend.Round(places)
		out.Trend = &trend
	}
	return &out
}

// billed adds what was billed in the month's currency.
func (m *Month) billed(b actuals.Month, now time.Time, pick func(actuals.Currency) (actuals.Amounts, bool)) {
	for _, cur := range b.Currencies {
		if cur.Currency != m.currency {
			continue
		}
		amounts, ok := pick(cur)
		if !ok {
			continue
		}
		m.Billed = &Bill{Amount: amounts.Compared, Currency: cur.Currency, Covered: b.Covered, Through: b.Through}
		whole := b.Covered.GreaterThanOrEqual(decimal.NewFromInt(1)) && !now.Before(m.Figures.Month.End())
		if whole && m.Known {
			beyond := amounts.Compared.Sub(m.Cost)
			m.Billed.Beyond = &beyond
		}
	}
}

// sumOf adds up what was billed for projects; false where none of it was
// matched to any of them.
func sumOf(cur actuals.Currency, projects []budget.ProjectReport) (sum actuals.Amounts, ok bool) {
	for _, p := range cur.Projects {
		for _, want := range projects {
			if (budget.Key{Repo: p.Repo, Dir: p.Dir, Workspace: p.Workspace}) == want.Key {
				sum, ok = sum.Plus(p.Amounts), true
			}
		}
	}
	return sum, ok
}

// narrow makes the client's sums those of its projects alone. There are none
// where these have several currencies. Its budgets look at more than them.
func narrow(c *budget.ClientReport, now time.Time) {
	c.Budgets, c.Forecast, c.Next, c.LeftOut = nil, nil, nil, nil
	months := slices.Clone(c.Months)
	for i := range months {
		months[i] = budget.Figures{Month: months[i].Month, Known: true}
	}
	c.Months = months
	currency := ""
	for _, p := range c.Projects {
		if currency != "" && p.Currency != "" && p.Currency != currency {
			c.Months, c.LeftOut = nil, []string{currency, p.Currency}
			return
		}
		currency = cmp.Or(currency, p.Currency)
		for i, f := range p.Months {
			months[i] = months[i].Plus(f)
		}
	}
	c.Currency = cmp.Or(currency, c.Currency)
	present := budget.MonthOf(now)
	last := months[len(months)-1]
	if last.Month != present {
		return
	}
	merged := decimal.Zero
	for _, m := range months {
		merged = merged.Add(m.Merged)
	}
	for _, m := range []budget.Month{present, present.Add(1)} {
		f := budget.Expect(m, now, last.Cost, last.Rate, merged, months[max(len(months)-1-trail, 0):len(months)-1])
		f.AtLeast, f.Known = last.AtLeast, last.Known
		if m == present {
			c.Forecast = &f
		} else {
			c.Next = &f
		}
	}
}

// changes are those of a project that say something of the months asked for.
func changes(a Asked, p budget.ProjectReport, now time.Time) []Change {
	var out []Change
	for _, e := range p.Entries {
		c := Change{ID: e.Change, Repo: p.RepoName, Pull: e.Pull, Project: e.Project, Dir: e.Dir, Workspace: e.Workspace, State: e.State}
		amounts, month := e.Amounts, budget.Month{}
		switch e.State {
		case budget.StatePlanned:
			c.At, month = e.Planned, budget.MonthOf(now) // it is open now, whenever it was planned
		case budget.StateMerged:
			c.At, month = e.Merged, budget.MonthOf(e.Merged)
		case budget.StateApplied, budget.StateFailed:
			c.At, month = e.Applied, budget.MonthOf(e.Applied)
			if e.Last != nil {
				amounts = *e.Last
			}
		default:
			continue // closed or replaced: it moves nothing
		}
		if month.Before(a.From) || a.To.Before(month) {
			continue
		}
		c.Currency, c.Before, c.After, c.Delta = amounts.Currency, amounts.Before, amounts.After, amounts.Delta
		if c.Currency != "" {
			c.Bound = amounts.Bound
		}
		out = append(out, c)
	}
	return out
}

// services adds up what the projects' rates are made of, where they have the
// client's currency. What is not split stands last.
func services(c Client, projects []budget.ProjectReport) []Service {
	type key struct{ cloud, service string }
	sums := map[key]*Service{}
	rest := c.Last().Rate
	for _, p := range projects {
		if p.Currency != c.Currency {
			continue
		}
		for _, s := range p.Services {
			k := key{s.Cloud, s.Service}
			if sums[k] == nil {
				sums[k] = &Service{Cloud: s.Cloud, Service: s.Service, Label: cmp.Or(s.Label, s.Service)}
			}
			sums[k].Rate = sums[k].Rate.Add(s.Rate)
			rest = rest.Sub(s.Rate)
		}
	}
	out := []Service{}
	for _, s := range sums {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b Service) int {
		return cmp.Or(b.Rate.Cmp(a.Rate), cmp.Compare(a.Cloud, b.Cloud), cmp.Compare(a.Service, b.Service))
	})
	if !rest.IsZero() {
		out = append(out, Service{Label: "Not split by service", Rate: rest})
	}
	return out
}

// Last is the last of the months.
func (c Summary) Last() Month {
	if len(c.Months) == 0 {
		return Month{currency: c.Currency}
	}
	return c.Months[len(c.Months)-1]
}

// Last is the last of the months.
func (p Project) Last() Month { return p.Months[len(p.Months)-1] }

// Whole is what the months come to together: what they cost, what was applied
// and what was billed add up, the rest is the last one's.
func (p Project) Whole() Month { return whole(p.Months, p.Currency) }

// Whole is what the client's months come to together.
func (c Summary) Whole() Month { return whole(c.Months, c.Currency) }

func whole(months []Month, currency string) Month {
	if len(months) == 0 {
		return Month{currency: currency}
	}
	sum := months[len(months)-1]
	billed := sum.Billed
	for _, m := range months[:len(months)-1] {
		sum.Cost, sum.Applied = sum.Cost.Add(m.Cost), sum.Applied.Add(m.Applied)
		sum.Merged, sum.MergedCount = sum.Merged.Add(m.Merged), sum.MergedCount+m.MergedCount
		sum.AppliedCount += m.AppliedCount
		sum.AppliedBound, sum.MergedBound = sum.AppliedBound.And(m.AppliedBound), sum.MergedBound.And(m.MergedBound)
		sum.AtLeast, sum.Known = sum.AtLeast || m.AtLeast, sum.Known && m.Known
		if billed != nil && m.Billed != nil {
			b := *billed
			b.Amount, b.Beyond = b.Amount.Add(m.Billed.Amount), nil
			b.Covered = decimal.Min(b.Covered, m.Billed.Covered)
			billed = &b
		} else {
			billed = nil // a part of it alone would read as the whole
		}
	}
	sum.Billed = billed
	return sum
}

// Applied is how the rate moved in all of the months.
func (p Project) Applied() decimal.Decimal { return p.Whole().Applied }

// Movers are the projects whose rates moved most in the months, at most n, in
// the client's currency.
func (c Client) Movers(n int) []Project {
	all := slices.DeleteFunc(slices.Clone(c.Projects), func(p Project) bool { return p.Currency != c.Currency || p.Applied().IsZero() })
	slices.SortStableFunc(all, func(a, b Project) int { return b.Applied().Abs().Cmp(a.Applied().Abs()) })
	return all[:min(n, len(all))]
}

// Title names the project as people do.
func (p Project) Title() string { return title(p.Repo, p.Project, p.Workspace) }

// Title names the change's project as people do.
func (c Change) Title() string { return title(c.Repo, c.Project, c.Workspace) }

func title(repo, project, workspace string) string {
	text := strings.TrimSpace(repo + " " + project)
	if workspace != "" && workspace != "default" {
		text += " (" + workspace + ")"
	}
	return text
}
