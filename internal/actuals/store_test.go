package actuals

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
)

func makeClient(t testing.TB, d *db.DB, n int64, name string) clients.Client {
	t.Helper()
	var c clients.Client
	if err := d.Tx(t.Context(), func(tx *db.Tx) (err error) {
		c, err = clients.NewStore(d).Ensure(t.Context(), tx, clients.Installation{ID: n, Account: name, AccountID: n})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return c
}

// rowsIn lists all rows that are shown, without their IDs.
func rowsIn(t testing.TB, d *db.DB) []string {
	t.Helper()
	var all []string
	err := db.Each(t.Context(), d, func(scan func(...any) error) error {
		words := make([]string, 16)
		into := make([]any, len(words))
		for i := range words {
			into[i] = &words[i]
		}
		if err := scan(into...); err != nil {
			return err
		}
		all = append(all, strings.Join(words, "|"))
		return nil
	}, `SELECT p.period, p.provider, p.billing_account, p.sub_account, p.client, r.service, r.resource_id, r.category, r.correction, r.currency, r.tags, r.billed, r.effective, r.list, r.lines, r.unlisted
		FROM billing_rows r JOIN billing_parts p ON p.id = r.part_id`)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

func count(t testing.TB, d *db.DB, table string) (n int) {
	t.Helper()
	if err := d.QueryRowContext(t.Context(), `SELECT count(*) FROM `+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func mustImport(t testing.TB, s *Store, r *Reading, o ImportOptions) Import {
	t.Helper()
	o.Actor = ada
	in, err := s.Import(t.Context(), r, o)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func whats(in Import) (all []string) {
	for _, p := range in.Parts {
		all = append(all, p.SubAccount+" "+p.What)
	}
	return all
}

func TestImport(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStore(d, nil)
		charges := []charge{{"BilledCost": "1", "ResourceId": "a"}, {"BilledCost": "2", "ResourceId": "b"}, {"BilledCost": "4", "SubAccountId": "222"}}
		dry := mustImport(t, s, mustRead(t, charges...), ImportOptions{Dry: true})
		equal(t, "dry", whats(dry), []string{"111 added", "222 added"})
		if n := count(t, d, "billing_rows") + count(t, d, "billing_imports"); n != 0 {
			t.Fatalf("a dry run left %d rows", n)
		}
		first := mustImport(t, s, mustRead(t, charges...), ImportOptions{})
		equal(t, "first", whats(first), []string{"111 added", "222 added"})
		rows := rowsIn(t, d)
		if len(rows) != 3 || count(t, d, "billing_loose") != 0 {
			t.Fatalf("%v", rows)
		}

		// The same again, in another order: nothing changes, not even the history.
		slices.Reverse(charges)
		again := mustImport(t, s, mustRead(t, charges...), ImportOptions{})
		equal(t, "again", whats(again), []string{"111 unchanged", "222 unchanged"})
		equal(t, "rows", rowsIn(t, d), rows)
		if n := count(t, d, "billing_imports"); n != 1 {
			t.Fatalf("%d imports", n)
		}

		// A newer export of the period replaces it; of another period it is added.
		newer := mustImport(t, s, mustRead(t, charge{"BilledCost": "8", "ResourceId": "a"}, charge{"BilledCost": "4", "SubAccountId": "222"},
			charge{"BillingPeriodStart": "2026-09-01", "BillingPeriodEnd": "2026-10-01"}), ImportOptions{})
		equal(t, "newer", whats(newer), []string{"111 added", "111 replaced", "222 unchanged"})
		if rows = rowsIn(t, d); len(rows) != 3 || count(t, d, "billing_rows") != 3 || count(t, d, "billing_loose") != 0 {
			t.Fatalf("%v, %d rows", rows, count(t, d, "billing_rows"))
		}
		contains(t, rows[1], "2026-10-01|AWS|999|111||", "|8|8|8|1|0")

		history, err := s.History(t.Context(), 10)
		if err != nil || len(history) != 2 || history[0].ID != newer.ID || history[0].Actor != ada || !history[0].At.Equal(noon) || history[1].Sources[0].SHA256 != first.Sources[0].SHA256 ||
			history[1].Sources[0].Name != "export.csv" || history[1].Sources[0].Lines != 3 || history[0].Parts[1].What != Replaced || history[0].Parts[1].Was != 2 || history[0].Parts[1].SubAccount != "111" {
			t.Errorf("%+v, %v", history, err)
		}
		trail, err := access.NewTrail(d).List(t.Context(), "", 10)
		if err != nil || len(trail) != 2 || trail[0].Action != "billing.imported" {
			t.Errorf("%+v, %v", trail, err)
		}
	})
}

// What looks older, cut or like a part of an export is refused, and changes
// nothing unless somebody insists.
func TestImportRefuses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStore(d, nil)
		var all []charge
		for i := range 30 {
			all = append(all, charge{"ResourceId": fmt.Sprint(i)})
		}
		mustImport(t, s, mustRead(t, append(all, charge{"SubAccountId": "222"})...), ImportOptions{})
		rows := rowsIn(t, d)
		var older []charge
		for i := range 30 {
			older = append(older, charge{"ResourceId": fmt.Sprint(i), "ChargePeriodEnd": "2026-10-30T12:00:00Z"})
		}
		older = append(older, charge{"SubAccountId": "222", "ChargePeriodEnd": "2026-10-30T12:00:00Z"})
		for name, c := range map[string]struct {
			charges []charge
			want    string
		}{
			"older":   {older, "it is older"},
			"cut":     {append(slices.Clone(all[:5]), charge{"SubAccountId": "222"}), "looks cut"},
			"partial": {all, "lacks 1 of the sub accounts that are there (222)"},
		} {
			_, err := s.Import(t.Context(), mustRead(t, c.charges...), ImportOptions{Actor: ada})
			if !errs.Is(err, errs.Conflict) {
				t.Errorf("%s: %v", name, err)
				continue
			}
			contains(t, errs.Sentence(err), c.want, "AWS, account 999, from 2026-10-01", "--force")
			equal(t, name, rowsIn(t, d), rows)
		}
		// A client nobody knows.
		if _, err := s.Import(t.Context(), mustRead(t, all...), ImportOptions{Actor: ada, Client: "nobody"}); !errs.Is(err, errs.NotFound) {
			t.Errorf("an unknown client: %v", err)
		}
		// Only the sub accounts that the export has.
		one := mustImport(t, s, mustRead(t, all[:20]...), ImportOptions{SubAccounts: true})
		equal(t, "sub accounts", whats(one), []string{"111 replaced"})
		if n := len(rowsIn(t, d)); n != 21 {
			t.Errorf("%d rows", n)
		}
		whole := mustImport(t, s, mustRead(t, all[:3]...), ImportOptions{Force: true})
		equal(t, "forced", whats(whole), []string{"111 replaced", "222 removed"})
		if n := len(rowsIn(t, d)); n != 3 || !whole.Forced || count(t, d, "billing_rows") != 3 {
			t.Errorf("%d rows", n)
		}
	})
}

// Another import in between, or one that died: nothing is half there.
func TestImportAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStore(d, nil)
		mustImport(t, s, mustRead(t, charge{"BilledCost": "1"}), ImportOptions{})
		r := mustRead(t, charge{"BilledCost": "2"})
		before, err := s.parts(t.Context(), d, r.Parts)
		if err != nil {
			t.Fatal(err)
		}
		in := Import{ID: "later", At: noon, Actor: ada}
		if in.Parts, err = compare(r.Parts, before, ImportOptions{}); err != nil {
			t.Fatal(err)
		}
		ids, err := s.write(t.Context(), r, in)
		if err != nil {
			t.Fatal(err)
		}
		mustImport(t, s, mustRead(t, charge{"BilledCost": "3"}), ImportOptions{})
		rows := rowsIn(t, d)
		err = d.Tx(t.Context(), func(tx *db.Tx) error { return s.swap(t.Context(), tx, in, ids, before, ImportOptions{}) })
		if !errs.Is(err, errs.Conflict) {
			t.Fatalf("both are there: %v", err)
		}
		equal(t, "rows", rowsIn(t, d), rows)
		if n := count(t, d, "billing_rows"); n != 2 {
			t.Fatalf("%d rows: what an import under way wrote is gone", n)
		}
		// Once it is let go, or a day old, the next import deletes what it wrote.
		if err := s.letGo(t.Context(), ids); err != nil {
			t.Fatal(err)
		}
		if err := s.sweep(t.Context()); err != nil || count(t, d, "billing_rows") != 1 || count(t, d, "billing_loose") != 0 {
			t.Errorf("%d rows, %v", count(t, d, "billing_rows"), err)
		}
		// An import that is stopped in mid-write changes nothing.
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Import(ctx, mustRead(t, charge{"BilledCost": "4"}), ImportOptions{Actor: ada}); err == nil {
			t.Error("a stopped import went on")
		}
		equal(t, "rows", rowsIn(t, d), rows)
	})
}

