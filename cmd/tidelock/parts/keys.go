package parts

import (
	"os"
	"strings"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/keyring"
	"github.com/tidelock/tidelock/internal/redact"
)

// Keyring returns the keys of the state service: the encryption key, and those
// of the blocks.
func Keyring(c config.Config, encryption redact.Secret) (*keyring.Ring, error) {
	active, err := keyring.NewLocal(encryption)
	if err != nil {
		return nil, err
	}
	var others []keyring.Key
	for _, b := range c.WrappingKeys {
		k, err := wrappingKey(b, c.Environ())
		if err != nil {
			return nil, err
		}
		if b.Active {
			k, active = active, k
		}
		others = append(others, k)
	}
	return keyring.New(active, others...)
}

// EarlierKeys are the keys that plans and logs may have been encrypted with
// before: those of the blocks that are of that kind.
func EarlierKeys(c config.Config) ([]redact.Secret, error) {
	var all []redact.Secret
	for _, b := range c.WrappingKeys {
		if !isLocal(b) {
			continue
		}
		k, err := wrappingSecret(b, c.Environ())
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, nil
}

// wrappingKey returns the key that the block names.
func wrappingKey(k config.WrappingKey, environ []string) (keyring.Key, error) {
	if k.VaultKey != "" {
		i := strings.LastIndexByte(k.VaultKey, '/')
		return keyring.NewVault(keyring.Vault{
			Address: k.VaultAddress, Namespace: k.VaultNamespace, Mount: k.VaultKey[:i], Key: k.VaultKey[i+1:],
			Token: func() (redact.Secret, error) {
				text, err := os.ReadFile(k.VaultTokenFile)
				return redact.NewSecret(strings.TrimSpace(string(text))), err
			},
		})
	}
	text, err := wrappingSecret(k, environ)
	if err != nil {
		return nil, err
	}
	if k.AgeFile != "" {
		return keyring.NewAge(text)
	}
	return keyring.NewLocal(text)
}

// wrappingSecret reads what the block names; nothing of it is for errors.
func wrappingSecret(k config.WrappingKey, environ []string) (redact.Secret, error) {
	if k.Env != "" {
		v, ok := config.Lookup(environ)(k.Env)
		if !ok || strings.TrimSpace(v) == "" {
			return redact.Secret{}, errs.New(errs.Invalid, "The wrapping key %q is to be in the environment variable %s, which is not set.", k.Name, k.Env)
		}
		return redact.NewSecret(strings.TrimSpace(v)), nil
	}
	path := k.File
	if path == "" {
		path = k.AgeFile
	}
	text, problem, _ := config.ReadSecretFile(path)
	if problem != "" {
		return redact.Secret{}, errs.New(errs.Invalid, "The wrapping key %q can't be read: %s", k.Name, problem)
	}
	return redact.NewSecret(text), nil
}

// isLocal reports whether the key is 32 bytes that the server itself holds.
func isLocal(k config.WrappingKey) bool { return k.File != "" || k.Env != "" }
