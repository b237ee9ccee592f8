package actuals

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// ParseMonth checks a month as 2026-10 and returns its first moment and its
// end.
func ParseMonth(month string) (from, to time.Time, err error) {
	from, err = time.Parse("2006-01", month)
	if err != nil || len(month) != len("2006-01") {
		return from, to, errs.New(errs.Invalid, "%q is no month; write it as 2026-10.", month)
	}
	return from, from.AddDate(0, 1, 0), nil
}

// row is one row of what was billed.
type row struct {
	service, resource, category string
	correction                  bool
	currency, tags              string
	amounts                     Amounts
}

// ByProject returns what a client, by its slug, was billed for a month as
// 2026-10, by project and service. It is one consistent view. What it returns
// is shared with others who ask: it is not to be changed.
func (s *Store) ByProject(ctx context.Context, client, month string) (Month, error) {
	var m Month
	from, to, err := ParseMonth(month)
	if err != nil {
		return m, err
	}
	err = s.db.Read(ctx, func(q db.Querier) error {
		parts, err := partsOf(ctx, q, month)
		if err != nil {
			return err
		}
		parts = slices.DeleteFunc(parts, func(p kept) bool { return p.client != "" && p.client != client })
		stamp, err := stampOf(ctx, q, client, parts)
		if err != nil {
			return err
		}
		known := false
		if m, known = s.told.of(client, month, stamp); known {
			return nil
		}
		if m, err = s.byProject(ctx, q, client, month, parts); err != nil {
			return err
		}
		m.cover(from, to)
		s.told.keep(m, stamp)
		return nil
	})
	if err != nil {
		return m, fmt.Errorf("what was billed to %s in %s: %w", client, month, err)
	}
	return m, nil
}

// byProject reads it of the month's parts, row by row.
func (s *Store) byProject(ctx context.Context, q db.Querier, client, month string, parts []kept) (Month, error) {
	m := Month{Client: client, Month: month, Currencies: []Currency{}}
	rule := s.rules.of(client)
	x, err := indexOf(ctx, q, client)
	if err != nil {
		return m, err
	}
	sums := map[string]*summing{}
	ends := endsOf(parts)
	var imported int64
	for _, p := range parts {
		if !s.concerns(p, client) {
			continue
		}
		found := false
		err := rowsOf(ctx, q, p.id, func(r row) error {
			who, how := p.client, ByAccount
			if who == "" {
				who, how = s.rules.owner(p.Account, p.SubAccount, r.tags)
			}
			if who != client {
				return nil
			}
			found = true
			sum := sums[r.currency]
			if sum == nil {
				sum = newSumming()
				sums[r.currency] = sum
			}
			at, match := x.find(p.Provider, r.service, r.resource, r.tags, rule.ProjectTag)
			if match == "" {
				match = how
			}
			sum.add(p.Provider, r, match, at)
			return nil
		})
		if err != nil {
			return m, err
		}
		if !found {
			continue
		}
		m.Known = true
		if end := ends[p.export()]; !end.IsZero() && (m.Through.IsZero() || end.Before(m.Through)) {
			m.Through = end
		}
		var at int64
		if err := q.QueryRowContext(ctx, `SELECT coalesce(max(at_ms), 0) FROM billing_imports WHERE id = $1`, p.imported).Scan(&at); err != nil {
			return m, err
		}
		imported = max(imported, at)
	}
	if imported > 0 {
		m.Imported = db.FromMillis(imported).UTC()
	}
	for _, currency := range slices.Sorted(maps.Keys(sums)) {
		m.Currencies = append(m.Currencies, sums[currency].result(currency, x))
	}
	return m, nil
}

// cover says which part of the month from one moment to another was billed.
func (m *Month) cover(from, to time.Time) {
	if m.Known && !m.Through.IsZero() {
		part := decimal.NewFromInt(int64(m.Through.Sub(from)/time.Minute)).DivRound(decimal.NewFromInt(int64(to.Sub(from)/time.Minute)), 6)
		m.Covered = decimal.Max(decimal.Zero, decimal.Min(part, decimal.NewFromInt(1)))
	}
}

