package actuals

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
)

var (
	ada  = access.Actor{Kind: access.User, Name: "ada", ID: 1}
	noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
)

func newStore(d *db.DB, rules Rules) *Store {
	return NewStore(d, access.NewTrail(d), rules, func() time.Time { return noon })
}

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// head are the columns of a table that charge fills.
var head = []string{"BilledCost", "BillingAccountId", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargePeriodEnd", "ChargePeriodStart",
	"ContractedCost", "EffectiveCost", "ListCost", "ProviderName", "RegionId", "ResourceId", "ResourceName", "ResourceType", "ServiceName", "SubAccountId", "SubAccountName", "Tags"}

// charge is one line: what is not set has a value that a test can do without.
type charge map[string]string

func (c charge) fields() []string {
	usual := charge{"BilledCost": "1", "BillingAccountId": "999", "BillingCurrency": "USD", "BillingPeriodStart": "2026-10-01T00:00:00Z", "BillingPeriodEnd": "2026-11-01T00:00:00Z",
		"ChargeCategory": "Usage", "ChargeClass": "NULL", "ChargePeriodStart": "2026-10-30T00:00:00Z", "ChargePeriodEnd": "2026-10-31T00:00:00Z",
		"ProviderName": "AWS", "ServiceName": "Amazon Elastic Compute Cloud", "SubAccountId": "111", "SubAccountName": "web"}
	var out []string
	for _, name := range head {
		v, ok := c[name]
		if !ok {
			v = usual[name]
			if name == "EffectiveCost" || name == "ListCost" || name == "ContractedCost" {
				if v = c["BilledCost"]; v == "" {
					v = "1"
				}
			}
		}
		out = append(out, v)
	}
	return out
}

// csvOf makes an export.
func csvOf(t testing.TB, charges ...charge) string {
	t.Helper()
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	rows := [][]string{head}
	for _, c := range charges {
		rows = append(rows, c.fields())
	}
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func fileOf(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func readText(t testing.TB, text string, o Options) (*Reading, error) {
	t.Helper()
	r, err := Read(t.Context(), []string{fileOf(t, "export.csv", text)}, o)
	if err == nil {
		t.Cleanup(func() {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return r, err
}

func mustRead(t testing.TB, charges ...charge) *Reading {
	t.Helper()
	r, err := readText(t, csvOf(t, charges...), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// groupsOf lists what a reading holds, a line each.
func groupsOf(t testing.TB, r *Reading) []string {
	t.Helper()
	var all []string
	if err := r.groups.each(func(g *group) error {
		all = append(all, fmt.Sprintf("%s %s %s/%s %s %s %q %s %v %s b=%s e=%s l=%s n=%d/%d %s|%s|%s|%s %s %s", g.Period, g.Provider, g.Account, g.SubAccount, g.currency, g.service, g.resource, g.category, g.correction, g.tags,
			g.billed, g.effective, g.list, g.lines, g.unlisted, g.subAccountName, g.resourceName, g.resourceType, g.region, g.periodEnd.Format(time.DateOnly), g.through.Format(time.RFC3339)))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func contains(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is not in: %s", p, text)
		}
	}
}

func equal(t testing.TB, what string, have, want []string) {
	t.Helper()
	if !slices.Equal(have, want) {
		t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
}
