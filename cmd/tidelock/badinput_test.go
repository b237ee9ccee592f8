package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
)

const stageSecret = "a-secret-for-webhooks-0001"

// post sends a webhook of our own making, signed as GitHub signs, and returns
// the status.
func (s *stage) post(event, guid string, body []byte) int {
	mac := hmac.New(sha256.New, []byte(stageSecret))
	mac.Write(body)
	return s.postSigned(event, guid, body, "sha256="+hex.EncodeToString(mac.Sum(nil)))
}

func (s *stage) postSigned(event, guid string, body []byte, signature string) int {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, "http://"+s.listen+"/webhook", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-GitHub-Event", event)
	req.Header.Set("X-GitHub-Delivery", guid)
	if signature != "" {
		req.Header.Set("X-Hub-Signature-256", signature)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func TestWebhooksThatAreRefused(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	ping := []byte(`{"zen":"Keep it logically awesome."}`)
	for _, c := range []struct {
		name string
		got  int
		want int
	}{
		{"unsigned", s.postSigned("ping", "guid-0001", ping, ""), http.StatusUnauthorized},
		{"wrong signature", s.postSigned("ping", "guid-0002", ping, "sha256="+strings.Repeat("0", 64)), http.StatusUnauthorized},
		{"SHA-1", s.postSigned("ping", "guid-0003", ping, "sha1="+strings.Repeat("0", 40)), http.StatusUnauthorized},
		{"malformed", s.post("pull_request", "guid-0004", []byte(`{"action":`)), http.StatusBadRequest},
		{"no GUID", s.post("ping", "", ping), http.StatusBadRequest},
		{"unknown event", s.post("solar_flare", "guid-0005", []byte(`{"action":"begun"}`)), http.StatusAccepted},
		{"ping", s.post("ping", "guid-0006", ping), http.StatusAccepted},
		{"the same again", s.post("ping", "guid-0006", ping), http.StatusAccepted},
		{"oversized", s.post("ping", "guid-0007", bytes.Repeat([]byte(" "), 25<<20+1)), http.StatusRequestEntityTooLarge},
	} {
		if c.got != c.want {
			t.Errorf("%s: status %d, not %d", c.name, c.got, c.want)
		}
	}
	eventually(t, "the accepted ones to be worked off", func() bool {
		return s.query("SELECT COUNT(*) FROM deliveries WHERE guid LIKE 'guid-%' AND status='ignored'") == 2
	})
	if n := s.query("SELECT COUNT(*) FROM deliveries WHERE guid LIKE 'guid-%'"); n != 2 {
		t.Errorf("%d deliveries stored, not 2", n)
	}
}

func TestInvalidHCL(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	p := s.open("broken", githubtest.Files{"network/main.tf": "resource \"terraform_data\" \"net\" {\n  input = \n}\n"})
	body := s.says(p, "❌ The plan failed")
	if n := strings.Count(body, "Expected the start of an expression"); n != 1 || !strings.Contains(body, "network/main.tf line 2") {
		t.Errorf("the comment does not say where, or says it %d times:\n%s", n, body)
	}
	s.check(p, "tidelock/plan", "failure")
	s.repo.Commit("ada", "broken", "Mend it", network("v2"))
	s.says(p, "### 📋 Plan: 1 to add")
	s.check(p, "tidelock/plan", "success")
}

// One broken project does not keep the others from being planned.
func TestInvalidHCLBesideGood(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: twoProjects})
	change := bothProjects("2")
	change["b/main.tf"] = "resource {\n"
	p := s.open("broken", change)
	body := s.says(p, "terraform_data.a")
	if !strings.Contains(body, "b/main.tf line 1") {
		t.Errorf("the comment does not name the broken file:\n%s", body)
	}
}

func TestTerraformsOwnErrors(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{providers: true})
	p := s.open("provider", githubtest.Files{"network/main.tf": "terraform {\n  required_providers {\n    nothing = {\n      source = \"tidelock/nothing\"\n    }\n  }\n}\nresource \"nothing_at_all\" \"x\" {}\n"})
	body := s.says(p, "❌ The plan failed")
	for _, want := range []string{"network/main.tf:3 requires the provider registry.terraform.io/tidelock/nothing", "terraform.provider_mirror"} {
		if !strings.Contains(body, want) {
			t.Errorf("the comment lacks %q:\n%s", want, body)
		}
	}
	s.check(p, "tidelock/plan", "failure")

	s.repo.Commit("ada", "provider", "Another mistake", githubtest.Files{"network/main.tf": "resource \"terraform_data\" \"net\" {\n  input = var.missing\n}\n"})
	body = s.says(p, "Reference to undeclared input variable")
	if !strings.Contains(body, "main.tf:2") && !strings.Contains(body, "main.tf line 2") {
		t.Errorf("the comment does not say where:\n%s", body)
	}
}

