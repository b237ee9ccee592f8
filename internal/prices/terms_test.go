package prices

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/cost/pricebook"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
)

func withClient(t *testing.T, d *db.DB, account string) {
	t.Helper()
	if err := d.Tx(t.Context(), func(tx *db.Tx) error {
		_, err := clients.NewStore(d).Ensure(t.Context(), tx, clients.Installation{ID: int64(len(account)), Account: account})
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func equal(a, b decimal.Decimal) bool { return a.Equal(b) }

func TestDiscountsAndRatesAreKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStore(d)
		withClient(t, d, "acme")
		for _, percent := range []string{"5", "7.5"} { // the second takes the first one's place
			if err := s.SetDiscount(t.Context(), Discount{Client: "acme", Cloud: AWS, Service: "ec2", Since: "2026-01-01", Percent: dec(percent)}, ada); err != nil {
				t.Fatal(err)
			}
		}
		want := Discounts{{Client: "acme", Cloud: AWS, Service: "ec2", Since: "2026-01-01", Percent: dec("7.5")}}
		for _, client := range []string{"acme", ""} {
			if all, err := s.Discounts(t.Context(), client); err != nil || !cmp.Equal(all, want, cmp.Comparer(equal)) {
				t.Errorf("%+v, %v", all, err)
			}
		}
		if err := s.SetRate(t.Context(), Rate{Currency: "EUR", Day: "2026-11-20", Value: dec("0.8634"), Source: "ECB"}, ada); err != nil {
			t.Fatal(err)
		}
		if rates, err := s.Rates(t.Context(), "EUR"); err != nil || len(rates) != 1 || rates[0].Source != "ECB" {
			t.Errorf("%+v, %v", rates, err)
		}
		for _, bad := range []error{
			s.SetDiscount(t.Context(), Discount{Client: "acme", Cloud: AWS, Since: "2026-01-01", Percent: dec("101")}, ada),
			s.SetDiscount(t.Context(), Discount{Client: "acme", Cloud: AWS, Since: "2026-01-01", Percent: dec("-1")}, ada),
			s.SetDiscount(t.Context(), Discount{Client: "acme", Service: "ec2-linux", Since: "2026-01-01", Percent: dec("1")}, ada),
			s.SetDiscount(t.Context(), Discount{Client: "acme", Cloud: "oracle", Since: "2026-01-01", Percent: dec("1")}, ada),
			s.SetDiscount(t.Context(), Discount{Client: "acme", Cloud: AWS, Since: "soon", Percent: dec("1")}, ada),
			s.SetDiscount(t.Context(), Discount{Client: "acme", Cloud: AWS, Percent: dec("1")}, ada),
			s.SetDiscount(t.Context(), Discount{Cloud: AWS, Since: "2026-01-01", Percent: dec("1")}, ada),
			s.SetRate(t.Context(), Rate{Currency: "USD", Day: "2026-01-01", Value: dec("1"), Source: "x"}, ada),
			s.SetRate(t.Context(), Rate{Currency: "eur", Day: "2026-01-01", Value: dec("1"), Source: "x"}, ada),
			s.SetRate(t.Context(), Rate{Currency: "EUR", Day: "2026-01-01", Value: dec("0"), Source: "x"}, ada),
			s.SetRate(t.Context(), Rate{Currency: "EUR", Day: "today", Value: dec("1"), Source: "x"}, ada),
			s.SetRate(t.Context(), Rate{Currency: "EUR", Day: "2026-01-01", Value: dec("1")}, ada),
		} {
			if !errs.Is(bad, errs.Invalid) {
				t.Errorf("taken: %v", bad)
			}
		}
		if err := s.SetDiscount(t.Context(), Discount{Client: "nobody", Since: "2026-01-01", Percent: dec("1")}, ada); !errs.Is(err, errs.NotFound) {
			t.Error(err)
		}
		if n, err := s.RemoveDiscount(t.Context(), Discount{Client: "acme", Cloud: AWS, Service: "ec2"}, ada); err != nil || n != 1 {
			t.Errorf("%d, %v", n, err)
		}
		if _, err := s.RemoveDiscount(t.Context(), Discount{Client: "acme", Cloud: AWS, Service: "ec2"}, ada); !errs.Is(err, errs.NotFound) {
			t.Error(err)
		}
		if err := s.RemoveRate(t.Context(), "EUR", "2026-11-20", ada); err != nil {
			t.Error(err)
		}
		if err := s.RemoveRate(t.Context(), "EUR", "2026-11-20", ada); !errs.Is(err, errs.NotFound) {
			t.Error(err)
		}
	})
}

