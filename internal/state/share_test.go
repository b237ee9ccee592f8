package state_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state"
)

func (w *world) actions(client string) []string {
	w.t.Helper()
	all, err := w.trail.List(w.t.Context(), client, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, e := range all {
		out = append(out, e.Action)
	}
	return out
}

// A state is shared with one project or with a repository, within a client, and
// each of it is in the audit trail.
func TestThreat_StatesAreSharedWithinAClient(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.repos()
		ctx, who := t.Context(), state.Who{Actor: alice}
		if _, err := w.db.ExecContext(ctx, `INSERT INTO repos (id, client_id, owner, name, status, created_ms) VALUES (3, $1, 'beta', 'infra', 'active', 0)`, w.beta.ID); err != nil {
			t.Fatal(err)
		}
		app := state.Owner{Client: w.acme.ID, Repo: 2, Project: "app:default"}
		other := state.Owner{Client: w.acme.ID, Repo: 2, Project: "other:default"}
		whole := state.Owner{Client: w.acme.ID, Repo: 2}
		if err := w.store.Share(ctx, w.acme.ID, "net/prod", app, who); !errs.Is(err, errs.NotFound) {
			t.Errorf("a state that is not there: %v", err)
		}
		w.want(200, w.token(w.acme, "**"), "POST", at, doc(5, "l", "x"))
		for range 2 {
			if err := w.store.Share(ctx, w.acme.ID, "net/prod", app, who); err != nil {
				t.Fatal(err)
			}
		}
		reads := func(o state.Owner, want ...string) {
			t.Helper()
			if got, err := w.store.SharedWith(ctx, o); err != nil || !slices.Equal(got, want) {
				t.Errorf("%+v reads %v, not %v (%v)", o, got, want, err)
			}
		}
		reads(app, "net/prod")
		reads(other)
		reads(state.Owner{Client: w.acme.ID, Repo: 1, Project: "app:default"})
		// Neither beta's repository, nor acme's said to be beta's, nor one that nobody has.
		for name, c := range map[string]struct {
			client string
			with   state.Owner
		}{
			"beta's repository":         {w.acme.ID, state.Owner{Client: w.beta.ID, Repo: 3}},
			"beta's, said to be acme's": {w.acme.ID, state.Owner{Client: w.acme.ID, Repo: 3}},
			"nobody's":                  {w.acme.ID, state.Owner{Client: w.acme.ID, Repo: 99}},
			"acme's, said to be beta's": {w.beta.ID, state.Owner{Client: w.beta.ID, Repo: 2}},
		} {
			before := w.refusals()
			if err := w.store.Share(ctx, c.client, "net/prod", c.with, who); !errs.Is(err, errs.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
			if w.refusals() != before+1 {
				t.Errorf("%s: no row in the audit trail", name)
			}
		}
		reads(state.Owner{Client: w.beta.ID, Repo: 3, Project: "app:default"})
		reads(state.Owner{Client: w.beta.ID, Repo: 2, Project: "app:default"})
		if err := w.store.Share(ctx, w.acme.ID, "net/prod", whole, who); err != nil {
			t.Fatal(err)
		}
		reads(app, "net/prod")
		reads(other, "net/prod")
		all, err := w.store.Shares(ctx, w.acme.ID)
		if err != nil || len(all["net/prod"]) != 2 || all["net/prod"][0].Project != "" || all["net/prod"][1].Project != "app:default" || all["net/prod"][0].By != alice {
			t.Errorf("%+v, %v", all, err)
		}
		if err := w.store.Unshare(ctx, w.acme.ID, "net/prod", whole, who); err != nil {
			t.Fatal(err)
		}
		if err := w.store.Unshare(ctx, w.acme.ID, "net/prod", whole, who); !errs.Is(err, errs.NotFound) {
			t.Errorf("twice: %v", err)
		}
		reads(other)
		reads(app, "net/prod")
		count := map[string]int{}
		for _, a := range w.actions(w.acme.ID) {
			count[a]++
		}
		if count["state.shared"] != 2 || count["state.unshared"] != 1 {
			t.Errorf("the audit trail: %v", count)
		}
	})
}

