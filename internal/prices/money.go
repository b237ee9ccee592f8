package prices

import (
	"regexp"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/errs"
)

// Discount is what a client pays less than the list says, in percent.
type Discount struct {
	Client  string          `json:"client"`  // slug; "" is all, which only the configuration can say
	Cloud   string          `json:"cloud"`   // "" is all
	Service string          `json:"service"` // the catalogue's word or its beginning, see cost.Discount; "" is all of the cloud
	Since   string          `json:"since"`   // the first day that it holds, 2006-01-02; "" is always, which only the configuration can say
	Percent decimal.Decimal `json:"percent"` // 0 to 100
	// From is where the configuration says it; "" for the database.
	From string `json:"from,omitempty"`
}

// stored reports whether the database says it.
func (d Discount) stored() bool { return d.From == "" }

// Check says what is wrong with a discount. That the service is one is not
// looked at.
func (d Discount) Check() error {
	_, err := time.Parse(time.DateOnly, d.Since)
	switch {
	case d.Client == "" && d.stored():
		return errs.New(errs.Invalid, "A discount needs its client.")
	case d.Cloud == "" && d.Service != "":
		return errs.New(errs.Invalid, "A discount on the service %s needs its cloud.", d.Service)
	case d.Cloud != "" && len(Offers(d.Cloud)) == 0:
		return errs.New(errs.Invalid, "A discount's cloud is aws, azure or gcp, not %q.", d.Cloud)
	case err != nil && (d.Since != "" || d.stored()):
		return errs.New(errs.Invalid, "A discount needs the day from which it holds, such as 2026-01-31, not %q.", d.Since)
	case d.Percent.IsNegative() || d.Percent.GreaterThan(hundred) || d.Percent.Exponent() < -6:
		return errs.New(errs.Invalid, "A discount is 0 to 100 percent, with six digits after the point at most, not %s.", d.Percent)
	}
	return nil
}

var hundred = decimal.NewFromInt(100)

// Discounts are those of any clients.
type Discounts []Discount

// Of returns what holds for a client on a day: of each cloud and service the
// discount of the client before that of all clients, that of the database
// before the configuration's, and of those the one that began last. Which of
// them is on a component decides cost.Discounts.
func (all Discounts) Of(client, day string) cost.Discounts {
	type scope struct{ cloud, service string }
	chosen := map[scope]Discount{}
	var order []scope
	for _, d := range all {
		if d.Since > day || d.Client != "" && d.Client != client {
			continue
		}
		k := scope{d.Cloud, d.Service}
		old, there := chosen[k]
		if !there {
			order = append(order, k)
		}
		if !there || d.before(old) {
			chosen[k] = d
		}
	}
	var out cost.Discounts
	for _, k := range order {
		out = append(out, cost.Discount{Cloud: k.cloud, Service: k.service, Percent: chosen[k].Percent})
	}
	return out
}

// before reports whether d holds where both are of one scope.
func (d Discount) before(o Discount) bool {
	switch {
	case (d.Client == "") != (o.Client == ""):
		return d.Client != ""
	case d.stored() != o.stored():
		return d.stored()
	}
	return d.Since >= o.Since
}

// Rate is what one US dollar is worth in another currency on a day.
type Rate struct {
	Currency string          `json:"currency"` // ISO 4217
	Day      string          `json:"day"`      // 2006-01-02
	Value    decimal.Decimal `json:"rate"`
	Source   string          `json:"source"`
	From     string          `json:"from,omitempty"` // where the configuration says it; "" for the database
}

var currencyName = regexp.MustCompile(`^[A-Z]{3}$`)

// IsCurrency reports whether a text has the form of a currency's name.
func IsCurrency(text string) bool { return currencyName.MatchString(text) }

// Check says what is wrong with a rate.
func (r Rate) Check() error {
	_, err := time.Parse(time.DateOnly, r.Day)
	switch {
	case !IsCurrency(r.Currency) || r.Currency == dollars:
		return errs.New(errs.Invalid, "A rate needs a currency other than USD by its three capital letters, such as EUR, not %q.", r.Currency)
	case err != nil:
		return errs.New(errs.Invalid, "A rate needs its day, such as 2026-01-31, not %q.", r.Day)
	case !r.Value.IsPositive() || r.Value.Exponent() < -12 || r.Value.NumDigits() > 24:
		return errs.New(errs.Invalid, "A rate must be positive, with twelve digits after the point at most, not %s.", r.Value)
	case r.Source == "":
		return errs.New(errs.Invalid, "A rate needs the source that says so.")
	}
	return nil
}

// Rates are dated rates of any currencies.
type Rates []Rate

// On returns the rate of a currency that held on a day: the last one of that
// day or before, the database's where the configuration has one of the same
// day. There is none for days before the first.
func (all Rates) On(currency, day string) (Rate, bool) {
	var found Rate
	for _, r := range all {
		if r.Currency == currency && r.Day <= day && (r.Day > found.Day || r.Day == found.Day && r.From == "") {
			found = r
		}
	}
	return found, found.Day != ""
}
