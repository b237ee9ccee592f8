package policyset

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2/gohcl"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
)

// everything says all that the blocks can.
const everything = `
policy_pack "folder" {
  path              = "rules"
  public_key_file   = "keys/policy.pem"
  key_id            = "acme"
  algorithm         = "ES256"
  signature_scope   = "write"
  require_signature = false
  data              = ["data", "lists/regions.yaml"]
}
policy_pack "git" {
  git     = "https://github.com/acme/rules"
  ref     = "v1.2"
  dir     = "terraform"
  untyped = true
  level   = "advisory"
  refresh = "1m"
  max_age = "48h"
  token   = "rules-token"
}
policy_pack "bundle" {
  url    = "https://policies.acme.example/bundle.tar.gz"
  sha256 = "SHA256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
}
policy_pack "oci" {
  oci = "oci://ghcr.io/acme/policies:1.2"
}
environment "production" {
  clients    = ["acme"]
  repos      = ["acme/*"]
  projects   = ["shop"]
  dirs       = ["./live/prod/"]
  workspaces = ["default"]
}
policy_scope "production" {
  clients      = ["acme"]
  repos        = ["acme/*"]
  environments = ["production"]
  projects     = ["shop"]
  dirs         = ["live/**"]
  workspaces   = ["default"]
  packs        = ["folder"]
  levels       = { "security.aws" = "hard" }
  settings     = { "tagging.required" = ["owner"], "destruction.mass.limit" = 5 }
  owners       = ["acme/platform", "alice"]
  owner_count  = 2
  pack_owners  = { folder = ["bob"] }
}
`

func TestDecodeEverything(t *testing.T) {
	c, err := Parse([]byte(everything), AdminFile, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Packs) != 4 || len(c.Environments) != 1 || len(c.Scopes) != 1 {
		t.Fatalf("%+v", c)
	}
	git := c.Packs[1]
	if git.From() != "https://github.com/acme/rules//terraform@v1.2" || git.Refresh != time.Minute || git.MaxAge != 48*time.Hour || git.Level != policy.Advisory || git.host() != "github.com" {
		t.Errorf("git: %+v", git)
	}
	if b := c.Packs[2]; b.SHA256 != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" || b.Refresh != DefaultRefresh || b.RequireSignature {
		t.Errorf("bundle: %+v", b)
	}
	if o := c.Packs[3]; o.OCI != "ghcr.io/acme/policies:1.2" || o.host() != "ghcr.io" || o.Kind() != "oci" {
		t.Errorf("oci: %+v", o)
	}
	if dirs := c.Environments[0].Dirs; dirs[0] != "live/prod" {
		t.Errorf("dirs %q", dirs)
	}
	// What is shown is what is read again.
	var shown strings.Builder
	for _, p := range c.Packs {
		shown.WriteString(p.HCL())
	}
	shown.WriteString(c.Environments[0].HCL() + c.Scopes[0].HCL())
	again, err := Parse([]byte(shown.String()), AdminFile, Config{})
	if err != nil {
		t.Fatalf("%v\n%s", err, shown.String())
	}
	unplaced := func(c Config) Config {
		for i := range c.Packs {
			c.Packs[i].Place = Place{}
		}
		c.Environments[0].Place, c.Scopes[0].Place = Place{}, Place{}
		return c
	}
	if a, b := unplaced(c), unplaced(again); !reflect.DeepEqual(a, b) {
		t.Errorf("read\n%+v\nand of what is shown\n%+v", a, b)
	}
}

