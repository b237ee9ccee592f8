package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/state"
)

// What can be done to a state here needs a person. The pages' password is
// everybody's and shows masked values, so it proves nothing: whoever does
// something shows a token of theirs, in the form or as Authorization: Bearer,
// and that token's scopes, projects and client count as they do for Terraform.

// The acts.
const (
	actPush    = "push_errored"
	actAsk     = "ask_restore"
	actApprove = "approve_restore"
)

// stateAct is what somebody wants done to a state.
type stateAct struct {
	Action  string `json:"action"`
	Version int64  `json:"version,omitempty"`
	Restore string `json:"restore,omitempty"` // ID
	Reason  string `json:"reason,omitempty"`
}

// actDone is what came of it.
type actDone struct {
	Action  string       `json:"action"`
	Version *versionView `json:"version,omitempty"` // that counts now
	Restore *restoreView `json:"restore,omitempty"` // that waits now
}

// Sentences by the word in an address that a form leads to when it was done.
var actsDone = map[string]string{
	actPush:    "The state that could not be written counts now.",
	actAsk:     "Asked. Somebody else approves it within a day.",
	actApprove: "The version that was asked for counts again.",
}

const (
	maxAct     = 16 << 10 // bytes of a form or a body
	maxReason  = 1000     // bytes
	maxRefused = 30       // tokens that do not count, of one address within a minute
)

var (
	errUnproven   = errors.New("nobody was proven")
	errWantsToken = errs.Wrap(errs.Forbidden, errUnproven, "This needs a token of yours, which shows who you are: as Authorization: Bearer, or in the form.")
	errTokenFlood = errs.New(errs.Unavailable, "Too many tokens that do not count. Wait a minute.")
	errCrossSite  = errs.New(errs.Forbidden, "The form was sent by a page of another site. Nothing was done.")
)

// bearer returns the token that a request to the API shows, "" for none.
func bearer(r *http.Request) string {
	t, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if t = strings.TrimSpace(t); !ok || !strings.HasPrefix(t, access.TokenPrefix) {
		return ""
	}
	return t
}

// proves reports whether a request needs no password of the pages: every act
// of the API asks for more than that.
func proves(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/api/") && bearer(r) != ""
}

// person returns whose token it is.
func (s *site) person(r *http.Request, token string) (access.Credential, error) {
	if token == "" {
		return access.Credential{}, errWantsToken
	}
	cred, err := s.States.Tokens.Authenticate(r.Context(), token)
	if errs.Is(err, errs.Forbidden) {
		if !s.failed.Count(from(r)) {
			return cred, errTokenFlood
		}
		err = errs.Wrap(errs.Forbidden, errors.Join(errUnproven, err), "%s", errs.Sentence(err))
	}
	return cred, err
}

// mayAct refuses what the token does not open.
func mayAct(cred access.Credential, client clients.Client, name string) error {
	if err := state.MayAct(cred, client.ID, name); err != nil {
		return err
	}
	if client.Status == clients.Deleted {
		return errs.New(errs.Forbidden, "The client %s has left this Tidelock.", client.Slug)
	}
	return nil
}

// do does what is asked for, for the one who shows the token.
func (s *site) do(r *http.Request, token string, a stateAct) (done actDone, err error) {
	if s.States == nil {
		return done, errNoStates
	}
	ctx, slug, name := r.Context(), mux.Vars(r)["client"], mux.Vars(r)["project"]
	cred, err := s.person(r, token)
	if err != nil {
		return done, s.refused(r, cred, a, err)
	}
	client, err := s.Clients.BySlug(ctx, s.DB, slug)
	if errs.Is(err, errs.NotFound) {
		client, err = clients.Client{}, nil // told like another's
	}
	if err == nil {
		err = mayAct(cred, client, name)
	}
	if err == nil {
		done, err = s.act(ctx, client, name, state.By(cred), a)
	}
	if err != nil {
		return done, s.refused(r, cred, a, err)
	}
	s.Log.Info("state changed by a page or the API", "action", a.Action, "client", client.ID, "project", name, "token", cred.ID)
	return done, nil
}

