package tfe_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/state"
)

// Requests that are no good: each the right status, a reason in the log, and
// nothing changed.
func TestBadInput(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, func(o *state.Options) { o.Limits.Size = 1 << 20 })
		token := w.token(w.acme, "**")
		ws := w.make(token, "net:prod")
		five := doc(5, "l", "five")
		w.push(token, ws, five, 5, "l")
		for _, c := range []struct {
			code         int
			says         string // in the log
			method, path string
			body         string
		}{
			{400, "not the JSON", "POST", orgs + "/workspaces", "{"},
			{400, "not the JSON", "POST", orgs + "/workspaces", `{"data":[]}`},
			{422, "needs a name", "POST", orgs + "/workspaces", ``},
			{422, "path of a project", "POST", orgs + "/workspaces", named("../../etc/passwd")},
			{422, "path of a project", "POST", orgs + "/workspaces", named("..")},
			{422, "path of a project", "POST", orgs + "/workspaces", named("net:..:x")},
			{422, "path of a project", "POST", orgs + "/workspaces", `{"data":{"attributes":{"name":"a\u0000b"}}}`},
			{422, "path of a project", "POST", orgs + "/workspaces", named("<script>")},
			{422, "path of a project", "POST", orgs + "/workspaces", named(strings.Repeat("a", 201))},
			{413, "more than", "POST", orgs + "/workspaces", `{"data":{"attributes":{"name":"` + strings.Repeat("a", 2<<20) + `"}}}`},
			{413, "more than", "POST", orgs + "/workspaces", named("ok") + strings.Repeat(" ", 2<<20)},
			{422, "path of a project", "GET", orgs + "/workspaces/..%2f..%2fetc", ""},
			{422, "path of a project", "GET", orgs + "/workspaces/net%2fprod", ""},
			{422, "path of a project", "GET", orgs + "/workspaces/%00", ""},
			{404, "no such address", "GET", orgs + "/workspaces/a/../b", ""},
			{404, "no such address", "GET", orgs + "/workspaces//", ""},
			{404, "no such thing", "POST", "/api/v2/workspaces/ws-' OR 1=1 --/actions/lock", ""},
			{404, "no such address", "GET", "/api/v2/runs/run-1", ""},
			{404, "no such thing", "GET", "/api/v2/workspaces/" + strings.Repeat("x", 5000), ""},
			{405, "no such method", "PUT", ws, ""},
			{405, "no such method", "GET", ws + "/actions/lock", ""},
			{422, "A tag is text", "POST", ws + "/relationships/tags", `{"data":[{"attributes":{"name":"a,b"}}]}`},
			{422, "A tag is text", "POST", ws + "/relationships/tags", `{"data":[{"attributes":{}}]}`},
			{422, "A tag is text", "POST", ws + "/relationships/tags", `{"data":[{"attributes":{"name":"` + strings.Repeat("a", 256) + `"}}]}`},
			{422, "project's name is text", "POST", orgs + "/projects", `{"data":{"attributes":{"name":"a\nb"}}}`},
			{422, "MD5 in hex", "POST", ws + "/state-versions", ``},
			{422, "MD5 in hex", "POST", ws + "/state-versions", `{"data":{"attributes":{"serial":1,"md5":"xyz"}}}`},
			{422, "needs its serial", "POST", ws + "/state-versions", `{"data":{"attributes":{"serial":-1,"md5":"` + sumOf("") + `"}}}`},
			{422, "needs its serial", "POST", ws + "/state-versions", `{"data":{"attributes":{"md5":"` + sumOf("") + `"}}}`},
			{400, "not the JSON", "POST", ws + "/state-versions", `{"data":{"attributes":{"serial":"1","md5":"` + sumOf("") + `"}}}`},
			{400, "not base64", "POST", ws + "/state-versions", announcement(6, "l", "", `,"state":"!!!!"`)},
			{409, "older 4", "POST", ws + "/state-versions", announcement(4, "l", doc(4, "l", "x"), "")},
			{409, "with another content", "POST", ws + "/state-versions", announcement(5, "l", doc(5, "l", "x"), "")},
			{409, "it is another state", "POST", ws + "/state-versions", announcement(6, "other", doc(6, "other", "x"), "")},
		} {
			from := len(w.log.String())
			w.want(c.code, token, c.method, w.url+strings.ReplaceAll(c.path, " ", "%20"), c.body)
			w.logs(from, c.says)
		}
		up := func(body string) string {
			return fmt.Sprint(w.want(201, token, "POST", ws+"/state-versions", announcement(6, "l", body, "")).one(t).Attributes["hosted-state-upload-url"])
		}
		good, large := doc(6, "l", "good"), doc(6, "l", strings.Repeat("x", 2<<20))
		other, lower := doc(6, "other", "x"), doc(4, "l", "x") // what was announced is not believed
		for _, c := range []struct {
			code      int
			says      string
			announced string
			body      string
			length    int // that is claimed; 0 for the true one
		}{
			{422, "middle of the state", good, good[:len(good)-1], 0},
			{422, "ended before its end", good, good[:len(good)-1], len(good)},
			{422, "damaged on the way", good, doc(6, "l", "evil"), 0},
			{422, "no Terraform state", "no JSON", "no JSON", 0},
			{422, "no serial", `{"hello":1}`, `{"hello":1}`, 0},
			{413, "limit here", large, large, 0},
			{413, "limit here", good, good[:10], 1 << 30},
			{409, "it is another state", other, other, 0},
			{409, "older 4", lower, lower, 0},
		} {
			to, from := up(c.announced), len(w.log.String())
			if c.length == 0 {
				w.want(c.code, "", "PUT", to, c.body)
			} else if a := w.raw("PUT", strings.TrimPrefix(to, w.url), c.length, c.body); a.code != c.code {
				t.Errorf("%s: %d, not %d: %s", c.says, a.code, c.code, a.body)
			}
			w.logs(from, c.says)
		}
		if all, err := w.store.Versions(t.Context(), w.acme.ID, "net/prod", 10); err != nil || len(all) != 1 {
			t.Errorf("%d versions, %v", len(all), err)
		}
		if all, err := w.store.States(t.Context(), ""); err != nil || len(all) != 1 || all[0].Lock != nil || all[0].Serial != 5 {
			t.Errorf("states: %+v, %v", all, err)
		}
		if a := w.want(200, token, "GET", "/state/acme/net/prod", ""); a.body != five {
			t.Errorf("something was changed: %s", a.body)
		}
	})
}

