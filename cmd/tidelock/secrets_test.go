package main

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// TestThreat_SecretsByNameStayInTheirRuns goes the whole way: a secret of the
// server's reaches the plan and the apply that ask for it by name, which print it
// wherever code can, and nothing of it is told or lies on the disk. A project
// that asks for one it may not have says so, and nothing of it is started.
func TestThreat_SecretsByNameStayInTheirRuns(t *testing.T) {
	t.Parallel()
	const both, applies = "hunter2-of-plans", "hunter3-of-applies"
	dir := t.TempDir()
	for name, text := range map[string]string{
		"both": both + "\n", "server.hcl": `secret "shop-token" {
  file  = "both"
  repos = ["acme/*"]
}
secret "shop-write" {
  command = ["sh", "-c", "printf %s ` + applies + `"]
  clients = ["acme"]
  phases  = ["apply"]
}
secret "of-others" {
  file  = "both"
  repos = ["other/*"]
}
`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	loud := `variable "token" {}
variable "write" { default = "" }
check "told" {
  assert {
    condition     = var.token == ""
    error_message = "it is ${var.token} and ${base64encode("user:${var.token}")}"
  }
}
resource "terraform_data" "a" {
  input = "` + "%s" + `"
  provisioner "local-exec" {
    command = "echo applied with $TF_VAR_token and $WRITE_TOKEN; test -n \"$WRITE_TOKEN\""
  }
}
`
	s := newStage(t, stageOptions{
		env: []string{"TIDELOCK_CONFIG=" + filepath.Join(dir, "server.hcl"), "TIDELOCK_DEFAULTS_APPLY_BEFORE_MERGE=true"},
		files: githubtest.Files{
			"tidelock.hcl": `project "shop" {
  dir           = "shop"
  secrets       = { TF_VAR_token = "shop-token" }
  apply_secrets = { WRITE_TOKEN = "shop-write" }
}
project "thief" {
  dir     = "thief"
  secrets = { TF_VAR_token = "of-others" }
}
project "early" {
  dir     = "early"
  secrets = { TOKEN = "shop-write" }
}
`,
			"shop/main.tf": strings.Replace(loud, "%s", "v1", 1), "thief/main.tf": resource("a", "v1"), "early/main.tf": resource("a", "v1"),
			"live/unit/terragrunt.hcl": "terraform {\n  source = \"../../modules/m\"\n}\n", "modules/m/main.tf": resource("a", "v1"),
		},
	})
	p := s.open("feature", githubtest.Files{
		"shop/main.tf": strings.Replace(loud, "%s", "v2", 1), "thief/main.tf": resource("a", "v2"), "early/main.tf": resource("a", "v2"), "live/unit/terragrunt.hcl": "terraform {\n  source = \"../../modules/m\"\n}\n# more\n",
	})
	comment := s.says(p, "no secret")
	for _, want := range []string{`This server has no secret "of-others" for the repository acme/infra, which the project asks for as TF_VAR_token.`, `The server gives the secret "shop-write" to no plan. Ask for it in apply_secrets.`, "1 to add"} {
		if !strings.Contains(comment, want) {
			t.Errorf("no %q in\n%s", want, comment)
		}
	}
	if _, err := exec.LookPath("terragrunt"); err != nil && !strings.Contains(comment, "is a Terragrunt unit, and this server has no Terragrunt. Install it from") {
		t.Errorf("nothing of what the unit lacks:\n%s", comment)
	}
	p.Comment("grace", "apply -p shop")
	s.until("the apply", func() bool {
		for _, r := range s.runs() {
			if r.Kind == "apply" && r.Project.Name == "shop" && r.Status.Finished() {
				if r.Status != "applied" {
					t.Fatalf("the apply: %s %s", r.Status, r.Error)
				}
				return true
			}
		}
		return false
	})
	// What the run said stands in its log, masked: it did get the values.
	told := everythingTold(p) + s.log.String()
	logs := ""
	for _, r := range s.runs() {
		for _, page := range []string{"/runs/" + r.ID, "/runs/" + r.ID + "/log", "/runs/" + r.ID + "/plan", "/api/v1/runs/" + r.ID} {
			answer, err := http.Get("http://" + s.listen + page)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			logs += string(body)
		}
	}
	if !strings.Contains(logs, "applied with (redacted) and (redacted)") || !strings.Contains(logs, "it is (redacted) and") {
		t.Error("the logs lack what the runs said")
	}
	for _, secret := range append(spellings(both), spellings(applies)...) {
		if strings.Contains(told+logs, secret) {
			t.Errorf("%q was told", secret)
		}
	}
	// The state holds what checks said: it is encrypted.
	if files := holding(t, s.data, nil, append(spellings(both), spellings(applies)...)...); len(files) > 0 {
		t.Errorf("the secrets lie in %v", files)
	}
}
