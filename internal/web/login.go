package web

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/access/login"
	"github.com/tidelock/tidelock/internal/errs"
)

// LoginPrefix is where the page of logins expects to be asked.
const LoginPrefix = "/oauth/"

// loginPage asks people whether a command line may have a token. Who they are
// they show with a token of theirs: the pages' password lets look at what is
// masked, and must not open states.
type loginPage struct {
	store  *login.Store
	log    *slog.Logger
	failed *access.Meter // wrong tokens, by address
}

// Login returns the page on which a person agrees to a login. It stands before
// the pages' password, since it asks for more than that.
func Login(s *login.Store, log *slog.Logger) http.Handler {
	templates()
	return &loginPage{s, log, access.NewMeter(30, nil)}
}

// consent is what the page shows: the form, unless what is asked for can't be.
type consent struct {
	Error  string
	Origin string
	Name   string
	Scopes []consentChoice
	Days   []consentChoice
}

// consentChoice is a box or an entry of the form.
type consentChoice struct {
	Scope access.Scope
	Days  int
	Label string
	On    bool
}

var scopeLabels = []consentChoice{
	{Scope: access.ScopeRead, Label: "read states, with the secrets in them"},
	{Scope: access.ScopeLock, Label: "lock them, and unlock what it locked"},
	{Scope: access.ScopeWrite, Label: "write and delete them"},
	{Scope: access.ScopeForceUnlock, Label: "take a lock from somebody else"},
}

var dayLabels = []consentChoice{{Days: 1, Label: "a day"}, {Days: 7, Label: "a week"}, {Days: 30, Label: "30 days"}, {Days: 90, Label: "90 days"}, {Days: 365, Label: "a year"}}

func (p *loginPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeaders(w.Header())
	switch r.URL.Path {
	case login.AuthorizePath:
	case LoginPrefix + "style.css": // the other way to it asks for the pages' password
		a := assets["style.css"]
		w.Header().Set("Content-Type", a.media)
		_, _ = w.Write(a.body) // nobody is left to be told
		return
	default:
		p.show(w, r, http.StatusNotFound, consent{Error: "There is no such page."})
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, HEAD, POST")
		p.show(w, r, http.StatusMethodNotAllowed, consent{Error: "There is no such method here."})
		return
	}
	asked, err := login.Parse(r.URL.Query())
	if err != nil {
		p.refused(r, http.StatusBadRequest, err)
		p.show(w, r, http.StatusBadRequest, consent{Error: errs.Sentence(err)})
		return
	}
	page := consent{Origin: asked.Origin(), Scopes: slices.Clone(scopeLabels), Days: slices.Clone(dayLabels)}
	if r.Method != http.MethodPost {
		for i := range page.Scopes {
			page.Scopes[i].On = page.Scopes[i].Scope != access.ScopeForceUnlock
		}
		for i := range page.Days {
			page.Days[i].On = page.Days[i].Days == 90
		}
		p.show(w, r, http.StatusOK, page)
		return
	}
	p.answer(w, r, asked, page)
}

// answer takes the form.
func (p *loginPage) answer(w http.ResponseWriter, r *http.Request, asked login.Request, page consent) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	if err := r.ParseForm(); err != nil {
		code := http.StatusBadRequest
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			code = http.StatusRequestEntityTooLarge
		}
		p.refused(r, code, err)
		p.show(w, r, code, consent{Error: "The form can't be read."})
		return
	}
	days, err := strconv.Atoi(r.PostForm.Get("days"))
	if err != nil || days > 366 {
		days = 0 // which is refused with its own sentence
	}
	wish := login.Wish{Name: strings.TrimSpace(r.PostForm.Get("name")), For: time.Duration(days) * 24 * time.Hour}
	page.Name = wish.Name
	for i, c := range page.Scopes {
		page.Scopes[i].On = slices.Contains(r.PostForm["scope"], string(c.Scope))
		if page.Scopes[i].On {
			wish.Scopes = append(wish.Scopes, c.Scope)
		}
	}
	for i, c := range page.Days {
		page.Days[i].On = c.Days == days
	}
	to, err := p.store.Agree(r.Context(), asked, strings.TrimSpace(r.PostForm.Get("token")), wish)
	if err != nil {
		code := statusOf(err)
		if code == http.StatusForbidden && !p.failed.Count(from(r)) {
			code = http.StatusTooManyRequests
			err = errs.Wrap(errs.Unavailable, err, "Too many tokens that do not count. Wait a minute.")
			w.Header().Set("Retry-After", "60")
		}
		p.refused(r, code, err)
		page.Error = errs.Sentence(err)
		p.show(w, r, code, page)
		return
	}
	// Browsers hold where a form's answer leads against the page's policy too.
	p.allow(w, page)
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func from(r *http.Request) string { return access.Address(r) }

func (p *loginPage) refused(r *http.Request, code int, err error) {
	if code >= http.StatusInternalServerError {
		p.log.Error("login failed", keyMethod, r.Method, "status", code, keyError, err, "from", from(r))
		return
	}
	p.log.Warn("login refused", keyMethod, r.Method, "status", code, "reason", err.Error(), "from", from(r))
}

// allow lets the form lead to the program that waits, and nowhere else.
func (p *loginPage) allow(w http.ResponseWriter, page consent) {
	if page.Origin != "" {
		w.Header().Set("Content-Security-Policy", strings.Replace(policyHeader, "form-action 'self'", "form-action 'self' "+page.Origin, 1))
	}
}

func (p *loginPage) show(w http.ResponseWriter, r *http.Request, code int, page consent) {
	p.allow(w, page)
	if err := render(w, r, code, "consent", shown{title: "A token for terraform", data: page}); err != nil {
		p.log.Error("page failed", keyPath, r.URL.Path, keyError, err)
		http.Error(w, "The page can't be shown.", http.StatusInternalServerError)
	}
}
