package state_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/state"
)

// Every route, asked with every kind of credential: nobody but acme's own
// learns that acme has a state, or changes it.
func TestThreat_StatesOfOthersAreNotThere(t *testing.T) {
	w := sqliteWorld(t)
	mine, now := w.token(w.acme, "**"), doc(5, "l", "secret-of-acme")
	w.want(200, mine, "POST", at, now)
	w.want(200, mine, "LOCK", at, lockInfo("A"))
	run := func(client, project string) string {
		token, err := w.store.RunToken(t.Context(), state.RunAccess{Client: client, Name: project, Run: "r-" + project, Write: true, Until: w.now().Add(48 * time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		return token.Reveal()
	}
	// What is shared with a project opens nothing to its runs' credentials: they
	// are given a copy.
	w.repos()
	if err := w.store.Share(t.Context(), w.acme.ID, "net/prod", state.Owner{Client: w.acme.ID, Repo: 2, Project: "net/dev:default"}, state.Who{Actor: alice}); err != nil {
		t.Fatal(err)
	}
	if err := w.store.Bind(t.Context(), state.Owner{Client: w.acme.ID, Repo: 2, Project: "net/dev:default"}, "net/dev", state.Who{Actor: alice}); err != nil {
		t.Fatal(err)
	}
	one := func(s access.Scope) string { return w.token(w.beta, "**", s) }
	credentials := map[string]struct {
		token  string
		status int
	}{
		"none":                  {"", 401},
		"unknown":               {access.TokenPrefix + strings.Repeat("A", 43), 401},
		"beta's, of all scopes": {w.token(w.beta, "**"), 404},
		"beta's, to read":       {one(access.ScopeRead), 404}, "beta's, to write": {one(access.ScopeWrite), 404},
		"beta's, to lock": {one(access.ScopeLock), 404}, "beta's, to force-unlock": {one(access.ScopeForceUnlock), 404},
		"beta's, of the same project": {w.token(w.beta, "net/prod"), 404},
		"a run's of beta":             {run(w.beta.ID, "net/prod"), 404},
		"acme's, of another project":  {w.token(w.acme, "net/dev"), 403},
		"a run's that reads it too":   {run(w.acme.ID, "net/dev"), 403},
	}
	// What the handler knows, from its own table, and what it does not.
	known := append(state.Verbs(), [][3]string{{"PATCH"}, {"OPTIONS"}, {"GET", "/lock"}, {"PUT", "/lock"}, {"HEAD", "/lock"}}...)
	if len(known) < 16 {
		t.Fatalf("only %q", known)
	}
	bodies := map[string]string{"POST": doc(6, "l", "x"), "PUT": doc(6, "l", "x"), "LOCK": lockInfo("B"), "UNLOCK": lockInfo("A"), "POST/lock": lockInfo("B"), "DELETE/lock": lockInfo("A")}
	for name, c := range credentials {
		for _, verb := range known {
			for _, query := range []string{"", "?ID=A"} {
				for _, project := range []string{"net/prod", "no/such"} {
					method, path := verb[0], "/state/acme/"+project+verb[1]+query
					body, ok := bodies[method+verb[1]]
					if !ok {
						body = bodies[method]
					}
					rows := 1 // in the audit trail, whose meter lets each one through
					if c.status == 401 {
						rows = 0 // as of its flood
					} else {
						w.pass(61 * time.Second)
					}
					before := w.refusals()
					a := w.ask(c.token, method, path, body)
					if a.code != c.status && !(c.status == 401 && a.code == 429) {
						t.Errorf("%s: %s %s: %d, not %d", name, method, path, a.code, c.status)
					}
					if got := w.refusals() - before; got < rows {
						t.Errorf("%s: %s %s: %d rows in the audit trail", name, method, path, got)
					}
					if strings.Contains(a.body, "secret-of-acme") || strings.Contains(a.body, "carol") || strings.Contains(fmt.Sprint(a.head), sumOf(now)) {
						t.Errorf("%s: %s %s tells of the state: %s", name, method, path, a.body)
					}
				}
			}
		}
		// What is there and what is not look alike.
		if c.status != 404 {
			continue
		}
		here, nowhere := w.ask(c.token, "GET", at, ""), w.ask(c.token, "GET", "/state/nobody/x", "")
		if here.code != nowhere.code || here.body != nowhere.body {
			t.Errorf("%s: %d %s is not %d %s", name, here.code, here.body, nowhere.code, nowhere.body)
		}
	}
	if a := w.want(200, mine, "GET", at, ""); a.body != now {
		t.Error("the state was changed")
	}
	if st, err := w.store.State(t.Context(), w.acme.ID, "net/prod"); err != nil || st.Lock == nil || st.Lock.ID != "A" {
		t.Errorf("the lock was changed: %+v, %v", st.Lock, err)
	}
	if all, err := w.store.States(t.Context(), ""); err != nil || len(all) != 1 {
		t.Errorf("%d states, %v", len(all), err)
	}
	for client, says := range map[string]string{w.beta.ID: "another client's", w.acme.ID: "does not open"} {
		all, err := w.trail.List(t.Context(), client, 1000)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, e := range all {
			found = found || e.Action == "state.refused" && bytes.Contains(e.Detail, []byte(says))
			if client == w.acme.ID && bytes.Contains(e.Detail, []byte("another client's")) {
				t.Errorf("acme's trail tells of beta: %s", e.Detail)
			}
		}
		if !found {
			t.Errorf("no audit row says %q", says)
		}
	}
}

// refusals is how many refusals the trail tells of.
func (w *world) refusals() (n int) {
	w.t.Helper()
	if err := w.db.QueryRowContext(context.Background(), `SELECT count(*) FROM events WHERE action = 'state.refused'`).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// No scope includes another: each kind of request takes its own.
func TestScopesOfVerbs(t *testing.T) {
	w := sqliteWorld(t)
	for _, v := range state.Verbs() {
		others := []access.Scope{access.ScopeRead, access.ScopeWrite, access.ScopeForceWrite} // of an UNLOCK, which takes lock or force-unlock
		if v[2] != "" {
			others = slices.DeleteFunc(append(access.Scopes(), access.ScopeForceWrite), func(s access.Scope) bool { return string(s) == v[2] })
		}
		w.want(403, w.token(w.acme, "**", others...), v[0], at+v[1], lockInfo("A"))
	}
}