// export names what one import had of one billing account.
type export struct{ imported, provider, account string }

func (k kept) export() export { return export{k.imported, k.Provider, k.Account} }

// endsOf tells how far each export goes: to its last usage, whoever's. A sub
// account that used nothing later on is billed as far as the others are.
func endsOf(parts []kept) map[export]time.Time {
	ends := map[export]time.Time{}
	for _, p := range parts {
		ends[p.export()] = later(ends[p.export()], p.Through)
	}
	return ends
}

// concerns reports whether a part may have rows of the client: only its rows
// are read then.
func (s *Store) concerns(p kept, client string) bool {
	if p.client != "" {
		return p.client == client
	}
	for _, id := range [...]string{p.SubAccount, p.Account} {
		if id == "" {
			continue
		}
		if holders := s.rules.holders(id); len(holders) > 0 {
			return slices.ContainsFunc(holders, func(r Rule) bool { return r.Client == client })
		}
	}
	return len(s.rules.of(client).Tags) > 0
}

// partsOf returns the parts of the billing periods that begin in a month.
func partsOf(ctx context.Context, q db.Querier, month string) ([]kept, error) {
	return partsWhere(ctx, q, `WHERE period >= $1 AND period <= $2`, month+"-01", month+"-31")
}

func rowsOf(ctx context.Context, q db.Querier, part string, f func(row) error) error {
	return db.Each(ctx, q, func(scan func(...any) error) error {
		var r row
		var correction int64
		var amounts [3]string
		if err := scan(&r.service, &r.resource, &r.category, &correction, &r.currency, &r.tags, &amounts[0], &amounts[1], &amounts[2], &r.amounts.Lines, &r.amounts.Unlisted); err != nil {
			return err
		}
		for i, into := range [...]*decimal.Decimal{&r.amounts.Billed, &r.amounts.Effective, &r.amounts.List} {
			d, err := decimal.NewFromString(amounts[i])
			if err != nil {
				return fmt.Errorf("amount %q: %w", amounts[i], err)
			}
			*into = d
		}
		r.correction = correction == 1
		if compared(r.category) {
			r.amounts.Compared = r.amounts.Effective
		}
		return f(r)
	}, `SELECT service, resource_id, category, correction, currency, tags, billed, effective, list, lines, unlisted FROM billing_rows WHERE part_id = $1`, part)
}

// named is a service of a provider.
type named struct{ provider, service string }

// summing adds up one currency of a client's month.
type summing struct {
	total      Amounts
	categories map[Category]Amounts // keys without amounts
	matched    map[string]Amounts
	money      map[string]decimal.Decimal // by how, without signs
	services   map[named]Amounts
	projects   map[place]map[named]Amounts
}

func newSumming() *summing {
	return &summing{categories: map[Category]Amounts{}, matched: map[string]Amounts{}, money: map[string]decimal.Decimal{}, services: map[named]Amounts{}, projects: map[place]map[named]Amounts{}}
}

func (s *summing) add(provider string, r row, how string, at place) {
	s.total = s.total.Plus(r.amounts)
	category := Category{Category: r.category, Correction: r.correction}
	s.categories[category] = s.categories[category].Plus(r.amounts)
	s.matched[how] = s.matched[how].Plus(r.amounts)
	s.money[how] = s.money[how].Add(r.amounts.Compared.Abs()) // no tax belongs to a project
	service := named{provider, r.service}
	s.services[service] = s.services[service].Plus(r.amounts)
	if how == ByID || how == ByTag {
		if s.projects[at] == nil {
			s.projects[at] = map[named]Amounts{}
		}
		s.projects[at][service] = s.projects[at][service].Plus(r.amounts)
	}
}

