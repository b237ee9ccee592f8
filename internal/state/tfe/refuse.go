package tfe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/tidelock/tidelock/internal/access"
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

// authenticate returns whose token the request shows.
func (a *API) authenticate(r *http.Request) (access.Credential, error) {
	t, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if t = strings.TrimSpace(t); !ok || t == "" {
		return access.Credential{}, errNoAuth
	}
	return a.door.Admit(r, t)
}

// status returns how an error is answered. Clients repeat what is answered
// with 5xx for minutes: only what may pass by itself is.
func status(err error) int {
	switch {
	case errors.Is(err, errNoAuth), access.Unknown(err):
		return http.StatusUnauthorized
	case errors.Is(err, access.ErrFlood):
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
		// Whoever asked has gone, or has closed one half of the connection and
		// listens yet: nothing must look like success.
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	code := status(err)
	log := a.States.Log.With(keyStatus, code, keyMethod, r.Method, keyPath, shownPath(r), keyFrom, access.Address(r), keyClient, cred.Client, keyToken, cred.ID)
	ordinary := code == http.StatusNotFound && !errors.Is(err, errForeign) || errors.Is(err, errNoAuth) || strings.HasSuffix(r.URL.Path, "/actions/lock") && code == http.StatusConflict
	switch {
	case code >= http.StatusInternalServerError:
		log.Error("cloud request failed", keyError, err)
	case ordinary:
		log.Debug("cloud request", keyReason, err.Error())
	default:
		log.Warn("cloud request refused", keyReason, err.Error())
		if err := a.door.Tell(r, cred, code, fmt.Sprintf("address %q", shownPath(r)), reason(err)); err != nil {
			log.Error("refusal not recorded", keyError, err)
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

// reason is why, for the trail.
func reason(err error) string {
	if errors.Is(err, errForeign) {
		return "the address is another client's, or nobody's"
	}
	return access.Reason(err)
}
