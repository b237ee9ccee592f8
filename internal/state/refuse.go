package state

import (
	"context"
	"errors"
	"net/http"

	"github.com/tidelock/tidelock/internal/access"
)

// Attribute keys of the log.
const (
	keyClient  = "client"
	keyProject = "project"
	keyError   = "error"
	keyToken   = "token" // its ID, never itself
	keyStatus  = "status"
	keyMethod  = "method"
	keyPath    = "path"
	keyReason  = "reason"
	keyFrom    = "from"
)

// authenticate returns whose token the request shows.
func (h *handler) authenticate(r *http.Request) (access.Credential, error) {
	t := token(r)
	if t == "" {
		return access.Credential{}, errNoAuth
	}
	return h.door.Admit(r, t)
}

// refuse answers a request that is not done, says in the log why, and in the
// audit trail where that is of interest later: everything but a lock that is
// held, a state that is not there yet, and what is ours to mend.
func (h *handler) refuse(w http.ResponseWriter, r *http.Request, cred access.Credential, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		// Whoever asked has gone, or has closed one half of the connection and
		// listens yet: nothing must look like success.
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	code := status(err, r)
	log := h.store.Log.With(keyStatus, code, keyMethod, r.Method, keyPath, r.URL.Path, keyFrom, access.Address(r), keyClient, cred.Client, keyToken, cred.ID)
	absent := code == http.StatusNotFound && !errors.Is(err, errForeign)
	switch {
	case code >= http.StatusInternalServerError:
		log.Error("state request failed", keyError, err)
	case absent || code == http.StatusLocked || errors.Is(err, errNoAuth):
		log.Debug("state request", keyReason, err.Error())
	default:
		log.Warn("state request refused", keyReason, err.Error())
		if err := h.door.Tell(r, cred, code, subject(r.URL.Path), reason(err)); err != nil {
			log.Error("refusal not recorded", keyError, err)
		}
	}
	answer(w, r, code, err)
}

// reason is why, for the trail.
func reason(err error) string {
	if errors.Is(err, errForeign) {
		return "the address is another client's, or nobody's"
	}
	return access.Reason(err)
}
