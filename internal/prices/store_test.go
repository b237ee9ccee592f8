package prices

import (
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/cost/pricebook"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
)

var ada = access.Actor{Kind: access.User, Name: "ada", ID: 1}

func newStore(d *db.DB) *Store {
	return NewStore(d, access.NewTrail(d), func() time.Time { return noon })
}

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// readingOf makes a reading of one part: SKU and price in turns.
func readingOf(asOf string, whole bool, skus ...string) Reading {
	p := Part{Cloud: AWS, Offer: "AmazonEC2", Region: "eu-west-1", Whole: whole}
	for i := 0; i < len(skus); i += 2 {
		p.Prices = append(p.Prices, Price{pricebook.Key{Cloud: AWS, Service: "ec2-linux", Region: "eu-west-1", SKU: skus[i]}, dec(skus[i+1]), "hour"})
	}
	return Reading{Result: Result{Cloud: AWS, AsOf: asOf, Parts: []Part{p}}, Source: "list.json", SHA256: strings.Repeat("a", 64)}
}

func TestImport(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStore(d)
		first := readFile(t, AWS, "aws_ec2.json", options())

		// A dry run tells the same and stores nothing.
		dry, err := s.Import(t.Context(), first, ada, false, true)
		if err != nil || len(dry) != 2 || dry[0].Added != 7 || dry[1].Added != 1 {
			t.Fatalf("dry: %+v, %v", dry, err)
		}
		if all, err := s.History(t.Context(), 10); err != nil || len(all) != 0 {
			t.Fatalf("a dry run left %+v, %v", all, err)
		}

		done, err := s.Import(t.Context(), first, ada, false, false)
		if err != nil || len(done) != 2 || done[0].Added != 7 || done[1].Region != "us-west-2-lax-1" || done[0].Batch != done[1].Batch {
			t.Fatalf("%+v, %v", done, err)
		}
		// Again: nothing changes, and it is written down that somebody looked.
		again, err := s.Import(t.Context(), first, ada, false, false)
		if err != nil || again[0].Added+again[0].Changed+again[0].Removed != 0 || again[0].Prices != 7 {
			t.Fatalf("again: %+v, %v", again, err)
		}
		all, err := s.History(t.Context(), 10)
		if err != nil || len(all) != 4 || all[0].Actor != ada || !all[0].At.Equal(noon) || all[0].SHA256 != first.SHA256 || all[0].AsOf != "2026-11-01" || !all[0].Whole || all[0].ID != again[1].ID {
			t.Fatalf("history %+v, %v", all, err)
		}
		entries, err := access.NewTrail(d).List(t.Context(), "", 10)
		if err != nil || len(entries) != 4 || entries[0].Action != "prices.imported" {
			t.Errorf("audit trail: %+v, %v", entries, err)
		}

		// They go before the embedded ones, and say where they come from.
		over, err := s.Overlay(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c, err := cost.NewCatalog()
		if err != nil {
			t.Fatal(err)
		}
		p, ok, err := c.With(over).Lookup(pricebook.Key{Cloud: AWS, Service: "ebs", Region: "eu-west-1", SKU: "gp3-throughput"})
		if err != nil || !ok || !p.Amount.Equal(dec("0.044")) || p.Unit != "MBps-month" || p.Source.AsOf != "2026-11-01" || p.Source.Name != "AWS price list, imported" {
			t.Errorf("%+v, %v, %v", p, ok, err)
		}
		if p, ok, _ = c.With(over).Lookup(pricebook.Key{Cloud: AWS, Service: "ec2-linux", Region: "us-east-1", SKU: "m5.large"}); !ok || !p.Amount.Equal(dec("0.096")) {
			t.Errorf("another region: %+v, %v", p, ok)
		}
	})
}