// Of each scope one discount holds, and which that is does not hang on the
// order in which they are known.
func TestDiscounts(t *testing.T) {
	all := Discounts{
		{Percent: dec("3"), From: "f:1"},
		{Cloud: AWS, Percent: dec("10"), Since: "2026-01-01", From: "f:2"},
		{Cloud: AWS, Percent: dec("12"), Since: "2026-06-01", From: "f:3"},
		{Client: "acme", Cloud: AWS, Percent: dec("20"), From: "f:4"},
		{Client: "acme", Cloud: AWS, Percent: dec("25"), Since: "2026-03-01"},
		{Client: "acme", Cloud: AWS, Service: "ec2", Percent: dec("0"), Since: "2026-03-01"},
		{Client: "other", Cloud: GCP, Percent: dec("99"), Since: "2026-03-01"},
	}
	for range 2 {
		for _, c := range []struct{ client, cloud, service, day, want string }{
			{"", AWS, "ebs", "2025-12-31", "3"},
			{"", AWS, "ebs", "2026-01-01", "10"},
			{"", AWS, "ebs", "2026-06-01", "12"},
			{"acme", AWS, "ebs", "2026-01-01", "20"},       // the client's before all clients'
			{"acme", AWS, "ebs", "2026-03-01", "25"},       // the database's before the file's
			{"acme", AWS, "ec2-linux", "2026-07-01", "0"},  // a discount of nothing is one
			{"acme", AWS, "ec2-linux", "2026-02-28", "20"}, // not yet
			{"acme", GCP, "compute", "2026-07-01", "3"},
		} {
			if got := all.Of(c.client, c.day).Of(c.cloud, c.service); !got.Equal(dec(c.want)) {
				t.Errorf("%+v: %s", c, got)
			}
		}
		for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
			all[i], all[j] = all[j], all[i]
		}
	}
}

func TestRates(t *testing.T) {
	all := Rates{{"EUR", "2026-11-01", dec("0.86"), "x", "f:1"}, {"EUR", "2026-11-20", dec("0.87"), "x", ""}, {"EUR", "2026-11-20", dec("0.99"), "x", "f:2"}, {"GBP", "2026-11-20", dec("0.75"), "x", ""}}
	for day, want := range map[string]string{"2026-10-31": "", "2026-11-01": "0.86", "2026-11-19": "0.86", "2026-12-01": "0.87"} {
		r, ok := all.On("EUR", day)
		if ok != (want != "") || ok && !r.Value.Equal(dec(want)) {
			t.Errorf("%s: %+v, %v", day, r, ok)
		}
	}
}

