package web

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db/dbtest"
)

// stateRoutes returns every route that tells of states or changes one, as
// "METHOD template", from the router itself.
func stateRoutes(t *testing.T, w *world) []string {
	t.Helper()
	var all []string
	err := w.site.router.Walk(func(r *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		path, err := r.GetPathTemplate()
		if err != nil {
			return err
		}
		if !strings.Contains(path, "/states") && !strings.Contains(path, "/inventory") {
			return nil
		}
		methods, err := r.GetMethods()
		for _, m := range methods {
			all = append(all, m+" "+path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 14 { // GET and HEAD of three pages, and of the same as JSON, and what changes something
		t.Fatalf("only %q", all)
	}
	return all
}

// A token of another client's changes nothing of acme's by any route, and tells
// what is there from what is not by none; as a bearer no token opens what reads.
// A list that is asked for one client tells of no other.
func TestThreat_StatesOfOthersByEveryRoute(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), password)
	stateWorld(w, "net/prod")
	now := w.opts.Now
	shift := time.Duration(0)
	w.site.told = access.NewMeter(60, func() time.Time { return now().Add(shift) })
	globex, err := w.opts.Clients.BySlug(t.Context(), w.opts.DB, "globex")
	if err != nil {
		t.Fatal(err)
	}
	refusals := func(client string) (n int) {
		all, err := w.opts.Trail.List(t.Context(), client, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range all {
			if e.Action == "state.refused" {
				n++
			}
		}
		return n
	}
	before, err := w.site.States.State(t.Context(), w.repo.ClientID, "dns")
	if err != nil {
		t.Fatal(err)
	}
	restores, err := w.site.States.Restores(t.Context(), w.repo.ClientID, 10)
	if err != nil || len(restores) != 1 {
		t.Fatal(restores, err)
	}
	tokens := map[string]string{
		"of all projects": w.token(access.NewToken{Client: globex.ID, Name: "gus", Scopes: access.Scopes()}),
		"of the same one": w.token(access.NewToken{Client: globex.ID, Name: "gil", Projects: []string{"dns"}, Scopes: access.Scopes()}),
		"of a run":        w.token(access.NewToken{Client: globex.ID, Name: "run", Scopes: access.Scopes(), Run: "r1"}),
	}
	acts := []string{`{"action":"push_errored","version":1}`, `{"action":"ask_restore","version":1,"reason":"x"}`, fmt.Sprintf(`{"action":"approve_restore","restore":%q}`, restores[0].ID), `{"action":"none"}`}
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("x:"+password))
	for _, route := range stateRoutes(t, w) {
		method, template, _ := strings.Cut(route, " ")
		fill := func(client, project string) string {
			path := strings.NewReplacer("{client}", client, "{project:.+}", project).Replace(template)
			if strings.ContainsAny(path, "{}") {
				t.Fatalf("the test does not know what to put into %s", path)
			}
			return path
		}
		switch method {
		case http.MethodGet, http.MethodHead:
			for name, token := range tokens {
				if res := w.ask(method, fill("acme", "dns"), func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }); res.StatusCode != http.StatusUnauthorized {
					t.Errorf("%s as a bearer with a token %s: %s", route, name, res.Status)
				}
			}
			res := w.ask(method, fill("acme", "dns")+"?client=acme", func(r *http.Request) { r.Header.Set("Authorization", basic) })
			body, err := io.ReadAll(res.Body)
			tells := "dns"
			if strings.HasSuffix(template, "/uses") { // of projects, by their plans
				tells = "live"
			}
			if err != nil || res.StatusCode != http.StatusOK || strings.Contains(string(body), "hidden-away") || method == http.MethodGet && !strings.Contains(string(body), tells) {
				t.Errorf("%s of acme: %s, %v: %s", route, res.Status, err, body)
			}
			if !strings.Contains(template, "{client}") {
				continue
			}
			// Of one client's address nothing of another's is told.
			if res := w.ask(method, fill("acme", "hidden-away"), func(r *http.Request) { r.Header.Set("Authorization", basic) }); res.StatusCode != http.StatusNotFound {
				t.Errorf("%s, globex's under acme's name: %s", route, res.Status)
			}
		case http.MethodPost:
			byAPI := strings.HasPrefix(template, "/api/")
			for name, token := range tokens {
				for _, act := range acts {
					shift += 61 * time.Second // so that the trail's meter lets each one through
					had := refusals(globex.ID)
					ask := func(client, project string) (int, string) {
						res := w.ask("POST", fill(client, project), func(r *http.Request) {
							if byAPI {
								r.Header.Set("Authorization", "Bearer "+token)
								r.Body = io.NopCloser(strings.NewReader(act))
								return
							}
							form := url.Values{"token": {token}}
							for _, pair := range strings.Split(strings.Trim(act, "{}"), ",") {
								key, value, _ := strings.Cut(pair, ":")
								form.Set(strings.Trim(key, `"`), strings.Trim(value, `"`))
							}
							r.Header.Set("Authorization", basic)
							r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
							r.Header.Set("Sec-Fetch-Site", "same-origin")
							r.Body = io.NopCloser(strings.NewReader(form.Encode()))
						})
						body, err := io.ReadAll(res.Body)
						if err != nil {
							t.Fatal(err)
						}
						return res.StatusCode, string(body)
					}
					code, body := ask("acme", "dns")
					if none, nobodys := ask("nobody", "dns"); code != http.StatusNotFound || none != code || byAPI && body != nobodys {
						t.Errorf("%s with a token %s, %s: %d %s, and nobody's: %d %s", route, name, act, code, body, none, nobodys)
					}
					if got := refusals(globex.ID) - had; got != 2 {
						t.Errorf("%s with a token %s, %s: %d rows in the audit trail", route, name, act, got)
					}
				}
			}
		default:
			t.Errorf("the test does not know %s", route)
		}
	}
	after, err := w.site.States.State(t.Context(), w.repo.ClientID, "dns")
	if err != nil || after != before {
		t.Errorf("changed: %+v, not %+v, %v", after, before, err)
	}
	if again, err := w.site.States.Restores(t.Context(), w.repo.ClientID, 10); err != nil || !slices.Equal(again, restores) {
		t.Errorf("restores: %+v, %v", again, err)
	}
	if n := refusals(w.repo.ClientID); n > 0 {
		t.Errorf("acme's trail tells of it %d times", n)
	}
}
