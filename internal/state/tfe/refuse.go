package tfe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// Attribute keys of the log.
const (
	keyClient = "client"
	keyError  = "error"
	keyToken  = "token" // its ID, never itself
	keyStatus = "status"
	keyMethod = "method"
	keyPath   = "path"
	keyReason = "reason"
	keyFrom   = "from"
)

var (
	errForeign = errs.New(errs.NotFound, "There is no such thing here, or it is not yours.")
	errAbsent  = errs.New(errs.NotFound, "There is no such workspace, or it has no state yet.")
	errMethod  = errs.New(errs.Invalid, "There is no such method here.")
	errFlood   = errs.New(errs.Unavailable, "Too many requests with tokens that do not count. Wait a minute.")
	errNoAuth  = errs.New(errs.Forbidden, "A token is needed: run terraform login, or tofu login.")
	errAddress = errs.New(errs.Forbidden, "The address does not count, or no more. Ask again for a new one.")
)

// absent says of what is not found in the client's own house that it is not,
// and nothing else of other errors.
func absent(err error) error {
	if errs.Is(err, errs.NotFound) {
		return errAbsent
	}
	return err
}

// authenticate returns whose token the request shows. A right token is let in
// however many wrong ones came from its address, which may be a proxy's.
func (a *API) authenticate(r *http.Request) (access.Credential, error) {
	t, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if t = strings.TrimSpace(t); !ok || t == "" {
		return access.Credential{}, errNoAuth
	}
	cred, err := a.States.Tokens.Authenticate(r.Context(), t)
	if errs.Is(err, errs.Forbidden) && !a.failed.Count(address(r)) {
		return cred, errFlood
	}
	return cred, err
}

func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// status returns how an error is answered. Clients repeat what is answered
// with 5xx for minutes: only what may pass by itself is.
func status(err error) int {
	switch {
	case errors.Is(err, errNoAuth), errors.Is(err, access.ErrNoToken), errors.Is(err, access.ErrTokenExpired), errors.Is(err, access.ErrTokenRevoked):
		return http.StatusUnauthorized
	case errors.Is(err, errFlood):
		return http.StatusTooManyRequests
	case errors.Is(err, errMethod):
		return http.StatusMethodNotAllowed
	case errors.Is(err, errMalformed):
		return http.StatusBadRequest
	}
	if kind := errs.KindOf(err); kind != errs.Invalid {
		return kind.HTTPStatus()
	}
	return http.StatusUnprocessableEntity
}

// shownPath is what the log and the trail tell of an address: of those that
// open something by themselves only what kind they are.
func shownPath(r *http.Request) string {
	path := r.URL.Path
	if strings.HasPrefix(path, HostedPrefix) {
		return HostedPrefix + "…"
	}
	path = strings.ToValidUTF8(path, "?")
	if len(path) > 300 {
		path = path[:300] + "…"
	}
	return path
}

// refuse answers a request that is not done, says in the log why, and in the
// audit trail where that is of interest later: everything but what is not there
// yet, a lock that is held, and what is ours to mend.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, cred access.Credential, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // whoever asked has gone
	}
	code := status(err)
	log := a.States.Log.With(keyStatus, code, keyMethod, r.Method, keyPath, shownPath(r), keyFrom, address(r), keyClient, cred.Client, keyToken, cred.ID)
	ordinary := code == http.StatusNotFound && !errors.Is(err, errForeign) || errors.Is(err, errNoAuth) || strings.HasSuffix(r.URL.Path, "/actions/lock") && code == http.StatusConflict
	switch {
	case code >= http.StatusInternalServerError:
		log.Error("cloud request failed", keyError, err)
	case ordinary:
		log.Debug("cloud request", keyReason, err.Error())
	default:
		log.Warn("cloud request refused", keyReason, err.Error())
		if code != http.StatusTooManyRequests && a.told.Count(cred.ID+" "+address(r)) {
			if err := a.tell(r, cred, code, err); err != nil {
				log.Error("refusal not recorded", keyError, err)
			}
		}
	}
	answer(w, r, code, err)
}

// answer writes the status of an error, and a sentence for people.
func answer(w http.ResponseWriter, r *http.Request, code int, err error) {
	switch code {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="Tidelock"`)
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "2")
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "60")
		w.Header().Set("X-RateLimit-Reset", "60")
	}
	problem := map[string]string{"status": strconv.Itoa(code), "title": http.StatusText(code), "detail": errs.Sentence(err)}
	if r.Method == http.MethodHead {
		w.WriteHeader(code)
		return
	}
	_ = write(w, code, map[string]any{"errors": []any{problem}}) // strings are JSON always
}

// tell records a refusal in the trail of the client whose token it was: whose
// state was asked for is told to the house, not to that one's neighbour.
func (a *API) tell(r *http.Request, cred access.Credential, code int, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 5*time.Second)
	defer cancel()
	actor := cred.Actor
	if actor.Kind == "" {
		actor = access.Actor{Kind: access.Token, Name: "unknown"}
	}
	s := a.States
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		return s.Trail.Record(ctx, tx, access.Event{
			Client: cred.Client, Action: "state.refused", Subject: fmt.Sprintf("address %q", shownPath(r)), Actor: actor, At: s.Now(),
			Detail: map[string]any{"method": r.Method, "status": code, "reason": reason(why), "token": cred.ID, "from": address(r)},
		})
	})
}

// reason is why, for the trail: more than the one who was refused is told.
func reason(err error) string {
	for _, known := range []error{access.ErrNoToken, access.ErrTokenExpired, access.ErrTokenRevoked} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	if errors.Is(err, errForeign) {
		return "the address is another client's, or nobody's"
	}
	return errs.Sentence(err)
}
