package main

import (
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/run"
)

// A repository that comes from Atlantis is planned as its file says, without a
// line changed.
func TestRepositoryOfAtlantis(t *testing.T) {
	t.Parallel()
	const file = `version: 3
automerge: false
projects:
- name: net
  dir: net
  execution_order_group: 1
- name: app
  dir: app
  depends_on: [net]
  execution_order_group: 2
  apply_requirements: [approved]
  autoplan:
    when_modified: ["*.tf", "../shared/*.json"]
- name: manual
  dir: manual
  autoplan:
    enabled: false
`
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_DEFAULTS_APPLY_BEFORE_MERGE=true"}, files: githubtest.Files{
		"atlantis.yaml": file, "net/main.tf": resource("net", "v1"), "app/main.tf": resource("app", "v1"), "manual/main.tf": resource("manual", "v1"),
		"shared/a.json": "{}",
	}})
	p := s.open("feature", githubtest.Files{"shared/a.json": "{\"a\": 1}", "manual/main.tf": resource("manual", "v2")})
	body := s.says(p, "### 📋 Plan: 1 to add")
	if !strings.Contains(body, "`app`") || !strings.Contains(body, "manual") {
		t.Errorf("not app by the file that it watches, or nothing of the one that is planned by hand:\n%s", body)
	}
	if n := len(s.runs()); n != 1 {
		t.Errorf("%d runs, not the plan of app alone", n)
	}
	p.Comment("ada", "apply")
	s.replied(p, "One approving review of the head commit is missing")
	p.Review("grace", "APPROVED", "")
	p.Comment("ada", "apply")
	s.says(p, "✅ Applied 1 project")
	p.Comment("ada", "plan -p manual")
	s.until("the project that is planned by hand", func() bool { return statuses(s.runs(), "manual", run.Plan)[run.Planned] == 1 })

	both := s.open("both", githubtest.Files{"net/main.tf": resource("net", "v2"), "app/main.tf": resource("app", "v2")})
	s.says(both, "after `net`")
}

// A project's hooks run where the server allows them, as argument vectors.
func TestHooksWhereTheServerAllowsThem(t *testing.T) {
	t.Parallel()
	const config = `
project "net" {
  dir = "net"
  env = { TOKEN_NAME = "from-the-file" }
  hook "before_plan" {
    run = ["./generate.sh", "a b; rm -rf /"]
  }
}
`
	files := githubtest.Files{"tidelock.hcl": config, "net/main.tf": resource("net", "v1"), "net/generate.sh": githubtest.Executable("#!/bin/sh\nprintf 'output \"hook\" {\\n  value = \"%s %s\"\\n}\\n' \"$1\" \"$TOKEN_NAME\" > generated.tf\n")}
	for allowed, want := range map[string]string{"true": "a b; rm -rf / from-the-file", "false": ""} {
		t.Run(allowed, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, stageOptions{files: files, env: []string{"TIDELOCK_TERRAFORM_ALLOW_HOOKS=" + allowed, "TIDELOCK_TERRAFORM_PROJECT_ENV=TOKEN_NAME"}})
			p := s.open("feature", githubtest.Files{"net/main.tf": resource("net", "v2")})
			body := s.says(p, "### 📋 Plan: 1 to add")
			if has := strings.Contains(body, "rm -rf"); has != (want != "") || !strings.Contains(body, want) {
				t.Errorf("hooks allowed: %s. The comment:\n%s", allowed, body)
			}
		})
	}
}
