package main

import (
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// everythingTold is all that the bot ever told GitHub on a pull.
func everythingTold(p *githubtest.Pull) string {
	var b strings.Builder
	for _, c := range p.Comments() {
		if c.ByApp {
			b.WriteString(c.Body + "\n")
		}
	}
	for _, c := range p.Checks() {
		b.WriteString(c.Title + "\n" + c.Summary + "\n" + c.Text + "\n")
	}
	return b.String()
}

// holding returns the files below dir that contain one of the texts, but for
// those below the named directories.
func holding(t *testing.T, dir string, except []string, texts ...string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if os.IsNotExist(err) {
				return nil // a run's files come and go
			}
			return err
		}
		for _, e := range except {
			if d.IsDir() && path == filepath.Join(dir, e) {
				return fs.SkipDir
			}
		}
		if !d.Type().IsRegular() {
			return nil
		}
		b, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil
		}
		for _, text := range texts {
			if strings.Contains(string(b), text) {
				found = append(found, path)
				break
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

const canary = "canary-7f3a9c1e5b2d"

func spellings(secret string) []string {
	return []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))}
}

// A plan that reads the environment of its own process, of its parent and of
// every other process that it may look at finds nothing of the server's.
func TestThreat_ServersEnvironmentIsNotInAPlan(t *testing.T) {
	t.Parallel()
	// Without the sandbox, which has no /proc: this is the wall behind it.
	s := newStage(t, stageOptions{env: []string{"AWS_SECRET_ACCESS_KEY=" + canary, "TF_VAR_stolen=" + canary, "DATABASE_PASSWORD=" + canary, "TIDELOCK_TERRAFORM_SANDBOX=off"}})
	p := s.open("hostile", githubtest.Files{"network/main.tf": `variable "stolen" {
  default = "nothing"
}
resource "terraform_data" "net" {}
output "environment" {
  value = filebase64("/proc/self/environ")
}
output "plain" {
  value = nonsensitive(replace(file("/proc/self/environ"), "\u0000", " "))
}
output "parent" {
  value = try(filebase64("/proc/${regex("PPid:\\s+(\\d+)", file("/proc/self/status"))[0]}/environ"), "closed")
}
output "stolen" {
  value = var.stolen
}
`})
	s.says(p, "### 📋 Plan: 1 to add")
	s.check(p, "tidelock/plan", "success")
	told := everythingTold(p) + s.log.String()
	for _, secret := range append(spellings(canary), stageSecret, "PRIVATE KEY") {
		if strings.Contains(told, secret) {
			t.Errorf("%.40q was told", secret)
		}
	}
	for _, text := range strings.Fields(told) { // whatever is told in base64
		if b, err := base64.StdEncoding.DecodeString(strings.Trim(text, `"`)); err == nil && strings.Contains(string(b), "canary") {
			t.Errorf("an environment was told: %.200q", b)
		}
	}
	if files := holding(t, s.data, nil, spellings(canary)...); len(files) > 0 {
		t.Errorf("the canary lies in %v", files)
	}
}

// The server's own secrets, printed by code that knows them, are masked on
// their way out.
func TestThreat_KnownSecretsAreMasked(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	p := s.open("hostile", githubtest.Files{"network/main.tf": "resource \"terraform_data\" \"net\" {\n  input = \"x\"\n  lifecycle {\n    precondition {\n      condition     = false\n      error_message = \"found " + stageSecret + "\"\n    }\n  }\n}\n"})
	s.says(p, "❌ The plan failed")
	s.check(p, "tidelock/plan", "failure")
	if told := everythingTold(p) + s.log.String(); strings.Contains(told, stageSecret) {
		t.Errorf("the webhook's secret was told:\n%s", told)
	}
}

