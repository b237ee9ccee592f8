package keyring

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// ageKey is an age identity, and its own recipient.
//
// age tells nobody who encrypted: whoever knows the recipient, which is the ID
// that stands beside each data key, could wrap a data key of their own, and with
// it pass a content off as one of ours. So what an identity wraps carries a mark
// that takes the identity to make.
type ageKey struct {
	recipient age.Recipient
	identity  age.Identity
	id        string
	marker    []byte // key of the marks
	foreign   bool   // whether what the recipient alone wrapped opens too
}

// NewAge returns the key of an age identity file's content: lines of comments
// and one AGE-SECRET-KEY, as `age-keygen` prints them. Its ID is the public
// key. It opens what it wrapped, and nothing that somebody wrapped who knows the
// public key alone.
func NewAge(file redact.Secret) (Key, error) { return newAge(file, false) }

// NewIdentity is NewAge that also opens what a NewRecipient wrapped, as that of
// a backup: it says nothing of who made it.
func NewIdentity(file redact.Secret) (Key, error) { return newAge(file, true) }

func newAge(file redact.Secret, foreign bool) (Key, error) {
	ids, err := age.ParseIdentities(strings.NewReader(file.Reveal()))
	if err != nil || len(ids) != 1 {
		// The parser's error may quote the line.
		return nil, errs.New(errs.Invalid, "The file must hold one age identity, as `age-keygen` makes them.")
	}
	k := &ageKey{identity: ids[0], foreign: foreign}
	var secret string
	switch id := ids[0].(type) {
	case *age.X25519Identity:
		k.recipient, k.id, secret = id.Recipient(), recipientID(id.Recipient()), id.String()
	case *age.HybridIdentity:
		k.recipient, k.id, secret = id.Recipient(), recipientID(id.Recipient()), id.String()
	default:
		return nil, errs.New(errs.Invalid, "The age identity is of a kind that can't be used here: make one with `age-keygen`.")
	}
	k.marker, err = hkdf.Key(sha256.New, []byte(secret), nil, "tidelock keyring age mark 1", sha256.Size)
	return k, err
}

// recipientID is the ID of the key that the recipient belongs to.
func recipientID(r fmt.Stringer) string {
	if _, ok := r.(*age.HybridRecipient); ok {
		sum := sha256.Sum256([]byte(r.String())) // 2,000 characters long
		return fmt.Sprintf("age-hybrid-%x", sum[:8])
	}
	return "age-" + r.String()
}

func (k *ageKey) ID() string { return k.id }

// String is the ID, so that no print of the key shows what it holds.
func (k *ageKey) String() string { return k.id }

// GoString is String.
func (k *ageKey) GoString() string { return k.id }

// Wrap encrypts the data key and its mark.
func (k *ageKey) Wrap(_ context.Context, dataKey, bound []byte) ([]byte, error) {
	return encryptTo(k.recipient, dataKey, k.mark(dataKey, bound))
}

// mark binds the data key to bound, and to whoever has the identity.
func (k *ageKey) mark(dataKey, bound []byte) []byte {
	m := hmac.New(sha256.New, k.marker)
	sum := sha256.Sum256(bound)
	m.Write(sum[:])
	m.Write(dataKey)
	return m.Sum(nil)
}

func encryptTo(r age.Recipient, dataKey, mark []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := age.Encrypt(&out, r)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(append(bytes.Clone(dataKey), mark...)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func (k *ageKey) Unwrap(_ context.Context, wrapped, bound []byte) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(wrapped), k.identity)
	if err != nil {
		return nil, altered(err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, 1<<10))
	if err != nil || len(plain) < sha256.Size {
		return nil, altered(err)
	}
	cut := len(plain) - sha256.Size
	dataKey, mark := plain[:cut], plain[cut:]
	switch {
	case hmac.Equal(mark, k.mark(dataKey, bound)):
		return dataKey, nil
	case !hmac.Equal(mark, openMark(bound)):
		return nil, altered(errors.New("it is bound to something else"))
	case !k.foreign:
		return nil, errs.New(errs.Internal, "A data key was wrapped by somebody who knew only the public half of %s. A backup for a recipient is opened with --identity; of anything else it is not used, since anybody could have made it.", k.id)
	}
	return dataKey, nil
}

// openMark is what binds a data key that a recipient wraps: no more can be had
// without the identity.
func openMark(bound []byte) []byte {
	sum := sha256.Sum256(bound)
	return sum[:]
}
