package main

import (
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// TestThreat_SubmodulesArePlannedAndBringNothingElse plans what a private
// submodule of the same installation brings, and refuses a pull request that
// names another private repository: who opens it may not be allowed to read
// that, though the App is.
func TestThreat_SubmodulesArePlannedAndBringNothingElse(t *testing.T) {
	t.Parallel()
	const modules = "[submodule \"net\"]\n\tpath = vendor/net\n\turl = ../net.git\n"
	s := newStage(t, stageOptions{env: append([]string{"TIDELOCK_CHECKOUT_SUBMODULES=true"}, often...), files: githubtest.Files{
		"tidelock.hcl":    "submodules = true\n",
		"live/a/main.tf":  "module \"net\" {\n  source = \"../../vendor/net/vpc\"\n}\n",
		"live/b/main.tf":  "resource \"terraform_data\" \"b\" {}\n",
		".gitmodules":     modules,
		"vendor/README":   "# what others wrote\n",
		"scripts/none.sh": "#!/bin/sh\n",
	}})
	net := s.gh.CreateRepo("acme", "net", githubtest.RepoOptions{Files: githubtest.Files{"vpc/main.tf": "resource \"terraform_data\" \"first\" {}\n"}})
	first := net.Tip("main")
	secret := s.gh.CreateRepo("acme", "secret", githubtest.RepoOptions{Files: githubtest.Files{"vpc/main.tf": "resource \"terraform_data\" \"canary\" {}\n"}})
	s.repo.Commit("ada", "main", "The submodule", githubtest.Files{"vendor/net": githubtest.Submodule(first)})
	second := net.Commit("ada", "main", "More of it", githubtest.Files{"vpc/more.tf": "resource \"terraform_data\" \"second\" {}\n"})
	s.until("the repositories to be known", func() bool { return s.query("SELECT COUNT(*) FROM repos") == 3 })

	p := s.open("bump", githubtest.Files{"vendor/net": githubtest.Submodule(second)})
	body := s.says(p, "### 📋 Plan: 2 to add")
	for _, want := range []string{"module.net.terraform_data.first", "module.net.terraform_data.second", "`live/a`"} {
		if !strings.Contains(body, want) {
			t.Errorf("the comment lacks %q:\n%s", want, body)
		}
	}
	if strings.Contains(body, "live/b") {
		t.Errorf("a project that has nothing to do with the submodule is planned:\n%s", body)
	}

	p = s.open("steal", githubtest.Files{
		".gitmodules":    modules + "[submodule \"other\"]\n\tpath = vendor/other\n\turl = ../secret.git\n",
		"vendor/other":   githubtest.Submodule(secret.Tip("main")),
		"live/a/main.tf": "module \"net\" {\n  source = \"../../vendor/other/vpc\"\n}\n",
	})
	body = s.says(p, "Not everybody may read it")
	if !strings.Contains(body, ".gitmodules:6: The submodule vendor/other") || strings.Contains(body, "canary") {
		t.Errorf("the comment:\n%s", body)
	}
}
