package tfe_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/state"
	"github.com/tidelock/tidelock/internal/state/tfe"
)

func TestNamesOfWorkspacesAreReversible(t *testing.T) {
	for name, workspace := range map[string]string{"prod": "prod", "net/prod": "net:prod", "a/b/c-d_e.f": "a:b:c-d_e.f"} {
		if got := tfe.Workspace(name); got != workspace {
			t.Errorf("%s is the workspace %s", name, got)
		}
		if got, err := tfe.StateName(workspace); err != nil || got != name {
			t.Errorf("%s is the state %s, %v", workspace, got, err)
		}
	}
	for _, bad := range []string{"", "net/prod", ":", "net::prod", "..", "net:..:prod", ".hidden", "net:lock", "lock", "a b", "é", "a\x00b", strings.Repeat("a", 201)} {
		if got, err := tfe.StateName(bad); err == nil {
			t.Errorf("%q is the state %q", bad, got)
		}
	}
}

func FuzzNamesOfWorkspacesAreReversible(f *testing.F) {
	f.Add("net:prod")
	f.Fuzz(func(t *testing.T, workspace string) {
		name, err := tfe.StateName(workspace)
		if err != nil {
			return
		}
		if tfe.Workspace(name) != workspace || state.CheckName(name) != nil {
			t.Errorf("%q is the state %q, which is the workspace %q", workspace, name, tfe.Workspace(name))
		}
	})
}

func TestWhatTheClientAsksFirst(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	if a := w.want(204, "", "GET", "/api/v2/ping", ""); a.head.Get("TFP-API-Version") < "2.5" {
		t.Errorf("ping: %v", a.head)
	}
	set := w.want(200, w.token(w.acme, "**"), "GET", orgs+"/entitlement-set", "").one(t)
	if set.Attributes["operations"] != false || set.Attributes["state-storage"] != true {
		t.Errorf("entitlements: %v", set.Attributes)
	}
	if got := w.want(200, w.token(w.acme, "**"), "GET", orgs, "").one(t); got.ID != "acme" {
		t.Errorf("organization: %v", got)
	}
}

