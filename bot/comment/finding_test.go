package comment

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/markdown/markdowntest"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
)

// found is a plan with findings of every kind.
func found(untagged int) View {
	r := planned("live/shop")
	r.Commit = "c0ffee0123456789"
	r.Report = &policy.Report{Verdict: policy.Fail, Mandatory: 3, Hard: 1, Advisory: untagged + 1, Rules: 90, Findings: []policy.Finding{
		{Rule: "destruction.backups", Title: "Backups are destroyed", Severity: policy.Critical, Level: policy.Hard, Address: "aws_backup_vault.main", Message: "What it holds is lost.",
			URL: "https://tidelock.example.com/policies/destruction.backups", File: "live/shop/backup.tf", Line: 12, EndLine: 12},
		{Rule: "security.aws.public_ingress", Title: "A port is open to everybody", Severity: policy.High, Level: policy.Mandatory, Address: `module.net["eu"].aws_security_group.web`,
			Message: "Port 22 is open to 0.0.0.0/0.", Help: "Name the networks.", URL: "https://tidelock.example.com/policies/security.aws.public_ingress", File: "modules/my net/main.tf", Line: 3, EndLine: 9},
		{Rule: "trivy.AVD-AWS-0086", Source: "trivy", Title: "S3 Access block should block public ACL", Severity: policy.High, Level: policy.Mandatory, Message: "No public access block",
			URL: "https://avd.example.com/misconfig/avd-aws-0086", File: "live/shop/main.tf", Line: 1, EndLine: 4, Address: "aws_s3_bucket.data"},
	}}
	for i := range untagged {
		r.Report.Findings = append(r.Report.Findings, policy.Finding{Rule: "tagging.required", Title: "Required tags are missing", Severity: policy.Low, Level: policy.Advisory,
			Address: fmt.Sprintf("aws_instance.web[%d]", i), Message: "The tag owner is missing.", Help: "Add it.", File: "live/shop/main.tf", Line: 20, EndLine: 31})
	}
	r.Report.Findings = append(r.Report.Findings, policy.Finding{Rule: "cost.budget", Title: "The budget is near its end", Severity: policy.Low, Level: policy.Advisory, Message: "The month's budget is used up to 93 %."})
	v := locked(scene(only(r)))
	v.Repo = clients.Repo{ID: 42, Owner: "acme", Name: "infra", CloneURL: "https://github.example.com/acme/infra.git"}
	return v
}

// However many findings one rule has, the others are seen, and the comment
// stays within what GitHub takes.
func TestManyFindingsAreFolded(t *testing.T) {
	for _, n := range []int{4, 50, 490} {
		v := found(n)
		body := Render(v)
		page := markdowntest.Page(t, body)
		if folds := markdowntest.All(page, "details"); len(folds) != 4 || len(body) > maxComment {
			t.Errorf("%d findings: %d folds in %d bytes\n%s", n, len(folds), len(body), body)
		}
		for _, want := range []string{fmt.Sprintf("⚠️ %d × <code>tagging.required</code> (low, advisory)", n), "Backups are destroyed", "The budget is near its end", "Found by `trivy`:"} {
			if !strings.Contains(body, want) {
				t.Errorf("%d findings: no %q in\n%s", n, want, body)
			}
		}
		if more := fmt.Sprintf("- … and %d more\n", n-maxFolded); (n > maxFolded) != strings.Contains(body, more) {
			t.Errorf("%d findings: what is left out is not counted\n%s", n, body)
		}
	}
	// Many rules with a line each are cut, the worst kept.
	v := found(0)
	plan := v.Pairs[0].Plan
	for i := range 100 {
		plan.Report.Findings = append(plan.Report.Findings, policy.Finding{Rule: fmt.Sprintf("house.r%d", i), Title: "T", Severity: policy.Low, Level: policy.Advisory, Message: "m"})
	}
	if body := Render(v); !strings.Contains(body, "- … and 81 more") || strings.Count(body, "house.r") != maxFindings-1 {
		t.Error(body)
	}
}