func (s *site) act(ctx context.Context, client clients.Client, name string, who state.Who, a stateAct) (done actDone, err error) {
	done.Action = a.Action
	st, err := s.States.State(ctx, client.ID, name)
	if err != nil {
		return done, err
	}
	if len(a.Reason) > maxReason {
		return done, errs.New(errs.Invalid, "The reason has more than %d bytes.", maxReason)
	}
	var v state.Version
	switch a.Action {
	case actPush:
		v, err = s.States.PushErrored(ctx, client.ID, name, a.Version, who)
	case actAsk:
		asked, err := s.States.AskRestore(ctx, client.ID, name, a.Version, who, strings.TrimSpace(a.Reason))
		if err != nil {
			return done, err
		}
		done.Restore = &restoreView{ID: asked.ID, State: client.Slug + "/" + name, URL: stateURL(client.Slug, name), Version: a.Version, Reason: plain(asked.Reason), AskedBy: asked.AskedBy, Asked: s.at(asked.Asked)}
		return done, nil
	case actApprove:
		if _, err := s.States.RestoreOf(ctx, st, a.Restore); err != nil {
			return done, err
		}
		v, err = s.States.ApproveRestore(ctx, a.Restore, who)
	default:
		return done, errs.New(errs.Invalid, "action is one of %s, %s and %s.", actPush, actAsk, actApprove)
	}
	if err != nil {
		return done, err
	}
	view := s.viewVersion(v, v.ID)
	done.Version = &view
	return done, nil
}

// refused says in the log, and in the trail of the client whose token it was,
// what was refused, and returns why.
func (s *site) refused(r *http.Request, cred access.Credential, a stateAct, why error) error {
	code := statusOf(why)
	if code >= http.StatusInternalServerError && !errors.Is(why, errTokenFlood) {
		return why // which is logged as ours to mend
	}
	s.Log.Warn("change of a state refused", "action", plain(a.Action), keyPath, r.URL.Path, "status", code, "reason", why.Error(), "client", cred.Client, "token", cred.ID, "from", from(r))
	if cred.ID == "" || !s.told.Count(cred.ID) {
		return why
	}
	subject := "state " + strconv.Quote(markdown.Cut(mux.Vars(r)["client"]+"/"+mux.Vars(r)["project"], 250))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 5*time.Second)
	defer cancel()
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		return s.Trail.Record(ctx, tx, access.Event{
			Client: cred.Client, Action: "state.refused", Subject: subject, Actor: cred.Actor, At: s.Now(),
			Detail: map[string]any{"act": a.Action, "status": code, "reason": errs.Sentence(why), "token": cred.ID, "from": from(r)},
		})
	})
	if err != nil {
		s.Log.Error("refusal not recorded", keyError, err)
	}
	return why
}

// actByAPI takes an act as JSON.
func (s *site) actByAPI(w http.ResponseWriter, r *http.Request) error {
	token := bearer(r)
	if token == "" {
		return errWantsToken
	}
	var a stateAct
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAct))
	dec.DisallowUnknownFields()
	err := dec.Decode(&a)
	if err == nil {
		if _, end := dec.Token(); !errors.Is(end, io.EOF) {
			err = errors.New("more than one value")
		}
	}
	if err != nil {
		return unreadable(err)
	}
	done, err := s.do(r, token, a)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, done)
}

func unreadable(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return errs.Wrap(errs.TooLarge, err, "What was sent has more than %d bytes.", maxAct)
	}
	return errs.Wrap(errs.Invalid, err, "What was sent can't be read: it must be one object with action, and with version, restore or reason.")
}

// actByForm takes an act from the page of the state, and shows that again where
// it is refused.
func (s *site) actByForm(w http.ResponseWriter, r *http.Request) error {
	err := s.crossSite.Check(r)
	if err != nil {
		return errs.Wrap(errs.Forbidden, err, "%s", errs.Sentence(errCrossSite))
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxAct)
	if err := r.ParseForm(); err != nil {
		return unreadable(err)
	}
	form := r.PostForm
	a := stateAct{Action: form.Get("action"), Restore: form.Get("restore"), Reason: form.Get("reason")}
	if text := form.Get("version"); text != "" {
		if a.Version, err = strconv.ParseInt(text, 10, 64); err != nil {
			return errs.New(errs.Invalid, "version must be the number of a version.")
		}
	}
	done, refusal := s.do(r, strings.TrimSpace(form.Get("token")), a)
	if refusal == nil {
		http.Redirect(w, r, stateURL(mux.Vars(r)["client"], mux.Vars(r)["project"])+"?done="+done.Action, http.StatusSeeOther)
		return nil
	}
	code := statusOf(refusal)
	if code >= http.StatusInternalServerError && !errors.Is(refusal, errTokenFlood) {
		return refusal
	}
	page, err := s.state(r)
	if err != nil {
		return refusal
	}
	p := page.data.(statePage)
	p.Refused, p.Reason = errs.Sentence(refusal), plain(a.Reason)
	page.data = p
	return render(w, r, code, "stateview", page)
}