func TestAStateIsOneAndTheSame(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		token := w.token(w.acme, "**")
		// Made over HTTP, it is a workspace; made as a workspace, it is there.
		w.want(404, token, "GET", orgs+"/workspaces/net:prod", "")
		w.want(200, token, "POST", "/state/acme/net/prod", doc(1, "l", "one"))
		ws := w.want(200, token, "GET", orgs+"/workspaces/net:prod", "").one(t)
		at := "/api/v2/workspaces/" + ws.ID
		if ws.Attributes["name"] != "net:prod" || ws.Attributes["terraform-version"] != "latest" || ws.Attributes["execution-mode"] != "local" {
			t.Errorf("workspace: %v", ws.Attributes)
		}
		v := w.want(200, token, "GET", at+"/current-state-version", "")
		if got := v.one(t).Attributes; got["serial"] != 1.0 || got["status"] != "finalized" || v.head.Get("X-Terraform-Snapshot-Interval") == "" {
			t.Errorf("version: %v, %v", got, v.head)
		}
		two := doc(2, "l", "two")
		path := w.push(token, at, two, 2, "l")
		if a := w.want(200, token, "GET", "/state/acme/net/prod", ""); a.body != two {
			t.Errorf("over HTTP: %s", a.body)
		}
		got := w.want(200, token, "GET", path, "").one(t)
		if got.Attributes["status"] != "finalized" || got.Attributes["serial"] != 2.0 {
			t.Errorf("the announced version: %v", got.Attributes)
		}
		if a := w.want(200, "", "GET", fmt.Sprint(got.Attributes["hosted-state-download-url"]), ""); a.body != two {
			t.Errorf("downloaded: %s", a.body)
		}
		list := w.want(200, token, "GET", "/api/v2/state-versions?filter[organization][name]=acme&filter[workspace][name]=net:prod", "").many(t)
		if len(list) != 2 || list[0].Attributes["serial"] != 2.0 {
			t.Errorf("versions: %v", list)
		}
		// A body in the request itself, as older clients send it.
		three := doc(3, "l", "three")
		inline := announcement(3, "l", three, `,"state":"`+base64.StdEncoding.EncodeToString([]byte(three))+`"`)
		for range 2 { // and once more, since it was not answered, say
			if got := w.want(201, token, "POST", at+"/state-versions", inline).one(t); got.Attributes["status"] != "finalized" {
				t.Errorf("inline: %v", got.Attributes)
			}
		}
		if all, err := w.store.Versions(t.Context(), w.acme.ID, "net/prod", 10); err != nil || len(all) != 3 {
			t.Errorf("%d versions, %v", len(all), err)
		}
		w.want(409, token, "POST", at+"/actions/safe-delete", "")
		w.want(204, token, "DELETE", at, "")
		w.want(404, token, "GET", at, "")
		w.want(404, token, "GET", "/state/acme/net/prod", "")
		if got := w.events(w.acme.ID); !slices.Contains(got, "workspace.deleted") || !slices.Contains(got, "state.deleted") {
			t.Errorf("audit: %v", got)
		}
		// Its versions stayed, and the name is free.
		w.make(token, "net:prod")
		if all, err := w.store.Versions(t.Context(), w.acme.ID, "net/prod", 10); err != nil || len(all) != 3 {
			t.Errorf("%d versions, %v", len(all), err)
		}
		if err := w.trail.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestWorkspacesAreListedAndFiltered(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		token := w.token(w.acme, "**")
		w.want(201, w.token(w.beta, "**"), "POST", "/api/v2/organizations/beta/workspaces", named("net:beta"))
		project := w.want(201, token, "POST", orgs+"/projects", `{"data":{"type":"projects","attributes":{"name":"Net, work"}}}`).one(t).ID
		w.want(422, token, "POST", orgs+"/projects", `{"data":{"type":"projects","attributes":{"name":"Net, work"}}}`)
		w.want(201, token, "POST", orgs+"/workspaces", `{"data":{"type":"workspaces","attributes":{"name":"net:dev"},"relationships":{
			"project":{"data":{"type":"projects","id":"`+project+`"}},"tags":{"data":[{"type":"tags","attributes":{"name":"aws"}},{"type":"tags","attributes":{"name":"net"}}]}}}}`)
		w.want(201, token, "POST", orgs+"/workspaces", `{"data":{"type":"workspaces","attributes":{"name":"net:prod"},"relationships":{"tag-bindings":{"data":[{"type":"tag-bindings","attributes":{"key":"net","value":"main"}}]}}}}`)
		w.want(422, token, "POST", orgs+"/workspaces", named("net:prod"))
		ws := w.make(token, "app")
		for query, want := range map[string]string{
			"":                               "app net:dev net:prod",
			"search[name]=NET":               "net:dev net:prod",
			"search[tags]=net":               "net:dev net:prod",
			"search[tags]=net,aws":           "net:dev",
			"search[exclude-tags]=aws":       "app net:prod",
			"search[wildcard-name]=*:d*":     "net:dev",
			"filter[project][id]=" + project: "net:dev",
			"filter[project][id]=prj-none":   "",
			"TagBindings=0xc000&filter[tagged][0][key]=net&filter[tagged][0][value]=main": "net:prod",
			"filter[tagged][0][key]=net&filter[tagged][0][value]=":                        "net:dev net:prod",
			"page[size]=2":                "app net:dev",
			"page[size]=2&page[number]=2": "net:prod",
			"page[number]=9":              "",
		} {
			if got := w.want(200, token, "GET", orgs+"/workspaces?"+query, "").names(t); got != want {
				t.Errorf("%s: %q, not %q", query, got, want)
			}
		}
		for _, query := range []string{"page[size]=0", "page[size]=101", "page[number]=x", "filter[current-run][status]=applied", "sort=-name"} {
			w.want(422, token, "GET", orgs+"/workspaces?"+query, "")
		}
		if got := w.want(200, token, "GET", orgs+"/projects?filter[names]="+url.QueryEscape("Net, work"), "").names(t); got != "Net, work" {
			t.Errorf("projects: %s", got)
		}
		if got := w.want(200, token, "GET", "/api/v2/projects/"+project, "").one(t); got.ID != project {
			t.Errorf("project: %v", got)
		}
		// Somebody with fewer projects sees fewer, and makes no other.
		some := w.token(w.acme, "net/*")
		if got := w.want(200, some, "GET", orgs+"/workspaces", "").names(t); got != "net:dev net:prod" {
			t.Errorf("with a token of net/*: %s", got)
		}
		w.want(403, some, "GET", orgs+"/workspaces/app", "")
		w.want(403, some, "GET", ws, "")
		w.want(403, some, "POST", orgs+"/workspaces", named("app2"))

		w.want(204, token, "POST", ws+"/relationships/tags", `{"data":[{"type":"tags","attributes":{"name":"x"}},{"type":"tags","id":"tag-y"}]}`)
		w.want(200, token, "PATCH", ws+"/tag-bindings", `{"data":[{"type":"tag-bindings","attributes":{"key":"z","value":"1"}}]}`)
		w.want(204, token, "DELETE", ws+"/relationships/tags", `{"data":[{"type":"tags","attributes":{"name":"x"}}]}`)
		if got := w.want(200, token, "GET", ws+"/relationships/tags", "").names(t); got != "y z" {
			t.Errorf("tags: %s", got)
		}
		if got := w.want(200, token, "GET", ws+"/effective-tag-bindings", "").many(t); len(got) != 2 || got[1].Attributes["value"] != "1" || got[1].Type != "effective-tag-bindings" {
			t.Errorf("tag bindings: %v", got)
		}
		w.want(422, token, "PATCH", ws, named("other"))
		w.want(422, token, "PATCH", ws, `{"data":{"attributes":{"execution-mode":"remote"}}}`)
		w.want(422, token, "PATCH", ws, `{"data":{"attributes":{"operations":true}}}`)
		w.want(200, token, "PATCH", ws, `{"data":{"attributes":{"terraform-version":"1.11.4"}}}`)
		w.want(404, token, "PATCH", ws, `{"data":{"relationships":{"project":{"data":{"type":"projects","id":"prj-none"}}}}}`)
	})
}

