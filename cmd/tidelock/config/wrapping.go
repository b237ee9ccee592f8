package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
)

// WrappingBlock is the type of the blocks that name keys of the state service.
const WrappingBlock = "wrapping_key"

const wrappingDoc = "A key that wraps the data keys of states, in a block each: `wrapping_key \"NAME\"`. The encryption key is one without a block, and the active one unless a block says `active = true`. " +
	"A key that is not active only opens what it wrapped; `tidelock key rotate` wraps all of that anew with the active key, and does not touch the data. Plans and logs are encrypted with the encryption key itself: " +
	"when you change that, name the one before in a block with `file` or `env`, and it still opens them, until `tidelock key rotate` has sealed them anew. The blocks stand in the file only, and have no variables. [States](state.md#keys) has examples."

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
func (l *Reading) readWrappingKeys(blocks hcl.Blocks) {
	for _, b := range blocks {
		if b.Type != WrappingBlock {
			continue
		}
		k, where := WrappingKey{}, place(b.DefRange)
		if diags := gohcl.DecodeBody(b.Body, nil, &k); diags.HasErrors() {
			l.diagnostics(WrappingBlock, diags)
			continue
		}
		k.Name = b.Labels[0]
		say := func(format string, args ...any) {
			l.problem(WrappingBlock, where, "the wrapping key %q "+format, append([]any{k.Name}, args...)...)
		}
		if slices.ContainsFunc(l.Config.WrappingKeys, func(o WrappingKey) bool { return o.Name == k.Name }) {
			say("stands here twice.")
		}
		if k.Active && slices.ContainsFunc(l.Config.WrappingKeys, func(o WrappingKey) bool { return o.Active }) {
			say("is active, and another one is too. One wraps what is new.")
		}
		if problem := k.problem(); problem != "" {
			say("%s", problem)
		}
		for _, path := range []*string{&k.File, &k.AgeFile, &k.VaultTokenFile} {
			if *path != "" {
				*path = absolute(filepath.Dir(l.File), *path)
			}
		}
		l.Config.WrappingKeys = append(l.Config.WrappingKeys, k)
		l.origins[WrappingBlock+"."+k.Name] = origin{rank: rankFile, where: where}
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

// wrappingHCL returns the block as a file could hold it.
func wrappingHCL(k WrappingKey) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q {\n", WrappingBlock, k.Name)
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
func (l *Reading) writeWrappingKeys(b *strings.Builder) {
	for _, k := range l.Config.WrappingKeys {
		fmt.Fprintf(b, "\n# from %s\n%s", l.originOf(WrappingBlock+"."+k.Name).where, wrappingHCL(k))
	}
}

// wrappingKeysJSON adds them to what is shown as JSON.
func (l *Reading) wrappingKeysJSON(all map[string]Shown) {
	for _, k := range l.Config.WrappingKeys {
		path := WrappingBlock + "." + k.Name
		all[path] = Shown{Value: map[string]any{
			"file": k.File, "env": k.Env, "age_file": k.AgeFile, "vault_key": k.VaultKey, "vault_address": k.VaultAddress,
			"vault_token_file": k.VaultTokenFile, "vault_namespace": k.VaultNamespace, "active": k.Active,
		}, Source: l.originOf(path).where}
	}
}

// wrappingReference is the section of docs/configuration.md.
func wrappingReference() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## `%s`\n\n%s\n\n| attribute | takes | what it means |\n|---|---|---|\n", WrappingBlock, wrappingDoc)
	for _, a := range wrappingAttributes {
		fmt.Fprintf(&b, "| **`%s`** | %s | %s |\n", a.name, a.takes, a.doc)
	}
	return b.String()
}
