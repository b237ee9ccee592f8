package web

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/state"
)

// token makes one of a person's for the client.
func (w *world) token(n access.NewToken) string {
	w.t.Helper()
	if n.Client == "" {
		n.Client = w.repo.ClientID
	}
	if n.Projects == nil {
		n.Projects = []string{"**"}
	}
	if n.Scopes == nil {
		n.Scopes = []access.Scope{access.ScopeRead, access.ScopeWrite}
	}
	n.By = access.Actor{Kind: access.Bot}
	t, _, err := w.site.States.Tokens.Create(w.t.Context(), n)
	if err != nil {
		w.t.Fatal(err)
	}
	return t.Reveal()
}

// put lays the state with the serial, as a run's that could not write it where
// base is not negative.
func (w *world) putState(name string, serial int, base int64) {
	w.t.Helper()
	ctx, acme := w.t.Context(), w.repo.ClientID
	body := strings.NewReader(fmt.Sprintf(`{"version":4,"terraform_version":"1.11.4","serial":%d,"lineage":"l","outputs":{"out":{"value":"canary-out-%d","sensitive":true}},"resources":[
		{"mode":"managed","type":"terraform_data","name":"a","provider":"x","instances":[{"attributes":{"input":"text %d","password":"canary-%d"}}]}]}`, serial, serial, serial, serial))
	if base < 0 {
		if _, err := w.site.States.Write(ctx, state.Write{Client: acme, Name: name, Who: state.Who{Actor: ada}, Body: body}); err != nil {
			w.t.Fatal(err)
		}
		return
	}
	v, err := w.site.States.KeepErrored(ctx, acme, name, state.Who{Actor: ada, Run: "r1", Commit: "0123456789"}, body, "the disk was full "+payload)
	if err == nil {
		err = w.site.States.NoteBase(ctx, v, state.Base{Serial: base, Lineage: "l"})
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// submit sends the form of the page of a state.
func (w *world) submit(path string, form url.Values, change ...func(*http.Request)) *http.Response {
	w.t.Helper()
	return w.ask("POST", path, append([]func(*http.Request){func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Body = io.NopCloser(strings.NewReader(form.Encode()))
	}}, change...)...)
}

// call sends an act to the API with a token.
func (w *world) call(path, token, body string) (int, map[string]any) {
	w.t.Helper()
	res := w.ask("POST", "/api/v1"+path, func(r *http.Request) {
		r.RemoteAddr, r.Host = "192.0.2.1:40000", "tidelock.example.com" // from anywhere: the token proves who it is
		r.Body = io.NopCloser(strings.NewReader(body))
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
	})
	var got map[string]any
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
		w.t.Fatalf("%s: %v", res.Status, err)
	}
	return res.StatusCode, got
}

