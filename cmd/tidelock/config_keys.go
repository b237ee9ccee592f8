package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/keyring"
	"github.com/tidelock/tidelock/internal/redact"
)

// wrappingBlock is the type of the blocks that name keys of the state service.
const wrappingBlock = "wrapping_key"

const wrappingDoc = "A key that wraps the data keys of states, in a block each: `wrapping_key \"NAME\"`. The encryption key is one without a block, and the active one unless a block says `active = true`. " +
	"A key that is not active only opens what it wrapped; `tidelock key rotate` wraps all of that anew with the active key, and does not touch the data. Plans and logs are encrypted with the encryption key itself: " +
	"when you change that, name the one before in a block with `file` or `env`, and it still opens them. The blocks stand in the file only, and have no variables. [States](state.md#keys) has examples."

// wrappingAttributes are what a block may hold, for the reference.
var wrappingAttributes = []struct{ name, takes, doc string }{
	{"file", "path", "The file that holds 32 bytes in base64, as `openssl rand -base64 32` prints them. One of `file`, `env`, `age_file` and `vault_key` is required."},
	{"env", "name", "The variable of the server's environment that holds them."},
	{"age_file", "path", "The file that holds an [age](https://age-encryption.org) identity, as `age-keygen` makes it."},
	{"vault_key", "MOUNT/NAME", "A key of Vault's transit engine, of a type that takes associated data, such as `aes256-gcm96`. The key never leaves Vault."},
	{"vault_address", "URL", "Where Vault is. `VAULT_CACERT` and its like are read from the environment."},
	{"vault_token_file", "path", "The file that holds Vault's token, read for each call, as Vault's agent keeps it."},
	{"vault_namespace", "name", "Vault's namespace, where there are any."},
	{"active", "true or false", "Whether new data keys are wrapped by this one."},
}

// WrappingKey says where a key of the state service is.
type WrappingKey struct {
	Name           string
	File           string `hcl:"file,optional"`
	Env            string `hcl:"env,optional"`
	AgeFile        string `hcl:"age_file,optional"`
	VaultKey       string `hcl:"vault_key,optional"`
	VaultAddress   string `hcl:"vault_address,optional"`
	VaultTokenFile string `hcl:"vault_token_file,optional"`
	VaultNamespace string `hcl:"vault_namespace,optional"`
	Active         bool   `hcl:"active,optional"`
}

// readWrappingKeys reads the blocks.
func (l *loader) readWrappingKeys(blocks hcl.Blocks) {
	for _, b := range blocks {
		if b.Type != wrappingBlock {
			continue
		}
		k, where := WrappingKey{}, place(b.DefRange)
		if diags := gohcl.DecodeBody(b.Body, nil, &k); diags.HasErrors() {
			l.diagnostics(wrappingBlock, diags)
			continue
		}
		k.Name = b.Labels[0]
		say := func(format string, args ...any) {
			l.problem(wrappingBlock, where, "the wrapping key %q "+format, append([]any{k.Name}, args...)...)
		}
		if slices.ContainsFunc(l.config.WrappingKeys, func(o WrappingKey) bool { return o.Name == k.Name }) {
			say("stands here twice.")
		}
		if k.Active && slices.ContainsFunc(l.config.WrappingKeys, func(o WrappingKey) bool { return o.Active }) {
			say("is active, and another one is too. One wraps what is new.")
		}
		if problem := k.problem(); problem != "" {
			say("%s", problem)
		}
		for _, path := range []*string{&k.File, &k.AgeFile, &k.VaultTokenFile} {
			if *path != "" {
				*path = absolute(filepath.Dir(l.file), *path)
			}
		}
		l.config.WrappingKeys = append(l.config.WrappingKeys, k)
		l.origins[wrappingBlock+"."+k.Name] = origin{rank: rankFile, where: where}
	}
}

// problem reports what is wrong with a block, as the end of a sentence that
// begins with the key.
func (k WrappingKey) problem() string {
	given := 0
	for _, v := range []string{k.File, k.Env, k.AgeFile, k.VaultKey} {
		if v != "" {
			given++
		}
	}
	switch {
	case given != 1:
		return "needs one of file, env, age_file and vault_key, and no more than one."
	case k.Env != "" && !isEnvName(k.Env):
		return fmt.Sprintf("has the env %q, which is not the name of an environment variable.", k.Env)
	case k.VaultKey == "" && k.VaultAddress+k.VaultTokenFile+k.VaultNamespace != "":
		return "says where Vault is, and names no vault_key."
	case k.VaultKey == "":
		return ""
	case k.VaultAddress == "" || k.VaultTokenFile == "":
		return "needs vault_address and vault_token_file beside vault_key."
	case !strings.Contains(k.VaultKey, "/"):
		return fmt.Sprintf("has the vault_key %q, which lacks the mount: write it as \"transit/%s\".", k.VaultKey, k.VaultKey)
	}
	if wrong := checkURL(k.VaultAddress, "https://vault.example.com:8200"); wrong != "" {
		return "has a vault_address that " + wrong
	}
	return ""
}

// local reports whether the key is 32 bytes that the server itself holds.
func (k WrappingKey) local() bool { return k.File != "" || k.Env != "" }

