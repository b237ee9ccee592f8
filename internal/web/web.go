package web

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/actuals"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/budget"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/explorer"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/state"
)

// Options set the pages up. All but Masker, Password, Now and what comes below it are needed.
type Options struct {
	DB      *db.DB
	Runs    *run.Store
	Clients *clients.Store
	Queue   *queue.Queue
	Trail   *access.Trail
	Blobs   *blob.Store
	Log     *slog.Logger

	// Password is what the pages ask for, with any user name. Without one
	// they answer requests from this machine only.
	Password redact.Secret
	// Masker hides the server's own secrets in whole plans, which are read
	// from the plan's JSON. Everything else was masked when it was stored.
	Masker *redact.Masker
	Now    func() time.Time // time.Now if nil

	// Node is this server's name on its runs, LogPath where the log of a run
	// of its own is while it grows. Without them logs are shown when they are
	// stored, and not before.
	Node    string
	LogPath func(run string) string

	// Rules gives the rules that judge plans, by ID; nil where the pages tell
	// of none. Version is Tidelock's.
	Rules   func(context.Context) ([]policy.Rule, error)
	Version string

	// Ledger says what clients cost, Bills what was really billed; nil where
	// the pages tell of neither.
	Ledger *budget.Store
	Bills  *actuals.Store

	// States are those that are kept here, Inventory the resources of all; nil
	// where the pages tell of neither.
	States    *state.Store
	Inventory *explorer.Index
}

// site is the pages' handler.
type site struct {
	Options
	gate   gate
	router *mux.Router
	chain  chainCheck
	live   liveSecrets

	crossSite *http.CrossOriginProtection
	failed    *access.Meter // tokens that do not count, by address
	told      *access.Meter // refusals that went to the audit trail, by token
}

// New returns the pages. The handler expects to be asked for every path that
// nobody else answers: an unknown one gets a page that says so.
func New(o Options) http.Handler { return newSite(o) }

func newSite(o Options) *site {
	if o.Now == nil {
		o.Now = time.Now
	}
	templates()
	s := &site{
		Options: o, gate: newGate(o.Password), router: mux.NewRouter(),
		crossSite: http.NewCrossOriginProtection(), failed: access.NewMeter(maxRefused, o.Now), told: access.NewMeter(60, o.Now),
	}
	s.chain.turn = make(chan struct{}, 1)
	s.page("/", "/changes", "changes", s.changes)
	s.page("/changes/{id}", "/changes/{id}", "change", s.change)
	s.page("/runs/{id}", "/runs/{id}", "run", s.run)
	s.page("/runs/{id}/plan", "/runs/{id}/plan", "plan", s.plan)
	s.page("/locks", "/locks", "locks", s.locks)
	s.page("/history", "/history", "history", s.history)
	s.page("/audit", "/audit", "audit", s.audit)
	s.page("/drift", "/drift", "drift", s.driftPage)
	s.page("/queue", "/queue", "queue", s.queue)
	s.page("/costs", "/costs", "costs", s.costs)
	s.page("/costs/{client}", "/costs/{client}", "cost", s.cost)
	s.page("/states", "/states", "states", s.states)
	s.page("/states/{client}/{project:.+}", "/states/{client}/{project:.+}", "stateview", s.state)
	s.post("/states/{client}/{project:.+}", s.actByForm)
	s.post("/api/v1/states/{client}/{project:.+}", s.actByAPI)
	s.page("/inventory", "/inventory", "inventory", s.inventory)
	s.page("/inventory/uses", "/inventory/uses", "uses", s.inventoryUses)
	s.get("/api/v1/inventory/export", s.export)
	s.page("/policies", "/policies", "policies", s.policies)
	s.page("/waivers", "/waivers", "waivers", s.waivers)
	s.page("/waivers/{id}", "/waivers/{id}", "waiver", s.waiver)
	s.page("/policies/{id}", "/policies/{id}", "policy", s.policy)
	s.get("/api/v1/runs/{id}/findings", s.findings)
	s.get("/api/v1/runs/{id}/sarif", s.sarif)
	s.get("/runs/{id}/log", s.log)
	s.get("/api/v1/runs/{id}/log", s.apiLog)
	// Whoever cuts an address short finds the list.
	s.get("/changes", redirect("/"))
	s.get("/runs", redirect("/history"))
	s.get("/static/{hash}/{name}", static)
	s.router.NotFoundHandler = s.handler(unknown)
	s.router.MethodNotAllowedHandler = s.handler(onlyRead)
	return s
}

// ServeHTTP lets a request through the gate and answers it.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeaders(w.Header())
	if !proves(r) && !s.gate.admit(w, r) {
		return
	}
	s.router.ServeHTTP(w, r)
}

// policyHeader is the content security policy: our own style, script and
// icon, and nothing else from anywhere.
const policyHeader = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", policyHeader)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Cache-Control", "no-store")
}

// get registers a handler for GET and HEAD.
func (s *site) get(path string, h func(http.ResponseWriter, *http.Request) error) {
	s.router.Handle(path, s.handler(h)).Methods(http.MethodGet, http.MethodHead)
}

// post registers a handler for what changes something.
func (s *site) post(path string, h func(http.ResponseWriter, *http.Request) error) {
	s.router.Handle(path, s.handler(h)).Methods(http.MethodPost)
}

// shown is what a page shows.
type shown struct {
	title string
	nav   string // the entry of the menu that it belongs to
	live  int    // seconds after which it may look different; 0 for never
	data  any    // what the template gets, and what the JSON answer is
}

// page registers one source of data as a page and as JSON.
func (s *site) page(path, api, template string, source func(*http.Request) (shown, error)) {
	s.get(path, func(w http.ResponseWriter, r *http.Request) error {
		v, err := source(r)
		if err != nil {
			return err
		}
		return render(w, r, http.StatusOK, template, v)
	})
	s.get("/api/v1"+api, func(w http.ResponseWriter, r *http.Request) error {
		v, err := source(r)
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, v.data)
	})
}

func redirect(to string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		http.Redirect(w, r, to, http.StatusFound)
		return nil
	}
}
