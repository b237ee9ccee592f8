package state_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/state"
)

const at = "/state/acme/net/prod"

func TestVerbsOfAState(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		token := w.token(w.acme, "**")
		w.want(404, token, "GET", at, "")
		w.want(404, token, "HEAD", at, "")
		w.want(200, token, "DELETE", at, "")
		one, two := doc(1, "l", "one"), doc(2, "l", "two")
		w.want(200, token, "POST", at, one, "Content-MD5", sumOf(one))
		a := w.want(200, token, "GET", at, "")
		if a.body != one || a.head.Get("Content-MD5") != sumOf(one) || a.head.Get("Content-Type") != "application/json" {
			t.Errorf("got %q, %v", a.body, a.head)
		}
		if a := w.want(200, token, "HEAD", at, ""); a.body != "" || a.head.Get("Content-Length") != fmt.Sprint(len(one)) {
			t.Errorf("HEAD: %q, %v", a.body, a.head)
		}
		w.want(200, token, "PUT", at, two)
		if a := w.want(200, token, "GET", at, ""); a.body != two {
			t.Errorf("got %q", a.body)
		}
		w.want(405, token, "PATCH", at, "")
		w.want(405, token, "GET", at+"/lock", "")
		w.want(200, token, "DELETE", at, "")
		w.want(200, token, "DELETE", at, "")
		w.want(404, token, "GET", at, "")
		w.want(200, token, "POST", at, doc(1, "other", "anew")) // a state of the same name, made anew
		if got := w.events(w.acme.ID); !slices.Contains(got, "state.deleted") || !slices.Contains(got, "state.written") {
			t.Errorf("audit: %v", got)
		}
		if err := w.trail.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Clients repeat what was not answered: the second time must be as good.
func TestRepeatedRequestsAreAnsweredAlike(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		token, one := w.token(w.acme, "**"), doc(1, "l", "one")
		for range 2 {
			w.want(200, token, "LOCK", at, lockInfo("A"))
		}
		for range 2 {
			w.want(200, token, "POST", at+"?ID=A", one, "Content-MD5", sumOf(one))
		}
		for range 2 {
			w.want(200, token, "UNLOCK", at, lockInfo("A"))
		}
		w.want(200, token, "POST", at+"?ID=A", one) // a repetition that comes after the unlock
		if all, err := w.store.Versions(t.Context(), w.acme.ID, "net/prod", 10); err != nil || len(all) != 1 {
			t.Errorf("%d versions, %v", len(all), err)
		}
	})
}

func TestLocksAreHeld(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		token, other := w.token(w.acme, "**"), w.token(w.acme, "**", access.ScopeRead, access.ScopeWrite, access.ScopeLock)
		w.want(200, token, "LOCK", at, lockInfo("A"))
		for _, c := range []struct{ method, path string }{{"LOCK", at}, {"POST", at + "/lock"}} {
			a := w.want(423, other, c.method, c.path, lockInfo("B"))
			var holder state.LockInfo
			if err := json.Unmarshal([]byte(a.body), &holder); err != nil || holder.ID != "A" || holder.Who != "carol@laptop" {
				t.Errorf("the holder is told as %q, %v", a.body, err)
			}
		}
		w.want(423, other, "LOCK", at, lockInfo("A")) // the same ID, from somebody else
		w.want(409, other, "POST", at, doc(1, "l", "x"))
		w.want(409, other, "POST", at+"?ID=B", doc(1, "l", "x"))
		w.want(200, token, "POST", at+"?ID=A", doc(1, "l", "x"))
		w.want(409, other, "DELETE", at, "")
		w.want(409, other, "UNLOCK", at, lockInfo("B"))
		w.want(200, token, "UNLOCK", at, lockInfo("A"))
		w.want(200, other, "LOCK", at, lockInfo("B"))
	})
}