// secret reads what the block names; nothing of it is for errors.
func (k WrappingKey) secret(environ []string) (redact.Secret, error) {
	if k.Env != "" {
		v, ok := lookup(environ)(k.Env)
		if !ok || strings.TrimSpace(v) == "" {
			return redact.Secret{}, errs.New(errs.Invalid, "The wrapping key %q is to be in the environment variable %s, which is not set.", k.Name, k.Env)
		}
		return redact.NewSecret(strings.TrimSpace(v)), nil
	}
	path := k.File
	if path == "" {
		path = k.AgeFile
	}
	text, problem, _ := readSecretFile(path)
	if problem != "" {
		return redact.Secret{}, errs.New(errs.Invalid, "The wrapping key %q can't be read: %s", k.Name, problem)
	}
	return redact.NewSecret(text), nil
}

// key returns the key that the block names.
func (k WrappingKey) key(environ []string) (keyring.Key, error) {
	if k.VaultKey != "" {
		i := strings.LastIndexByte(k.VaultKey, '/')
		return keyring.NewVault(keyring.Vault{
			Address: k.VaultAddress, Namespace: k.VaultNamespace, Mount: k.VaultKey[:i], Key: k.VaultKey[i+1:],
			Token: func() redact.Secret {
				text, err := os.ReadFile(k.VaultTokenFile)
				if err != nil {
					return redact.Secret{} // Vault then refuses, and the refusal names the token
				}
				return redact.NewSecret(strings.TrimSpace(string(text)))
			},
		})
	}
	text, err := k.secret(environ)
	if err != nil {
		return nil, err
	}
	if k.AgeFile != "" {
		return keyring.NewAge(text)
	}
	return keyring.NewLocal(text)
}

// keyring returns the keys of the state service: the encryption key, and those
// of the blocks.
func (c Config) keyring(encryption redact.Secret) (*keyring.Ring, error) {
	active, err := keyring.NewLocal(encryption)
	if err != nil {
		return nil, err
	}
	var others []keyring.Key
	for _, b := range c.WrappingKeys {
		k, err := b.key(c.environ())
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

// earlierKeys are the keys that plans and logs may have been encrypted with
// before: those of the blocks that are of that kind.
func (c Config) earlierKeys() ([]redact.Secret, error) {
	var all []redact.Secret
	for _, b := range c.WrappingKeys {
		if !b.local() {
			continue
		}
		k, err := b.secret(c.environ())
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, nil
}

// encryptionKey is LoadEncryptionKey for commands beside the server: they make
// no key.
func (c Config) encryptionKey() (redact.Secret, error) {
	if !c.EncryptionKey.Empty() {
		return c.EncryptionKey, nil
	}
	key, err := readEncryptionKey(c)
	if errors.Is(err, fs.ErrNotExist) {
		return key, errs.New(errs.NotFound, "There is no encryption key at %s: either no server has run here, or the key is lost.", c.EncryptionKeyFile)
	}
	return key, err
}

// wrappingHCL returns the block as a file could hold it.
func wrappingHCL(k WrappingKey) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q {\n", wrappingBlock, k.Name)
	for _, v := range []struct{ name, text string }{
		{"file", k.File}, {"env", k.Env}, {"age_file", k.AgeFile}, {"vault_key", k.VaultKey}, {"vault_address", k.VaultAddress},
		{"vault_token_file", k.VaultTokenFile}, {"vault_namespace", k.VaultNamespace},
	} {
		if v.text != "" {
			fmt.Fprintf(&b, "  %-16s = %q\n", v.name, v.text)
		}
	}
	if k.Active {
		fmt.Fprintf(&b, "  %-16s = true\n", "active")
	}
	b.WriteString("}\n")
	return b.String()
}

// writeWrappingKeys prints the blocks: where keys are, and no key.
func (l *loader) writeWrappingKeys(b *strings.Builder) {
	for _, k := range l.config.WrappingKeys {
		fmt.Fprintf(b, "\n# from %s\n%s", l.originOf(wrappingBlock+"."+k.Name).where, wrappingHCL(k))
	}
}

// wrappingKeysJSON adds them to what is shown as JSON.
func (l *loader) wrappingKeysJSON(all map[string]shownSetting) {
	for _, k := range l.config.WrappingKeys {
		path := wrappingBlock + "." + k.Name
		all[path] = shownSetting{Value: map[string]any{
			"file": k.File, "env": k.Env, "age_file": k.AgeFile, "vault_key": k.VaultKey, "vault_address": k.VaultAddress,
			"vault_token_file": k.VaultTokenFile, "vault_namespace": k.VaultNamespace, "active": k.Active,
		}, Source: l.originOf(path).where}
	}
}

// wrappingReference is the section of docs/configuration.md.
func wrappingReference() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## `%s`\n\n%s\n\n| attribute | takes | what it means |\n|---|---|---|\n", wrappingBlock, wrappingDoc)
	for _, a := range wrappingAttributes {
		fmt.Fprintf(&b, "| **`%s`** | %s | %s |\n", a.name, a.takes, a.doc)
	}
	return b.String()
}
