package prices

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/errs"
)

// Discount is what a client pays less than the list says, in percent.
type Discount struct {
	Client  string
	Cloud   string          // "" for all
	Service string          // the catalogue's word; "" for all of the cloud
	Since   string          // the first day that it holds, 2006-01-02
	Percent decimal.Decimal // 0 to 100
}

// Check says what is wrong with a discount.
func (d Discount) Check() error {
	_, err := time.Parse(time.DateOnly, d.Since)
	switch {
	case d.Client == "":
		return errs.New(errs.Invalid, "A discount needs its client.")
	case d.Cloud == "" && d.Service != "":
		return errs.New(errs.Invalid, "A discount on the service %s needs its cloud.", d.Service)
	case err != nil:
		return errs.New(errs.Invalid, "A discount needs the day from which it holds, such as 2026-01-31, not %q.", d.Since)
	case d.Percent.IsNegative() || d.Percent.GreaterThan(hundred):
		return errs.New(errs.Invalid, "A discount is 0 to 100 percent, not %s.", d.Percent)
	}
	return nil
}

var hundred = decimal.NewFromInt(100)

// Discounts are those of one client.
type Discounts []Discount

// Of returns the percentage on a service on a day: that of the service before
// that of its cloud before that of all; of each the one that began last. They
// are not added up.
func (all Discounts) Of(cloud, service, day string) decimal.Decimal {
	for _, scope := range [][2]string{{cloud, service}, {cloud, ""}, {"", ""}} {
		var found *Discount
		for i, d := range all {
			if d.Cloud == scope[0] && d.Service == scope[1] && d.Since <= day && (found == nil || d.Since > found.Since) {
				found = &all[i]
			}
		}
		if found != nil {
			return found.Percent
		}
	}
	return decimal.Zero
}

// Less takes a percentage off an amount, exactly.
func Less(amount, percent decimal.Decimal) decimal.Decimal {
	return amount.Mul(hundred.Sub(percent)).Shift(-2)
}

// Rate is what one US dollar is worth in another currency on a day.
type Rate struct {
	Currency string // ISO 4217
	Day      string // 2006-01-02
	Value    decimal.Decimal
	Source   string
}

// Check says what is wrong with a rate.
func (r Rate) Check() error {
	_, err := time.Parse(time.DateOnly, r.Day)
	switch {
	case len(r.Currency) != 3 || r.Currency == "USD":
		return errs.New(errs.Invalid, "A rate needs a currency other than USD by its three letters, such as EUR, not %q.", r.Currency)
	case err != nil:
		return errs.New(errs.Invalid, "A rate needs its day, such as 2026-01-31, not %q.", r.Day)
	case !r.Value.IsPositive():
		return errs.New(errs.Invalid, "A rate must be positive, not %s.", r.Value)
	case r.Source == "":
		return errs.New(errs.Invalid, "A rate needs the source that says so.")
	}
	return nil
}

// Rates are dated rates of any currencies.
type Rates []Rate

// On returns the rate of a currency that held on a day: the last one of that
// day or before. There is none for days before the first.
func (all Rates) On(currency, day string) (Rate, bool) {
	var found Rate
	for _, r := range all {
		if r.Currency == currency && r.Day <= day && r.Day > found.Day {
			found = r
		}
	}
	return found, found.Day != ""
}

// Convert turns dollars into a currency by the rate of a day, exactly, and
// says which rate it was, since an amount without its rate's day means little.
// Dollars stay dollars.
func (all Rates) Convert(usd decimal.Decimal, currency, day string) (decimal.Decimal, Rate, error) {
	if currency == "USD" {
		return usd, Rate{Currency: "USD", Day: day, Value: decimal.NewFromInt(1)}, nil
	}
	r, ok := all.On(currency, day)
	if !ok {
		return decimal.Zero, Rate{}, errs.New(errs.NotFound, "No rate of %s is known for %s or before.", currency, day)
	}
	return usd.Mul(r.Value), r, nil
}
