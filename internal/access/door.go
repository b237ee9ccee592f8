package access

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// Address returns where a request comes from, without the port.
func Address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// Door lets requests in by the tokens that they show, and keeps those who guess
// from flooding the log and the trail. It is safe for concurrent use.
type Door struct {
	tokens *Tokens
	failed *Meter // by address
	told   *Meter // refusals that went to the trail, by token; "" for what is none
}

// NewDoor returns a door for the tokens.
func NewDoor(t *Tokens) *Door {
	return &Door{tokens: t, failed: NewMeter(30, t.now), told: NewMeter(60, t.now)}
}

// ErrFlood is what Admit returns to an address with too many wrong tokens.
var ErrFlood = errs.New(errs.Unavailable, "Too many requests with tokens that do not count. Wait a minute.")

// Admit returns whose token the request shows, or the error of
// Tokens.Authenticate. A right token is let in however many wrong ones came from
// its address, which may be a proxy's.
func (d *Door) Admit(r *http.Request, token string) (Credential, error) {
	cred, err := d.tokens.Authenticate(r.Context(), token)
	if errs.Is(err, errs.Forbidden) && !d.failed.Count(Address(r)) {
		return cred, ErrFlood
	}
	return cred, err
}

// Unknown reports whether the error is that of a token that does not count.
func Unknown(err error) bool {
	return errors.Is(err, ErrNoToken) || errors.Is(err, ErrTokenExpired) || errors.Is(err, ErrTokenRevoked)
}

// Reason is why a request was refused, for the trail: of a token more than the
// one who showed it is told.
func Reason(err error) string {
	for _, known := range []error{ErrNoToken, ErrTokenExpired, ErrTokenRevoked} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return errs.Sentence(err)
}

// Tell records a refusal in the trail of the client whose token it was: whose
// state was asked for is told to the house, not to that one's neighbour. Of very
// many in a minute not all are recorded; strangers, from however many addresses,
// keep nobody else's from it.
func (d *Door) Tell(r *http.Request, cred Credential, code int, subject, why string) error {
	if code == http.StatusTooManyRequests || !d.told.Count(cred.ID) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 5*time.Second)
	defer cancel()
	actor := cred.Actor
	if actor.Kind == "" {
		actor = Actor{Kind: Token, Name: "unknown"}
	}
	t := d.tokens
	return t.db.Tx(ctx, func(tx *db.Tx) error {
		return t.trail.Record(ctx, tx, Event{
			Client: cred.Client, Action: "state.refused", Subject: subject, Actor: actor, At: t.now(),
			Detail: map[string]any{"method": r.Method, "status": code, "reason": why, "token": cred.ID, "from": Address(r)},
		})
	})
}