func TestImportChangesAndRemoves(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStore(d)
		put := func(r Reading, force bool) (Import, error) {
			done, err := s.Import(t.Context(), r, ada, force, false)
			if len(done) == 0 {
				return Import{}, err
			}
			return done[0], err
		}
		if i, err := put(readingOf("2026-11-01", true, "a", "1", "b", "2", "c", "3"), false); err != nil || i.Added != 3 {
			t.Fatalf("%+v, %v", i, err)
		}
		// 2.0 is 2; a changes, b stays, c is gone, d is new.
		if i, err := put(readingOf("2026-11-02", true, "a", "1.5", "b", "2.0", "d", "4"), false); err != nil || i.Added != 1 || i.Changed != 1 || i.Removed != 1 {
			t.Fatalf("%+v, %v", i, err)
		}
		// A list that isn't whole removes nothing, and makes nothing younger that
		// it does not have.
		if i, err := put(readingOf("2026-11-03", false, "a", "1.5"), false); err != nil || i.Removed != 0 {
			t.Fatalf("%+v, %v", i, err)
		}
		over, err := s.Overlay(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for sku, want := range map[string]string{"a": "1.5", "b": "2", "c": "", "d": "4"} {
			p, ok, err := over.Lookup(pricebook.Key{Cloud: AWS, Service: "ec2-linux", Region: "eu-west-1", SKU: sku})
			if err != nil || ok != (want != "") || ok && (!p.Amount.Equal(dec(want)) || p.Source.AsOf != "2026-11-02") {
				t.Errorf("%s = %+v, %v, %v; want %q", sku, p, ok, err, want)
			}
		}

		// An older list is refused, and so is one that looks cut; nothing of the
		// part changes, and force takes them.
		if _, err := put(readingOf("2026-10-01", true, "a", "9"), false); !errs.Is(err, errs.Conflict) || !strings.Contains(err.Error(), "2026-10-01") {
			t.Errorf("older: %v", err)
		}
		var many []string
		for i := range 30 {
			many = append(many, "m"+string(rune('a'+i)), "1")
		}
		if _, err := put(readingOf("2026-11-04", false, many...), false); err != nil {
			t.Fatal(err)
		}
		if _, err := put(readingOf("2026-11-05", true, many[:20]...), false); !errs.Is(err, errs.Conflict) || !strings.Contains(err.Error(), "10 of the 33") {
			t.Errorf("cut: %v", err)
		}
		if over, err = s.Overlay(t.Context()); err != nil || over.Sheets()[0].Prices != 33 {
			t.Errorf("after the refusal: %+v, %v", over.Sheets(), err)
		}
		if i, err := put(readingOf("2026-11-05", true, many[:20]...), true); err != nil || i.Removed != 23 {
			t.Errorf("forced: %+v, %v", i, err)
		}
	})
}

// A part that fails is as it was, and the others are stored.
func TestImportOfPartsStandsAlone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStore(d)
		r := readingOf("2026-11-01", true, "a", "1")
		if _, err := s.Import(t.Context(), r, ada, false, false); err != nil {
			t.Fatal(err)
		}
		older := readingOf("2026-10-01", true, "a", "2")
		other := older.Parts[0]
		other.Region, other.Prices = "us-east-1", []Price{{pricebook.Key{Cloud: AWS, Service: "ec2-linux", Region: "us-east-1", SKU: "a"}, dec("7"), "hour"}}
		older.Parts = append(older.Parts, other)
		done, err := s.Import(t.Context(), older, ada, false, false)
		if !errs.Is(err, errs.Conflict) && !strings.Contains(err.Error(), "2026-11-01") || len(done) != 1 || done[0].Region != "us-east-1" {
			t.Errorf("%+v, %v", done, err)
		}
		over, err := s.Overlay(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if p, _, _ := over.Lookup(r.Parts[0].Prices[0].Key); !p.Amount.Equal(dec("1")) {
			t.Errorf("the refused part has %s", p.Amount)
		}
		// The database refuses a row in the middle of a part: nothing of it stays.
		if _, err := d.ExecContext(t.Context(), map[db.Dialect]string{
			db.SQLite:   `CREATE TRIGGER no BEFORE INSERT ON prices WHEN NEW.sku = 'z' BEGIN SELECT RAISE(ABORT, 'no z'); END`,
			db.Postgres: `ALTER TABLE prices ADD CONSTRAINT no CHECK (sku <> 'z')`,
		}[d.Dialect()]); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Import(t.Context(), readingOf("2026-11-02", true, "a", "5", "b", "6", "z", "1"), ada, false, false); err == nil {
			t.Error("the row was taken")
		}
		if over, err = s.Overlay(t.Context()); err != nil {
			t.Fatal(err)
		}
		if p, _, _ := over.Lookup(r.Parts[0].Prices[0].Key); !p.Amount.Equal(dec("1")) || len(over.Sheets()) != 2 || over.Sheets()[0].Prices != 1 {
			t.Errorf("half a part: %s, %+v", p.Amount, over.Sheets())
		}
	})
}

// Two lists have the same load balancer. A second import of the one whose
// price was taken over does not remove the other's.
func TestImportOfTwoOffersWithOneThing(t *testing.T) {
	d := dbtest.SQLite(t)
	s := newStore(d)
	one := readingOf("2026-11-01", true, "lb", "1", "x", "5")
	two := readingOf("2026-11-01", true, "lb", "2")
	two.Parts[0].Offer = "AWSELB"
	for _, r := range []Reading{one, two, readingOf("2026-11-02", true, "x", "5")} {
		if _, err := s.Import(t.Context(), r, ada, false, false); err != nil {
			t.Fatal(err)
		}
	}
	over, err := s.Overlay(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if p, ok, _ := over.Lookup(two.Parts[0].Prices[0].Key); !ok || !p.Amount.Equal(dec("2")) {
		t.Errorf("the load balancer costs %v, %v", p.Amount, ok)
	}
}