func TestLocksOfWorkspaces(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		token, other := w.token(w.acme, "**"), w.token(w.acme, "**", access.ScopeRead, access.ScopeWrite, access.ScopeLock)
		ws := w.make(token, "net:prod")
		one := doc(1, "l", "one")
		if got := w.want(200, token, "POST", ws+"/actions/lock", `{"reason":"mine"}`).one(t); got.Attributes["locked"] != true {
			t.Errorf("lock: %v", got.Attributes)
		}
		w.want(409, token, "POST", ws+"/actions/lock", `{"reason":"again, from another window"}`)
		w.want(409, other, "POST", ws+"/actions/lock", "")
		for _, a := range []answer{w.want(409, other, "POST", ws+"/actions/unlock", ""), w.want(409, other, "POST", ws+"/state-versions", announcement(1, "l", one, ""))} {
			if !strings.Contains(a.body, "is locked by User") {
				t.Errorf("held: %s", a.body)
			}
		}
		w.want(409, token, "DELETE", ws, "")
		if a := w.want(409, token, "POST", ws+"/actions/safe-delete", ""); !strings.Contains(a.body, "locked") {
			t.Errorf("safe delete: %s", a.body)
		}
		w.want(403, other, "POST", ws+"/actions/force-unlock", "")
		w.push(token, ws, one, 1, "l")
		w.want(200, token, "POST", ws+"/actions/unlock", "")
		w.want(200, token, "POST", ws+"/actions/unlock", "") // what was not answered is asked again
		w.want(409, token, "POST", ws+"/actions/force-unlock", "")
		w.want(200, other, "POST", ws+"/actions/lock", "")
		w.want(200, token, "POST", ws+"/actions/force-unlock", "")
		if !slices.Contains(w.events(w.acme.ID), "state.force_unlocked") {
			t.Errorf("audit: %v", w.events(w.acme.ID))
		}

		// What was locked over HTTP is held under an ID, which nobody here has: not
		// even the token that took it.
		w.want(200, token, "LOCK", "/state/acme/net/prod", `{"ID":"A"}`)
		w.want(409, token, "POST", ws+"/actions/unlock", "")
		w.want(409, token, "POST", ws+"/state-versions", announcement(2, "l", doc(2, "l", "two"), ""))
		w.want(200, token, "UNLOCK", "/state/acme/net/prod", `{"ID":"A"}`)

		// A run's lock stays while the run goes on, and has words of its own.
		run, err := w.store.RunToken(t.Context(), state.RunAccess{Client: w.acme.ID, Name: "net/prod", Run: "run-1", Actor: access.Actor{Kind: access.Bot}, Write: true, Until: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		w.want(200, run.Reveal(), "POST", ws+"/actions/lock", "")
		for act, code := range map[string]int{"unlock": 409, "force-unlock": 403} {
			if a := w.want(code, token, "POST", ws+"/actions/"+act, ""); !strings.Contains(a.body, "is locked by Run") {
				t.Errorf("%s: %s", act, a.body)
			}
		}
	})
}

