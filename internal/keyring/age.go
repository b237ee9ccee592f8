package keyring

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// ageKey is an age identity, and its own recipient.
type ageKey struct {
	recipient age.Recipient
	identity  age.Identity
	id        string
}

// NewAge returns the key of an age identity file's content: lines of comments
// and one AGE-SECRET-KEY, as `age-keygen` prints them. Its ID is the public
// key.
func NewAge(file redact.Secret) (Key, error) {
	ids, err := age.ParseIdentities(strings.NewReader(file.Reveal()))
	if err != nil || len(ids) != 1 {
		// The parser's error may quote the line.
		return nil, errs.New(errs.Invalid, "The file must hold one age identity, as `age-keygen` makes them.")
	}
	switch id := ids[0].(type) {
	case *age.X25519Identity:
		return ageKey{id.Recipient(), id, "age-" + id.Recipient().String()}, nil
	case *age.HybridIdentity:
		sum := sha256.Sum256([]byte(id.Recipient().String())) // 2,000 characters long
		return ageKey{id.Recipient(), id, fmt.Sprintf("age-hybrid-%x", sum[:8])}, nil
	}
	return nil, errs.New(errs.Invalid, "The age identity is of a kind that can't be used here: make one with `age-keygen`.")
}

func (k ageKey) ID() string { return k.id }

// Wrap encrypts the data key and the hash of what it is bound to: age itself
// binds nothing.
func (k ageKey) Wrap(_ context.Context, dataKey, bound []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := age.Encrypt(&out, k.recipient)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(bound)
	if _, err := w.Write(append(append([]byte{}, dataKey...), sum[:]...)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func (k ageKey) Unwrap(_ context.Context, wrapped, bound []byte) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(wrapped), k.identity)
	if err != nil {
		return nil, altered(err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, 1<<10))
	if err != nil || len(plain) < sha256.Size {
		return nil, altered(err)
	}
	sum := sha256.Sum256(bound)
	cut := len(plain) - sha256.Size
	if subtle.ConstantTimeCompare(plain[cut:], sum[:]) != 1 {
		return nil, altered(errors.New("it is bound to something else"))
	}
	return plain[:cut], nil
}
