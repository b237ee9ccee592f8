package keyring

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// local is a key that this process holds itself.
type local struct {
	id   string
	wrap cipher.AEAD
}

const nonceSize = 12

// NewLocal returns a key of 32 random bytes in base64. The key wraps by
// AES-256-GCM, through a key of its own that is derived from it: the same 32
// bytes may serve elsewhere. Its ID is derived too, and tells nothing.
func NewLocal(key redact.Secret) (Key, error) {
	master, err := base64.StdEncoding.DecodeString(strings.TrimSpace(key.Reveal()))
	if err != nil || len(master) != 32 {
		// The decoder's error quotes the key.
		return nil, errs.New(errs.Invalid, "An encryption key must be 32 random bytes in base64, as `openssl rand -base64 32` makes them.")
	}
	id, err := hkdf.Key(sha256.New, master, nil, "tidelock keyring id 1", 8)
	if err != nil {
		return nil, err
	}
	wrap, err := hkdf.Key(sha256.New, master, nil, "tidelock keyring wrap 1", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(wrap)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &local{"local-" + hex.EncodeToString(id), aead}, nil
}

func (l *local) ID() string { return l.id }

// String is the ID, so that no print of the key shows what it holds.
func (l *local) String() string { return l.id }

// GoString is String.
func (l *local) GoString() string { return l.id }

// Wrap returns the nonce and the sealed key. A nonce is random: 2³² keys could
// be wrapped before one is likely to come twice.
func (l *local) Wrap(_ context.Context, dataKey, bound []byte) ([]byte, error) {
	nonce := make([]byte, nonceSize, nonceSize+len(dataKey)+l.wrap.Overhead())
	rand.Read(nonce)
	return l.wrap.Seal(nonce, nonce, dataKey, bound), nil
}

func (l *local) Unwrap(_ context.Context, wrapped, bound []byte) ([]byte, error) {
	if len(wrapped) < nonceSize {
		return nil, altered(errors.New("too short"))
	}
	plain, err := l.wrap.Open(nil, wrapped[:nonceSize], wrapped[nonceSize:], bound)
	if err != nil {
		return nil, altered(err)
	}
	return plain, nil
}