// An upload that was announced under a lock counts under that lock alone.
func TestThreat_LockThatWasTakenAway(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	token, other := w.token(w.acme, "**"), w.token(w.acme, "**")
	ws := w.make(token, "net:prod")
	w.want(200, token, "POST", ws+"/actions/lock", "")
	late := doc(1, "l", "late")
	up := fmt.Sprint(w.want(201, token, "POST", ws+"/state-versions", announcement(1, "l", late, "")).one(t).Attributes["hosted-state-upload-url"])
	w.want(200, other, "POST", ws+"/actions/force-unlock", "")
	w.want(409, "", "PUT", up, late)
	w.want(200, other, "POST", ws+"/actions/lock", "")
	w.want(409, "", "PUT", up, late)
	w.want(404, token, "GET", ws+"/current-state-version", "")
}

func TestWritesThatDoNotFollow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		token, plain := w.token(w.acme, "**"), w.token(w.acme, "**", access.ScopeRead, access.ScopeWrite, access.ScopeLock)
		ws := w.make(token, "net:prod")
		w.push(plain, ws, doc(5, "l", "five"), 5, "l")
		w.push(plain, ws, doc(5, "l", "five"), 5, "l") // the same once more
		for name, body := range map[string]string{
			"lower serial":  announcement(4, "l", doc(4, "l", "x"), ""),
			"same serial":   announcement(5, "l", doc(5, "l", "x"), ""),
			"other lineage": announcement(6, "other", doc(6, "other", "x"), ""),
		} {
			if a := w.want(409, token, "POST", ws+"/state-versions", body); !strings.Contains(a.body, "othing was changed") {
				t.Errorf("%s: %s", name, a.body)
			}
		}
		// What is announced is not believed.
		six := doc(4, "l", "says six, is four")
		up := fmt.Sprint(w.want(201, token, "POST", ws+"/state-versions", announcement(6, "l", six, "")).one(t).Attributes["hosted-state-upload-url"])
		w.want(409, "", "PUT", up, six)
		// Force takes a right of its own where it makes a difference, and is told.
		back := doc(2, "other", "back")
		forced := announcement(2, "other", back, `,"force":true`)
		w.want(403, plain, "POST", ws+"/state-versions", forced)
		w.want(403, token, "POST", ws+"/state-versions", forced) // nor does force-unlock do
		may := w.token(w.acme, "**", append(access.Scopes(), access.ScopeForceWrite)...)
		w.want(403, w.token(w.acme, "**", access.ScopeRead, access.ScopeForceWrite), "POST", ws+"/state-versions", forced)
		w.want(201, plain, "POST", ws+"/state-versions", announcement(6, "l", doc(6, "l", "six"), `,"force":true`))
		up = fmt.Sprint(w.want(201, may, "POST", ws+"/state-versions", forced).one(t).Attributes["hosted-state-upload-url"])
		w.want(200, "", "PUT", up, back)
		w.want(200, "", "PUT", up, back)
		all, err := w.store.Versions(t.Context(), w.acme.ID, "net/prod", 10)
		if err != nil || len(all) != 2 || all[0].Kind != state.KindForce || all[0].Reason == "" || !slices.Contains(w.events(w.acme.ID), "state.forced") {
			t.Errorf("%+v, %v, %v", all, err, w.events(w.acme.ID))
		}
		// Not the lock, and not what is frozen since it was announced.
		late := doc(1, "l", "late")
		before := fmt.Sprint(w.want(201, may, "POST", ws+"/state-versions", announcement(1, "l", late, "")).one(t).Attributes["hosted-state-upload-url"])
		w.want(200, token, "POST", ws+"/actions/lock", "")
		if a := w.want(409, may, "POST", ws+"/state-versions", forced); !strings.Contains(a.body, "is locked by User") {
			t.Errorf("forced under a lock: %s", a.body)
		}
		w.want(409, "", "PUT", before, late)
		w.want(200, token, "POST", ws+"/actions/unlock", "")
		// What is frozen stays so, whoever asks.
		if _, err := w.store.Freeze(t.Context(), state.Who{Actor: alice}, "Restored."); err != nil {
			t.Fatal(err)
		}
		w.want(409, "", "PUT", before, late)
		w.want(409, may, "POST", ws+"/state-versions", announcement(1, "l", doc(1, "l", "x"), `,"force":true`))
		if a := w.want(403, token, "POST", ws+"/actions/lock", ""); !strings.Contains(a.body, "Restored.") {
			t.Errorf("frozen: %s", a.body)
		}
	})
}

