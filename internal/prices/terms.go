package prices

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tidelock/tidelock/internal/cost"
)

// Settings are what the server's configuration says of how plans are priced.
type Settings struct {
	Hours        int    // of a month; 0 is the usual 730
	Currency     string // of the estimates; "" is USD
	SustainedUse bool
	Usage        *cost.Usage // what resources are used, where nobody says more closely; nil for nothing
	Discounts    Discounts   // each with From
	Rates        Rates       // each with From
	Clients      map[string]ClientSettings
}

// ClientSettings are what it says of one client, by slug.
type ClientSettings struct {
	Currency string // "" is the server's
	Usage    *cost.Usage
}

// Terms say how each client's plans are priced: by the configuration, and by
// the discounts and rates of the database. It is safe for concurrent use.
type Terms struct {
	settings Settings
	store    *Store // nil at a desk, which has no database
	now      func() time.Time
}

// NewTerms returns the terms; store may be nil, and now is nil for the clock.
func NewTerms(s Settings, store *Store, now func() time.Time) *Terms {
	if now == nil {
		now = time.Now
	}
	return &Terms{s, store, now}
}

// Options are how a client's plans are priced now; the slug "" is that of
// nobody. What a repository says of usage is not in them: it goes over them.
func (t *Terms) Options(ctx context.Context, client string) (cost.Options, error) {
	s, own := t.settings, t.settings.Clients[client]
	o := cost.Options{HoursPerMonth: s.Hours, SustainedUse: s.SustainedUse, Usage: own.Usage.Default().Over(s.Usage.Default())}
	discounts, rates := s.Discounts, s.Rates
	currency := cmp.Or(own.Currency, s.Currency, dollars)
	if t.store != nil && client != "" {
		stored, err := t.store.Discounts(ctx, client)
		if err != nil {
			return o, err
		}
		discounts = append(discounts[:len(discounts):len(discounts)], stored...)
	}
	today := t.now().UTC().Format(time.DateOnly)
	o.Discounts = discounts.Of(client, today)
	if currency == dollars {
		return o, nil
	}
	if t.store != nil {
		stored, err := t.store.Rates(ctx, currency)
		if err != nil {
			return o, err
		}
		rates = append(rates[:len(rates):len(rates)], stored...)
	}
	r, ok := rates.On(currency, today)
	if !ok {
		o.Notes = append(o.Notes, fmt.Sprintf("The amounts are in US dollars and not in %[1]s: no rate of %[1]s is known for today or before. `tidelock prices rate set %[1]s` gives one.", currency))
		return o, nil
	}
	o.Exchange = cost.Exchange{Currency: currency, Rate: r.Value, Day: r.Day, Source: r.Source}
	return o, nil
}

// Currency is one that estimates are to be in, with the rate that they would be
// made by now.
type Currency struct {
	Name    string
	Clients []string // slugs of whose it is; none: the server's
	Rate    Rate
	Known   bool // false: there is no rate, and the amounts stay in dollars
}

// Currencies are those of the server and of its clients other than dollars, by
// name.
func (t *Terms) Currencies(ctx context.Context) ([]Currency, error) {
	of := map[string][]string{}
	if c := cmp.Or(t.settings.Currency, dollars); c != dollars {
		of[c] = nil
	}
	for slug, own := range t.settings.Clients {
		if own.Currency != "" && own.Currency != dollars {
			of[own.Currency] = append(of[own.Currency], slug)
		}
	}
	today := t.now().UTC().Format(time.DateOnly)
	var all []Currency
	for _, name := range slices.Sorted(maps.Keys(of)) {
		rates := t.settings.Rates
		if t.store != nil {
			stored, err := t.store.Rates(ctx, name)
			if err != nil {
				return nil, err
			}
			rates = append(rates[:len(rates):len(rates)], stored...)
		}
		c := Currency{Name: name, Clients: of[name]}
		slices.Sort(c.Clients)
		c.Rate, c.Known = rates.On(name, today)
		all = append(all, c)
	}
	return all, nil
}
