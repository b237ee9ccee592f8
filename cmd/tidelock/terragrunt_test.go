package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/toolchain/toolchaintest"
)

// TestTerragruntUnitsInLayers goes the whole way with the real Terragrunt: a
// unit that needs another's outputs is planned once that is applied, with them.
func TestTerragruntUnitsInLayers(t *testing.T) {
	t.Parallel()
	terragrunt := toolchaintest.Terragrunt(t)
	states := t.TempDir()
	unit := func(more string) string {
		return "include \"root\" {\n  path = find_in_parent_folders(\"root.hcl\")\n}\nterraform {\n  source = \"${get_repo_root()}/modules//part\"\n}\n" + more
	}
	files := githubtest.Files{
		"root.hcl":                "remote_state {\n  backend  = \"local\"\n  generate = { path = \"backend.tf\", if_exists = \"overwrite\" }\n  config   = { path = \"" + states + "/${path_relative_to_include()}.tfstate\" }\n}\n",
		"modules/part/main.tf":    "variable \"name\" {}\nresource \"terraform_data\" \"part\" {\n  input = var.name\n}\noutput \"id\" {\n  value = \"id-of-${var.name}\"\n}\n",
		"live/net/terragrunt.hcl": unit("inputs = { name = \"net\" }\n"),
		"live/app/terragrunt.hcl": unit("dependency \"net\" {\n  config_path = \"../net\"\n}\ninputs = { name = dependency.net.outputs.id }\n"),
	}
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_TERRAFORM_TERRAGRUNT=" + terragrunt, "TIDELOCK_DEFAULTS_APPLY_BEFORE_MERGE=true"}, files: files})
	p := s.open("parts", githubtest.Files{"modules/part/main.tf": files["modules/part/main.tf"] + "# more\n"})
	if comment := s.says(p, "### 📋 Plan: 1 to add"); !strings.Contains(comment, "layer 2: after `live/net`") || strings.Contains(comment, `input  = "id-of-net"`) {
		t.Errorf("not the one that needs nothing first:\n%s", comment)
	}
	p.Comment("grace", "apply")
	s.says(p, `input  = "id-of-net"`) // the second layer's plan
	if _, err := os.Stat(filepath.Join(states, "live", "app.tfstate")); err == nil {
		t.Error("the second unit was applied with the first")
	}
	p.Comment("grace", "apply")
	s.check(p, "tidelock/apply", "success")
	state, err := os.ReadFile(filepath.Join(states, "live", "app.tfstate"))
	if err != nil || !strings.Contains(string(state), "id-of-id-of-net") {
		t.Errorf("the state of the second: %s, %v", state, err)
	}
}