// Sensitive values are in the state, which Terraform writes, and nowhere else.
func TestThreat_SensitiveValuesAreNotTold(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	p := s.open("secret", githubtest.Files{
		"network/main.tf":          "variable \"password\" {\n  type      = string\n  sensitive = true\n}\nresource \"terraform_data\" \"net\" {\n  input = { user = \"admin\", password = var.password }\n}\noutput \"login\" {\n  value     = \"admin:${var.password}\"\n  sensitive = true\n}\n",
		"network/terraform.tfvars": "password = \"" + canary + "\"\n",
	})
	s.says(p, "(sensitive value)")
	s.merge(p)
	s.says(p, "✅ Applied 1 project")
	s.check(p, "tidelock/apply", "success")
	if told := everythingTold(p) + s.log.String(); strings.Contains(told, canary) {
		t.Errorf("a sensitive value was told:\n%s", told)
	}
	// The repository's own files are in the mirror and the work trees. The state
	// is encrypted.
	if files := holding(t, s.data, []string{"mirrors", "trees"}, spellings(canary)...); len(files) > 0 {
		t.Errorf("a sensitive value lies in %v", files)
	}
}

// An installation token goes to GitHub in a header and nowhere else.
func TestThreat_TokenIsNowhere(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	s := newStage(t, stageOptions{})
	p := s.open("feature", githubtest.Files{"network/main.tf": g.apply("v2")})
	s.says(p, "### 📋 Plan: 1 to add")
	s.merge(p)
	g.reached() // while everything is in use
	for _, proc := range processes(t) {
		if strings.Contains(proc.command, "ghs_") || strings.Contains(proc.command, "x-access-token") {
			t.Errorf("a command line holds a token: %s", proc.command)
		}
	}
	if files := holding(t, s.data, nil, "ghs_", "x-access-token"); len(files) > 0 {
		t.Errorf("a token lies in %v", files)
	}
	runner := s.runnerOf()
	for _, pid := range []int{runner, childOf(t, runner, "terraform")} {
		env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(env), "TIDELOCK_GITHUB") || strings.Contains(string(env), "ghs_") {
			t.Errorf("process %d has the server's environment:\n%q", pid, env)
		}
	}
	g.open()
	s.says(p, "✅ Applied 1 project")
	if strings.Contains(s.log.String(), "ghs_") {
		t.Errorf("the log holds a token")
	}
}

// Text that a stranger chose stands in the comment as text.
func TestThreat_MarkdownInjectionIsInert(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	payload := "</details></code>\n```\n# owned @grace <script>alert(1)</script> <img src=x onerror=alert(1)> ![x](http://evil.example/x.png) \x1b[31mred\x1b[0m ~~~\n| a | b |\n#1 www.evil.example"
	p := s.open("hostile", githubtest.Files{
		"live/@grace <b>x</b> `y` |z/main.tf": "variable \"p\" {\n  default = " + hclString(payload) + "\n}\nresource \"terraform_data\" \"x\" {\n  for_each = toset([var.p])\n  input    = each.value\n}\noutput \"o\" {\n  value = var.p\n}\n",
	})
	body := s.says(p, "📋 Plan: 1 to add")
	if strings.Contains(body, "\x1b") {
		t.Error("a terminal escape is left")
	}
	assertInert(t, body)
	for _, c := range p.Checks() {
		assertInert(t, c.Summary)
		assertInert(t, c.Text)
	}

	// The same in what Terraform prints of an error.
	s.repo.Commit("ada", "hostile", "Worse", githubtest.Files{
		"live/@grace <b>x</b> `y` |z/main.tf": "variable \"p\" {\n  default = " + hclString(payload) + "\n}\nresource \"terraform_data\" \"x\" {\n  lifecycle {\n    precondition {\n      condition     = false\n      error_message = var.p\n    }\n  }\n}\n",
	})
	assertInert(t, s.says(p, "❌ The plan failed"))
}

// hclString quotes a text as HCL.
func hclString(s string) string {
	r := strings.NewReplacer("\\", "\\\\", "\"", "\\\"", "\n", "\\n", "\x1b", "\\u001b", "${", "$${", "%{", "%%{")
	return `"` + r.Replace(s) + `"`
}