func (s *summing) result(currency string, x *index) Currency {
	c := Currency{Currency: currency, Total: s.total, Categories: []Category{}, Matched: []Matched{}, Projects: []Project{}, Services: servicesOf(s.services)}
	for k, a := range s.categories {
		k.Amounts = a
		c.Categories = append(c.Categories, k)
	}
	slices.SortFunc(c.Categories, func(a, b Category) int {
		if n := cmp.Compare(slices.Index(categories, a.Category), slices.Index(categories, b.Category)); n != 0 || a.Correction == b.Correction {
			return n
		}
		if b.Correction {
			return -1
		}
		return 1
	})
	all := decimal.Zero
	for _, m := range s.money {
		all = all.Add(m)
	}
	for _, how := range [...]string{ByID, ByTag, ByAccount, ByClient} {
		if a, ok := s.matched[how]; ok {
			c.Matched = append(c.Matched, Matched{how, a, share(s.money[how], all)})
		}
	}
	for at, services := range s.projects {
		p := Project{Repo: at.repo, Dir: at.dir, Workspace: at.workspace, Name: x.names[at], Services: servicesOf(services)}
		for _, a := range p.Services {
			p.Amounts = p.Amounts.Plus(a.Amounts)
		}
		c.Projects = append(c.Projects, p)
	}
	slices.SortFunc(c.Projects, func(a, b Project) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Repo, b.Repo), cmp.Compare(a.Dir, b.Dir), cmp.Compare(a.Workspace, b.Workspace))
	})
	return c
}

// share is a part of a whole, of which there may be none.
func share(part, whole decimal.Decimal) decimal.Decimal {
	if whole.IsZero() {
		return decimal.Zero
	}
	return part.DivRound(whole, 6)
}

func servicesOf(m map[named]Amounts) []Service {
	all := []Service{}
	for k, a := range m {
		all = append(all, Service{k.provider, k.service, a})
	}
	slices.SortFunc(all, func(a, b Service) int {
		return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Service, b.Service))
	})
	return all
}

// Unattributed returns what nobody's configuration claims of a month, by
// account, the most money first. It is for those who run the server: accounts
// of several clients stand side by side in it.
func (s *Store) Unattributed(ctx context.Context, month string) ([]Unattributed, error) {
	if _, _, err := ParseMonth(month); err != nil {
		return nil, err
	}
	type key struct {
		unit
		why, currency string
	}
	all, names := map[key]Amounts{}, map[unit]string{}
	money, whole := map[key]decimal.Decimal{}, map[string]decimal.Decimal{}
	err := s.db.Read(ctx, func(q db.Querier) error {
		parts, err := partsOf(ctx, q, month)
		if err != nil {
			return err
		}
		for _, p := range parts {
			u := p.unit
			u.Period = ""
			names[u] = p.Name
			err := rowsOf(ctx, q, p.id, func(r row) error {
				abs := r.amounts.Billed.Abs()
				whole[r.currency] = whole[r.currency].Add(abs)
				if p.client != "" {
					return nil
				}
				client, why := s.rules.owner(p.Account, p.SubAccount, r.tags)
				if client != "" {
					return nil
				}
				k := key{u, why, r.currency}
				all[k], money[k] = all[k].Plus(r.amounts), money[k].Add(abs)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("what nobody claims of %s: %w", month, err)
	}
	out := []Unattributed{}
	for k, a := range all {
		out = append(out, Unattributed{k.Provider, k.Account, k.SubAccount, names[k.unit], k.why, k.currency, a, share(money[k], whole[k.currency])})
	}
	slices.SortFunc(out, func(a, b Unattributed) int {
		return cmp.Or(cmp.Compare(a.Currency, b.Currency), b.Share.Cmp(a.Share), cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.BillingAccount, b.BillingAccount), cmp.Compare(a.SubAccount, b.SubAccount), cmp.Compare(a.Why, b.Why))
	})
	return out, nil
}
