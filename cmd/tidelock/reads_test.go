package main

import (
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/run"
)

// readsCode reads the outputs of network by remote, and by http, and shows one
// that is sensitive there.
func readsCode(state string) string {
	return "data \"terraform_remote_state\" \"net\" {\n  backend = \"remote\"\n  config = {\n    hostname     = \"" + ownHost + "\"\n    organization = \"acme\"\n    workspaces   = { name = \"" + strings.ReplaceAll(state, "/", ":") + "\" }\n  }\n}\n" +
		"data \"terraform_remote_state\" \"again\" {\n  backend = \"http\"\n  config  = { address = \"https://" + ownHost + "/state/acme/" + state + "\" }\n}\n" +
		"resource \"terraform_data\" \"app\" {\n  input = \"in ${data.terraform_remote_state.net.outputs.vpc} and ${data.terraform_remote_state.again.outputs.vpc}\"\n}\n" +
		"output \"leak\" {\n  value = data.terraform_remote_state.net.outputs.password\n}\n"
}

const appReads = "project \"app\" {\n  dir         = \"app\"\n  reads_state = [\"network\"]\n}\n"

// One project reads another's outputs once the base branch says so, in its own
// sandbox and with no credential; a pull request that says so itself reads
// nothing. What is sensitive there is shown nowhere here.
func TestThreat_PullRequestReadsNoOtherProject(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{sealed: true, env: []string{"TIDELOCK_PUBLIC_URL=https://" + ownHost}, files: githubtest.Files{"README.md": "# infra\n", "app/main.tf": "resource \"terraform_data\" \"app\" {}\n"}})
	p := s.open("network", githubtest.Files{"network/main.tf": "resource \"terraform_data\" \"net\" {}\noutput \"vpc\" {\n  value = \"vpc-of-net\"\n}\noutput \"password\" {\n  value     = \"s3cret-of-net\"\n  sensitive = true\n}\n"})
	s.says(p, "Plan: 1 to add")
	s.merge(p)
	s.says(p, "Applied")

	hostile := s.open("hostile", githubtest.Files{"app/main.tf": readsCode("infra/network"), "tidelock.hcl": appReads})
	body := s.says(hostile, "app/main.tf:")
	if !strings.Contains(body, "reads the state acme/infra/network, and there is none of that name that this project may read") || strings.Contains(body, "vpc-of-net") {
		t.Fatalf("a pull request gave itself what it reads:\n%s", body)
	}
	if n := s.query("SELECT count(*) FROM events WHERE action = 'state.refused' AND subject = 'state \"acme/infra/network\"' AND detail LIKE '%app/main.tf:%'"); n == 0 {
		t.Error("no row of it in the audit trail")
	}

	// Nor by a branch of its own as the base.
	s.repo.Commit("ada", "evil-base", "A base", githubtest.Files{"tidelock.hcl": appReads})
	s.repo.Commit("ada", "stacked", "Change", githubtest.Files{"tidelock.hcl": appReads, "app/main.tf": readsCode("infra/network")})
	stacked := s.repo.Open("ada", githubtest.PullRequest{Title: "Stacked", Head: "stacked", Base: "evil-base"})
	hostile.Close("ada")
	if body := s.says(stacked, "app/main.tf:"); !strings.Contains(body, "none of that name that this project may read") {
		t.Errorf("a base of its own gave it what it reads:\n%s", body)
	}
	stacked.Close("ada")
	consent := s.open("consent", githubtest.Files{"tidelock.hcl": appReads})
	s.says(consent, "No Terraform project")
	s.merge(consent)
	q := s.open("reads", githubtest.Files{"app/main.tf": readsCode("infra/network")})
	body = s.says(q, "Plan: 1 to add")
	if !strings.Contains(body, "in vpc-of-net and vpc-of-net") || strings.Contains(body, "s3cret-of-net") || !strings.Contains(body, "(redacted)") {
		t.Errorf("the plan:\n%s", body)
	}

	// It stands while what it has read is the same, and no longer.
	first := q.State().HeadSHA
	standing := func() (since string) {
		for _, r := range s.runs() {
			if r.Kind == run.Plan && r.Project.Dir == "app" && r.Status == run.Planned && r.Commit == q.State().HeadSHA {
				since = r.Since
			}
		}
		return since
	}
	s.repo.Commit("ada", "reads", "One more", githubtest.Files{"other/main.tf": "resource \"terraform_data\" \"one\" {}\n"})
	s.says(q, "Plan: 2 to add")
	if got := standing(); got != first {
		t.Errorf("the plan stands since %q, not %q", got, first)
	}
	moveState(t, s)
	s.repo.Commit("ada", "reads", "Two more", githubtest.Files{"other/main.tf": "resource \"terraform_data\" \"one\" {}\nresource \"terraform_data\" \"two\" {}\n"})
	s.says(q, "Plan: 3 to add")
	if got := standing(); got != "" {
		t.Errorf("the plan stands since %q, and the state that it read has moved", got)
	}
	s.merge(q)
	s.says(q, "Applied")
	s.written("app", "in vpc-of-net and vpc-of-net")
	if n := s.query("SELECT count(*) FROM tokens WHERE scopes LIKE '%read%' AND run_id <> '' AND projects LIKE '%network%' AND run_id IN (SELECT id FROM runs WHERE project LIKE '%app%')"); n != 0 {
		t.Errorf("%d credentials of app's runs open the network's state", n)
	}
	if strings.Contains(s.log.String(), "s3cret-of-net") {
		t.Error("the server's log has it")
	}
}
