package web

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
)

func TestPoliciesPage(t *testing.T) {
	w := local(t)
	for query, want := range map[string][]string{
		"":                          {"security.aws.public_ingress", "tagging.required", "main.deny"},
		"?q=OPEN+everybody":         {"security.aws.public_ingress"},
		"?q=5.3":                    {"security.aws.public_ingress"},
		"?q=house":                  {"security.aws.public_ingress", "main.deny"}, // a control of the house's, and its pack
		"?level=advisory":           {"tagging.required"},
		"?severity=medium":          {"main.deny"},
		"?level=hard":               {},
		"?q=required&severity=high": {},
	} {
		var got struct {
			Rules []struct {
				ID  string `json:"id"`
				URL string `json:"url"`
			} `json:"rules"`
		}
		w.json("/api/v1/policies"+query, &got)
		ids := []string{}
		for _, r := range got.Rules {
			ids = append(ids, r.ID)
			if r.URL != "/policies/"+r.ID {
				t.Errorf("the page of %s is %s", r.ID, r.URL)
			}
		}
		if diff := cmp.Diff(want, ids); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
		page := outer(w.page("/policies" + query))
		for _, id := range want {
			if !strings.Contains(page, `href="/policies/`+id+`"`) {
				t.Errorf("%s: %s is not linked", query, id)
			}
		}
	}
	for _, wrong := range []string{"?level=soft", "?severity=dreadful", "?q=" + strings.Repeat("a", 201)} {
		if res := w.ask("GET", "/policies"+wrong); res.StatusCode != http.StatusBadRequest && res.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: %s", wrong, res.Status)
		}
	}
	page := w.page("/policies/security.aws.public_ingress")
	for _, want := range []string{"Open to <everybody>", "Because 0.0.0.0/0 is everybody.", "Name the networks.", `resource "a" "good" {}`, `resource "a" "bad" {}`,
		"where the plan is to delete it", "with the label big", "CIS Amazon Web Services Foundations 3.0", "5.2, 5.3", "H1", "security/aws/public_ingress.rego , line 12"} {
		if text := content(page); !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	var one policy.Rule
	w.json("/api/v1/policies/main.deny", &one)
	if one.Pack != "house" || one.Level != policy.Off {
		t.Errorf("%+v", one)
	}
	if res := w.ask("GET", "/policies/no.such"); res.StatusCode != http.StatusNotFound {
		t.Errorf("a rule that there is not: %s", res.Status)
	}
	w.site.Rules = nil
	if text := content(w.page("/policies")); !strings.Contains(text, "tells of no rules") {
		t.Errorf("without rules: %s", text)
	}
}

func TestFindings(t *testing.T) {
	w := local(t)
	c := w.open(w.repo, 3, "Open the port", strings.Repeat("a", 40))
	plan := w.planned(w.plans(c, "live/net")[0], func(r *run.Run) {
		r.Report = &policy.Report{Verdict: policy.Fail, Mandatory: 1, Advisory: 1, Findings: []policy.Finding{
			{Rule: "security.aws.public_ingress", Title: "Open", Severity: policy.Critical, Level: policy.Mandatory, Address: "aws_security_group.a", Message: "port 22", Fingerprint: "f1",
				URL: "https://tidelock.example.com/policies/x", File: "live/net/a b.tf", Line: 3, EndLine: 9},
			{Rule: "trivy.AVD-1", Source: "trivy", Title: "T", Severity: policy.Low, Level: policy.Advisory, Message: "m", URL: "javascript:alert(1)"},
		}}
	})
	page := outer(w.page("/runs/" + plan.ID))
	for _, want := range []string{
		`href="/policies/security.aws.public_ingress"`, "found by trivy", `<code>live/net/a b.tf:3</code>`,
		`href="https://github.example.com/acme/infra/blob/` + c.HeadSHA + `/live/net/a%20b.tf#L3-L9"`,
		`href="/api/v1/runs/` + plan.ID + `/findings"`, `href="/api/v1/runs/` + plan.ID + `/sarif"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in %s", want, page)
		}
	}
	if strings.Contains(page, "javascript:") {
		t.Error("a scanner's link runs a script")
	}
	var found findingsAnswer
	w.json("/api/v1/runs/"+plan.ID+"/findings", &found)
	if found.ID != plan.ID || !found.Forbidden || found.Verdict != policy.Fail || len(found.Findings) != 2 || found.Findings[0].Line != 3 || found.Project != "live/net" {
		t.Errorf("%+v", found)
	}
	res := w.ask("GET", "/api/v1/runs/"+plan.ID+"/sarif")
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "application/sarif+json" {
		t.Fatalf("%s %v", res.Status, err)
	}
	var log struct {
		Runs []struct {
			Tool struct {
				Driver struct {
					Name, Version string
					Rules         []struct {
						ID   string
						Full struct{ Text string } `json:"fullDescription"`
					}
				}
			}
			Provenance []struct{ RepositoryURI, RevisionID string } `json:"versionControlProvenance"`
			Results    []struct{ RuleID string }
		}
	}
	if err := json.Unmarshal(body, &log); err != nil || len(log.Runs) != 2 {
		t.Fatalf("%v %s", err, body)
	}
	if r := log.Runs[0]; r.Tool.Driver.Name != "Tidelock" || r.Tool.Driver.Version != "1.2.3" || len(r.Results) != 1 || len(r.Provenance) != 1 || r.Provenance[0].RevisionID != c.HeadSHA ||
		r.Tool.Driver.Rules[0].Full.Text != "Because `0.0.0.0/0` is everybody." {
		t.Errorf("%s", body)
	}
}
