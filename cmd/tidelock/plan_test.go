package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/toolchain"
)

// leading is a link of a comment's; the text of it is code.
var leading = regexp.MustCompile("\\[(`[^`]+`)\\]\\([^ )]+\\)")

// TestDeskSaysWhatTheBotSays: of one branch, `tidelock plan --markdown` in a
// clone prints the comment that the server posts on the pull request, byte for
// byte but for the hidden line by which the bot finds it again, and for where
// links lead: plans, a policy that forbids, costs and what could cost less, a
// project that waits for another, one that can't be planned, one whose code is
// gone.
func TestDeskSaysWhatTheBotSays(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git")
	}
	s := newStage(t, stageOptions{providers: true, files: githubtest.Files{
		// A lock is the server's, and nothing at a desk: without it nothing differs.
		"tidelock.hcl": "lock = \"off\"\nproject \"net\" {\n  dir = \"live/net\"\n}\nproject \"app\" {\n  dir        = \"live/app\"\n  depends_on = [\"net\"]\n}\n" +
			"project \"web:prod\" {\n  dir       = \"live/web\"\n  workspace = \"prod\"\n  var_files = [\"prod.tfvars\"]\n}\n",
		"live/net/main.tf":    "provider \"aws\" {\n  region = \"eu-west-1\"\n}\nmodule \"m\" {\n  source = \"../../modules/m\"\n}\n",
		"live/app/main.tf":    "resource \"terraform_data\" \"app\" {\n  input = 1\n}\n",
		"live/web/main.tf":    "variable \"n\" {}\nresource \"terraform_data\" \"web\" {\n  input = \"${terraform.workspace} ${var.n}\"\n}\n",
		"live/old/main.tf":    "resource \"terraform_data\" \"old\" {}\n",
		"live/broken/main.tf": "resource \"terraform_data\" \"b\" {}\n",
		"modules/m/main.tf":   "output \"x\" {\n  value = 1\n}\n",
	}})
	open := "resource \"aws_security_group\" \"open\" {\n  name = \"open\"\n  ingress {\n    from_port   = 22\n    to_port     = 22\n    protocol    = \"tcp\"\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n}\n" +
		"resource \"aws_instance\" \"a\" {\n  ami           = \"ami-1\"\n  instance_type = \"m4.large\"\n}\n"
	p := s.open("topic", githubtest.Files{
		"modules/m/main.tf":    "terraform {\n  required_providers {\n    aws = {\n      source = \"hashicorp/aws\"\n    }\n  }\n}\n" + open + "output \"x\" {\n  value = 2\n}\n",
		"live/app/main.tf":     "resource \"terraform_data\" \"app\" {\n  input = 2\n}\n",
		"live/web/prod.tfvars": "n = \"<!-- @ada | `x` -->\"\n",
		"live/old/main.tf":     githubtest.Delete(),
		"live/broken/main.tf":  "resource \"terraform_data\" \"b\" {\n  input =\n}\n",
	})
	posted := s.says(p, "plan failed")
	s.until("all plans", func() bool { posted = s.answer(p); return !strings.Contains(posted, "⏳") })
	hidden, told, _ := strings.Cut(posted, "\n")
	told = leading.ReplaceAllString(told, "$1") // a desk knows no server, and no commit on GitHub
	if !strings.HasPrefix(hidden, "<!-- tidelock:") {
		t.Fatalf("the comment begins with %q", hidden)
	}

	clone := filepath.Join(t.TempDir(), "clone")
	for _, args := range [][]string{{"clone", "-q", s.repo.Dir(), clone}, {"-C", clone, "checkout", "-q", "topic"}} {
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	mirror, err := toolchain.ProviderMirror(t.Context(), toolchain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	desk := exec.Command(s.binary, "plan", "--markdown")
	desk.Dir = clone
	desk.Env = append(os.Environ(), "HOME="+t.TempDir(), "TF_CLI_CONFIG_FILE=", "TIDELOCK_TERRAFORM_PROVIDER_MIRROR="+mirror, "TIDELOCK_TERRAFORM_PROVIDER_DIRECT=false")
	var stdout, stderr bytes.Buffer
	desk.Stdout, desk.Stderr = &stdout, &stderr
	if err := desk.Run(); desk.ProcessState.ExitCode() != exitFault {
		t.Errorf("the plan ends with %v:\n%s", err, stderr.String())
	}
	if diff := cmp.Diff(strings.Split(strings.TrimSpace(told), "\n"), strings.Split(strings.TrimSpace(leading.ReplaceAllString(stdout.String(), "$1")), "\n")); diff != "" {
		t.Errorf("(-bot +desk)\n%s\n%s", diff, stderr.String())
	}
	for _, want := range []string{"⛔ **Policy", "a month", "after net", "plan failed", "code of project live/old is removed", `Make instance\_type m5.large instead of m4.large.`} {
		if !strings.Contains(told, want) && !strings.Contains(told, strings.ReplaceAll(want, "net", "`net`")) {
			t.Errorf("the comment has no %q, which this test is to compare:\n%s", want, told)
		}
	}
}
