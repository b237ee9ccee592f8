package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/cmd/tidelock/config/configtest"
	"github.com/tidelock/tidelock/internal/prices"
)

const someCost = `
secret "google" {
  env   = "GOOGLE_KEY"
  repos = ["acme/none"]
}

cost {
  currency      = "EUR"
  sustained_use = true
  usage_file    = "usage.yml"

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
  refresh {
    every = "24h"
    aws {
      regions  = ["eu-west-1"]
      services = ["AmazonEC2"]
    }
    azure {
      currencies = ["USD", "EUR"]
      regions    = ["westeurope"]
    }
    gcp { key_secret = "google" }
  }
}
`

func TestConfigCost(t *testing.T) {
	_, file := configtest.Good(t, someCost)
	usage := filepath.Join(filepath.Dir(file), "usage.yml")
	if err := os.WriteFile(usage, []byte("version: 0.1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := Read(file, nil, NeedAll)
	if len(l.Problems) > 0 {
		t.Fatal(l.Problems)
	}
	c := l.Config.Cost
	if c.Currency != "EUR" || !c.SustainedUse || c.UsageFile != usage || c.Clients["acme"] != (CostClient{"JPY", usage}) || c.HoursPerMonth != 730 {
		t.Errorf("%+v", c)
	}
	if len(c.Discounts) != 2 || c.Discounts[0].Percent.String() != "12.345" || c.Discounts[1].Client != "acme" || c.Discounts[0].From == "" {
		t.Errorf("%+v", c.Discounts)
	}
	if len(c.Rates) != 1 || c.Rates[0].Value.String() != "0.92" {
		t.Errorf("%+v", c.Rates)
	}
	if r := c.Refresh; r.Every != 24*time.Hour || len(r.Lists) != 4 || r.Lists[0].Cloud != prices.AWS || r.Lists[2].Currency != "EUR" || r.Lists[3].KeySecret != "google" {
		t.Errorf("%+v", r)
	}

	// What is shown can be read again, and says the same.
	var out strings.Builder
	if err := l.Write(&out); err != nil {
		t.Fatal(err)
	}
	if want := "  # from " + file + ":18:3\n  discount {\n    cloud   = \"aws\"\n"; !strings.Contains(out.String(), want) {
		t.Errorf("config show lacks %q:\n%s", want, out.String())
	}
	again := filepath.Join(filepath.Dir(file), "again.hcl")
	if err := os.WriteFile(again, []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if l := Read(again, nil, NeedAll); len(l.Problems) > 0 || len(l.Config.Cost.Refresh.Lists) != 4 || len(l.Config.Cost.Discounts) != 2 {
		t.Errorf("%v\n%s", l.Problems, out.String())
	}
	text, err := json.Marshal(l.JSON())
	if err != nil || !strings.Contains(string(text), `"cost.client.acme":{"value":"client \"acme\" {`) {
		t.Errorf("%v %s", err, text)
	}
}

func TestConfigCostProblemsHaveTheirPlaces(t *testing.T) {
	_, file := configtest.Good(t, `
cost {
  currency   = "euros"
  usage_file = "none.yml"
  discount {
    percent = 101
  }
  discount {
    cloud   = "aws"
    service = "ec3"
    percent = 1
  }
  discount { percent = true }
  discount { service = "ec2" }
  rate "USD" {
    rate   = 1
    day    = "2026-11-20"
    source = "x"
  }
  client "acme" { currency = "€" }
  client "acme" {}
  refresh {
    every  = "1m"
  }
  refresh {
    every  = "24h"
    clouds = ["aws", "oracle"]
    azure { currencies = ["eur"] }
    gcp { key_secret = "nobody" }
  }
  client "b" { usage = 1 }
}
`)
	_, problems := Load(file, nil)
	var all []string
	for _, p := range problems {
		all = append(all, strings.TrimPrefix(p.String(), file))
	}
	text := strings.Join(all, "\n")
	for _, want := range []string{
		":9:16: cost.currency must be three capital letters", ":10:16: cost.usage_file can't be used.", ":11:3: a discount is 0 to 100 percent",
		":14:3: a discount is on the service \"ec3\", and the prices of aws have none of that name.", ":19:24: cost.discount.percent must be a number",
		":20:", ":21:3: a rate needs a currency other than USD", ":26:3: the currency of the client \"acme\" must be three capital letters",
		":27:3: there is a second block for the client \"acme\"", ":28:3: every must be a time between 1h", ":31:3: there is a second block refresh", ":37:",
	} {
		if !strings.Contains("\n"+text, "\n"+want) {
			t.Errorf("no problem begins with %q:\n%s", want, text)
		}
	}
	_, file = configtest.Good(t, "\ncost {\n  refresh {\n    every  = \"24h\"\n    clouds = [\"aws\", \"oracle\", \"azure\", \"gcp\"]\n    azure { currencies = [\"eur\"] }\n    gcp { key_secret = \"nobody\" }\n  }\n}\n")
	_, problems = Load(file, nil)
	text = ""
	for _, p := range problems {
		text += "\n" + strings.TrimPrefix(p.String(), file)
	}
	for _, want := range []string{":9:3: clouds has \"aws\", and there is no block aws", ":9:3: clouds has \"oracle\"", ":12:5: \"eur\" is no currency", ":13:5: the block gcp asks for the secret \"nobody\""} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("no problem begins with %q:%s", want, text)
		}
	}
}
