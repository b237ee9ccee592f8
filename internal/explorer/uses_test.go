package explorer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
)

func TestWantedVersions(t *testing.T) {
	for _, c := range []struct {
		wanted, used string
		want         bool
	}{
		{"m@5.1.2", "5.1.2", true}, {"m@v5.1.2", "5.1.2", true}, {"m@5.1.2", "5.1.3", false}, {"m@5.1.2", "~> 5.0", true}, {"m@4.0.0", "~> 5.0", false},
		{"m@< 5.0", "4.9.1", true}, {"m@< 5.0", "5.0.0", false}, {"m@>= 5.0, < 5.2", "5.1.9", true},
		// What is asked for and what is used are both ranges: they may meet.
		{"m@< 5.0", "~> 4.0", true}, {"m@< 5.0", "~> 5.0", false}, {"m@< 5.0", ">= 3.0", true}, {"m@>= 5.0, < 6.0", "~> 5.4", true}, {"m@< 5.0", ">= 4.0, < 6.0", true}, {"m@> 6", "< 6.0.1", false},
		{"m@> 6", "< 6.0.2", true}, {"m@~> 5.0", "~> 5.1.0", true}, {"m@~> 5.1.0", "~> 5.2.0", false}, {"m@!= 5.0.0", "5.0.0", false}, {"m@<= 5.0", ">= 5.0", true}, {"m@< 5.0", ">= 5.0", false},
		{"m@main", "main", true}, {"m@main", "v1", false}, {"m@< 5.0", "main", false}, {"m@< 5.0", "", true}, {"m", "anything", true},
	} {
		w, err := ParseWanted(c.wanted)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.versions(c.used); got != c.want {
			t.Errorf("%s, and %q is used: %v", c.wanted, c.used, got)
		}
	}
}

// A list of uses in pieces is the list, whatever is in between.
func TestUsesInPieces(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for i := range 7 {
			w.planned(fmt.Sprintf("%c-%d", "Aa"[i%2], i), "", appPlan)
		}
		all, err := w.index.Uses(t.Context(), "", "", Wanted{})
		if err != nil || len(all) != 7*5 {
			t.Fatalf("%d uses, %v", len(all), err)
		}
		for _, limit := range []int{1, 4, 5, 34, 35, 100} {
			var got []Use
			after := ""
			for {
				p, err := w.index.UsesAfter(t.Context(), w.acme, "", Wanted{}, after, limit)
				if err != nil || len(p.Uses) > limit || len(p.Uses) == 0 {
					t.Fatalf("%+v, %v", p, err)
				}
				got = append(got, p.Uses...)
				if after = p.Next; after == "" {
					break
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(all) {
				t.Errorf("in pieces of %d:\n%v\nand whole\n%v", limit, got, all)
			}
		}
		aws, err := ParseWanted("aws@> 5")
		if err != nil {
			t.Fatal(err)
		}
		p, err := w.index.UsesAfter(t.Context(), w.acme, Provider, aws, "", 3)
		if err != nil || len(p.Uses) != 3 || p.Next == "" || p.Uses[0].Version != "5.31.0" {
			t.Errorf("%+v, %v", p, err)
		}
		for _, bad := range []string{"x", "[]", `["a"]`, "{}"} {
			if _, err := w.index.UsesAfter(t.Context(), "", "", Wanted{}, bad, 3); !errs.Is(err, errs.Invalid) {
				t.Errorf("%q: %v", bad, err)
			}
		}
	})
}

// Nothing stays in the clear of a client that has left, and what its states hold
// comes back with it.
func TestClientsThatLeaveAreForgotten(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.planned("app", "", appPlan)
		w.write(w.acme, "net", stateText(1, "l1", res{typ: "aws_vpc", name: "a", attrs: map[string]any{"id": "vpc-1"}}))
		w.write(w.beta, "net", stateText(1, "l2", res{typ: "aws_vpc", name: "a", attrs: map[string]any{"id": "vpc-2"}}))
		w.refresh()
		store := clients.NewStore(d)
		status := func(s string) {
			t.Helper()
			if err := d.Tx(t.Context(), func(tx *db.Tx) error { return store.SetStatus(t.Context(), tx, w.acme, s) }); err != nil {
				t.Fatal(err)
			}
		}
		status(clients.Deleted)
		w.refresh()
		if got := w.find(Query{}); got != "net aws_vpc.a" {
			t.Errorf("found\n%s", got)
		}
		for _, table := range []string{"inventory_sources", "inventory_resources"} {
			var n int
			if err := d.QueryRowContext(t.Context(), `SELECT count(*) FROM `+table+` WHERE client_id = $1`, w.acme).Scan(&n); err != nil || n != 0 {
				t.Errorf("%s: %d, %v", table, n, err)
			}
		}
		for _, table := range []string{"inventory_attributes", "inventory_uses"} {
			var n int
			if err := d.QueryRowContext(t.Context(), `SELECT count(*) FROM `+table+` WHERE source_id NOT IN (SELECT id FROM inventory_sources)`).Scan(&n); err != nil || n != 0 {
				t.Errorf("%s: %d, %v", table, n, err)
			}
		}
		if n, err := w.index.Behind(t.Context(), ""); err != nil || n != 0 {
			t.Errorf("behind: %d, %v", n, err)
		}
		status(clients.Active)
		w.refresh()
		if got := w.find(Query{Client: w.acme}); got != "net aws_vpc.a" {
			t.Errorf("after it came back: %s", got)
		}
	})
}

// What a state says that OpenTofu encrypted is in no inventory, nor what a value
// of an open type has marked inside.
func TestThreat_InventoryOfHiddenValues(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.write(w.acme, "tofu", `{"serial":1,"lineage":"a","meta":{"key_provider.pbkdf2.k":"canary-meta"},"encrypted_data":"canary-encrypted","encryption_version":"v0"}`)
	w.write(w.acme, "open", stateText(1, "b",
		res{typ: "terraform_data", name: "whole", marks: `[[{"type":"get_attr","value":"input"}]]`, attrs: map[string]any{"id": "1", "input": map[string]any{"value": "canary-whole", "type": "string"}, "output": map[string]any{"value": "canary-whole", "type": "string"}}},
		res{typ: "terraform_data", name: "part", marks: `[[{"type":"get_attr","value":"input"},{"type":"get_attr","value":"pin"}]]`, attrs: map[string]any{"id": "2",
			"input":  map[string]any{"value": map[string]any{"pin": "cnry", "plain": "shown"}, "type": []any{"object", map[string]any{"pin": "string", "plain": "string"}}},
			"output": map[string]any{"value": map[string]any{"pin": "cnry", "plain": "shown"}, "type": []any{"object", map[string]any{"pin": "string", "plain": "string"}}},
		}},
	))
	w.refresh()
	var text strings.Builder
	err := w.index.Each(t.Context(), Query{Full: true}, func(r Resource) error {
		fmt.Fprintln(&text, r)
		return nil
	})
	if got := text.String(); err != nil || strings.Contains(got, "canary") || strings.Contains(got, "cnry") || !strings.Contains(got, "{input.value.plain shown}") || !strings.Contains(got, "terraform_data.whole") {
		t.Errorf("%v\n%s", err, got)
	}
	all, err := w.index.Sources(t.Context(), w.acme)
	if err != nil || len(all) != 2 || !strings.Contains(fmt.Sprint(all), "encrypted by OpenTofu") || strings.Contains(fmt.Sprint(all), "canary") {
		t.Errorf("%+v, %v", all, err)
	}
}