func TestOutputs(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	token := w.token(w.acme, "**")
	ws := w.make(token, "net:prod")
	if got := w.want(200, token, "GET", ws+"/current-state-version-outputs", "").many(t); len(got) != 0 {
		t.Errorf("outputs of nothing: %v", got)
	}
	path := w.push(token, ws, doc(1, "l", "one"), 1, "l")
	a := w.want(200, token, "GET", ws+"/current-state-version-outputs", "")
	all := a.many(t)
	if len(all) != 2 || all[0].Attributes["value"] != "one" || all[0].Attributes["type"] != "string" || all[1].Attributes["value"] != nil || all[1].Attributes["type"] != "list" || fmt.Sprint(all[1].Attributes["detailed-type"]) != "[list string]" {
		t.Errorf("outputs: %v", all)
	}
	if b := w.want(200, token, "GET", path+"/outputs", ""); b.body != a.body {
		t.Errorf("outputs of the version: %s", b.body)
	}
	if got := w.want(200, token, "GET", "/api/v2/state-version-outputs/"+all[1].ID, "").one(t); fmt.Sprint(got.Attributes["value"]) != "[x]" {
		t.Errorf("sensitive output: %v", got.Attributes)
	}
	w.want(404, token, "GET", "/api/v2/state-version-outputs/"+all[1].ID[:43]+base64.RawURLEncoding.EncodeToString([]byte("none")), "")
	for _, id := range []string{"wsout-x", "wsout-" + strings.Repeat("a", 36) + "-%21", "x"} {
		w.want(404, token, "GET", "/api/v2/state-version-outputs/"+id, "")
	}

	// OpenTofu's encrypted state: the client is sent to the whole of it.
	sealed := `{"serial":2,"lineage":"l","meta":{"key_provider":"x"},"encrypted_data":"YWJj","encryption_version":"v0"}`
	w.push(token, ws, sealed, 2, "l")
	if got := w.want(200, token, "GET", ws+"/current-state-version-outputs", "").many(t); len(got) != 1 || got[0].Attributes["detailed-type"] != nil {
		t.Errorf("outputs of an encrypted state: %v", got)
	}
}

func TestScopes(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	all := w.token(w.acme, "**")
	ws := w.make(all, "net:prod")
	path := w.push(all, ws, doc(1, "l", "one"), 1, "l")
	output := w.want(200, all, "GET", path+"/outputs", "").many(t)[0].ID
	fill := strings.NewReplacer("{org}", "acme", "{name}", "net:prod", "{ws}", ws[len("/api/v2/workspaces/"):], "{sv}", path[len("/api/v2/state-versions/"):], "{output}", output)
	for _, r := range tfe.Routes() {
		if strings.Contains(r[1], "{prj}") {
			continue
		}
		var others []access.Scope
		for _, s := range access.Scopes() {
			if string(s) != r[2] {
				others = append(others, s)
			}
		}
		path := fill.Replace(r[1])
		if strings.Contains(path, "{") {
			t.Fatalf("the test does not know what to put into %s", path)
		}
		w.want(http.StatusForbidden, w.token(w.acme, "**", others...), r[0], "/api/v2/"+path, "")
	}
}

func TestWildcard(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{{"*", "", true}, {"a*", "abc", true}, {"*c", "abc", true}, {"a*c", "ac", true}, {"a*a", "a", false}, {"*b*", "abc", true}, {"*x*", "abc", false}, {"abc", "abc", true}, {"ab", "abc", false}, {"a*b*c", "a-b-c", true}} {
		if got := tfe.Wildcard(c.pattern, c.text); got != c.want {
			t.Errorf("%s of %s: %v", c.pattern, c.text, got)
		}
	}
}
