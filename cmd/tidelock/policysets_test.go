package main

import (
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// A pull request is judged by the rules and the levels of its base branch and
// of the admin repository as it is merged, whatever it does to them itself: it
// can't take away the rule that denies it, and is told so.
func TestThreat_APullRequestIsJudgedByTheBasesPolicies(t *testing.T) {
	t.Parallel()
	const own = `package infra

deny contains "v2 is not to be" if {
	some change in input.resource_changes
	change.change.after.input == "v2"
}
`
	const admins = `package acme

# METADATA
# custom:
#   level: advisory
deny contains sprintf("%s of %s in %s, by %s: %v", [input.project.dir, input.client.slug, input.project.environment, input.actor.login, input.change.files]) if count(input.files["README.md"]) > 0

# METADATA
# custom:
#   files: ["README.md"]
warn contains "there is a README" if input.files["README.md"]
`
	files := githubtest.Files{
		"tidelock.hcl": `policy {
  packs  = ["policy"]
  levels = { "infra.deny" = "hard", "acme" = "advisory" }
}
`,
		"policy/own.rego": own,
	}
	for name, text := range oneProject {
		files[name] = text
	}
	s := newStage(t, stageOptions{
		files:  files,
		others: map[string]githubtest.Files{"policies": {"policies.hcl": adminFile, "rules/acme.rego": admins}},
		config: "policy {\n  admin_repo = \"acme/policies\"\n}\n",
	})
	p := s.open("weaken", githubtest.Files{
		"network/main.tf": strings.ReplaceAll(oneProject["network/main.tf"], "v1", "v2"),
		"policy/own.rego": "package infra\n\ndeny contains \"never\" if false\n",
		"tidelock.hcl":    "policy {\n  packs  = [\"policy\"]\n  levels = { \"infra.deny\" = \"off\" }\n}\n",
	})
	body := s.says(p, "⛔ A policy forbids this plan")
	for _, want := range []string{
		"v2 is not to be",
		"network of acme in testing, by ada:", "network/main.tf", "there is a README",
		"This pull request changes it. It is judged by the one on its base branch", "Its block policy differs",
		"This pull request changes rules that judge this repository.",
		`levels asks for acme = "advisory", which is less strict`,
	} {
		if !strings.Contains(strings.ReplaceAll(body, "\\", ""), want) {
			t.Errorf("the comment lacks %q:\n%s", want, body)
		}
	}
	s.check(p, "tidelock/plan", "failure")
	s.merge(p)
	s.says(p, "✋")
	s.check(p, "tidelock/apply", "action_required")
}

const adminFile = `policy_pack "acme" {
  path = "rules"
}
environment "testing" {
  dirs = ["network"]
}
policy_scope "testing" {
  environments = ["testing"]
  levels       = { "acme.deny" = "mandatory" }
}
`
