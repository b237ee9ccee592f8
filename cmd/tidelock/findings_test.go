package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// standin is a scanner that writes what stands in found.json to its SARIF
// file, and ends as scanners end that found something.
const standin = `#!/bin/sh
[ -e found.json ] || exit 0
printf '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"Standin"}},"results":[' > out.sarif
cat found.json >> out.sarif
printf ']}]}' >> out.sarif
exit 3
`

// A finding of a policy and those of a scanner: they stand on their lines in
// comment and check, block the merge's apply together, are told to GitHub once
// however often a plan is made, and are gone when they are mended. Many more
// cost no further call.
func TestFindingsOnTheirLines(t *testing.T) {
	t.Parallel()
	result := func(rule, level, file string, line int) string {
		return fmt.Sprintf(`{"ruleId":%q,"level":%q,"message":{"text":"This is wrong."},"locations":[{"physicalLocation":{"artifactLocation":{"uri":%q},"region":{"startLine":%d}}}]}`, rule, level, file, line)
	}
	many := []string{result("S1", "error", "main.tf", 2)}
	for i := range 45 {
		many = append(many, result("S2", "warning", "../modules/m/main.tf", i+1))
	}
	s := newStage(t, stageOptions{env: []string{"TIDELOCK_TERRAFORM_ALLOW_HOOKS=true", "TIDELOCK_PUBLIC_URL=https://tidelock.example.com"}, files: githubtest.Files{
		"tidelock.hcl": "project \"net\" {\n  dir = \"net\"\n  hook \"after_init\" {\n    run           = [\"sh\", \"../scan.sh\"]\n    sarif         = \"out.sarif\"\n    findings_exit = [3]\n  }\n}\n",
		"scan.sh":      standin, "net/found.json": "", "net/out.sarif": `{"committed": "and no scanner's"}`,
		"net/main.tf":       "module \"m\" {\n  source = \"../modules/m\"\n}\n",
		"modules/m/main.tf": "resource \"terraform_data\" \"a\" {\n  input = 1\n}\n",
	}})
	p := s.open("topic", githubtest.Files{
		"net/found.json":    strings.Join(many, ","),
		"modules/m/main.tf": "# changed\nresource \"terraform_data\" \"a\" {\n  input = 2\n\n  provisioner \"local-exec\" {\n    command = \"true\"\n  }\n}\n" + strings.Repeat("# so\n", 60),
	})
	body := s.says(p, "⛔ A policy forbids this plan")
	head := p.State().HeadSHA
	blob := "/acme/infra/blob/" + head + "/"
	for _, want := range []string{
		"Found by `standin`", "**S1** (high, mandatory, `standin.S1`)", blob + "net/main.tf#L2)", "⚠️ 45 × <code>standin.S2</code> (medium, advisory)",
		"`module.m.terraform_data.a`", blob + "modules/m/main.tf#L2-L8)", "](https://tidelock.example.com/policies/terraform.",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the comment lacks %q:\n%s", want, body)
		}
	}
	assertInert(t, body)
	s.check(p, "tidelock/plan", "failure")
	if calls := s.calls(); len(calls) > maxCalls {
		t.Errorf("%d calls, more than %d:\n%s", len(calls), maxCalls, strings.Join(calls, "\n"))
	}
	notes := p.Annotations("tidelock/plan")
	levels := map[string]int{}
	for _, n := range notes {
		levels[n.Path+" "+n.Level]++
		if n.Title == "S1" && (n.StartLine != 2 || !strings.Contains(n.Details, "standin.S1")) {
			t.Errorf("%+v", n)
		}
	}
	if len(notes) < 47 || len(notes) > 50 || levels["net/main.tf failure"] != 1 || levels["modules/m/main.tf warning"] < 45 {
		t.Errorf("%d annotations: %v", len(notes), levels)
	}

	// Planned anew nothing of it is told twice.
	p.Comment("ada", "plan")
	s.until("the second plan", func() bool { return len(s.runs()) == 2 && s.runs()[1].Status.Finished() })
	s.until("its check", func() bool { return s.answer(p) != "" && p.Checks()[0].Status == "completed" })
	if again := p.Annotations("tidelock/plan"); len(again) != len(notes) {
		t.Errorf("%d annotations after another plan, %d before", len(again), len(notes))
	}

	// A scanner that is made to find nothing by leaving nothing has not passed.
	s.repo.Commit("ada", "topic", "Quiet", githubtest.Files{"net/found.json": githubtest.Delete()})
	body = s.says(p, "**The policies could not judge `net`**")
	if !strings.Contains(body, "the scanner at after\\_init, sh ../scan.sh, left nothing that can be judged: it left no file out.sarif") {
		t.Errorf("the comment does not say why:\n%s", body)
	}
	s.check(p, "tidelock/plan", "failure")

	s.repo.Commit("ada", "topic", "Mend", githubtest.Files{"net/found.json": "\n", "modules/m/main.tf": "resource \"terraform_data\" \"a\" {\n  input = 2\n}\n"})
	s.says(p, "### 📋 Plan:")
	s.check(p, "tidelock/plan", "success")
	if left := p.Annotations("tidelock/plan"); len(left) != 0 {
		t.Errorf("%d annotations are left: %+v", len(left), left)
	}
}