// All problems are told at once, each with its line.
func TestDecodeTellsAllProblems(t *testing.T) {
	_, err := Parse([]byte(`policy_pack "a/b" { path = "x" }
policy_pack "two" {
  path = "x"
  git  = "https://github.com/a/b"
}
policy_pack "none" {}
policy_pack "plain" { url = "http://policies.acme.example/b" }
policy_pack "user" { git = "https://bob:pw@github.com/a/b" }
policy_pack "unsigned" {
  path = "x"
  require_signature = true
}
policy_pack "alg" {
  path = "x"
  public_key_file = "k"
  algorithm = "none"
}
policy_pack "out" { path = "../x" }
policy_pack "times" {
  oci = "nothing"
  refresh = "1s"
  max_age = "soon"
  ref = "v1"
}
policy_pack "repository" { path = "x" }
policy_pack "unknown" { paht = "x" }
environment "e" { dirs = ["[", ""] }
policy_scope "s" {
  repos = ["infra"]
  packs = ["nothing"]
  environments = ["f"]
  levels = { "a" = "fatal" }
  settings = { required = 1 }
  owners = ["@alice", "a/b/c"]
  owner_count = 99
  pack_owners = { no = ["x"] }
}
policy_scope "s" {}
other "x" {}
`), AdminFile, Config{})
	if !errs.Is(err, errs.Invalid) {
		t.Fatal(err)
	}
	text := errs.Sentence(err)
	for _, want := range []string{
		`policies.hcl:1: The name "a/b"`, `policies.hcl:2: The policy_pack "two" needs one of`, `policies.hcl:6: The policy_pack "none" needs one of`,
		`policies.hcl:7: url must begin with https://`, `policies.hcl:8: git must hold no user name`, `policies.hcl:9: require_signature needs public_key_file`,
		`policies.hcl:13: algorithm is "none"`, `policies.hcl:18: path is "../x"`, `oci is "nothing"`, `refresh must be between`, `max_age is "soon"`, `ref goes with git only`,
		`A pack can't be called "repository"`, `"paht" is not expected here`, `dirs holds "["`, `dirs holds ""`, `repos holds "infra"`,
		`names the pack "nothing"`, `names the environment "f"`, `levels has "fatal" for a`, `settings has "required"`, `"@alice" among the owners`, `"a/b/c" among`,
		`owner_count must be`, `gives owners to the pack "no"`, `There is a second policy_scope "s"`, `"other"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing says %s", want)
		}
	}
	if strings.Contains(text, "pw") {
		t.Error("a password is repeated")
	}
	if t.Failed() {
		t.Log(text)
	}
}

// The admin repository's packs stand beside the server's, and its scopes may
// name those.
func TestAdminNamesServersPacks(t *testing.T) {
	below := Config{Packs: []PackConfig{{Name: "acme"}}, Environments: []Environment{{Name: "production"}}}
	if _, err := Parse([]byte("policy_scope \"s\" {\n  packs = [\"acme\"]\n  environments = [\"production\"]\n}\n"), AdminFile, below); err != nil {
		t.Error(err)
	}
	if _, err := Parse([]byte(`policy_pack "acme" { path = "x" }`), AdminFile, below); !errs.Is(err, errs.Invalid) {
		t.Errorf("a second pack of the name: %v", err)
	}
}

// The reference names all that is read, and nothing else.
func TestAttributesNameAllThatIsRead(t *testing.T) {
	want := map[string]bool{}
	for block, form := range map[string]any{PackBlock: hclPack{}, EnvironmentBlock: hclEnvironment{}, ScopeBlock: hclScope{}} {
		schema, _ := gohcl.ImpliedBodySchema(form)
		for _, a := range schema.Attributes {
			want[block+"."+a.Name] = true
		}
		if Docs[block] == "" {
			t.Errorf("%s is not explained", block)
		}
	}
	for _, a := range Attributes() {
		if key := a.Block + "." + a.Name; !want[key] || !strings.HasSuffix(a.Doc, ".") || a.Takes == "" {
			t.Errorf("%s can't be read, is there twice or is not explained", key)
		}
		delete(want, a.Block+"."+a.Name)
		if !strings.Contains(everything, a.Name) {
			t.Errorf("the test does not say %s", a.Name)
		}
	}
	for key := range want {
		t.Errorf("%s is not in the reference", key)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(everything)
	f.Add("policy_pack \"a\" {")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := Parse([]byte(text), AdminFile, Config{}); err != nil && !errs.Is(err, errs.Invalid) {
			t.Errorf("%v", err)
		}
	})
}
