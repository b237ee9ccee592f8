package tfe

import (
	"crypto/hmac"
	"crypto/sha256"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/state"
)

// Where the handler expects to be asked.
const (
	Prefix       = "/api/v2/" // the API
	HostedPrefix = "/hosted/" // states on their way, without a token
)

// mediaType is what JSON:API is called in headers.
const mediaType = "application/vnd.api+json"

// apiVersion is what of the TFE API is here; the cloud block needs 2.5.
const apiVersion = "2.6"

// snapshotSeconds is how often an apply that goes on writes what it has so far.
// Other backends have it so; with the cloud block the server says.
const snapshotSeconds = "20"

// Services are what discovery tells of this API.
func Services() map[string]any {
	return map[string]any{"tfe.v2": Prefix, "tfe.v2.1": Prefix, "state.v2": Prefix}
}

// Options set the API up. All but PublicURL are needed.
type Options struct {
	States  *state.Store
	Clients *clients.Store
	// Key signs the addresses that states come and go at: the same on every
	// server of one database.
	Key redact.Secret
	// PublicURL is where clients reach the server. Without one they are sent
	// to the name that they asked.
	PublicURL string
}

// API answers the requests of the cloud block.
type API struct {
	Options
	key  []byte
	door *access.Door
}

// New returns the API.
func New(o Options) *API {
	// The key has other uses: what is made with one of them is nothing to another.
	key := hmac.New(sha256.New, []byte(o.Key.Reveal()))
	key.Write([]byte("tidelock: addresses of states on their way"))
	return &API{Options: o, key: key.Sum(nil), door: access.NewDoor(o.States.Tokens)}
}

// call is a request that was let in, with what its address names.
type call struct {
	*http.Request
	w         http.ResponseWriter
	cred      access.Credential
	org       clients.Client
	vars      map[string]string
	workspace workspace // of an address with {ws}, or with {name} where there is one
	version   state.Version
}

func (c *call) who() state.Who { return state.By(c.cred) }

// route is one kind of request. In its path {org} is an organization, {name} a
// workspace by its name, {ws} by its ID, {sv} a state version, {output} an output
// of one, {prj} a project.
type route struct {
	method, path string
	scope        access.Scope
	do           func(*API, *call) error
}

var routes = []route{
	{"GET", "organizations/{org}", access.ScopeRead, (*API).organization},
	{"GET", "organizations/{org}/entitlement-set", access.ScopeRead, (*API).entitlements},
	{"GET", "organizations/{org}/workspaces", access.ScopeRead, (*API).listWorkspaces},
	{"POST", "organizations/{org}/workspaces", access.ScopeWrite, (*API).createWorkspace},
	{"GET", "organizations/{org}/workspaces/{name}", access.ScopeRead, (*API).readWorkspace},
	{"PATCH", "organizations/{org}/workspaces/{name}", access.ScopeWrite, (*API).updateWorkspace},
	{"DELETE", "organizations/{org}/workspaces/{name}", access.ScopeWrite, (*API).deleteWorkspace},
	{"POST", "organizations/{org}/workspaces/{name}/actions/safe-delete", access.ScopeWrite, (*API).safeDeleteWorkspace},
	{"GET", "organizations/{org}/projects", access.ScopeRead, (*API).listProjects},
	{"POST", "organizations/{org}/projects", access.ScopeWrite, (*API).createProject},
	{"GET", "projects/{prj}", access.ScopeRead, (*API).readProject},
	{"GET", "workspaces/{ws}", access.ScopeRead, (*API).readWorkspace},
	{"PATCH", "workspaces/{ws}", access.ScopeWrite, (*API).updateWorkspace},
	{"DELETE", "workspaces/{ws}", access.ScopeWrite, (*API).deleteWorkspace},
	{"POST", "workspaces/{ws}/actions/safe-delete", access.ScopeWrite, (*API).safeDeleteWorkspace},
	{"POST", "workspaces/{ws}/actions/lock", access.ScopeLock, (*API).lock},
	{"POST", "workspaces/{ws}/actions/unlock", access.ScopeLock, (*API).unlock},
	{"POST", "workspaces/{ws}/actions/force-unlock", access.ScopeForceUnlock, (*API).forceUnlock},
	{"GET", "workspaces/{ws}/relationships/tags", access.ScopeRead, (*API).listTags},
	{"POST", "workspaces/{ws}/relationships/tags", access.ScopeWrite, (*API).addTags},
	{"DELETE", "workspaces/{ws}/relationships/tags", access.ScopeWrite, (*API).removeTags},
	{"GET", "workspaces/{ws}/tag-bindings", access.ScopeRead, (*API).listTagBindings},
	{"PATCH", "workspaces/{ws}/tag-bindings", access.ScopeWrite, (*API).addTagBindings},
	{"GET", "workspaces/{ws}/effective-tag-bindings", access.ScopeRead, (*API).listTagBindings},
	{"GET", "workspaces/{ws}/current-state-version", access.ScopeRead, (*API).currentVersion},
	{"GET", "workspaces/{ws}/current-state-version-outputs", access.ScopeRead, (*API).currentOutputs},
	{"POST", "workspaces/{ws}/state-versions", access.ScopeWrite, (*API).createVersion},
	{"GET", "state-versions", access.ScopeRead, (*API).listVersions},
	{"GET", "state-versions/{sv}", access.ScopeRead, (*API).readVersion},
	{"GET", "state-versions/{sv}/outputs", access.ScopeRead, (*API).versionOutputs},
	{"GET", "state-version-outputs/{output}", access.ScopeRead, (*API).readOutput},
}

