package keyring

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"

	vault "github.com/hashicorp/vault/api"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// Vault says which key of Vault's transit engine is meant.
type Vault struct {
	Address   string // URL of the server
	Namespace string // "" for none
	Mount     string // of the transit engine; "transit" if empty
	Key       string // its name; the type must be one that takes associated data, as aes256-gcm96 does
	// Token is asked for each call, so that one that was put in the place of
	// another is used.
	Token func() (redact.Secret, error)
	Now   func() time.Time // time.Now if nil
}

// vaultKey wraps data keys in Vault: its key never leaves that.
type vaultKey struct {
	at     Vault
	client *vault.Client
	opened opened
}

// vaultTime bounds one call, with what is tried again of it.
const vaultTime = 10 * time.Second

// NewVault returns a key of Vault's transit engine. It does not ask whether
// Vault is there. The key may be rotated in Vault itself: what it wrapped names
// its version.
func NewVault(v Vault) (Key, error) {
	if v.Mount == "" {
		v.Mount = "transit"
	}
	if v.Now == nil {
		v.Now = time.Now
	}
	if v.Address == "" || v.Key == "" || v.Token == nil {
		return nil, errs.New(errs.Invalid, "A key of Vault needs its address, its name and a token.")
	}
	// It reads VAULT_CACERT and its like from the environment, which is where
	// whoever runs Vault looks for them; what is said here goes before, and
	// what is not said, such as an agent's address, is not taken from there.
	c := vault.DefaultConfig()
	if c.Error != nil {
		return nil, errs.Wrap(errs.Invalid, c.Error, "What the environment says of Vault, in VAULT_CACERT or its like, can't be used.")
	}
	c.Address, c.AgentAddress, c.SRVLookup = v.Address, "", false
	c.Timeout, c.MaxRetries, c.MinRetryWait, c.MaxRetryWait = vaultTime, 2, 100*time.Millisecond, 500*time.Millisecond
	client, err := vault.NewClient(c)
	if err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "The address of Vault can't be used.")
	}
	client.ClearToken()
	client.SetWrappingLookupFunc(func(string, string) string { return "" })
	client.ClearNamespace()
	if v.Namespace != "" {
		client.SetNamespace(v.Namespace)
	}
	return &vaultKey{at: v, client: client, opened: opened{now: v.Now}}, nil
}

// ID names the key by where it is: the same key behind another address is the
// same.
func (k *vaultKey) ID() string {
	return "vault-" + strings.Trim(path.Join(k.at.Namespace, k.at.Mount, k.at.Key), "/")
}

// String is the ID, so that no print of the key shows what it remembers.
func (k *vaultKey) String() string { return k.ID() }

// GoString is String.
func (k *vaultKey) GoString() string { return k.ID() }

func (k *vaultKey) Wrap(ctx context.Context, dataKey, bound []byte) ([]byte, error) {
	text, err := k.call(ctx, "encrypt", "ciphertext", map[string]any{
		"plaintext": base64.StdEncoding.EncodeToString(dataKey), "associated_data": base64.StdEncoding.EncodeToString(bound),
	})
	// It is not remembered: that what was written can be read shows only where
	// Vault opens it.
	return []byte(text), err
}

func (k *vaultKey) Unwrap(ctx context.Context, wrapped, bound []byte) ([]byte, error) {
	if plain := k.opened.get(wrapped, bound); plain != nil {
		return plain, nil
	}
	text, err := k.call(ctx, "decrypt", "plaintext", map[string]any{
		"ciphertext": string(wrapped), "associated_data": base64.StdEncoding.EncodeToString(bound),
	})
	if err != nil {
		return nil, err
	}
	plain, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(plain) == 0 {
		return nil, altered(errors.New("vault's answer is no data key")) // the decoder's error may quote it
	}
	k.opened.add(wrapped, bound, plain)
	return plain, nil
}

// probe encrypts and decrypts, past what is remembered.
func (k *vaultKey) probe(ctx context.Context) error {
	const content = "dGlkZWxvY2sgd2FzIGhlcmU=" // in base64, as Vault wants it
	wrapped, err := k.call(ctx, "encrypt", "ciphertext", map[string]any{"plaintext": content, "associated_data": content})
	if err != nil {
		return err
	}
	got, err := k.call(ctx, "decrypt", "plaintext", map[string]any{"ciphertext": wrapped, "associated_data": content})
	if err == nil && got != content {
		err = errs.New(errs.Internal, "What the key %s decrypts is not what it encrypted.", k.ID())
	}
	return err
}