func TestThreat_LinksOfFindingsLeadNowhereElse(t *testing.T) {
	for _, to := range append([]string{"javascript:alert(1)", "data:text/html,x", "//evil.example", "https://user:pass@evil.example/", "https:///x", "/policies/x", "https://a.example/" + strings.Repeat("a", 3000)}, markdowntest.Hostile...) {
		if got := link("x", to); got != "x" && !strings.HasPrefix(to, "http") {
			t.Errorf("%q is linked to: %s", to, got)
		}
	}
	for to, want := range map[string]string{
		"https://a.example/b_c?d=e#f":                 "[x](https://a.example/b_c?d=e#f)",
		"https://a.example/?q=) @everyone <b>[y](z\"": "[x](https://a.example/?q=%29%20%40everyone%20%3Cb%3E%5By%5D%28z%22)",
		"https://a.example/ü`*":                       "[x](https://a.example/%C3%BC%60%2A)",
	} {
		if got := link("x", to); got != want {
			t.Errorf("%q: %s", to, got)
		}
	}
	for _, s := range markdowntest.Hostile {
		v := found(5)
		for i := range v.Pairs[0].Plan.Report.Findings {
			f := &v.Pairs[0].Plan.Report.Findings[i]
			f.Title, f.Message, f.Help, f.Address, f.Rule, f.File, f.Source, f.URL = s, s, s, s, s, s, s, "https://a.example/?"+s
		}
		body := Render(v)
		body = body[strings.IndexByte(body, '\n'):]
		page := markdowntest.Page(t, body)
		bad := slices.DeleteFunc(markdowntest.Strangers(page, "h3 h4 p table thead tbody tr th td code pre details summary ul li strong em sub a"), func(b string) bool {
			return strings.HasPrefix(b, "href=") // looked at below
		})
		if len(bad) > 0 {
			t.Errorf("%q: %q got into\n%s", s, bad, body)
		}
		for _, a := range markdowntest.All(page, "a") {
			for _, at := range a.Attr {
				if at.Key != "href" || !strings.HasPrefix(at.Val, "https://a.example/?") && !strings.HasPrefix(at.Val, "https://github.example.com/acme/infra/blob/c0ffee0123456789/") {
					t.Errorf("%q: a link has %s=%q", s, at.Key, at.Val)
				}
			}
		}
	}
}

func TestAnnotations(t *testing.T) {
	v := found(2)
	other := planned("live/other")
	other.Commit = v.Change.HeadSHA
	other.Report = &policy.Report{Verdict: policy.Warn, Findings: []policy.Finding{v.Pairs[0].Plan.Report.Findings[3]}}
	elsewhere := planned("live/elsewhere")
	elsewhere.Commit = "another"
	elsewhere.Report = v.Pairs[0].Plan.Report
	v.Pairs = append(v.Pairs, only(other), only(elsewhere))
	got := annotations(v)
	want := []github.Annotation{
		{Path: "live/shop/backup.tf", StartLine: 12, EndLine: 12, Level: "failure", Title: "Backups are destroyed", Message: "aws_backup_vault.main in live/shop: What it holds is lost.",
			Details: "Rule destruction.backups, critical, hard\nhttps://tidelock.example.com/policies/destruction.backups"},
		{Path: "live/shop/main.tf", StartLine: 1, EndLine: 4, Level: "failure", Title: "S3 Access block should block public ACL", Message: "aws_s3_bucket.data in live/shop: No public access block",
			Details: "Rule trivy.AVD-AWS-0086, high, mandatory\nhttps://avd.example.com/misconfig/avd-aws-0086"},
		{Path: "modules/my net/main.tf", StartLine: 3, EndLine: 9, Level: "failure", Title: "A port is open to everybody",
			Message: `module.net["eu"].aws_security_group.web in live/shop: Port 22 is open to 0.0.0.0/0.`,
			Details: "Rule security.aws.public_ingress, high, mandatory\nName the networks.\nhttps://tidelock.example.com/policies/security.aws.public_ingress"},
		{Path: "live/shop/main.tf", StartLine: 20, EndLine: 31, Level: "notice", Title: "Required tags are missing",
			Message: "aws_instance.web[0] in live/shop, aws_instance.web[1] in live/shop, aws_instance.web[0] in live/other: The tag owner is missing.", Details: "Rule tagging.required, low, advisory\nAdd it."},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// There are annotations where the check has come to its end, and only there.
	with := func(v View) int {
		k, _ := planCheck(v)
		if k.Annotations == nil {
			return -1
		}
		return len(k.Annotations)
	}
	under := found(1)
	under.Pairs = append(under.Pairs, only(queued("app", run.Running)))
	if n := with(found(1)); n != 4 {
		t.Errorf("a planned one has %d", n)
	}
	if n := with(locked(scene(only(planned("app"))))); n != 0 {
		t.Errorf("one without findings has %d", n)
	}
	if n := with(under); n != -1 {
		t.Errorf("one under way has %d", n)
	}
	// Never more than are worth it, whatever was found.
	v = found(0)
	for i := range 500 {
		v.Pairs[0].Plan.Report.Findings = append(v.Pairs[0].Plan.Report.Findings, policy.Finding{Rule: "r", Severity: policy.Medium, Level: policy.Advisory, Message: "m", File: "a.tf", Line: i + 1})
	}
	if got := annotations(v); len(got) != maxAnnotations || got[0].Level != "failure" || got[10].Level != "warning" {
		t.Errorf("%d annotations", len(got))
	}
}
