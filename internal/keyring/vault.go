package keyring

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	vault "github.com/hashicorp/vault/api"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// Vault says which key of Vault's transit engine is meant.
type Vault struct {
	Address   string               // URL of the server
	Namespace string               // "" for none
	Mount     string               // of the transit engine; "transit" if empty
	Key       string               // its name; the type must be one that takes associated data, as aes256-gcm96 does
	Token     func() redact.Secret // asked for each call, so that a renewed one is used
}

// vaultKey wraps data keys in Vault: its key never leaves that.
type vaultKey struct {
	Vault
	client *vault.Client

	mu     sync.Mutex
	opened map[string][]byte // data keys of what was read lately, by wrapped form and what it is bound to
}

// vaultTime bounds one call.
const vaultTime = 10 * time.Second

// maxOpened is how many data keys are remembered. Each read of a state would
// be a call of Vault otherwise.
const maxOpened = 512

// NewVault returns a key of Vault's transit engine. It does not ask whether
// Vault is there. The key may be rotated in Vault itself: what it wrapped names
// its version.
func NewVault(v Vault) (Key, error) {
	if v.Mount == "" {
		v.Mount = "transit"
	}
	if v.Address == "" || v.Key == "" || v.Token == nil {
		return nil, errs.New(errs.Invalid, "A key of Vault needs its address, its name and a token.")
	}
	// It reads VAULT_CACERT and its like from the environment, which is where
	// whoever runs Vault looks for them; what is said here goes before.
	c := vault.DefaultConfig()
	if c.Error != nil {
		return nil, c.Error
	}
	c.Address, c.Timeout, c.MaxRetries = v.Address, vaultTime, 2
	client, err := vault.NewClient(c)
	if err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "The address of Vault can't be used.")
	}
	client.ClearNamespace()
	if v.Namespace != "" {
		client.SetNamespace(v.Namespace)
	}
	return &vaultKey{Vault: v, client: client, opened: map[string][]byte{}}, nil
}

// ID names the key by where it is: the same key behind another address is the
// same.
func (k *vaultKey) ID() string {
	return "vault-" + strings.Trim(path.Join(k.Namespace, k.Mount, k.Key), "/")
}

func (k *vaultKey) Wrap(ctx context.Context, dataKey, bound []byte) ([]byte, error) {
	text, err := k.call(ctx, "encrypt", "ciphertext", map[string]any{
		"plaintext": base64.StdEncoding.EncodeToString(dataKey), "associated_data": base64.StdEncoding.EncodeToString(bound),
	})
	return []byte(text), err
}

func (k *vaultKey) Unwrap(ctx context.Context, wrapped, bound []byte) ([]byte, error) {
	known := string(wrapped) + "\n" + string(bound)
	k.mu.Lock()
	plain := k.opened[known]
	k.mu.Unlock()
	if plain != nil {
		return plain, nil
	}
	text, err := k.call(ctx, "decrypt", "plaintext", map[string]any{
		"ciphertext": string(wrapped), "associated_data": base64.StdEncoding.EncodeToString(bound),
	})
	if err != nil {
		return nil, err
	}
	if plain, err = base64.StdEncoding.DecodeString(text); err != nil || len(plain) == 0 {
		return nil, altered(err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.opened) >= maxOpened {
		clear(k.opened)
	}
	k.opened[known] = plain
	return plain, nil
}

// call asks the transit engine and returns one field of its answer.
func (k *vaultKey) call(ctx context.Context, act, field string, data map[string]any) (string, error) {
	k.client.SetToken(k.Token().Reveal())
	ctx, cancel := context.WithTimeout(ctx, vaultTime)
	defer cancel()
	answer, err := k.client.Logical().WriteWithContext(ctx, path.Join(k.Mount, act, k.Key), data)
	if err != nil {
		return "", k.classify(act, err)
	}
	if answer != nil {
		if text, ok := answer.Data[field].(string); ok && text != "" {
			return text, nil
		}
	}
	return "", errs.New(errs.Unavailable, "Vault's answer for the key %s holds no %s.", k.ID(), field)
}

func (k *vaultKey) classify(act string, err error) error {
	var response *vault.ResponseError
	if !errors.As(err, &response) {
		return errs.Wrap(errs.Unavailable, err, "Vault does not answer, and the key %s is kept there. Nothing was changed; try again.", k.ID())
	}
	said := fmt.Errorf("vault: %d: %s", response.StatusCode, strings.Join(response.Errors, "; "))
	switch {
	case response.StatusCode == http.StatusForbidden:
		return errs.Wrap(errs.Unavailable, said, "Vault refuses the token for the key %s: it has expired, or its policy does not allow to %s.", k.ID(), act)
	case response.StatusCode == http.StatusNotFound:
		return errs.Wrap(errs.Unavailable, said, "Vault has no key %s: it was deleted, or the mount or the namespace is another.", k.ID())
	case response.StatusCode == http.StatusBadRequest && act == "decrypt":
		return altered(said)
	}
	return errs.Wrap(errs.Unavailable, said, "Vault can't use the key %s now.", k.ID())
}