// newest implements versioned: what Vault wraps begins with the version of the
// key, as in vault:v2:.
func (k *vaultKey) newest(ctx context.Context) (string, error) {
	text, err := k.call(ctx, "encrypt", "ciphertext", map[string]any{"plaintext": base64.StdEncoding.EncodeToString(make([]byte, DataKeySize))})
	if err != nil {
		return "", err
	}
	return text[:strings.LastIndexByte(text, ':')+1], nil
}

// call asks the transit engine and returns one field of its answer.
func (k *vaultKey) call(ctx context.Context, act, field string, data map[string]any) (string, error) {
	answer, err := k.ask(ctx, act, func(ctx context.Context) (*vault.Secret, error) {
		return k.client.Logical().WriteWithContext(ctx, path.Join(k.at.Mount, act, k.at.Key), data)
	})
	if err != nil {
		return "", err
	}
	if answer != nil {
		if text, ok := answer.Data[field].(string); ok && text != "" {
			return text, nil
		}
	}
	return "", errs.New(errs.Unavailable, "Vault's answer for the key %s holds no %s: is its address that of a Vault?", k.ID(), field)
}

// ask asks Vault with the token as it is now.
func (k *vaultKey) ask(ctx context.Context, act string, with func(context.Context) (*vault.Secret, error)) (*vault.Secret, error) {
	token, err := k.at.Token()
	if err == nil && token.Empty() {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, errs.Wrap(errs.Unavailable, err, "There is no token of Vault for the key %s: the file that vault_token_file names is empty or can't be read. Nothing was changed; whatever writes the file, such as Vault's agent, must run.", k.ID())
	}
	k.client.SetToken(token.Reveal())
	limited, cancel := context.WithTimeout(ctx, vaultTime)
	defer cancel()
	answer, err := with(limited)
	if err == nil {
		return answer, nil
	}
	if ctx.Err() != nil { // whoever asked has gone
		return nil, ctx.Err()
	}
	return nil, k.classify(act, err)
}

// classify says what Vault's refusal means, and what to mend. Vault names the
// reason in words only; those here are of its transit engine, which has had them
// since 2015. Words that are not known are shown as they are.
func (k *vaultKey) classify(act string, err error) error {
	var response *vault.ResponseError
	if !errors.As(err, &response) {
		return errs.Wrap(errs.Unavailable, err, "Vault does not answer, and the key %s is kept there. Nothing was changed; try again.", k.ID())
	}
	words := strings.Join(response.Errors, "; ")
	said := fmt.Errorf("vault: %d: %s", response.StatusCode, words)
	refused := func(format string, args ...any) error {
		return errs.Wrap(errs.Unavailable, said, format, args...)
	}
	has := func(text string) bool { return strings.Contains(words, text) }
	switch {
	case response.StatusCode == http.StatusForbidden:
		// Encrypting with a key that is not there makes it, which takes another
		// right; so a lost key looks like this too.
		return refused("Vault refuses the token for the key %s: it has expired or was revoked, its policy does not allow to %s, or the key was deleted in Vault. Nothing was changed.", k.ID(), act)
	case response.StatusCode == http.StatusNotFound || has("encryption key not found"):
		return refused("Vault has no key %s: it was deleted, or the mount or the namespace is another. Restore it in Vault from its backup; nothing else can open what it wrapped.", k.ID())
	case has("too old"):
		return refused("Vault keeps the version of the key %s that wrapped this from being used: lower min_decryption_version of the key in Vault, then wrap everything by the newest with `tidelock key rotate`.", k.ID())
	case has("version is too new") || has("no such key version"):
		return refused("Vault's key %s lacks the version that wrapped this: an older copy of the key was restored, or it was made anew. Restore the newest from its backup in Vault.", k.ID())
	case has("non-AEAD") || has("not supported for key type") || has("key derivation"):
		return refused("The key %s in Vault is of a type that takes no associated data, so nothing can be bound to its place by it. Make one of the type aes256-gcm96 that is not derived.", k.ID())
	case response.StatusCode == http.StatusServiceUnavailable:
		return refused("Vault is sealed or stands by, and the key %s is kept there. Nothing was changed; unseal it and try again.", k.ID())
	case has("message authentication failed"):
		return errs.Wrap(errs.Internal, said, "A stored data key was damaged or tampered with, or belongs elsewhere, or the key %s in Vault was deleted and made anew; it is not used.", k.ID())
	case response.StatusCode == http.StatusBadRequest && act == "decrypt":
		return altered(said)
	}
	return refused("Vault can't use the key %s now: %s.", k.ID(), words)
}
