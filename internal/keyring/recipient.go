package keyring

import (
	"context"

	"filippo.io/age"

	"github.com/tidelock/tidelock/internal/errs"
)

// NewRecipient returns a key of an age recipient, which begins with "age1": it
// wraps, and only the identity that belongs to it, as NewAge reads it, unwraps.
func NewRecipient(text string) (Key, error) {
	r, err := age.ParseX25519Recipient(text)
	if err != nil {
		return nil, errs.New(errs.Invalid, "%q is no age recipient, which begins with age1 and is what `age-keygen -y` prints.", text)
	}
	return recipient{ageKey{recipient: r, id: "age-" + r.String()}}, nil
}

type recipient struct{ ageKey }

func (r recipient) Unwrap(context.Context, []byte, []byte) ([]byte, error) {
	return nil, errs.New(errs.Unavailable, "The recipient %s opens nothing: its identity does.", r.id)
}