// Twice is once, the order does not matter, and all that is kept adds up to
// what the files have.
func TestImportProperties(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStore(d, nil)
		r := rand.New(rand.NewPCG(7, 7))
		for range 4 {
			charges := randomCharges(r, 1+r.IntN(150))
			mustImport(t, s, mustRead(t, charges...), ImportOptions{Force: true})
			rows := rowsIn(t, d)
			r.Shuffle(len(charges), func(i, j int) { charges[i], charges[j] = charges[j], charges[i] })
			if in := mustImport(t, s, mustRead(t, charges...), ImportOptions{Force: true}); in.Changed() {
				t.Fatalf("%v", whats(in))
			}
			equal(t, "rows", rowsIn(t, d), rows)
			kept, err := s.parts(t.Context(), d, mustRead(t, charges...).Parts)
			if err != nil {
				t.Fatal(err)
			}
			have, want := map[string]decimal.Decimal{}, map[string]decimal.Decimal{}
			for _, k := range kept {
				if err := rowsOf(t.Context(), d, k.id, func(r row) error {
					have[r.currency] = have[r.currency].Add(r.amounts.Billed)
					return nil
				}); err != nil {
					t.Fatal(err)
				}
			}
			for _, c := range charges {
				want[c["BillingCurrency"]] = want[c["BillingCurrency"]].Add(dec(c["BilledCost"]))
			}
			for currency, sum := range want {
				if !have[currency].Equal(sum) {
					t.Fatalf("%s %s, want %s", have[currency], currency, sum)
				}
			}
		}
	})
}
