package explorer

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/keyring"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/state"
	"github.com/tidelock/tidelock/planner/tfplan"
)

var (
	alice = state.Who{Actor: access.Actor{Kind: access.User, Name: "alice", ID: 7}}
	bob   = state.Who{Actor: access.Actor{Kind: access.User, Name: "bob", ID: 8}}
)

// world is a state service with the clients acme and beta, and its inventory.
type world struct {
	t          testing.TB
	db         *db.DB
	states     *state.Store
	index      *Index
	acme, beta string // IDs
	clock      atomic.Int64
}

func newWorld(t testing.TB, d *db.DB) *world {
	t.Helper()
	w := &world{t: t, db: d}
	w.clock.Store(1_800_000_000_000)
	now := func() time.Time { return time.UnixMilli(w.clock.Load()) }
	secret := redact.NewSecret(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32)))
	blobs, err := blob.Open(t.TempDir(), secret)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = blobs.Close() })
	key, err := keyring.NewLocal(secret)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.New(key)
	if err != nil {
		t.Fatal(err)
	}
	trail := access.NewTrail(d)
	w.states = state.New(state.Options{DB: d, Blobs: blobs, Keys: ring, Trail: trail, Tokens: access.NewTokens(d, trail, now), Now: now})
	w.index = New(d, w.states, slog.New(slog.DiscardHandler), now)
	store := clients.NewStore(d)
	err = d.Tx(t.Context(), func(tx *db.Tx) error {
		for i, into := range []*string{&w.acme, &w.beta} {
			c, err := store.Ensure(t.Context(), tx, clients.Installation{ID: int64(i + 1), Account: []string{"acme", "beta"}[i], AccountID: int64(i + 1)})
			if err != nil {
				return err
			}
			*into = c.ID
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// res is a resource in a state.
type res struct {
	module, typ, name string
	key               any
	attrs             map[string]any
	marks             string // JSON of sensitive_attributes
	data              bool
}

func stateText(serial int64, lineage string, all ...res) string {
	var list []map[string]any
	for _, r := range all {
		in := map[string]any{"schema_version": 0, "attributes": r.attrs}
		if r.key != nil {
			in["index_key"] = r.key
		}
		if r.marks != "" {
			in["sensitive_attributes"] = json.RawMessage(r.marks)
		}
		one := map[string]any{"mode": "managed", "type": r.typ, "name": r.name, "provider": `provider["registry.terraform.io/hashicorp/` + strings.SplitN(r.typ, "_", 2)[0] + `"]`, "instances": []any{in}}
		if r.data {
			one["mode"] = "data"
		}
		if r.module != "" {
			one["module"] = r.module
		}
		list = append(list, one)
	}
	text, err := json.Marshal(map[string]any{"version": 4, "terraform_version": "1.11.4", "serial": serial, "lineage": lineage, "outputs": map[string]any{}, "resources": list})
	if err != nil {
		panic(err) // the test's own values
	}
	return string(text)
}

// write makes a version.
func (w *world) write(client, name, text string) state.Version {
	w.t.Helper()
	v, err := w.states.Write(w.t.Context(), state.Write{Client: client, Name: name, Who: alice, Body: strings.NewReader(text)})
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func (w *world) refresh() {
	w.t.Helper()
	if _, err := w.index.Refresh(w.t.Context(), ""); err != nil {
		w.t.Fatal(err)
	}
	if n, err := w.index.Behind(w.t.Context(), ""); err != nil || n != 0 {
		w.t.Fatalf("%d states are behind, %v", n, err)
	}
}

// find searches, and returns the addresses with their projects.
func (w *world) find(q Query) string {
	w.t.Helper()
	p, err := w.index.Search(w.t.Context(), q)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, r := range p.Resources {
		out = append(out, r.Project+" "+r.Address)
	}
	return strings.Join(out, "\n")
}

// dump is all that the inventory holds, but for when it was written.
func (w *world) dump() string {
	w.t.Helper()
	var out strings.Builder
	for _, query := range []string{
		`SELECT id || '|' || client_id || '|' || name || '|' || lineage || '|' || version_id || '|' || note, resources FROM inventory_sources WHERE version_id <> '' OR resources > 0 ORDER BY id`,
		`SELECT source_id || '|' || address || '|' || client_id || '|' || type || '|' || name || '|' || module || '|' || provider || '|' || cloud_id || '|' || arn || '|' || region || '|' || digest, 0 FROM inventory_resources ORDER BY source_id, address`,
		`SELECT source_id || '|' || address || '|' || text, 0 FROM inventory_attributes ORDER BY source_id, address`,
		`SELECT source_id || '|' || kind || '|' || path || '|' || name || '|' || version, 0 FROM inventory_uses ORDER BY source_id, kind, path, name`,
	} {
		err := db.Each(w.t.Context(), w.db, func(scan func(...any) error) error {
			var line string
			var n int
			err := scan(&line, &n)
			fmt.Fprintln(&out, line, n)
			return err
		}, query)
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return out.String()
}

func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	err := w.db.Tx(w.t.Context(), func(tx *db.Tx) error {
		_, err := tx.ExecContext(w.t.Context(), query, args...)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func plan(t testing.TB, text string) *tfplan.Plan {
	t.Helper()
	p, err := tfplan.ParsePlan(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}