func TestNoChanges(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{})
	p := s.open("comment", githubtest.Files{"network/main.tf": "resource \"terraform_data\" \"net\" {\n  count = 0\n}\n"})
	s.says(p, "### ✅ No changes: the infrastructure matches the code")
	s.check(p, "tidelock/plan", "success")
	other := s.open("other", network("v2")) // no lock is kept for nothing
	s.says(other, "### 📋 Plan: 1 to add")
}

func TestRepositoryWithoutTerraform(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: githubtest.Files{"main.go": "package main\n"}})
	p := s.open("feature", githubtest.Files{"main.go": "package main // more\n"})
	s.check(p, "tidelock/plan", "neutral")
	if c := p.Comments(); len(c) != 0 {
		t.Errorf("comments: %+v", c)
	}
}

func TestInvalidRepositoryConfiguration(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: githubtest.Files{"tidelock.hcl": "lock = \"never\"\nprojcet \"x\" {}\n", "network/main.tf": oneProject["network/main.tf"]}})
	p := s.open("feature", network("v2"))
	body := s.says(p, "❌ This pull request can't be planned")
	for _, want := range []string{"tidelock.hcl:1", "tidelock.hcl:2"} {
		if !strings.Contains(body, want) {
			t.Errorf("the comment lacks %q:\n%s", want, body)
		}
	}
	s.check(p, "tidelock/plan", "failure")
}

// What steers Terraform has no place in a repository.
func TestThreat_CommittedTerraformFilesAreRejected(t *testing.T) {
	for path, content := range map[string]string{
		"network/.terraform/environment":                "prod",
		"network/.terraformrc":                          "provider_installation {}\n",
		"network/terraform.rc":                          "provider_installation {}\n",
		"network/terraform.d/plugins/x":                 "#!/bin/sh\n",
		"network/terraform.d/terraform.tfvars":          "x = 1\n",
		"terraform.d/plugins/example.com/a/b/1/linux/p": "#!/bin/sh\n",
	} {
		t.Run(strings.ReplaceAll(path, "/", "_"), func(t *testing.T) {
			t.Parallel()
			s := newStage(t, stageOptions{})
			change := network("v2")
			change[path] = content
			p := s.open("hostile", change)
			name := strings.Split(strings.TrimPrefix(path, "network/"), "/")[0]
			body := s.says(p, "❌")
			if !strings.Contains(body, name) {
				t.Errorf("the comment does not name %s:\n%s", name, body)
			}
			s.check(p, "tidelock/plan", "failure")
			if runs := s.runs(); len(runs) > 0 && runs[0].Status != "failed" {
				t.Errorf("it was planned: %+v", runs)
			}
		})
	}
}

// A provider that is committed, with the name of one that the code asks for,
// is never executed.
func TestThreat_CommittedProviderNeverRuns(t *testing.T) {
	t.Parallel()
	mark := t.TempDir() + "/ran"
	s := newStage(t, stageOptions{})
	evil := githubtest.Executable("#!/bin/sh\necho ran > " + mark + "\n")
	p := s.open("hostile", githubtest.Files{
		"network/main.tf": "terraform {\n  required_providers {\n    aws = {\n      source  = \"hashicorp/aws\"\n      version = \"9.9.9\"\n    }\n  }\n}\nresource \"aws_s3_bucket\" \"b\" {}\n",
		"network/terraform.d/plugins/registry.terraform.io/hashicorp/aws/9.9.9/linux_amd64/terraform-provider-aws_v9.9.9":  evil,
		"network/.terraform/providers/registry.terraform.io/hashicorp/aws/9.9.9/linux_amd64/terraform-provider-aws_v9.9.9": evil,
	})
	s.says(p, "❌")
	s.check(p, "tidelock/plan", "failure")
	if _, err := os.Stat(mark); !os.IsNotExist(err) {
		t.Error("the committed provider ran")
	}
}