// Threat "lock hijack": only the holder releases, else it takes a right of its
// own; a holder who lost the lock writes nothing.
func TestThreat_LockHijack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		holder := w.token(w.acme, "**")
		thief := w.token(w.acme, "**", access.ScopeRead, access.ScopeWrite, access.ScopeLock)
		owner := w.token(w.acme, "**", access.ScopeForceUnlock)
		lock := func() { w.want(200, holder, "LOCK", at, lockInfo("A")) }
		lock()
		// The thief learns the ID from the refusal, and still can't use it.
		w.want(403, thief, "UNLOCK", at, lockInfo("A"))
		w.want(403, thief, "UNLOCK", at, `{"ID":"A"}`)
		w.want(403, thief, "UNLOCK", at, "")
		w.want(403, thief, "DELETE", at+"/lock", "")
		w.want(409, owner, "UNLOCK", at, `{"ID":"B"}`)
		if st, err := w.store.State(t.Context(), w.acme.ID, "net/prod"); err != nil || st.Lock == nil {
			t.Fatal("the lock is gone", err)
		}
		// Terraform's force-unlock, OpenTofu's, and GitLab's form of each.
		w.want(200, owner, "UNLOCK", at, "")
		lock()
		w.want(200, owner, "UNLOCK", at, `{"ID":"A","Operation":"","Info":"","Who":"","Version":"","Created":"0001-01-01T00:00:00Z","Path":""}`)
		lock()
		w.want(200, owner, "DELETE", at+"/lock", "")
		// The holder who does not know of it is refused.
		w.want(409, holder, "POST", at+"?ID=A", doc(1, "l", "late"))
		w.want(404, holder, "GET", at, "")
		n := 0
		for _, a := range w.events(w.acme.ID) {
			if a == "state.force_unlocked" {
				n++
			}
		}
		if n != 3 {
			t.Errorf("%d forced unlocks in the audit trail, not 3", n)
		}
	})
}

