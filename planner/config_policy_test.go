package planner

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/errs"
)

func TestConfigPolicy(t *testing.T) {
	c, err := ParseConfig([]byte(`policy {
  packs    = ["policy", "./live//rules/"]
  levels   = { "security.aws" = "hard" }
  settings = { "tagging.required" = ["owner", "team"], "destruction.mass.limit" = 3 }
}
`), ConfigFile)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(c.Policy)
	if want := `{"packs":["policy","live/rules"],"levels":{"security.aws":"hard"},"settings":{"destruction.mass":{"limit":3},"tagging":{"required":["owner","team"]}}}`; err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
	for file, want := range map[string]bool{"policy/a.rego": true, "live/rules/x/y.rego": true, "policy": false, "policyx/a.rego": false, "live/a.tf": false} {
		if c.Policy.Holds(file) != want {
			t.Errorf("%s is a rule: %v", file, !want)
		}
	}
	_, err = ParseConfig([]byte(`policy {
  packs    = ["../else", "/etc"]
  levels   = { "security.aws" = "mandatry" }
  settings = { required = ["a"], "tagging.required" = ["b"] }
}
`), ConfigFile)
	if !errs.Is(err, errs.Invalid) {
		t.Fatal(err)
	}
	for _, want := range []string{
		`tidelock.hcl:1: The folder of policies "../else" leads out of the repository.`, `"/etc" is an absolute path`,
		`The level of security.aws is "mandatry"; it can be "off", "advisory", "mandatory" or "hard". Did you mean "mandatory"?`, `settings has "required"`,
	} {
		if !strings.Contains(errs.Sentence(err), want) {
			t.Errorf("nothing says %s:\n%s", want, errs.Sentence(err))
		}
	}
	if DefaultRepoConfig().Policy.IsZero() != true {
		t.Error("a repository without a file says something of policies")
	}
}