func (w *world) actions() string {
	w.t.Helper()
	all, err := w.opts.Trail.List(w.t.Context(), w.repo.ClientID, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, e := range all {
		out = append(out, e.Action+" by "+e.Actor.Name)
	}
	return strings.Join(out, "\n")
}

func TestErroredStateIsShownAndPushed(t *testing.T) {
	w := local(t)
	stateWorld(w, "net/prod")
	w.putState("app", 4, -1)
	w.putState("app", 6, 4)
	doc := w.page("/states/acme/app")
	text := content(doc)
	for _, want := range []string{
		"A state that a run could not write", "of ada, run of 01234567", "serial 6, 1 resource with 1 instance", "The run began from serial 4.", "tidelock state push-errored acme/app 2",
		"From version 1 to 2", `"text 4"`, `"text 6"`, "password sensitive, differs", "out sensitive, differs",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q: %s", want, text)
		}
	}
	if strings.Contains(outer(doc), "canary") || strings.Contains(outer(doc), "<script>window") {
		t.Errorf("the page: %s", outer(doc))
	}
	good := url.Values{"action": {"push_errored"}, "version": {"2"}, "token": {w.token(access.NewToken{Name: "carol"})}}
	with := func(key, value string) url.Values {
		f := url.Values{}
		for k, v := range good {
			f[k] = v
		}
		f.Set(key, value)
		return f
	}
	globex, err := w.opts.Clients.BySlug(t.Context(), w.opts.DB, "globex")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		form url.Values
		code int
		says string
	}{
		"no token":         {with("token", ""), 401, "This needs a token of yours"},
		"an unknown one":   {with("token", "tlk_guess"), 401, "not one that counts here"},
		"another client's": {with("token", w.token(access.NewToken{Name: "eve", Client: globex.ID})), 404, "There is no such state."},
		"one that reads":   {with("token", w.token(access.NewToken{Name: "reader", Scopes: []access.Scope{access.ScopeRead}})), 403, "may not write"},
		"another project":  {with("token", w.token(access.NewToken{Name: "narrow", Projects: []string{"net/*"}})), 403, "does not open the project app"},
		"a run's":          {with("token", w.token(access.NewToken{Name: "run", Run: "r9"})), 403, "a run&#39;s own"},
		"no such version":  {with("version", "9"), 404, ""},
		"one that counts":  {with("version", "1"), 409, "not one that a run could not write"},
		"no version":       {with("version", "x"), 400, ""},
		"no such act":      {with("action", "delete"), 400, "action is one of"},
	} {
		res := w.submit("/states/acme/app", c.form)
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != c.code || !strings.Contains(string(body), c.says) || strings.Contains(string(body), "canary") || strings.Contains(string(body), good.Get("token")) {
			t.Errorf("%s: %s %s", name, res.Status, body)
		}
	}
	for name, change := range map[string]func(*http.Request){
		"a form of another site":        func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"the same in an older browser":  func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "https://evil.example") },
		"one of a neighbouring subsite": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") },
	} {
		if res := w.submit("/states/acme/app", good, change); res.StatusCode != 403 {
			t.Errorf("%s: %s", name, res.Status)
		}
	}
	if st, err := w.site.States.State(t.Context(), w.repo.ClientID, "app"); err != nil || st.Serial != 4 {
		t.Fatalf("something was pushed: %+v, %v", st, err)
	}
	// While somebody holds the lock, and after somebody wrote, it is refused.
	if _, err := w.site.States.Lock(t.Context(), w.repo.ClientID, "app", state.Who{Actor: ada}, []byte(`{"ID":"L","Who":"ada@laptop"}`)); err != nil {
		t.Fatal(err)
	}
	if code, got := w.call("/states/acme/app", good.Get("token"), `{"action":"push_errored","version":2}`); code != 409 || !strings.Contains(fmt.Sprint(got), "locked by ada@laptop") {
		t.Errorf("locked: %d %v", code, got)
	}
	if _, err := w.site.States.ForceUnlock(t.Context(), w.repo.ClientID, "app", state.Who{Actor: ada}, "L", "test"); err != nil {
		t.Fatal(err)
	}
	res := w.submit("/states/acme/app", good)
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/states/acme/app?done=push_errored" {
		t.Fatalf("pushed: %s to %s", res.Status, res.Header.Get("Location"))
	}
	if text := content(w.page(res.Header.Get("Location"))); !strings.Contains(text, "The state that could not be written counts now.") || strings.Contains(text, "A state that a run could not write") || !strings.Contains(text, "Serial 6") {
		t.Errorf("afterwards: %s", text)
	}
	w.putState("app", 7, -1)
	w.putState("app", 9, 6) // of a run that began before that
	if code, got := w.call("/states/acme/app", good.Get("token"), `{"action":"push_errored","version":5}`); code != 409 || !strings.Contains(fmt.Sprint(got), "somebody wrote meanwhile") {
		t.Errorf("after another wrote: %d %v", code, got)
	}
	told := w.actions()
	for _, want := range []string{"state.errored_pushed by carol", "state.refused by reader", "state.refused by narrow", "state.refused by run", "state.refused by carol"} {
		if !strings.Contains(told, want) {
			t.Errorf("the trail lacks %q:\n%s", want, told)
		}
	}
	if strings.Contains(told, "eve") || strings.Contains(w.log.String(), good.Get("token")) {
		t.Errorf("what is another client's is told here, or a token: %s\n%s", told, w.log)
	}
}

