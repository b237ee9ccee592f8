package parts

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/config/configtest"
)

// TestPriceTerms: a client's estimates are in its own currency and with its own
// discounts, and say so where they can't be.
func TestPriceTerms(t *testing.T) {
	_, file := configtest.Good(t, `
cost {
  currency   = "EUR"
  usage_file = "usage.yml"
  discount {
    cloud   = "aws"
    service = "ec2"
    percent = 12.345
  }
  rate "EUR" {
    rate   = 0.92
    day    = "2026-11-20"
    source = "ECB"
  }
  client "acme" {
    currency   = "JPY"
    usage_file = "usage.yml"
    discount {
      percent = "5"
      since   = "2026-01-01"
    }
  }
}
`)
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "usage.yml"), []byte("version: 0.1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	read, problems := config.Load(file, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	c := read.Cost
	terms, err := PriceTerms(c, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	o, err := terms.Options(t.Context(), "")
	if err != nil || o.Exchange.Currency != "EUR" || o.Usage == nil || len(o.Discounts) != 1 {
		t.Errorf("%+v, %v", o, err)
	}
	if o, err = terms.Options(t.Context(), "acme"); err != nil || o.Exchange.Currency != "" || len(o.Notes) != 1 || len(o.Discounts) != 2 {
		t.Errorf("without a rate of its currency: %+v, %v", o, err)
	}
}
