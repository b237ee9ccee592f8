package budget

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// maxEntries bounds the changes that a project's report lists.
const maxEntries = 100

// trendMonths is how many whole months a trend looks back.
const trendMonths = 6

// Report returns what the ledger says of some months. It is one consistent
// view.
func (s *Store) Report(ctx context.Context, q Query) (Report, error) {
	now := s.now().UTC()
	if q.From.IsZero() && q.To.IsZero() {
		q.From, q.To = MonthOf(now), MonthOf(now)
	}
	switch {
	case q.From.IsZero() || q.To.IsZero() || q.To.Before(q.From):
		return Report{}, errs.New(errs.Invalid, "A report needs its first month and its last, the first not after the last.")
	case len(Months(q.From, q.To)) > 120:
		return Report{}, errs.New(errs.Invalid, "A report is of ten years at most.")
	}
	out := Report{From: q.From, To: q.To, AsOf: now, Clients: []ClientReport{}}
	var (
		l       *ledger
		budgets = map[string][]Status{}
		of      = map[string][]*history{}
	)
	err := s.db.Read(ctx, func(read db.Querier) (err error) {
		wide := q.Client
		if q.Client != "" && !q.To.Before(MonthOf(now)) {
			wide = s.reach(q.Client) // budgets may look beyond the client
		}
		since := min(q.From.Start().UnixMilli(), MonthOf(now).Add(-trendMonths).Start().UnixMilli())
		if l, err = s.load(ctx, read, part{client: wide, since: db.FromMillis(since), past: q.From.Start()}); err != nil {
			return err
		}
		for _, h := range l.all {
			if q.Client == "" || h.client == q.Client {
				of[h.client] = append(of[h.client], h)
			}
		}
		for id, hs := range of {
			if len(s.budgets) == 0 || q.To.Before(MonthOf(now)) {
				break // how a budget stood then is not kept
			}
			if budgets[id], err = s.statuses(ctx, read, l, hs); err != nil {
				return err
			}
		}
		for id, hs := range of {
			c := l.names[id]
			c.Budgets = budgets[id]
			if err := s.client(ctx, read, &c, hs, l.repos, q, now); err != nil {
				return err
			}
			out.Clients = append(out.Clients, c)
		}
		return nil
	})
	if err != nil {
		return Report{}, fmt.Errorf("report of costs: %w", err)
	}
	slices.SortFunc(out.Clients, func(a, b ClientReport) int { return cmp.Compare(a.Slug, b.Slug) })
	return out, nil
}

// client fills in one client's report.
func (s *Store) client(ctx context.Context, read db.Querier, c *ClientReport, hs []*history, repos map[int64]string, q Query, now time.Time) error {
	x := s.exchange(read, common(hs), now)
	c.Currency = x.to
	months := Months(q.From, q.To)
	c.Months = make([]Figures, len(months))
	for i, m := range months {
		c.Months[i] = Figures{Month: m, Known: true}
	}
	for _, h := range hs {
		p := ProjectReport{Key: h.Key, RepoName: repos[h.Repo], Project: h.project, Currency: h.currency}
		rate, err := x.rate(ctx, h.currency)
		if err != nil {
			return err
		}
		for i, m := range months {
			f := h.figures(m, now)
			p.Months = append(p.Months, f)
			if rate != nil {
				c.Months[i] = c.Months[i].Plus(f.times(*rate))
			}
		}
		if last, ok := stepAt(h.steps(), q.To.End()); ok {
			p.Basis, p.Services = last.basis, last.services
		}
		p.Entries = h.listed(q.From, q.To, now)
		c.Projects = append(c.Projects, p)
	}
	slices.SortFunc(c.Projects, func(a, b ProjectReport) int {
		return cmp.Or(cmp.Compare(a.RepoName, b.RepoName), cmp.Compare(a.Dir, b.Dir), cmp.Compare(a.Workspace, b.Workspace))
	})
	if present := MonthOf(now); !q.To.Before(present) {
		this, err := s.expect(ctx, hs, x, present, now)
		if err != nil {
			return err
		}
		next, err := s.expect(ctx, hs, x, present.Add(1), now)
		if err != nil {
			return err
		}
		c.Forecast, c.Next = &this, &next
	}
	c.LeftOut = x.leftOut()
	return nil
}

