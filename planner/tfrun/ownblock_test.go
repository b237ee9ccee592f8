package tfrun

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/toolchain/toolchaintest"
)

// A block of the code's own that names the server is not asked for anything: the
// run works on its copy, in the workspace that Terraform has for that block.
func TestBlockThatNamesTheServerIsReplaced(t *testing.T) {
	const host = "tidelock.invalid" // nobody answers there
	const code = resource + "output \"workspace\" {\n  value = terraform.workspace\n}\n"
	each(t, func(t *testing.T, b Binary) {
		for name, c := range map[string]struct{ block, workspace string }{
			"cloud":  {"cloud {\n    hostname     = \"" + host + "\"\n    organization = \"acme\"\n    workspaces {\n      name = \"net:prod\"\n    }\n  }", "net:prod"},
			"remote": {"backend \"remote\" {\n    hostname     = \"" + host + "\"\n    organization = \"acme\"\n    workspaces {\n      prefix = \"net:\"\n    }\n  }", "prod"},
			"http":   {"backend \"http\" {\n    address = \"https://" + host + "/state/acme/net\"\n  }", ""},
		} {
			t.Run(name, func(t *testing.T) {
				s := newSite(t, b, map[string]string{"live/main.tf": code, "live/versions.tf": "terraform {\n  " + c.block + "\n}\n"})
				common := filepath.Join(s.dir, "data.state", "terraform.tfstate")
				given := func(spec Spec) Spec {
					spec.ManagedBackend, spec.StateDir, spec.OwnBlock, spec.Workspace = common, filepath.Join(s.dir, spec.RunID, "state-1"), true, c.workspace
					return spec
				}
				plan := given(s.spec("live"))
				s.must(plan, OutcomePlanned)
				apply := applyOf(given(s.spec("live")))
				apply.PlanFile = plan.PlanFile
				s.must(apply, OutcomeApplied)
				want := c.workspace
				if want == "" {
					want = "default"
				}
				text, err := os.ReadFile(ManagedState(filepath.Join(apply.StateDir, "terraform.tfstate"), c.workspace))
				if err != nil || !strings.Contains(string(text), `"value": "`+want+`"`) {
					t.Errorf("its own copy: %s, %v", text, err)
				}
				// What comes behind, in a file or from a hook, is refused all the same.
				toolchaintest.Write(t, filepath.Join(s.root, "live/zz_override.tf"), "terraform {\n  backend \"local\" {\n    path = \"/elsewhere.tfstate\"\n  }\n}\n")
				if r, log := s.execute(given(s.spec("live"))); r.Outcome != OutcomeFailed || !strings.Contains(r.Error, "is kept by Tidelock") {
					t.Errorf("%+v\n%s", r, log)
				}
			})
		}
		// A name with a colon is nobody else's.
		s := newSite(t, b, map[string]string{"live/main.tf": code})
		spec := s.spec("live")
		spec.Workspace = "net:prod"
		if r, _ := s.execute(spec); r.Outcome != OutcomeFailed || !strings.Contains(r.Error, "can have letters") {
			t.Errorf("%+v", r)
		}
	})
}