// match compares a route's path with an address, part by part, and returns what
// its variables stand for. Parts are compared as they were sent: an escaped
// slash is none.
func (r route) match(parts []string) (map[string]string, bool) {
	pattern := strings.Split(r.path, "/")
	if len(pattern) != len(parts) {
		return nil, false
	}
	vars := map[string]string{}
	for i, p := range pattern {
		if p[0] != '{' {
			if p != parts[i] {
				return nil, false
			}
			continue
		}
		v, err := url.PathUnescape(parts[i])
		if err != nil || v == "" {
			return nil, false
		}
		vars[strings.Trim(p, "{}")] = v
	}
	return vars, true
}

// transferTime is how long a state may take to come or to go: longer than what
// the server allows to requests that nobody vouches for.
const transferTime = 15 * time.Minute

// ServeHTTP answers one request. Every refusal ends in refuse.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Cache-Control", "no-store")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("TFP-API-Version", apiVersion)
	if rest, hosted := strings.CutPrefix(r.URL.EscapedPath(), HostedPrefix); hosted {
		if cred, err := a.hosted(w, r, rest); err != nil {
			a.refuse(w, r, cred, err)
		}
		return
	}
	rest := strings.TrimPrefix(r.URL.EscapedPath(), Prefix)
	if rest == "ping" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		w.WriteHeader(http.StatusNoContent) // tells versions alone, and clients ask it first
		return
	}
	cred, err := a.authenticate(r)
	if err == nil {
		err = a.serve(&call{Request: r, w: w, cred: cred}, strings.Split(rest, "/"))
	}
	if err != nil {
		a.refuse(w, r, cred, err)
	}
}

// serve finds out what is asked for, whether it may be, and does it.
func (a *API) serve(c *call, parts []string) error {
	var found *route
	var allow []string
	for i, r := range routes {
		vars, ok := r.match(parts)
		if !ok {
			continue
		}
		allow = append(allow, r.method)
		if r.method == c.Method {
			found, c.vars = &routes[i], vars
		}
	}
	if found == nil {
		if allow == nil {
			return errs.New(errs.NotFound, "There is no such address in the part of the API that Tidelock has: workspaces and their states.")
		}
		c.w.Header().Set("Allow", strings.Join(slices.Compact(allow), ", "))
		return errMethod
	}
	if err := a.resolve(c); err != nil {
		return err
	}
	if !c.cred.May(found.scope) {
		return errs.New(errs.Forbidden, "The token may not %s.", found.scope)
	}
	return found.do(a, c)
}

// resolve looks up what the address names, of the token's own client alone.
func (a *API) resolve(c *call) error {
	ctx := c.Context()
	var err error
	if c.org, err = a.Clients.Client(ctx, a.States.DB, c.cred.Client); err != nil {
		return err
	}
	if org, ok := c.vars["org"]; ok && org != c.org.Slug {
		return errForeign // whether or not it is there
	}
	if c.org.Status == clients.Deleted {
		return errs.New(errs.Forbidden, "The client %s has left this Tidelock.", c.org.Slug)
	}
	if name, ok := c.vars["name"]; ok {
		return a.byName(c, name)
	}
	if id, ok := c.vars["ws"]; ok {
		return a.byID(c, strings.TrimPrefix(id, "ws-"))
	}
	if id, ok := c.vars["sv"]; ok {
		return a.byVersion(c, strings.TrimPrefix(id, "sv-"))
	}
	if id, ok := c.vars["output"]; ok {
		version, _, ok := splitOutput(id)
		if !ok {
			return errForeign
		}
		return a.byVersion(c, version)
	}
	return nil
}

// opens reports as an error where the token does not open the state.
func (c *call) opens(name string) error {
	if !c.cred.Opens(name) {
		return errs.New(errs.Forbidden, "The token does not open the project %s.", name)
	}
	return nil
}

func (a *API) byName(c *call, name string) error {
	stateName, err := StateName(name)
	if err != nil {
		return err
	}
	if err := c.opens(stateName); err != nil {
		return err
	}
	st, err := a.States.State(c.Context(), c.org.ID, stateName)
	if err != nil {
		return absent(err)
	}
	c.workspace, err = a.load(c.Context(), st)
	if err == nil && !c.workspace.visible() {
		return errAbsent
	}
	return err
}

func (a *API) byID(c *call, id string) error {
	st, err := a.States.ByID(c.Context(), c.org.ID, id)
	if errs.Is(err, errs.NotFound) {
		return errForeign // whoever has the ID, if anybody
	}
	if err != nil {
		return err
	}
	if err := c.opens(st.Name); err != nil {
		return err
	}
	c.workspace, err = a.load(c.Context(), st)
	if err == nil && !c.workspace.visible() {
		return errAbsent
	}
	return err
}

// byVersion finds a version, or the announcement of one, and its workspace.
func (a *API) byVersion(c *call, id string) error {
	v, err := a.States.VersionByID(c.Context(), c.org.ID, id)
	if errs.Is(err, errs.NotFound) {
		var u upload
		if u, err = a.upload(c.Context(), c.org.ID, id); err != nil {
			return err
		}
		if u.version == "" {
			v = state.Version{ID: u.id, State: u.state, Client: u.client, Serial: u.serial, Lineage: u.lineage, MD5: u.md5, Created: u.created}
		} else if v, err = a.States.VersionByID(c.Context(), c.org.ID, u.version); err != nil {
			return absent(err)
		}
	}
	if err != nil {
		return err
	}
	c.version = v
	return a.byID(c, v.State)
}