// expect forecasts a month of several projects, as of now.
func (s *Store) expect(ctx context.Context, hs []*history, x *exchange, m Month, now time.Time) (Forecast, error) {
	present := MonthOf(now)
	sum := Figures{Known: true}
	merged := decimal.Zero
	past := make([]Figures, trendMonths)
	for i := range past {
		past[i] = Figures{Month: present.Add(i - trendMonths), Known: true}
	}
	for _, h := range hs {
		rate, err := x.rate(ctx, h.currency)
		if err != nil {
			return Forecast{}, err
		}
		if rate == nil {
			continue
		}
		sum = sum.Plus(h.figures(present, now).times(*rate))
		merged = merged.Add(h.merged().Mul(*rate))
		for i := range past {
			past[i] = past[i].Plus(h.figures(past[i].Month, now).times(*rate))
		}
	}
	f := Expect(m, now, sum.Cost, sum.Rate, merged, past)
	f.AtLeast, f.Known = sum.AtLeast, sum.Known
	return f, nil
}

// merged is what is merged and not applied yet, whenever it was merged.
func (h *history) merged() decimal.Decimal {
	sum := decimal.Zero
	for _, e := range h.entries {
		if e.State == StateMerged {
			sum = sum.Add(e.moved)
		}
	}
	return sum
}

// listed returns the entries that the months speak of, the newest first.
func (h *history) listed(from, to Month, now time.Time) []Entry {
	var all []Entry
	for i := len(h.entries) - 1; i >= 0 && len(all) < maxEntries; i-- {
		e := h.entries[i]
		at := e.Planned
		switch {
		case e.State == StatePlanned:
			at = now
		case !e.Applied.IsZero():
			at = e.Applied
		case !e.Merged.IsZero():
			at = e.Merged
		}
		if m := MonthOf(at); !m.Before(from) && !to.Before(m) {
			all = append(all, e)
		}
	}
	return all
}

// exchange remembers the rates into one currency.
type exchange struct {
	q       db.Querier
	to, day string
	convert Converter
	known   map[string]*decimal.Decimal
}

func (s *Store) exchange(q db.Querier, to string, now time.Time) *exchange {
	return &exchange{q: q, to: to, day: now.Format(time.DateOnly), convert: s.convert, known: map[string]*decimal.Decimal{}}
}

// rate returns what one unit of a currency is in x's; nil where nobody knows.
func (x *exchange) rate(ctx context.Context, from string) (*decimal.Decimal, error) {
	one := decimal.NewFromInt(1)
	if from == x.to || from == "" { // without a currency there is no amount either
		return &one, nil
	}
	if r, ok := x.known[from]; ok || x.convert == nil {
		x.known[from] = r
		return r, nil
	}
	r, ok, err := x.convert.Convert(ctx, x.q, one, from, x.to, x.day)
	if err != nil {
		return nil, fmt.Errorf("rate from %s to %s: %w", from, x.to, err)
	}
	x.known[from] = nil
	if ok {
		x.known[from] = &r
	}
	return x.known[from], nil
}

func (x *exchange) leftOut() []string {
	var all []string
	for c, r := range x.known {
		if r == nil {
			all = append(all, c)
		}
	}
	slices.Sort(all)
	return all
}

// common returns the currency that all projects have; USD where they have
// several, or none.
func common(hs []*history) string {
	one := ""
	for _, h := range hs {
		if h.currency != "" && one != "" && h.currency != one {
			return "USD"
		}
		one = cmp.Or(one, h.currency)
	}
	return cmp.Or(one, "USD")
}

// owners reads the names of clients and repositories.
func owners(ctx context.Context, q db.Querier, client string) (map[string]ClientReport, map[int64]string, error) {
	names, repos := map[string]ClientReport{}, map[int64]string{}
	rs, err := q.QueryContext(ctx, `SELECT c.id, c.slug, c.name, COALESCE(r.id, 0), COALESCE(r.owner, ''), COALESCE(r.name, '')
		FROM clients c LEFT JOIN repos r ON r.client_id=c.id WHERE ($1 = '' OR c.id=$1)`, client)
	if err != nil {
		return nil, nil, err
	}
	defer rs.Close()
	for rs.Next() {
		var c ClientReport
		var repo int64
		var owner, name string
		if err := rs.Scan(&c.ID, &c.Slug, &c.Name, &repo, &owner, &name); err != nil {
			return nil, nil, err
		}
		names[c.ID] = c
		if repo != 0 {
			repos[repo] = owner + "/" + name
		}
	}
	return names, repos, rs.Err()
}
