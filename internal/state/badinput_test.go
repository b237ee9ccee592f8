package state_test

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/state"
)

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