// logs checks that the log says so, from there on.
func (w *world) logs(from int, says string) {
	w.t.Helper()
	if said := w.log.String()[from:]; !strings.Contains(said, "level=") || !strings.Contains(said, "reason=") || !strings.Contains(said, says) {
		w.t.Errorf("the log does not say %q: %s", says, said)
	}
}

// raw sends a request of a length by hand, closes its side of the connection
// behind it, and reads what is answered.
func (w *world) raw(method, path string, length int, body string) answer {
	w.t.Helper()
	conn, err := tls.Dial("tcp", w.host, w.client.Transport.(*http.Transport).TLSClientConfig.Clone())
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", method, path, w.host, length, body)
	if err := errors.Join(err, conn.CloseWrite()); err != nil {
		w.t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{resp.StatusCode, string(b), resp.Header}
}

func TestWithoutARightToken(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	token, cred := w.credential(w.acme, "**")
	late := w.token(w.acme, "**", access.ScopeRead, access.ScopeForceWrite) // which has an end
	ws := w.make(token, "net:prod")
	up := fmt.Sprint(w.want(201, token, "POST", ws+"/state-versions", announcement(1, "l", doc(1, "l", "x"), "")).one(t).Attributes["hosted-state-upload-url"])
	wrong := func(code int, token, method, path, says string) {
		t.Helper()
		from := len(w.log.String())
		w.want(code, token, method, path, doc(1, "l", "x"))
		w.logs(from, says)
	}
	wrong(401, "", "GET", orgs, "token is needed")
	wrong(401, "tlk_nobody", "GET", orgs, "no such token")
	wrong(401, "tlk_nobody", "POST", ws+"/state-versions", "no such token")
	w.want(200, token, "GET", orgs, "")
	if _, err := w.tokens.Revoke(t.Context(), cred.ID, alice); err != nil {
		t.Fatal(err)
	}
	wrong(401, token, "GET", orgs, "revoked")
	wrong(401, token, "DELETE", ws, "revoked")
	wrong(403, "", "PUT", up, "does not count, or no more")
	w.pass(2 * time.Hour)
	wrong(401, late, "GET", orgs, "expired")
	if st, err := w.store.State(t.Context(), w.acme.ID, "net/prod"); err != nil || st.Exists() || st.Lock != nil {
		t.Errorf("changed: %+v, %v", st, err)
	}
	for range 30 {
		w.ask("tlk_nobody", "GET", orgs, "")
	}
	if a := w.want(429, "tlk_nobody", "GET", orgs, ""); a.head.Get("X-RateLimit-Reset") != "60" {
		t.Errorf("flood: %v", a.head)
	}
	w.want(200, w.token(w.acme, "**"), "GET", orgs, "") // a right one is let in all the same
	if strings.Contains(w.log.String(), token) {
		t.Error("the log has a token")
	}
}