// A restore takes two people, each with a token of their own, by the API and by
// the page.
func TestRestoreTakesTwoPeople(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), password)
	stateWorld(w, "net/prod")
	w.putState("app", 1, -1)
	w.putState("app", 2, -1)
	carol, dave := w.token(access.NewToken{Name: "carol"}), w.token(access.NewToken{Name: "dave"})
	// What a login made of carol's is carol's still.
	laptop := w.token(access.NewToken{Name: "carol's laptop", Actor: access.Actor{Kind: access.Token, Name: "carol"}})
	const path = "/states/acme/app"
	for body, code := range map[string]int{
		`{"action":"ask_restore","version":1}`: 400, `{"action":"ask_restore","version":1,"reason":"x","more":1}`: 400, `{} {}`: 400, `[]`: 400, `{"action":"ask_restore","version":9,"reason":"x"}`: 404,
		`{"action":"ask_restore","version":2,"reason":"it counts"}`: 409, `{"reason":"` + strings.Repeat("x", 20<<10) + `"}`: 413,
	} {
		if got, said := w.call(path, carol, body); got != code {
			t.Errorf("%.60s: %d %v", body, got, said)
		}
	}
	if code, said := w.call(path, "", `{"action":"ask_restore","version":1,"reason":"x"}`); code != 401 {
		t.Errorf("with nothing: %d %v", code, said)
	}
	code, said := w.call(path, carol, `{"action":"ask_restore","version":1,"reason":"two lost the zone"}`)
	asked, _ := said["restore"].(map[string]any)
	if code != 200 || asked["id"] == "" || asked["version"] != 1.0 {
		t.Fatalf("asked: %d %v", code, said)
	}
	approve := fmt.Sprintf(`{"action":"approve_restore","restore":%q}`, asked["id"])
	basic := func(r *http.Request) { r.SetBasicAuth("x", password) }
	res := w.ask("GET", path, basic)
	page, _ := io.ReadAll(res.Body)
	if !strings.Contains(string(page), "carol asks to restore version 1") || !strings.Contains(string(page), "Approve the restore of version 1") {
		t.Errorf("the page: %s", page)
	}
	for name, token := range map[string]string{"the same": carol, "the same by another token": laptop} {
		if code, said := w.call(path, token, approve); code != 403 || !strings.Contains(fmt.Sprint(said), "somebody else must approve") {
			t.Errorf("%s: %d %v", name, code, said)
		}
	}
	if code, said := w.call("/states/acme/dns", dave, approve); code != 404 {
		t.Errorf("by the page of another state: %d %v", code, said)
	}
	who := state.Who{Actor: ada}
	if _, err := w.site.States.Lock(t.Context(), w.repo.ClientID, "app", who, []byte(`{"ID":"L","Who":"ada@laptop"}`)); err != nil {
		t.Fatal(err)
	}
	form := url.Values{"action": {"approve_restore"}, "restore": {asked["id"].(string)}, "token": {dave}}
	if res := w.submit(path, form, basic); res.StatusCode != 409 {
		t.Errorf("while it is locked: %s", res.Status)
	}
	if err := w.site.States.Unlock(t.Context(), w.repo.ClientID, "app", who, "L"); err != nil {
		t.Fatal(err)
	}
	if res := w.submit(path, form); res.StatusCode != 401 {
		t.Errorf("a form without the pages' password: %s", res.Status)
	}
	if res := w.submit(path, form, basic); res.StatusCode != http.StatusSeeOther {
		body, _ := io.ReadAll(res.Body)
		t.Fatalf("%s %s", res.Status, body)
	}
	st, err := w.site.States.State(t.Context(), w.repo.ClientID, "app")
	if err != nil || st.Serial != 3 || st.Seq != 3 {
		t.Errorf("%+v, %v", st, err)
	}
	if code, said := w.call(path, dave, approve); code != 409 {
		t.Errorf("again: %d %v", code, said)
	}
	if told := w.actions(); !strings.Contains(told, "state.restored by dave") || !strings.Contains(told, "state.restore_asked by carol") || !strings.Contains(told, "state.refused by carol") {
		t.Errorf("the trail:\n%s", told)
	}
}

// Guessing tokens is slowed down, and an honest one is let in all the same.
func TestThreat_GuessingTokensOnPages(t *testing.T) {
	w := local(t)
	stateWorld(w, "net/prod")
	code := 0
	for range maxRefused + 1 {
		code, _ = w.call("/states/acme/dns", "tlk_guess", `{"action":"push_errored","version":1}`)
	}
	if code != http.StatusTooManyRequests {
		t.Errorf("guessing: %d", code)
	}
	if code, said := w.call("/states/acme/dns", w.token(access.NewToken{Name: "carol"}), `{"action":"push_errored","version":1}`); code != 409 {
		t.Errorf("an honest one: %d %v", code, said)
	}
	// A bearer opens nothing that reads.
	res := w.ask("GET", "/api/v1/states", func(r *http.Request) {
		r.RemoteAddr = "192.0.2.1:40000"
		r.Header.Set("Authorization", "Bearer "+w.token(access.NewToken{Name: "dave"}))
	})
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("reading: %s", res.Status)
	}
}