func TestTerms(t *testing.T) {
	d := dbtest.SQLite(t)
	s := newStore(d)
	withClient(t, d, "acme")
	withClient(t, d, "other-client")
	usage := func(text string) *cost.Usage {
		u, err := cost.ReadUsage("u.yml", []byte("version: 0.1\nresource_type_default_usage:\n  aws_sqs_queue: {monthly_requests: "+text+"}\n"))
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	terms := NewTerms(Settings{
		Hours: 720, SustainedUse: true, Usage: usage("1"),
		Clients: map[string]ClientSettings{"acme": {Currency: "EUR", Usage: usage("2")}},
	}, s, func() time.Time { return noon })
	o, err := terms.Options(t.Context(), "acme")
	if err != nil || o.Exchange.Currency != "" || len(o.Notes) != 1 || !strings.Contains(o.Notes[0], "no rate of EUR is known") || o.HoursPerMonth != 720 || !o.SustainedUse {
		t.Errorf("without a rate: %+v, %v", o, err)
	}
	for _, r := range []Rate{{"EUR", "2026-11-20", dec("0.92"), "ECB", ""}, {"EUR", "2030-01-01", dec("2"), "a dream", ""}} {
		if err := s.SetRate(t.Context(), r, ada); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.SetDiscount(t.Context(), Discount{Client: "acme", Cloud: AWS, Since: "2026-01-01", Percent: dec("12")}, ada); err != nil {
		t.Fatal(err)
	}
	with, err := terms.Options(t.Context(), "acme")
	if err != nil || len(with.Notes) != 0 || with.Exchange.Text() != "0.92 EUR/USD of 2026-11-20" || len(with.Discounts) != 1 {
		t.Errorf("%+v, %v", with, err)
	}
	if o.Told() == with.Told() {
		t.Error("a rate and a discount change nothing of what is told of the terms")
	}
	other, err := terms.Options(t.Context(), "other-client")
	if err != nil || other.Exchange.Currency != "" || len(other.Discounts)+len(other.Notes) != 0 {
		t.Errorf("another client's: %+v, %v", other, err)
	}
	if other.Told() == with.Told() {
		t.Error("terms are not told apart")
	}
	of, err := NewTerms(Settings{Currency: "JPY", Rates: Rates{{"JPY", "2026-11-01", dec("150"), "x", "f:1"}}, Clients: map[string]ClientSettings{"b": {Currency: "EUR"}, "a": {Currency: "EUR"}, "c": {Currency: "USD"}}}, nil, func() time.Time { return noon }).Currencies(t.Context())
	if err != nil || len(of) != 2 || of[0].Name != "EUR" || of[0].Known || len(of[0].Clients) != 2 || of[0].Clients[0] != "a" || of[1].Name != "JPY" || !of[1].Known || of[1].Rate.Day != "2026-11-01" || of[1].Clients != nil {
		t.Errorf("%+v, %v", of, err)
	}
	desk, err := NewTerms(Settings{Currency: "JPY", Rates: Rates{{"JPY", "2026-11-01", dec("150"), "x", "f:1"}}}, nil, func() time.Time { return noon }).Options(t.Context(), "")
	if err != nil || desk.Exchange.Currency != "JPY" {
		t.Errorf("%+v, %v", desk, err)
	}
}

// Prices that Azure sets in euros are kept apart from those in dollars, go
// before them in estimates in euros, and never stand for dollars.
func TestNativePrices(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStore(d)
		text, err := os.ReadFile(filepath.Join("testdata", "azure_1.json"))
		if err != nil {
			t.Fatal(err)
		}
		euros := strings.ReplaceAll(strings.ReplaceAll(string(text), `"currencyCode": "USD"`, `"currencyCode": "EUR"`), `"retailPrice": 0.12,`, `"retailPrice": 0.111,`)
		file := filepath.Join(t.TempDir(), "euros.json")
		if err := os.WriteFile(file, []byte(euros), 0o600); err != nil {
			t.Fatal(err)
		}
		read := func(file, currency string) Reading {
			o := options()
			o.Currency = currency
			r, err := Read(t.Context(), List{Cloud: Azure, File: file, Whole: true}, o)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		if r := read(file, ""); r.Taken != 0 {
			t.Errorf("%d prices in euros were taken for dollars", r.Taken)
		}
		for _, r := range []Reading{read(filepath.Join("testdata", "azure_1.json"), "USD"), read(file, "EUR"), read(file, "EUR")} {
			if _, err := s.Import(t.Context(), r, ada, false, false); err != nil {
				t.Fatal(err)
			}
		}
		over, err := s.Overlay(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		k := pricebook.Key{Cloud: Azure, Service: "vm-linux", Region: "westeurope", SKU: "standard_d2s_v3"}
		if p, ok, err := over.Lookup(k); err != nil || !ok || !p.Amount.Equal(dec("0.12")) {
			t.Errorf("in dollars %v, %v, %v", p.Amount, ok, err)
		}
		if p, ok, err := over.LookupIn("EUR", k); err != nil || !ok || !p.Amount.Equal(dec("0.111")) {
			t.Errorf("in euros %v, %v, %v", p.Amount, ok, err)
		}
		if _, ok, _ := over.LookupIn("GBP", k); ok {
			t.Error("there is a price in pounds")
		}
		if n := over.Natives(); len(n) != 1 || len(n["EUR"]) == 0 {
			t.Errorf("%+v", n)
		}
		all, err := s.History(t.Context(), 100)
		if err != nil || all[0].Currency != "EUR" || all[len(all)-1].Currency != "USD" || all[0].Added != 0 {
			t.Errorf("%+v, %v", all, err)
		}
	})
}
