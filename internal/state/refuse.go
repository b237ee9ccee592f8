package state

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
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

// authenticate returns whose token the request shows. A right token is let in
// however many wrong ones came from its address, which may be a proxy's.
func (h *handler) authenticate(r *http.Request) (access.Credential, error) {
	t := token(r)
	if t == "" {
		return access.Credential{}, errNoAuth
	}
	cred, err := h.store.Tokens.Authenticate(r.Context(), t)
	if errs.Is(err, errs.Forbidden) && !h.failed.Count(address(r)) {
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

// refuse answers a request that is not done, says in the log why, and in the
// audit trail where that is of interest later: everything but a lock that is
// held, a state that is not there yet, and what is ours to mend.
func (h *handler) refuse(w http.ResponseWriter, r *http.Request, cred access.Credential, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // whoever asked has gone
	}
	code := status(err, r.Method, strings.HasSuffix(r.URL.Path, "/lock"))
	log := h.store.Log.With(keyStatus, code, keyMethod, r.Method, keyPath, r.URL.Path, keyFrom, address(r), keyClient, cred.Client, keyToken, cred.ID)
	absent := code == http.StatusNotFound && !errors.Is(err, errForeign)
	switch {
	case code >= http.StatusInternalServerError:
		log.Error("state request failed", keyError, err)
	case absent || code == http.StatusLocked || errors.Is(err, errNoAuth):
		log.Debug("state request", keyReason, err.Error())
	default:
		log.Warn("state request refused", keyReason, err.Error())
		if code != http.StatusTooManyRequests && h.told.Count(cred.ID+" "+address(r)) {
			if err := h.tell(r, cred, code, err); err != nil {
				log.Error("refusal not recorded", keyError, err)
			}
		}
	}
	answer(w, r, code, err)
}

// tell records a refusal in the trail of the client whose token it was: whose
// state was asked for is told to the house, not to that one's neighbour.
func (h *handler) tell(r *http.Request, cred access.Credential, code int, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 5*time.Second)
	defer cancel()
	actor := cred.Actor
	if actor.Kind == "" {
		actor = access.Actor{Kind: access.Token, Name: "unknown"}
	}
	s := h.store
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		return s.Trail.Record(ctx, tx, access.Event{
			Client: cred.Client, Action: "state.refused", Subject: subject(r.URL.Path), Actor: actor, At: s.Now(),
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
