package githubtest

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gorilla/mux"
)

// codeLife is how long a manifest's code can be turned into an App.
const codeLife = time.Hour

// manifest is what an App is registered from, in GitHub's form.
type manifest struct {
	Name   string `json:"name"`
	URL    string `json:"url"`
	Public bool   `json:"public"`
	Hook   struct {
		URL string `json:"url"`
	} `json:"hook_attributes"`
	Redirect    string            `json:"redirect_url"`
	Description string            `json:"description"`
	Permissions map[string]string `json:"default_permissions"`
	Events      []string          `json:"default_events"`
}

// pending is an App that waits for its code to be turned in.
type pending struct {
	manifest manifest
	owner    *user
	until    time.Time
}

// eventNeeds names the permission without which GitHub lets nobody subscribe
// to an event.
var eventNeeds = map[string]string{
	"issue_comment": "issues", "pull_request": "pull_requests", "push": "contents", "check_run": "checks", "check_suite": "checks",
	"merge_group": "merge_queues", "pull_request_review": "pull_requests", "repository": "metadata", "status": "statuses",
}

// broken tells what GitHub refuses in a manifest, "" where it is fine.
func (m manifest) broken() string {
	absolute := func(s string) bool {
		u, err := url.Parse(s)
		return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
	}
	switch n := utf8.RuneCountInString(strings.TrimSpace(m.Name)); {
	case n == 0 || n > 34:
		return "Name must have between 1 and 34 characters"
	case !absolute(m.URL):
		return "Homepage URL must be a valid URL"
	case !absolute(m.Hook.URL):
		return "Hook url must be a valid URL"
	case !absolute(m.Redirect):
		return "Redirect URL must be a valid URL"
	}
	for _, e := range m.Events {
		need, known := eventNeeds[e]
		if !known {
			return "Default events unsupported: " + e
		}
		if m.Permissions[need] == "" {
			return "Default events are not supported by permissions: " + e
		}
	}
	for name, level := range m.Permissions {
		if level != "read" && level != "write" {
			return "Default permissions: " + name + " can't be " + level
		}
	}
	return ""
}

var newAppPath = regexp.MustCompile(`^(?:/organizations/([^/]+))?/settings/apps/new$`)

var newAppPage = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><meta charset="utf-8"><title>Create GitHub App</title>
<main><h1>Create GitHub App for {{.Owner}}</h1>
{{if .Broken}}<p class="error" role="alert">Invalid GitHub App configuration. {{.Broken}}</p>{{else}}
<form method="post"><input type="hidden" name="manifest" value="{{.Manifest}}"><input type="hidden" name="state" value="{{.State}}">
<p><label>GitHub App name <input name="name" value="{{.Name}}"></label></p>
<p><button name="create" value="1">Create GitHub App for {{.Owner}}</button></p></form>{{end}}</main></html>
`))

// serveNewApp plays the page that a browser posts a manifest to, and the
// button on it. Whoever asks counts as signed in.
func (s *Server) serveNewApp(w http.ResponseWriter, r *http.Request) {
	org := newAppPath.FindStringSubmatch(r.URL.Path)[1]
	owner := org
	if owner == "" {
		owner = "octocat"
	}
	view := struct{ Owner, Broken, Manifest, State, Name string }{Owner: owner, State: r.URL.Query().Get("state")}
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	var m manifest
	switch {
	case r.Method != http.MethodPost:
		view.Broken = "A manifest is to be posted here."
	case r.ParseForm() != nil, json.Unmarshal([]byte(r.PostForm.Get("manifest")), &m) != nil:
		view.Broken = "The manifest is no JSON."
	default:
		if name := r.PostForm.Get("name"); name != "" {
			m.Name = name
		}
		if state := r.PostForm.Get("state"); state != "" {
			view.State = state
		}
		view.Broken, view.Manifest, view.Name = m.broken(), r.PostForm.Get("manifest"), m.Name
	}
	if view.Broken == "" && r.PostForm.Get("create") != "" {
		to, _ := url.Parse(m.Redirect)
		query := to.Query()
		query.Set("code", s.awaitCode(m, owner, org != ""))
		if view.State != "" {
			query.Set("state", view.State)
		}
		to.RawQuery = query.Encode()
		http.Redirect(w, r, to.String(), http.StatusFound)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if view.Broken != "" {
		w.WriteHeader(http.StatusUnprocessableEntity)
	}
	_ = newAppPage.Execute(w, view)
}

// awaitCode keeps a manifest for whoever turns its code in.
func (s *Server) awaitCode(m manifest, owner string, org bool) string {
	code := randomHex(20)
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.person(owner)
	if org {
		u.kind = "Organization"
	}
	s.codes[code] = pending{manifest: m, owner: u, until: s.opts.Now().Add(codeLife)}
	return code
}

func randomHex(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw)
	return hex.EncodeToString(raw)
}

// convertManifest makes the App that a code stands for. The stand-in has one
// App: the new one takes the place of the one before, which is then installed
// nowhere and whose key opens nothing.
func convertManifest(q *request) reply {
	s, code := q.s, mux.Vars(q.Request)["code"]
	p, ok := s.codes[code]
	delete(s.codes, code)
	if !ok || !s.opts.Now().Before(p.until) {
		return fail(http.StatusNotFound, "Not Found")
	}
	s.mu.Unlock() // making a key takes long
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	s.mu.Lock()
	if err != nil {
		return fail(http.StatusInternalServerError, err.Error())
	}
	for _, in := range s.installs {
		in.deleted = true
	}
	o := &s.opts
	s.key, s.appOwner, s.clientID = key, p.owner, "Iv23"+randomHex(8)
	o.AppID, o.AppName, o.Slug = s.nextID(), p.manifest.Name, slug(p.manifest.Name)
	o.Permissions, o.Events = p.manifest.Permissions, p.manifest.Events
	o.WebhookURL, o.WebhookSecret = p.manifest.Hook.URL, randomHex(20)
	s.touch()
	out := s.appJSON()
	out["description"], out["external_url"] = p.manifest.Description, p.manifest.URL
	out["client_secret"], out["webhook_secret"], out["pem"] = randomHex(20), o.WebhookSecret, appPEM(key)
	return reply{http.StatusCreated, out}
}

var noSlug = regexp.MustCompile(`[^a-z0-9]+`)

func slug(name string) string {
	return strings.Trim(noSlug.ReplaceAllString(strings.ToLower(name), "-"), "-")
}

// PermissionLevel returns what the App was registered with for a permission, ""
// for nothing.
func (s *Server) PermissionLevel(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opts.Permissions[name]
}

// Subscribed reports whether the App hears an event.
func (s *Server) Subscribed(event string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return contains(s.opts.Events, event)
}

// WebhookURL is where webhooks go.
func (s *Server) WebhookURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opts.WebhookURL
}

// owner is the account that the App belongs to. s.mu is held.
func (s *Server) owner() *user {
	if s.appOwner != nil {
		return s.appOwner
	}
	return s.person("tidelock-apps")
}
