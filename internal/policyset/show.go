package policyset

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Attribute is one thing that a block can say, for the reference.
type Attribute struct{ Block, Name, Takes, Doc string }

// Attributes are what the blocks can say.
func Attributes() []Attribute {
	match := func(block string) []Attribute {
		return []Attribute{
			{block, "clients", "list of patterns", "Names of clients (installations)."},
			{block, "repos", "list of patterns", "Repositories, as `\"acme/infra\"` or `\"acme/*\"`."},
			{block, "projects", "list of patterns", "Names of projects; of one that was found by itself it is its directory."},
			{block, "dirs", "list of patterns", "Directories within the repository, as `\"live/prod/**\"`, which `live/prod` itself matches too."},
			{block, "workspaces", "list of patterns", "Terraform's workspaces."},
		}
	}
	out := []Attribute{
		{PackBlock, "path", "path", "A folder with Rego, read anew when it changes. In the admin repository it is one of its own folders. One of `path`, `git`, `url` and `oci` is required."},
		{PackBlock, "git", "address", "A git repository, by https."},
		{PackBlock, "ref", "string", "With `git`: a branch, a tag or a commit. Without it it is `main`."},
		{PackBlock, "dir", "path", "With `git`: the folder in the repository."},
		{PackBlock, "url", "address", "An OPA bundle, a `.tar.gz`, by https."},
		{PackBlock, "oci", "reference", "An artifact in a registry, as `conftest push`, or `oras push` of an OPA bundle, puts it there: `\"ghcr.io/acme/policies:1.2\"`, or with `@sha256:…` in place of the tag."},
		{PackBlock, "sha256", "hash", "With `url` the bundle's hash, with `oci` the manifest's: nothing else is taken."},
		{PackBlock, "public_key_file", "path", "The key that the pack's signature (`.signatures.json`, as `opa sign` makes it) is checked by: a public key in PEM, or for `HS256` and the like the shared secret. In the admin repository it is a file there."},
		{PackBlock, "key_id", "string", "The name of the key that the signature must give. Without it any name will do."},
		{PackBlock, "algorithm", "string", "The signature's algorithm, `RS256` where none is named; the signature does not choose it."},
		{PackBlock, "signature_scope", "string", "The scope that the signature must name."},
		{PackBlock, "require_signature", "bool", "Whether the pack is refused without a signature: `true` where there is a key. With `false` a signature that is there must still be right."},
		{PackBlock, "data", "list of paths", "Folders and files of the pack whose JSON and YAML are data, as conftest's `--data`. Without it that is the folder `data`; files called `data.json` or `data.yaml` are data wherever they are."},
		{PackBlock, "untyped", "bool", "Whether the rules are left unchecked against the input's schema: for packs that judge other things than plans too."},
		{PackBlock, "level", "level", "What the pack's rules may be at most by themselves: `advisory`, `mandatory` or `hard`. A scope may still raise them."},
		{PackBlock, "refresh", "duration", "How often the source is asked, `5m` without it."},
		{PackBlock, "max_age", "duration", "How long the last good copy judges while the source can't be reached, `24h` without it. After that plans can't be judged, and are not applied."},
		{PackBlock, "token", "name", "The `secret` that is sent to the source: as a bearer token to `url`, as the password to `git` and `oci`, or for `oci` as `user:password`. A pack of the admin repository gets only one whose block allows that repository."},
	}
	out = append(out, match(EnvironmentBlock)...)
	out = append(out, match(ScopeBlock)...)
	return append(out,
		Attribute{ScopeBlock, "environments", "list of patterns", "Names of environments."},
		Attribute{ScopeBlock, "packs", "list of names", "Packs that judge here. A pack that some scope names judges only where such a scope matches; one that none names judges everywhere."},
		Attribute{ScopeBlock, "levels", "map of levels", "`off`, `advisory`, `mandatory` or `hard`, by a rule's name or the beginning of names up to a dot."},
		Attribute{ScopeBlock, "settings", "map of values", "Settings of rules, as `{ \"tagging.required\" = [\"owner\"] }`."},
		Attribute{ScopeBlock, "owners", "list of strings", "Who may accept what was found: logins, or teams as `organization/team`."},
		Attribute{ScopeBlock, "owner_count", "number", "How many of them must."},
		Attribute{ScopeBlock, "pack_owners", "map of lists", "Those of single packs, by the pack's name."},
	)
}

