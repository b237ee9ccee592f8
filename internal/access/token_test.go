package access_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
)

func TestTokens(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, now := t.Context(), time.Now().Truncate(time.Millisecond)
		trail := trailOfFive(t, d)
		tokens := access.NewTokens(d, trail, func() time.Time { return now })
		token, made, err := tokens.Create(ctx, access.NewToken{Client: "c1", Name: "laptop", Projects: []string{"net/*", "dns"}, Scopes: []access.Scope{access.ScopeRead, access.ScopeLock},
			By: alice, Expires: now.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		got, err := tokens.Authenticate(ctx, token.Reveal())
		if err != nil || got.ID != made.ID || got.Client != "c1" || got.By != alice || got.Actor != (access.Actor{Kind: access.Token, Name: "laptop"}) {
			t.Errorf("%+v, %v", got, err)
		}
		for project, opens := range map[string]bool{"net/prod": true, "dns": true, "net": false, "net/a/b": false, "net/../x": false, "": false, "dns/x": false} {
			if got.Opens(project) != opens {
				t.Errorf("opens %q: %v", project, !opens)
			}
		}
		for _, s := range access.Scopes() {
			if want := s == access.ScopeRead || s == access.ScopeLock; got.May(s) != want {
				t.Errorf("may %s: %v", s, !want)
			}
		}
		var stored string
		if err := d.QueryRowContext(ctx, `SELECT id || name || hash || projects || scopes || actor || created_by FROM tokens`).Scan(&stored); err != nil || strings.Contains(stored, token.Reveal()) {
			t.Errorf("the token itself is in the database: %v", err)
		}
		if all, err := tokens.List(ctx, "c1", false); err != nil || len(all) != 1 || all[0].Used.IsZero() {
			t.Errorf("list %+v, %v", all, err)
		}
		if all, err := tokens.List(ctx, "c2", true); err != nil || len(all) != 0 {
			t.Errorf("another client's list %+v, %v", all, err)
		}
		now = now.Add(2 * time.Hour)
		if c, err := tokens.Authenticate(ctx, token.Reveal()); !errors.Is(err, access.ErrTokenExpired) || !errs.Is(err, errs.Forbidden) || c.ID != made.ID {
			t.Errorf("expired: %v", err)
		}
		for range 2 {
			if _, err := tokens.Revoke(ctx, made.ID, alice); err != nil {
				t.Error(err)
			}
		}
		if _, err := tokens.Authenticate(ctx, token.Reveal()); !errors.Is(err, access.ErrTokenRevoked) {
			t.Errorf("revoked: %v", err)
		}
		for _, wrong := range []string{"", "x", access.TokenPrefix, token.Reveal() + "x", strings.ToUpper(token.Reveal()), token.Reveal()[:40]} {
			if _, err := tokens.Authenticate(ctx, wrong); !errors.Is(err, access.ErrNoToken) {
				t.Errorf("%q: %v", wrong, err)
			}
		}
		all, err := trail.List(ctx, "c1", 3)
		if err != nil || all[0].Action != "token.revoked" || all[1].Action != "token.created" || strings.Contains(string(all[1].Detail), token.Reveal()) {
			t.Errorf("trail %+v, %v", all, err)
		}
	})
}

func TestTokensOfARunEndWithIt(t *testing.T) {
	d := dbtest.SQLite(t)
	ctx, trail := t.Context(), trailOfFive(t, d)
	tokens := access.NewTokens(d, trail, nil)
	make := func(run string) string {
		token, _, err := tokens.Create(ctx, access.NewToken{Client: "c1", Name: "run", Projects: []string{"x"}, Scopes: access.Scopes(), By: alice, Run: run})
		if err != nil {
			t.Fatal(err)
		}
		return token.Reveal()
	}
	first, second, person := make("r1"), make("r2"), make("")
	for _, run := range []string{"r1", ""} {
		if err := d.Tx(ctx, func(tx *db.Tx) error { return tokens.RevokeRunTx(ctx, tx, run) }); err != nil {
			t.Fatal(err)
		}
	}
	for token, live := range map[string]bool{first: false, second: true, person: true} {
		if _, err := tokens.Authenticate(ctx, token); (err == nil) != live {
			t.Errorf("live %v: %v", live, err)
		}
	}
	if all, err := tokens.List(ctx, "", false); err != nil || len(all) != 1 {
		t.Errorf("%d without those of runs, %v", len(all), err)
	}
}

func TestTokensThatMakeNoSense(t *testing.T) {
	d := dbtest.SQLite(t)
	tokens := access.NewTokens(d, trailOfFive(t, d), nil)
	good := access.NewToken{Client: "c1", Name: "n", Projects: []string{"**"}, Scopes: []access.Scope{access.ScopeRead}, By: alice}
	for name, change := range map[string]func(n *access.NewToken){
		"no name": func(n *access.NewToken) { n.Name = "" }, "a name of two lines": func(n *access.NewToken) { n.Name = "a\nb" },
		"no project": func(n *access.NewToken) { n.Projects = nil }, "no pattern": func(n *access.NewToken) { n.Projects = []string{"a["} }, "an empty one": func(n *access.NewToken) { n.Projects = []string{""} },
		"no scope": func(n *access.NewToken) { n.Scopes = nil }, "no such scope": func(n *access.NewToken) { n.Scopes = []access.Scope{"admin"} },
		"expired":            func(n *access.NewToken) { n.Expires = time.Now().Add(-time.Second) },
		"to force, for good": func(n *access.NewToken) { n.Scopes = []access.Scope{access.ScopeWrite, access.ScopeForceWrite} },
		"to force, for long": func(n *access.NewToken) {
			n.Scopes, n.Expires = []access.Scope{access.ScopeWrite, access.ScopeForceWrite}, time.Now().Add(25*time.Hour)
		},
		"nobody": func(n *access.NewToken) { n.By = access.Actor{} }, "no client": func(n *access.NewToken) { n.Client = "" }, "another client": func(n *access.NewToken) { n.Client = "nobody" },
	} {
		n := good
		change(&n)
		if _, _, err := tokens.Create(t.Context(), n); err == nil {
			t.Errorf("%s: made", name)
		}
	}
	good.Scopes, good.Expires = []access.Scope{access.ScopeWrite, access.ScopeForceWrite}, time.Now().Add(time.Hour)
	if _, _, err := tokens.Create(t.Context(), good); err != nil {
		t.Errorf("to force, for an hour: %v", err)
	}
}
