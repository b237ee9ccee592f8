package cost

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost/pricebook"
	"github.com/tidelock/tidelock/planner/tfplan"
)

func under(t testing.TB, p *tfplan.Plan, o Options) Estimate {
	t.Helper()
	e, err := catalog(t).Estimate(p, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func off(s string) Discounts { return Discounts{{Percent: figure(s)}} }

// A discount of nothing changes nothing, one of all leaves nothing, and what is
// taken off the sum is what is taken off its parts: exactly, to the last digit.
func TestDiscountProperties(t *testing.T) {
	plan := planOf(t, virginia, estate(t, 1)...)
	list := estimate(t, plan)
	none := under(t, plan, Options{Discounts: off("0")})
	if d := cmp.Diff(money(list), money(none)); d != "" || none.Terms() != "" {
		t.Errorf("0 %%: %q %s", none.Terms(), d)
	}
	all := under(t, plan, Options{Discounts: off("100")})
	if !all.After.IsZero() || !all.Delta.IsZero() || len(all.Discounts) == 0 || all.Counts != list.Counts {
		t.Errorf("100 %%: %s, %+v", all.After, all.Counts)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for range 5 {
		p := decimal.New(rng.Int64N(100_000), -3)
		e := under(t, plan, Options{Discounts: Discounts{{Percent: p}}})
		if want := Less(list.After, p); !e.After.Equal(want) {
			t.Errorf("%s %% of %s is %s, want %s", p, list.After, e.After, want)
		}
		var parts decimal.Decimal
		for _, r := range e.Resources {
			for _, c := range r.Components {
				if c.List == nil || c.Discount == nil || !c.Price.Equal(Less(*c.List, *c.Discount)) || !c.Monthly.Equal(c.Quantity.Mul(c.Price)) {
					t.Fatalf("%s: %+v", r.Address, c)
				}
				parts = parts.Add(c.Monthly)
			}
		}
		if !parts.Equal(e.After) {
			t.Errorf("the parts are %s, the sum is %s", parts, e.After)
		}
	}
}

// The same holds of a rate, and of both together in whichever order.
func TestExchangeProperties(t *testing.T) {
	plan := planOf(t, virginia, estate(t, 1)...)
	list := estimate(t, plan)
	rate := figure("0.92137")
	e := under(t, plan, Options{Exchange: Exchange{Currency: "EUR", Rate: rate, Day: "2026-11-20"}, Discounts: off("12.5")})
	if want := Less(list.After.Mul(rate), figure("12.5")); !e.After.Equal(want) || e.Currency != "EUR" {
		t.Errorf("%s %s, want %s", e.Currency, e.After, want)
	}
	if e.Exchange == nil || !e.Exchange.Rate.Equal(rate) {
		t.Errorf("the estimate does not say its rate: %+v", e.Exchange)
	}
}

// The arithmetic by hand: an m5.large in Virginia is 730 × $0.096 = $70.08, a
// root disk of 8 GB × $0.10 = $0.80. At 12 % off EC2 alone, and at 0.92:
// 730 × 0.096 × 0.92 × 0.88 = 56.736768, and 0.8 × 0.92 = 0.736.
func TestDiscountWorked(t *testing.T) {
	plan := planOf(t, virginia, change{address: "aws_instance.x", actions: "create", after: object{"instance_type": "m5.large", "associate_public_ip_address": false}, conf: object{}})
	e := under(t, plan, Options{
		Exchange:  Exchange{Currency: "EUR", Rate: figure("0.92"), Day: "2026-11-20"},
		Discounts: Discounts{{Cloud: "aws", Service: "ec2", Percent: figure("12")}},
	})
	r := only(t, e)
	if got := e.After.String(); got != "57.472768" {
		t.Errorf("%s, of %+v", got, r.Components)
	}
	if got, want := e.Terms(), "with discounts of 12\u00a0% on aws ec2-linux; at 0.92 EUR/USD of 2026-11-20"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := Money(e.After, e.Currency); got != "EUR 57.47" {
		t.Error(got)
	}
}

func TestDiscountsOf(t *testing.T) {
	all := Discounts{{Percent: figure("1")}, {Cloud: "aws", Percent: figure("2")}, {Cloud: "aws", Service: "ec2", Percent: figure("3")}, {Cloud: "aws", Service: "ec2-windows", Percent: figure("0")}}
	for _, c := range []struct{ cloud, service, want string }{
		{"gcp", "compute", "1"}, {"aws", "kms", "2"}, {"aws", "ec2-linux", "3"}, {"aws", "ec2-windows", "0"}, {"aws", "ec2", "3"}, {"aws", "ec2x", "2"},
	} {
		if got := all.Of(c.cloud, c.service); !got.Equal(figure(c.want)) {
			t.Errorf("%s %s: %s %%, want %s", c.cloud, c.service, got, c.want)
		}
	}
}

// native has prices in euros besides.
type native struct {
	over
	euros over
}

func (n native) LookupIn(currency string, k pricebook.Key) (pricebook.Price, bool, error) {
	if currency != "EUR" {
		return pricebook.Price{}, false, nil
	}
	return n.euros.Lookup(k)
}

// A price that the vendor sets in the currency goes before one in dollars, and
// is turned by no rate; a region's own in dollars before one for all in it.
func TestNativePrices(t *testing.T) {
	euro := pricebook.Price{Amount: figure("0.5"), Unit: "hour", Source: pricebook.Source{Name: "ours", AsOf: "2026-11-01"}}
	c := catalog(t).With(native{over{}, over{
		{Cloud: "aws", Service: "ec2-linux", Region: "us-east-1", SKU: "m5.large"}:       euro,
		{Cloud: "aws", Service: "ebs", Region: pricebook.Global, SKU: "gp2"}:             euro,
		{Cloud: "aws", Service: "vpc", Region: pricebook.Global, SKU: "another.of.them"}: euro,
	}})
	plan := planOf(t, virginia, change{address: "aws_instance.x", actions: "create", after: object{"instance_type": "m5.large", "associate_public_ip_address": false}, conf: object{}})
	e, err := c.Estimate(plan, Options{Exchange: Exchange{Currency: "EUR", Rate: figure("0.92"), Day: "2026-11-20"}})
	if err != nil {
		t.Fatal(err)
	}
	r := only(t, e)
	if len(r.Components) != 2 || !r.Components[0].Native || r.Components[1].Native || e.After.String() != "365.736" { // 730 × 0.5 + 8 × 0.1 × 0.92
		t.Errorf("%s of %+v", e.After, r.Components)
	}
	if e, err = c.Estimate(plan, Options{}); err != nil || e.Currency != "USD" || !e.After.Equal(figure("70.88")) {
		t.Errorf("in dollars: %s %s, %v", e.Currency, e.After, err)
	}
}

// Money of two currencies is never added up.
func TestPlusOfTwoCurrencies(t *testing.T) {
	d := decimal.NewFromInt
	a := Estimate{Currency: "USD", After: d(15), Delta: d(5), Bound: BoundExact, Counts: Counts{Total: 1}}
	b := Estimate{Currency: "EUR", After: d(4), Delta: d(3), Bound: BoundExact, Counts: Counts{Total: 1}}
	s := a.Plus(b)
	if s.Currency != "USD" || !s.After.Equal(d(15)) || !s.AtLeast || s.Bound != BoundPartial || s.Counts.Total != 2 {
		t.Errorf("%+v", s)
	}
}

func TestMoneyOfOtherCurrencies(t *testing.T) {
	for _, c := range []struct{ amount, currency, want string }{
		{"1850.4", "JPY", "JPY 1,850"}, {"0.2", "JPY", "JPY 0.20"}, {"12.3456", "KWD", "KWD 12.346"}, {"0", "JPY", "JPY 0"}, {"-0.5", "JPY", "-JPY 1"},
	} {
		if got := Money(figure(c.amount), c.currency); got != c.want {
			t.Errorf("%s is %q, want %q", c.amount, got, c.want)
		}
	}
}