// Docs introduce the blocks, for the reference.
var Docs = map[string]string{
	PackBlock: "A pack of rules beside those that come with Tidelock, in a block each: `policy_pack \"NAME\"`. Its last good copy is kept in `<data_dir>/policies` and judges while the source can't be reached. " +
		"[Policies](policies.md) has examples.",
	EnvironmentBlock: "A name for the projects that match all of its lists, in a block each: `environment \"production\"`. Rules see it as `input.project.environment`, and scopes can name it. Where several match, the one that says most closely what it is about counts: see [Policies](policies.md#which-scope-wins).",
	ScopeBlock: "How the projects are judged that match all of its lists, in a block each: `policy_scope \"NAME\"`. One without lists is about all. The settings of the block `policy` stand below all scopes. " +
		"[Policies](policies.md#which-scope-wins) says which of several wins.",
}

// block writes an HCL block.
type block struct{ strings.Builder }

func newBlock(typ, name string) *block {
	b := &block{}
	fmt.Fprintf(b, "%s %q {\n", typ, name)
	return b
}

func (b *block) text(name, v string) {
	if v != "" {
		fmt.Fprintf(b, "  %s = %q\n", name, v)
	}
}

func (b *block) list(name string, v []string) {
	if len(v) > 0 {
		fmt.Fprintf(b, "  %s = %s\n", name, quoted(v))
	}
}

func quoted(v []string) string {
	out := make([]string, len(v))
	for i, item := range v {
		out[i] = strconv.Quote(item)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func (b *block) match(m Match) {
	b.list("clients", m.Clients)
	b.list("repos", m.Repos)
	b.list("environments", m.Environments)
	b.list("projects", m.Projects)
	b.list("dirs", m.Dirs)
	b.list("workspaces", m.Workspaces)
}

func (b *block) end() string { return b.String() + "}\n" }

// HCL returns the block as a file could hold it.
func (p PackConfig) HCL() string {
	b := newBlock(PackBlock, p.Name)
	b.text("path", p.Path)
	b.text("git", p.Git)
	b.text("ref", p.Ref)
	b.text("dir", p.Dir)
	b.text("url", p.URL)
	b.text("oci", p.OCI)
	b.text("sha256", p.SHA256)
	b.text("public_key_file", p.KeyFile)
	b.text("key_id", p.KeyID)
	b.text("algorithm", p.Algorithm)
	b.text("signature_scope", p.KeyScope)
	if p.KeyFile != "" && !p.RequireSignature {
		b.WriteString("  require_signature = false\n")
	}
	b.list("data", p.Data)
	if p.Untyped {
		b.WriteString("  untyped = true\n")
	}
	b.text("level", string(p.Level))
	for _, d := range []struct {
		name  string
		v, is time.Duration
	}{{"refresh", p.Refresh, DefaultRefresh}, {"max_age", p.MaxAge, DefaultMaxAge}} {
		if d.v != d.is {
			b.text(d.name, d.v.String())
		}
	}
	b.text("token", p.Token)
	return b.end()
}

// HCL returns the block as a file could hold it.
func (e Environment) HCL() string {
	b := newBlock(EnvironmentBlock, e.Name)
	b.match(e.Match)
	return b.end()
}

// HCL returns the block as a file could hold it.
func (s Scope) HCL() string {
	b := newBlock(ScopeBlock, s.Name)
	b.match(s.Match)
	b.list("packs", s.Packs)
	if len(s.Levels) > 0 {
		b.WriteString("  levels = {\n")
		for _, rule := range sorted(s.Levels) {
			fmt.Fprintf(b, "    %q = %q\n", rule, s.Levels[rule])
		}
		b.WriteString("  }\n")
	}
	if len(s.Settings) > 0 {
		b.WriteString("  settings = {\n")
		for _, pack := range sorted(s.Settings) {
			for _, name := range sorted(s.Settings[pack]) {
				value, err := json.Marshal(s.Settings[pack][name]) // of such values HCL's form is JSON's
				if err == nil {
					fmt.Fprintf(b, "    %q = %s\n", pack+"."+name, value)
				}
			}
		}
		b.WriteString("  }\n")
	}
	b.list("owners", s.Owners)
	if s.OwnerCount > 0 {
		fmt.Fprintf(b, "  owner_count = %d\n", s.OwnerCount)
	}
	if len(s.PackOwners) > 0 {
		b.WriteString("  pack_owners = {\n")
		for _, pack := range sorted(s.PackOwners) {
			fmt.Fprintf(b, "    %q = %s\n", pack, quoted(s.PackOwners[pack]))
		}
		b.WriteString("  }\n")
	}
	return b.end()
}
