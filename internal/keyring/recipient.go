package keyring

import (
	"context"
	"fmt"
	"strings"

	"filippo.io/age"

	"github.com/tidelock/tidelock/internal/errs"
)

// NewRecipient returns a key of an age recipient, which begins with "age1": it
// wraps, and only the identity that belongs to it, as NewIdentity reads it,
// unwraps.
func NewRecipient(text string) (Key, error) {
	all, err := age.ParseRecipients(strings.NewReader(text))
	if err != nil || len(all) != 1 {
		return nil, errs.New(errs.Invalid, "%q is no age recipient, which begins with age1 and is what `age-keygen -y` prints.", text)
	}
	named, ok := all[0].(fmt.Stringer)
	if !ok {
		return nil, errs.New(errs.Invalid, "%q is an age recipient of a kind that can't be used here.", text)
	}
	return recipient{all[0], recipientID(named)}, nil
}

type recipient struct {
	to age.Recipient
	id string
}

func (r recipient) ID() string { return r.id }

func (r recipient) Wrap(_ context.Context, dataKey, bound []byte) ([]byte, error) {
	return encryptTo(r.to, dataKey, openMark(bound))
}

func (r recipient) Unwrap(context.Context, []byte, []byte) ([]byte, error) {
	return nil, errs.New(errs.Unavailable, "The recipient %s opens nothing: its identity does.", r.id)
}