// A lock that one of our runs holds is not taken away while the run goes on.
func TestThreat_LockOfARunStays(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	token, err := w.store.RunToken(ctx, state.RunAccess{Client: w.acme.ID, Name: "net/prod", Run: "r1", Commit: "abc", Actor: access.Actor{Kind: access.Bot}, Write: true, Until: w.now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	owner, run := w.token(w.acme, "**"), token.Reveal()
	w.want(200, run, "LOCK", at, lockInfo("A"))
	w.want(200, run, "POST", at+"?ID=A", doc(1, "l", "x"))
	w.want(409, owner, "UNLOCK", at, "")
	v, err := w.store.Current(ctx, w.acme.ID, "net/prod")
	if err != nil || v.Run != "r1" || v.Commit != "abc" || v.Actor.Kind != access.Bot {
		t.Errorf("version %+v, %v", v, err)
	}
	// It opens its own project alone, and nothing once the run has ended.
	w.want(403, run, "GET", "/state/acme/net/dev", "")
	w.want(403, run, "UNLOCK", at, "")
	if err := w.db.Tx(ctx, func(tx *db.Tx) error { return w.store.EndRun(ctx, tx, "r1") }); err != nil {
		t.Fatal(err)
	}
	w.want(401, run, "GET", at, "")
	w.want(200, owner, "UNLOCK", at, "")
	// A plan's may not write.
	if token, err = w.store.RunToken(ctx, state.RunAccess{Client: w.acme.ID, Name: "net/prod", Run: "r2", Until: w.now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	w.want(200, token.Reveal(), "GET", at, "")
	w.want(403, token.Reveal(), "POST", at, doc(2, "l", "x"))
	w.pass(2 * time.Hour)
	w.want(401, token.Reveal(), "GET", at, "")
}

// Fault 29: of two who wrote, the second is told, whatever it is that differs.
func TestFault29_ConflictsAreRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		token, now := w.token(w.acme, "**"), doc(5, "l", "now")
		w.want(200, token, "POST", at, now)
		for says, body := range map[string]string{ // the log
			"has other: it is another state": doc(6, "other", "x"), "has none: it is another state": doc(6, "", "x"), "the older 4": doc(4, "l", "x"), "already, with another content": doc(5, "l", "x"),
		} {
			before := len(w.log.String())
			if a := w.want(409, token, "POST", at, body); !strings.Contains(a.body, "othing was changed") {
				t.Errorf("%s: %s", says, a.body)
			}
			if said := w.log.String()[before:]; !strings.Contains(said, "level=WARN") || !strings.Contains(said, says) {
				t.Errorf("the log does not say %q: %s", says, said)
			}
		}
		w.want(200, token, "POST", at, now)
		if a := w.want(200, token, "GET", at, ""); a.body != now {
			t.Errorf("changed to %s", a.body)
		}
		if !slices.Contains(w.events(w.acme.ID), "state.refused") {
			t.Errorf("not in the audit trail: %v", w.events(w.acme.ID))
		}
		// What Terraform can't ask for over HTTP an operator can.
		ctx := t.Context()
		if _, err := w.store.Write(ctx, state.Write{Client: w.acme.ID, Name: "net/prod", Who: state.Who{Actor: alice}, Body: strings.NewReader(doc(4, "other", "x")), Force: true}); err == nil {
			t.Error("forced without a reason")
		}
		v, err := w.store.Write(ctx, state.Write{Client: w.acme.ID, Name: "net/prod", Who: state.Who{Actor: alice}, Body: strings.NewReader(doc(4, "other", "x")), Force: true, Reason: "mended by hand"})
		if err != nil || v.Kind != state.KindForce || w.events(w.acme.ID)[0] != "state.forced" {
			t.Errorf("forced: %+v, %v, %v", v, err, w.events(w.acme.ID)[0])
		}
	})
}

func TestOpenTofusEncryptedStates(t *testing.T) {
	w := sqliteWorld(t)
	token := w.token(w.acme, "**")
	sealed := func(serial int, data string) string {
		return fmt.Sprintf(`{"serial":%d,"lineage":"l","meta":{"key_provider.pbkdf2.x":"eyJz"},"encrypted_data":%q,"encryption_version":"v0"}`, serial, data)
	}
	w.want(200, token, "POST", at, sealed(1, "QUJD"))
	w.want(200, token, "POST", at, sealed(2, "REVG"))
	w.want(409, token, "POST", at, sealed(1, "QUJD"))
	w.want(409, token, "POST", at, sealed(2, "R0hJ"))
	if a := w.want(200, token, "GET", at, ""); a.body != sealed(2, "REVG") {
		t.Error(a.body)
	}
	if _, err := w.store.Compare(t.Context(), w.acme.ID, "net/prod", 1, 2); err == nil || !strings.Contains(err.Error(), "encrypted") {
		t.Errorf("compared: %v", err)
	}
}

// What is wrong with a request, by whom it is, and what it is answered with.
func TestBadInput(t *testing.T) {
	w := sqliteWorld(t, func(o *state.Options) { o.Limits.Size = 1 << 20 })
	token, now := w.token(w.acme, "**"), doc(5, "l", "now")
	expired, _, err := w.tokens.Create(t.Context(), access.NewToken{Client: w.acme.ID, Name: "old", Projects: []string{"**"}, Scopes: access.Scopes(), By: alice, Expires: w.now().Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	revoked, c, err := w.tokens.Create(t.Context(), access.NewToken{Client: w.acme.ID, Name: "gone", Projects: []string{"**"}, Scopes: access.Scopes(), By: alice})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.tokens.Revoke(t.Context(), c.ID, alice); err != nil {
		t.Fatal(err)
	}
	w.pass(2 * time.Minute)
	w.want(200, token, "POST", at, now)
	for _, tc := range []struct {
		name, token, method, path, body string
		md5                             string
		code                            int
		says                            string // in the log
	}{
		{name: "wrong MD5", body: doc(6, "l", "x"), md5: sumOf(now), code: 400, says: "damaged on the way"},
		{name: "MD5 in hex of something", body: doc(6, "l", "x"), md5: "d41d8cd98f00b204e9800998ecf8427e", code: 400, says: "damaged on the way"},
		{name: "MD5 that is none", body: doc(6, "l", "x"), md5: "***", code: 400, says: "announced is none"},
		{name: "not JSON", body: "<html>", code: 400, says: "no Terraform state"},
		{name: "JSON, no state", body: `{"hello":1}`, code: 400, says: "no serial"},
		{name: "a list", body: `[]`, code: 400, says: "no JSON object"},
		{name: "nothing", body: "", code: 400, says: "empty"},
		{name: "cut", body: doc(6, "l", "x")[:100], code: 400, says: "middle of the state"},
		{name: "too large", body: doc(6, "l", strings.Repeat("x", 1<<20)), code: 413, says: "limit here"},
		{name: "1 GB announced", body: "\x00" + "1073741824", code: 413, says: "limit here"},
		{name: "no token", token: "-", method: "GET", code: 401},
		{name: "wrong token", token: "tlk_wrong", method: "GET", code: 401, says: "no such token"},
		{name: "no token of ours", token: "hunter2", method: "GET", code: 401, says: "no such token"},
		{name: "expired token", token: expired.Reveal(), method: "GET", code: 401, says: "expired"},
		{name: "revoked token", token: revoked.Reveal(), method: "GET", code: 401, says: "revoked"},
		{name: "traversal", method: "GET", path: "/state/acme/../beta/net", code: 400, says: "path of a project"},
		{name: "traversal, escaped", method: "GET", path: "/state/acme/%2e%2e/beta/net", code: 400, says: "path of a project"},
		{name: "traversal, escaped slash", method: "GET", path: "/state/acme/..%2f..%2fbeta", code: 400, says: "path of a project"},
		{name: "backslash", method: "GET", path: `/state/acme/..%5cbeta`, code: 400, says: "path of a project"},
		{name: "NUL", method: "GET", path: "/state/acme/a%00b", code: 400, says: "path of a project"},
		{name: "hidden", method: "POST", path: "/state/acme/.git/x", body: now, code: 400, says: "path of a project"},
		{name: "two slashes", method: "GET", path: "/state/acme/a//b", code: 400, says: "path of a project"},
		{name: "no project", method: "GET", path: "/state/acme/", code: 400, says: "path of a project"},
		{name: "long name", method: "GET", path: "/state/acme/" + strings.Repeat("x", 300), code: 400, says: "path of a project"},
		{name: "unknown client", method: "GET", path: "/state/nobody/net", code: 404, says: "no such state"},
		{name: "a lock without an ID", method: "LOCK", body: `{"Who":"x"}`, code: 400, says: "no ID"},
		{name: "a lock that is no JSON", method: "LOCK", body: `who`, code: 400, says: "lock's info"},
		{name: "a lock without a body", method: "LOCK", code: 400, says: "lock's info"},
		{name: "a lock of 1 MB", method: "LOCK", body: `{"ID":"` + strings.Repeat("x", 1<<20) + `"}`, code: 413, says: "lock's info has more"},
		{name: "an unlock that is no JSON", method: "UNLOCK", body: `who`, code: 400, says: "lock's info"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := len(w.log.String())
			use, method, path := token, "POST", at
			if tc.token != "" {
				use = strings.TrimPrefix(tc.token, "-")
			}
			if tc.method != "" {
				method = tc.method
			}
			if tc.path != "" {
				path = tc.path
			}
			var a answer
			switch {
			case strings.HasPrefix(tc.body, "\x00"):
				a = w.raw(t, use, method, path, "Content-Length: "+tc.body[1:]+"\r\n", "{")
			case tc.md5 != "":
				a = w.ask(use, method, path, tc.body, "Content-MD5", tc.md5)
			default:
				a = w.ask(use, method, path, tc.body)
			}
			if a.code != tc.code {
				t.Errorf("%d, not %d: %s", a.code, tc.code, a.body)
			}
			if said := w.log.String()[before:]; !strings.Contains(said, tc.says) {
				t.Errorf("the log does not say %q: %s", tc.says, said)
			}
			if strings.Contains(a.body, "SELECT") || len(tc.token) > 1 && strings.Contains(a.body, tc.token) {
				t.Errorf("the answer tells too much: %s", a.body)
			}
		})
	}
	if a := w.want(200, token, "GET", at, ""); a.body != now {
		t.Errorf("something was changed: %s", a.body)
	}
	all, err := w.store.States(t.Context(), "")
	if err != nil || len(all) != 1 || all[0].Seq != 1 || all[0].Lock != nil {
		t.Errorf("states %+v, %v", all, err)
	}
}

// raw sends a request by hand and closes its side of the connection behind it.
func (w *world) raw(t *testing.T, token, method, path, head, body string) answer {
	t.Helper()
	u, err := url.Parse(w.url)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	req := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s\r\n%s", method, path, token, head, body)
	if _, err := io.WriteString(conn, req); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	var code int
	if _, err := fmt.Sscanf(string(got), "HTTP/1.1 %d", &code); err != nil && len(got) > 0 {
		t.Fatalf("%q: %v", got, err)
	}
	return answer{code: code, body: string(got)}
}

// A body that breaks off changes nothing, though what came was read already.
func TestTruncatedBodyChangesNothing(t *testing.T) {
	w := sqliteWorld(t)
	token, body := w.token(w.acme, "**"), doc(1, "l", strings.Repeat("x", 2<<20))
	a := w.raw(t, token, "POST", at, fmt.Sprintf("Content-Length: %d\r\n", len(body)), body[:1<<20])
	if a.code != 400 && a.code != 0 { // the server may find nobody left to be answered
		t.Errorf("answered with %d", a.code)
	}
	w.want(404, token, "GET", at, "")
	if !strings.Contains(w.log.String(), "ended before its end") {
		t.Errorf("log: %s", w.log)
	}
}

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
		"a run's of another project":  {run(w.acme.ID, "net/dev"), 403},
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

// However many wrong tokens come from an address, a right one is let in; the
// log and the trail are not flooded.
func TestThreat_GuessingIsSlowedDown(t *testing.T) {
	w := sqliteWorld(t)
	right := w.token(w.acme, "**")
	codes := map[int]int{}
	for range 100 {
		codes[w.ask("tlk_guess", "GET", at, "").code]++
	}
	if codes[401] != 30 || codes[429] != 70 {
		t.Errorf("answered with %v", codes)
	}
	w.want(404, right, "GET", at, "")
	if n := len(w.events("")); n > 40 {
		t.Errorf("%d events", n)
	}
	w.pass(time.Minute)
	w.want(401, "tlk_guess", "GET", at, "")
}

// Fault 25: a database that is locked is waited for a while; then 503, and
// nothing was changed.
func TestFault25_LockedDatabaseIs503(t *testing.T) {
	dsn := dbtest.SQLiteDSN(t)
	d := dbtest.Open(t, dsn, db.Busy(30*time.Millisecond, 2))
	w := newWorld(t, d)
	token := w.token(w.acme, "**")
	w.want(404, token, "GET", at, "") // the token's use is recorded now, and not below
	other, release, ended := dbtest.Open(t, dsn), make(chan struct{}), make(chan error, 1)
	holds := make(chan struct{})
	go func() {
		ended <- other.Tx(t.Context(), func(*db.Tx) error { close(holds); <-release; return nil })
	}()
	<-holds
	for _, c := range []struct{ method, body string }{{"POST", doc(1, "l", "x")}, {"LOCK", lockInfo("A")}, {"UNLOCK", lockInfo("A")}, {"DELETE", ""}} {
		if a := w.want(503, token, c.method, at, c.body); a.head.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", c.method)
		}
	}
	close(release)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	w.want(404, token, "GET", at, "")
	w.want(200, token, "POST", at, doc(1, "l", "x"))
}

// Fault 23: nothing that writes begins on a full disk.
func TestFault23_FullDiskGivesNoLock(t *testing.T) {
	var full error
	w := sqliteWorld(t, func(o *state.Options) { o.Room = func() error { return full } })
	token := w.token(w.acme, "**")
	w.want(200, token, "LOCK", at, lockInfo("A"))
	w.want(200, token, "UNLOCK", at, lockInfo("A"))
	full = errFull
	w.want(503, token, "LOCK", at, lockInfo("A"))
	if !strings.Contains(w.log.String(), "all but full") {
		t.Errorf("log: %s", w.log)
	}
}

// Fault 24, the store's side: a disk that is full in the middle of the work
// loses nothing of what was answered, and the write goes through once there is
// room.
func TestFault24_FullDatabaseIs503(t *testing.T) {
	d := dbtest.SQLite(t)
	w := newWorld(t, d)
	token, now := w.token(w.acme, "**"), doc(1, "l", "now")
	w.want(200, token, "LOCK", at, lockInfo("A"))
	w.want(200, token, "POST", at+"?ID=A", now)
	pages := func(n string) {
		t.Helper()
		if _, err := d.Writer().ExecContext(t.Context(), "PRAGMA max_page_count = "+n); err != nil {
			t.Fatal(err)
		}
	}
	pages("1") // as many as there are
	large := doc(2, "l", noise(200_000))
	if a := w.want(503, token, "POST", at+"?ID=A", large); !strings.Contains(a.body, "disk is full") {
		t.Errorf("says %s", a.body)
	}
	if a := w.want(200, token, "GET", at, ""); a.body != now {
		t.Errorf("became %s", a.body)
	}
	pages("1000000")
	w.want(200, token, "POST", at+"?ID=A", large)
	w.want(200, token, "UNLOCK", at, lockInfo("A"))
	if a := w.want(200, token, "GET", at, ""); a.body != large {
		t.Errorf("%d bytes came back", len(a.body))
	}
}

func TestQuotas(t *testing.T) {
	w := sqliteWorld(t, func(o *state.Options) { o.Limits = state.Limits{States: 2, Bytes: 40_000} })
	token, beta := w.token(w.acme, "**"), w.token(w.beta, "**")
	w.want(200, token, "POST", "/state/acme/a", doc(1, "l", "x"))
	w.want(200, token, "LOCK", "/state/acme/b", lockInfo("A"))
	a := w.want(507, token, "POST", "/state/acme/c", doc(1, "l", "x"))
	if !strings.Contains(a.body, "2 states") {
		t.Errorf("says %s", a.body)
	}
	w.want(507, token, "LOCK", "/state/acme/c", lockInfo("A"))
	w.want(200, beta, "POST", "/state/beta/c", doc(1, "l", "x"))
	// What has a lock began within the quota, and may end above it.
	w.want(200, token, "POST", "/state/acme/b?ID=A", doc(1, "l", noise(60_000)))
	w.want(507, token, "POST", "/state/acme/a", doc(2, "l", "x"))
	w.want(507, token, "LOCK", "/state/acme/a", lockInfo("B"))
	w.want(200, token, "GET", "/state/acme/a", "")
}

func TestMethodsOfTheHandlerNeedAServer(t *testing.T) {
	// A recorder has no connection whose deadline could be moved.
	w := sqliteWorld(t)
	r := httptest.NewRequest(http.MethodGet, at, nil)
	r.SetBasicAuth("x", w.token(w.acme, "**"))
	rec := httptest.NewRecorder()
	w.store.Handler(w.clients).ServeHTTP(rec, r)
	if rec.Code != http.StatusNotFound {
		t.Error(rec.Code)
	}
}

// A client that closes its half of the connection ends the request, and may
// listen yet: it must not take silence for success.
func TestAnEndedRequestIsNoSuccess(t *testing.T) {
	w := sqliteWorld(t)
	token := w.token(w.acme, "**")
	ctx, end := context.WithCancel(t.Context())
	end()
	r := httptest.NewRequest(http.MethodPost, at, strings.NewReader(doc(1, "l", "x"))).WithContext(ctx)
	r.SetBasicAuth("x", token)
	rec := httptest.NewRecorder()
	w.store.Handler(w.clients).ServeHTTP(rec, r)
	if rec.Code != http.StatusServiceUnavailable {
		t.Errorf("answered with %d", rec.Code)
	}
	w.want(404, token, "GET", at, "")
}