// What another project gets of a state is its outputs, and no resource.
func TestThreat_SharedStatesAreTheirOutputs(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	const text = `{"version":4,"terraform_version":"1.11.4","serial":5,"lineage":"l","outputs":{"vpc":{"value":"vpc-1","type":"string"},"pw":{"value":{"a":["s3cret-of-net"]},"type":["object",{"a":["tuple",["string"]]}],"sensitive":true}},` +
		`"resources":[{"mode":"managed","type":"tls_private_key","name":"a","provider":"p","instances":[{"attributes":{"private_key_pem":"KEY-OF-NET"}}]}],"check_results":null}`
	w.want(200, w.token(w.acme, "**"), "POST", at, text)
	v, got, err := w.store.ReadOutputs(ctx, w.acme.ID, "net/prod")
	if err != nil || v.Serial != 5 {
		t.Fatalf("%+v, %v", v, err)
	}
	var all struct {
		Version int
		Serial  int64
		Lineage string
		Outputs map[string]struct {
			Value     any
			Type      any
			Sensitive bool
		}
		Resources []any
	}
	if err := json.Unmarshal(got, &all); err != nil || all.Version != 4 || all.Serial != 5 || all.Lineage != "l" || len(all.Outputs) != 2 || !all.Outputs["pw"].Sensitive || all.Outputs["vpc"].Value != "vpc-1" || all.Resources == nil || len(all.Resources) != 0 {
		t.Errorf("%s, %v", got, err)
	}
	if strings.Contains(string(got), "KEY-OF-NET") {
		t.Errorf("a resource: %s", got)
	}
	if _, _, err := w.store.ReadOutputs(ctx, w.beta.ID, "net/prod"); !errs.Is(err, errs.NotFound) {
		t.Errorf("another client: %v", err)
	}
	w.want(200, w.token(w.acme, "**"), "POST", "/state/acme/sorted", `{"lineage":"s","outputs":{"vpc":{"value":"vpc-1","type":"string"}},"resources":[],"serial":1,"version":4}`)
	if _, got, err := w.store.ReadOutputs(ctx, w.acme.ID, "sorted"); err != nil || !strings.Contains(string(got), "vpc-1") {
		t.Errorf("another order: %s, %v", got, err)
	}
	w.want(200, w.token(w.acme, "**"), "POST", "/state/acme/old", `{"version":3,"serial":1,"lineage":"o","modules":[]}`)
	if _, _, err := w.store.ReadOutputs(ctx, w.acme.ID, "old"); !errs.Is(err, errs.Conflict) {
		t.Errorf("an old format: %v", err)
	}
}

// What was read of another state stands without its marks in the state of who
// read it: a comparison shows none of it.
func TestThreat_ComparisonHidesWhatWasReadElsewhere(t *testing.T) {
	w := sqliteWorld(t)
	for i, value := range []string{"s3cret-one", "s3cret-two"} {
		w.want(200, w.token(w.acme, "**"), "POST", at, strings.NewReplacer("VALUE", value, "SERIAL", string(rune('1'+i))).Replace(`{"version":4,"serial":SERIAL,"lineage":"l","outputs":{},"resources":[{"mode":"data","type":"terraform_remote_state","name":"net","provider":"p","instances":[{"attributes":{"backend":"local","outputs":{"value":{"db":"VALUE"},"type":["object",{"db":"string"}]},"workspace":"SERIAL"}}]}]}`))
	}
	d, err := w.store.Compare(t.Context(), w.acme.ID, "net/prod", 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(d.Resources)
	if err != nil || !strings.Contains(string(text), `"path":"outputs`) || !strings.Contains(string(text), `"path":"workspace"`) || strings.Contains(string(text), "s3cret") {
		t.Errorf("%s, %v", text, err)
	}
}
