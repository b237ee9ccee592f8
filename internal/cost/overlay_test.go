package cost

import (
	"testing"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost/pricebook"
)

type over map[pricebook.Key]pricebook.Price

func (o over) Lookup(k pricebook.Key) (pricebook.Price, bool, error) {
	p, ok := o[k]
	return p, ok, nil
}

// An overlay goes before the embedded price of the same key alone: never
// another region's, and a region's own price before one for all.
func TestOverlay(t *testing.T) {
	plain := catalog(t)
	at := func(amount string) pricebook.Price {
		return pricebook.Price{Amount: decimal.RequireFromString(amount), Unit: "hour", Source: pricebook.Source{Name: "ours", AsOf: "2026-11-01"}}
	}
	c := plain.With(over{
		{Cloud: "aws", Service: "ec2-linux", Region: "eu-west-1", SKU: "m5.large"}:         at("0.2"),
		{Cloud: "aws", Service: "vpc", Region: "eu-west-1", SKU: "public-ipv4"}:            at("0.3"),
		{Cloud: "aws", Service: "kms", Region: pricebook.Global, SKU: "key"}:               at("0.4"),
		{Cloud: "aws", Service: "ec2-linux", Region: "cn-north-1", SKU: "not.in.the.book"}: at("0.5"),
	})
	for _, s := range []struct{ service, region, sku, want string }{
		{"ec2-linux", "eu-west-1", "m5.large", "0.2"},
		{"ec2-linux", "us-east-1", "m5.large", "0.096"},
		{"vpc", "eu-west-1", "public-ipv4", "0.3"},
		{"vpc", "us-east-1", "public-ipv4", "0.005"},
		{"kms", "us-east-1", "key", "0.4"},
		{"ec2-linux", "cn-north-1", "not.in.the.book", "0.5"},
	} {
		p, ok, err := c.price("aws", s.service, s.region, s.sku)
		if err != nil || !ok || !p.Amount.Equal(decimal.RequireFromString(s.want)) {
			t.Errorf("%s %s %s = %s, %v, %v; want %s", s.service, s.region, s.sku, p.Amount, ok, err, s.want)
		}
	}
	if p, ok, _ := c.price("aws", "kms", "cn-north-1", "key"); ok {
		t.Errorf("China's key has the price %s of all other regions", p.Amount)
	}
	if p, _, _ := plain.price("aws", "ec2-linux", "eu-west-1", "m5.large"); !p.Amount.Equal(decimal.RequireFromString("0.107")) {
		t.Error("the catalogue itself changed")
	}
}

// moving is an overlay whose price doubles each time that it is asked itself.
type moving struct{ amount decimal.Decimal }

func (m *moving) Lookup(k pricebook.Key) (pricebook.Price, bool, error) {
	m.amount = m.amount.Add(m.amount)
	return m.Now().Lookup(k)
}

func (m *moving) Now() Overlay {
	return over{{Cloud: "aws", Service: "vpc", Region: pricebook.Global, SKU: "public-ipv4"}: {Amount: m.amount, Unit: "hour", Source: pricebook.Source{Name: "ours", AsOf: "2026-11-01"}}}
}

// An estimate is made of the prices of one moment.
func TestOverlayThatMoves(t *testing.T) {
	c := catalog(t).With(&moving{decimal.NewFromInt(1)}).still()
	for range 2 {
		if p, ok, err := c.price("aws", "vpc", "eu-west-1", "public-ipv4"); err != nil || !ok || !p.Amount.Equal(decimal.NewFromInt(1)) {
			t.Errorf("%s, %v, %v", p.Amount, ok, err)
		}
	}
}
