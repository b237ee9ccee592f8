package web

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/mux"

	"github.com/tidelock/tidelock/internal/db/dbtest"
)

const password = "correct horse battery staple"

// routes returns every path that the router knows, with IDs of things that are
// there, and the methods that each takes.
func routes(t *testing.T, w *world) map[string][]string {
	t.Helper()
	change, plan := busyWorld(w)
	word := lasting(w, plan, "until the VPN is there")
	stateWorld(w, "net/prod")
	all := map[string][]string{}
	err := w.site.router.Walk(func(r *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		path, err := r.GetPathTemplate()
		if err != nil {
			return err
		}
		id := plan.ID
		if strings.Contains(path, "/changes/") {
			id = change.ID
		}
		if strings.Contains(path, "/policies/") {
			id = "tagging.required"
		}
		if strings.Contains(path, "/waivers/") {
			id = word.ID
		}
		if path == "/static/{hash}/{name}" {
			path = assets["style.css"].path
		}
		path = strings.NewReplacer("{id}", id, "{client}", "acme", "{project:.+}", "net/prod").Replace(path)
		if strings.ContainsAny(path, "{}") {
			t.Errorf("the test does not know what to put into %s", path)
		}
		methods, err := r.GetMethods()
		if err != nil {
			return err // a route for every method would let writes through unseen
		}
		all[path] = append(all[path], methods...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("only %d routes were found", len(all))
	}
	return all
}

func TestThreat_EveryRouteAsksForThePassword(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), password)
	paths := routes(t, w)
	paths["/no-such-page"] = []string{"GET"}
	paths["/api/v1/no-such-page"] = []string{"GET"}
	basic := func(user, pass string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+pass))
	}
	for name, header := range map[string]string{
		"none": "", "empty": basic("", ""), "wrong": basic("admin", "guess"), "as user": basic(password, ""), "shorter": basic("x", password[:len(password)-1]),
		"longer": basic("x", password+"x"), "bearer": "Bearer " + password, "garbage": "Basic %%%",
	} {
		for path := range paths {
			for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"} {
				res := w.ask(method, path, func(r *http.Request) {
					if header != "" {
						r.Header.Set("Authorization", header)
					}
				})
				if res.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Basic ") {
					t.Errorf("%s %s with %s credentials: %s", method, path, name, res.Status)
				}
				body, _ := io.ReadAll(res.Body)
				for _, secret := range []string{"acme", "database", "/static/", password} {
					if strings.Contains(string(body), secret) {
						t.Errorf("%s %s with %s credentials tells %q", method, path, name, secret)
					}
				}
			}
		}
	}
	for path, methods := range paths {
		for _, user := range []string{"", "ada"} {
			res := w.ask(methods[0], path, func(r *http.Request) { r.Header.Set("Authorization", basic(user, password)) })
			if res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden {
				t.Errorf("%s with the password: %s", path, res.Status)
			}
		}
	}
}

func TestThreat_WithoutAPasswordOnlyThisMachineIsAnswered(t *testing.T) {
	w := local(t)
	paths := routes(t, w)
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	from := func(addr string) func(*http.Request) { return func(r *http.Request) { r.RemoteAddr = addr } }
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	refused := map[string]func(*http.Request){
		"another machine": from("192.0.2.7:5000"), "a private one": from("10.0.0.4:5000"), "no address": from(""), "a socket": from("@"),
		"mapped": from("[::ffff:192.0.2.7]:5000"), "a name of somebody else's": host("rebind.example.com:8080"),
		"a name that looks local": host("localhost.example.com"), "no name": host(""), "a network's address": host("192.168.1.5:8080"),
	}
	for _, h := range proxied {
		refused["proxy: "+h] = header(h, "127.0.0.1")
		refused["proxy, empty: "+h] = header(h, "")
	}
	for name, change := range refused {
		for path := range paths {
			res := w.ask("GET", path, change)
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != http.StatusForbidden || !strings.Contains(string(body), "web.password_file") {
				t.Errorf("GET %s from %s: %s, %s", path, name, res.Status, body)
			}
			if strings.Contains(string(body), "acme") {
				t.Errorf("GET %s from %s tells something", path, name)
			}
		}
	}
	for name, change := range map[string]func(*http.Request){
		"127.0.0.1": from("127.0.0.1:1"), "another of this machine's": from("127.9.9.9:1"), "::1": from("[::1]:1"), "mapped": from("[::ffff:127.0.0.1]:1"),
		"name": host("LOCALHOST"), "number": host("127.0.0.1:8080"), "six": host("[::1]:8080"), "bare six": host("[::1]"),
	} {
		if res := w.ask("GET", "/", change); res.StatusCode != http.StatusOK {
			t.Errorf("GET / from %s: %s", name, res.Status)
		}
	}
}

func TestEveryRouteAnswers(t *testing.T) {
	w := local(t)
	for path := range routes(t, w) {
		want := http.StatusOK
		switch {
		case path == "/changes", path == "/runs":
			want = http.StatusFound
		case strings.HasSuffix(path, "/plan"):
			want = http.StatusNotFound // no run of busyWorld has one; see TestThreat_WholePlanHidesSecrets
		}
		res := w.ask("GET", path)
		if res.StatusCode != want {
			t.Errorf("GET %s: %s", path, res.Status)
		}
		for name, part := range map[string]string{
			"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"X-Frame-Options": "DENY", "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "",
		} {
			if got := res.Header.Get(name); got == "" || !strings.Contains(got, part) {
				t.Errorf("GET %s: %s is %q", path, name, got)
			}
		}
		if csp := res.Header.Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
			t.Errorf("GET %s: policy %s", path, csp)
		}
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
			if strings.Contains(path, "/states/") && method == "POST" {
				continue // which takes a token: see stateacts_test.go
			}
			if res := w.ask(method, path); res.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %s", method, path, res.Status)
			}
		}
	}
	if w.log.Len() > 0 {
		t.Errorf("logged: %s", w.log)
	}
}
