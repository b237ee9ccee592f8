package tfe_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/state/tfe"
)

// Another client's anything is 404 for every route and every credential, says
// the same as what is not there at all, and leaves a row in the audit trail.
func TestThreat_WorkspacesOfOthersAreNotThere(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		owner := w.token(w.acme, "**")
		ws := w.make(owner, "net:prod")
		path := w.push(owner, ws, doc(1, "l", "one"), 1, "l")
		output := w.want(200, owner, "GET", path+"/outputs", "").many(t)[0].ID
		project := w.want(201, owner, "POST", orgs+"/projects", `{"data":{"type":"projects","attributes":{"name":"P"}}}`).one(t).ID
		pending := w.want(201, owner, "POST", ws+"/state-versions", announcement(2, "l", doc(2, "l", "two"), "")).one(t).ID
		w.want(200, owner, "GET", "/api/v2/state-versions/"+pending, "")
		const none = "00000000-0000-7000-8000-000000000000"
		real := map[string]string{"{org}": "acme", "{name}": "net:prod", "{ws}": ws[len("/api/v2/workspaces/"):], "{sv}": path[len("/api/v2/state-versions/"):], "{output}": output, "{prj}": project}
		void := map[string]string{"{org}": "nobody", "{name}": "net:prod", "{ws}": "ws-" + none, "{sv}": "sv-" + none, "{output}": "wsout-" + none + "-YQ", "{prj}": "prj-" + none}
		fill := func(route string, with map[string]string) string {
			for k, v := range with {
				route = strings.ReplaceAll(route, k, v)
			}
			if strings.Contains(route, "{") {
				t.Fatalf("the test does not know what to put into %s", route)
			}
			return "/api/v2/" + route
		}
		// The clock goes on, so that the trail's meter lets each one through.
		tried := 0
		for name, token := range map[string]string{"all": w.token(w.beta, "**"), "one": w.token(w.beta, "net/prod")} {
			for _, r := range tfe.Routes() {
				if !strings.Contains(r[1], "{") {
					r[1] += "?filter[organization][name]={org}&filter[workspace][name]={name}"
				}
				w.pass(61 * time.Second)
				before := refused(w, w.beta.ID)
				theirs := w.ask(token, r[0], fill(r[1], real), "{}")
				nobodys := w.ask(token, r[0], fill(r[1], void), "{}")
				if theirs.code != http.StatusNotFound || nobodys.code != http.StatusNotFound || theirs.body != nobodys.body {
					t.Errorf("%s, %s %s: %d %s, and nobody's: %d %s", name, r[0], r[1], theirs.code, theirs.body, nobodys.code, nobodys.body)
				}
				if got := refused(w, w.beta.ID) - before; got != 2 {
					t.Errorf("%s, %s %s: %d rows in the audit trail", name, r[0], r[1], got)
				}
				tried++
			}
			w.want(404, token, "GET", "/api/v2/state-versions/"+pending, "")
			if got := w.want(200, token, "GET", "/api/v2/organizations/beta/workspaces?filter[project][id]="+project, "").many(t); len(got) != 0 {
				t.Errorf("listed: %v", got)
			}
			// Nor is another client's project taken into one's own.
			w.want(404, token, "POST", "/api/v2/organizations/beta/workspaces", `{"data":{"attributes":{"name":"net:prod"},"relationships":{"project":{"data":{"id":"`+project+`"}}}}}`)
		}
		if tried != 2*len(tfe.Routes()) {
			t.Errorf("%d tried", tried)
		}
		if slices.Contains(w.events(w.acme.ID), "state.refused") {
			t.Error("the neighbour's trail tells of it")
		}
		if st, err := w.store.States(t.Context(), w.beta.ID); err != nil || len(st) != 0 {
			t.Errorf("beta has %v, %v", st, err)
		}
		if v, err := w.store.Current(t.Context(), w.acme.ID, "net/prod"); err != nil || v.Serial != 1 {
			t.Errorf("acme's: %+v, %v", v, err)
		}
		if err := w.trail.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func refused(w *world, client string) (n int) {
	for _, a := range w.events(client) {
		if a == "state.refused" {
			n++
		}
	}
	return n
}

// An address that needs no token opens one thing for one purpose for some
// minutes, and no more than the token that it was given to.
func TestThreat_AddressesOfStates(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	token, cred := w.credential(w.acme, "**")
	ws := w.make(token, "net:prod")
	one := doc(1, "l", "one")
	announced := w.want(201, token, "POST", ws+"/state-versions", announcement(1, "l", one, "")).one(t)
	upload, asJSON := fmt.Sprint(announced.Attributes["hosted-state-upload-url"]), fmt.Sprint(announced.Attributes["hosted-json-state-upload-url"])
	if announced.Attributes["hosted-state-download-url"] != nil || strings.Contains(upload, token) || strings.Contains(upload, "?") {
		t.Errorf("announced: %v", announced.Attributes)
	}
	// Each for its own purpose.
	w.want(405, "", "GET", upload, "")
	w.want(405, "", "POST", upload, one)
	w.want(405, "", "GET", asJSON, "")
	w.want(200, "", "PUT", asJSON, `{"anything":true}`)
	w.want(404, token, "GET", ws+"/current-state-version", "")
	w.want(200, "", "PUT", upload, one)
	w.want(200, "", "PUT", upload, one)
	w.want(409, "", "PUT", upload, doc(1, "l", "two"))
	download := fmt.Sprint(w.want(200, token, "GET", ws+"/current-state-version", "").one(t).Attributes["hosted-state-download-url"])
	if a := w.want(200, "", "GET", download+"?limit=1&offset=2", ""); a.body != one || a.head.Get("Cache-Control") != "no-store" {
		t.Errorf("download: %q, %v", a.body, a.head)
	}
	w.want(405, "", "PUT", download, one)
	// Not one character of it may change.
	at := strings.LastIndexByte(download, '/') + 1
	for i := at; i < len(download); i++ {
		other := byte('A')
		if download[i] == other {
			other = 'B'
		}
		if a := w.ask("", "GET", download[:i]+string(other)+download[i+1:], ""); a.code == 200 {
			t.Errorf("with another character at %d: %d", i-at, a.code)
		}
	}
	claims, mac, _ := strings.Cut(download[at:], ".")
	for _, bad := range []string{"", ".", claims, claims + ".", "." + mac, claims + ".." + mac, claims + "/" + mac, "%00"} {
		w.want(403, "", "GET", w.url+"/hosted/"+bad, "")
	}
	// Neither the log nor the trail has one that counts.
	if strings.Contains(w.log.String(), claims) {
		t.Error("the log has an address that opens a state")
	}
	if got := refused(w, ""); got == 0 {
		t.Error("no row in the audit trail")
	}
	// It ends: by itself, and with the token.
	fresh := fmt.Sprint(w.want(201, token, "POST", ws+"/state-versions", announcement(2, "l", doc(2, "l", "two"), "")).one(t).Attributes["hosted-state-upload-url"])
	w.pass(9 * time.Minute)
	w.want(200, "", "GET", download, "")
	w.pass(2 * time.Minute)
	w.want(403, "", "GET", download, "")
	w.want(403, "", "PUT", fresh, doc(2, "l", "two"))
	download = fmt.Sprint(w.want(200, token, "GET", ws+"/current-state-version", "").one(t).Attributes["hosted-state-download-url"])
	if _, err := w.tokens.Revoke(t.Context(), cred.ID, alice); err != nil {
		t.Fatal(err)
	}
	w.want(403, "", "GET", download, "")
}
