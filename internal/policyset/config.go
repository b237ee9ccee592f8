package policyset

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
)

// The types of the blocks that say what judges which project: in the server's
// configuration, and in AdminFile of the admin repository.
const (
	PackBlock        = "policy_pack"
	EnvironmentBlock = "environment"
	ScopeBlock       = "policy_scope"
)

// AdminFile is the admin repository's file.
const AdminFile = "policies.hcl"

// Config is what the blocks of one file say. Its zero value says nothing.
type Config struct {
	Packs        []PackConfig
	Environments []Environment
	Scopes       []Scope
}

// Empty reports whether nothing is said.
func (c Config) Empty() bool { return len(c.Packs)+len(c.Environments)+len(c.Scopes) == 0 }

// PackConfig is a pack of rules beside the bundled ones, and where it comes
// from: exactly one of Path, Git, URL and OCI is set.
type PackConfig struct {
	Name string
	Path string // folder: absolute in the server's file, within the repository in the admin repository's
	Git  string // clone URL, http or https
	Ref  string // of Git: a branch, a tag or a commit; "" is main
	Dir  string // of Git: the folder within the repository; "" is its root
	URL  string // of an OPA bundle
	OCI  string // HOST/NAME:TAG or HOST/NAME@DIGEST

	SHA256           string // of the bundle at URL, or of the manifest at OCI; "" is whatever is there
	KeyFile          string // public key in PEM, or a shared secret; "" checks no signature
	KeyID            string // that the signature names; "" is whichever it names
	Algorithm        string // of the signature
	KeyScope         string // that the signature names
	RequireSignature bool   // without a signature it is not taken

	Data    []string      // folders and files with data; see policy.Pack
	Untyped bool          // the rules are not checked against the input's schema
	Level   policy.Level  // what its own rules may be at most; "" is what they say
	Refresh time.Duration // how often the source is asked
	MaxAge  time.Duration // how long its last good copy judges while it can't be reached
	Token   string        // name of the secret that is sent to the source; "" for none

	Place Place
}

// What holds where a pack says nothing.
const (
	DefaultRefresh   = 5 * time.Minute
	DefaultMaxAge    = 24 * time.Hour
	DefaultAlgorithm = "RS256"
)

// Algorithms are those that a signature may have.
var Algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "HS256", "HS384", "HS512"}

// Environment gives projects the name of an environment.
type Environment struct {
	Name string
	Match
	Place Place
}

// Scope says how the projects that match are judged.
type Scope struct {
	Name string
	Match
	Packs      []string                // that judge them, beside those that every project has
	Levels     map[string]policy.Level // by rule, or the beginning of rules up to a dot
	Settings   policy.Settings
	Owners     []string            // who may accept findings; nil says nothing of them
	OwnerCount int                 // how many must; 0 says nothing of it
	PackOwners map[string][]string // those of single packs
	Place      Place
}

// Place is where a block stands.
type Place struct {
	File   string
	Line   int
	Column int
}

// String gives file:line.
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Problem is something wrong with the blocks of a file.
type Problem struct {
	Place
	Block   string // type of the block
	Message string // a sentence, or several
}

// String gives "file:line: message".
func (p Problem) String() string { return p.Place.String() + ": " + p.Message }

// invalid makes one errs.Invalid of problems: a line each, in their order.
func invalid(problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = p.String()
	}
	return errs.New(errs.Invalid, "%s", strings.Join(lines, "\n"))
}

// Kind names where a pack comes from: folder, git, bundle or oci.
func (p PackConfig) Kind() string {
	switch {
	case p.Path != "":
		return "folder"
	case p.Git != "":
		return "git"
	case p.URL != "":
		return "bundle"
	}
	return "oci"
}

// From is where a pack comes from, for people. No token is in it.
func (p PackConfig) From() string {
	switch p.Kind() {
	case "folder":
		return p.Path
	case "git":
		from := p.Git
		if p.Dir != "" {
			from += "//" + p.Dir
		}
		return from + "@" + p.ref()
	case "bundle":
		return p.URL
	}
	return p.OCI
}

func (p PackConfig) ref() string {
	if p.Ref == "" {
		return "main"
	}
	return p.Ref
}

// RepositoryPack is the name of the pack that holds a repository's own rules.
const RepositoryPack = "repository"

// check returns what is wrong between the blocks: below are those of the
// server's file, where c is the admin repository's.
func (c Config) check(below Config) []Problem {
	var out []Problem
	say := func(p Place, block, format string, args ...any) {
		out = append(out, Problem{Place: p, Block: block, Message: fmt.Sprintf(format, args...)})
	}
	packs := map[string]bool{}
	for _, p := range below.Packs {
		packs[p.Name] = true
	}
	for _, p := range c.Packs {
		if packs[p.Name] {
			say(p.Place, PackBlock, "There is a pack %q already; give this one another name.", p.Name)
		}
		packs[p.Name] = true
	}
	seen := map[string]bool{}
	environments := map[string]bool{}
	for _, e := range slices.Concat(below.Environments, c.Environments) {
		environments[e.Name] = true
	}
	for _, e := range c.Environments {
		if len(e.Match.Environments) > 0 {
			say(e.Place, EnvironmentBlock, "The environment %q names environments, which it can't be made of.", e.Name)
		}
	}
	for _, s := range c.Scopes {
		if seen[s.Name] {
			say(s.Place, ScopeBlock, "There is a second policy_scope %q; give it another name.", s.Name)
		}
		seen[s.Name] = true
		for _, name := range s.Packs {
			if !packs[name] {
				say(s.Place, ScopeBlock, "The policy_scope %q names the pack %q, and there is no such policy_pack.", s.Name, name)
			}
		}
		for _, name := range sorted(s.PackOwners) {
			if !packs[name] {
				say(s.Place, ScopeBlock, "The policy_scope %q gives owners to the pack %q, and there is no such policy_pack.", s.Name, name)
			}
		}
		for _, name := range s.Match.Environments {
			if !environments[name] && !strings.ContainsAny(name, "*?[{") {
				say(s.Place, ScopeBlock, "The policy_scope %q names the environment %q, and there is no such environment block.", s.Name, name)
			}
		}
	}
	return out
}
