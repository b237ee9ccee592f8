package sarif_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/sarif"
)

var written = sarif.Report{
	Report: policy.Report{Verdict: policy.Error, Omitted: 3, Problems: []policy.Problem{{File: "a.rego", Line: 3, Message: "broken"}}, Findings: []policy.Finding{
		{Rule: "security.aws.public_ingress", Title: "Open to the world", Severity: policy.Critical, Level: policy.Mandatory, Address: `aws_security_group.a["x"]`,
			Message: "port 22 is open to 0.0.0.0/0", Help: "Close it", Fingerprint: "f1", URL: "https://tidelock.example.com/policies/security.aws.public_ingress", File: "live/a b/50%.tf", Line: 3, EndLine: 9},
		{Rule: "trivy.AVD-1", Source: "trivy", Title: "T", Severity: policy.High, Level: policy.Advisory, Message: "m", Fingerprint: "f2", File: "x:y.tf", URL: "javascript:alert(1)"},
		{Rule: "security.aws.public_ingress", Title: "Open to the world", Severity: policy.Critical, Level: policy.Mandatory, Message: "of the whole plan", Fingerprint: "f3"},
		{Rule: "cost.budget", Title: "Budget", Severity: policy.Low, Level: policy.Hard, Message: "too dear", Fingerprint: "f4", Address: "a.b"},
	}},
	Version: "1.2.3", Repo: "https://github.com/acme/infra", Commit: strings.Repeat("a", 40), Project: "live/shop",
	Rules:    map[string]policy.Rule{"security.aws.public_ingress": {Why: "Why so", Mend: "Mend so", Controls: map[string][]string{"soc2": {"CC6.6"}, "cis_aws_3.0": {"5.2", "5.3"}}}},
	Accepted: func(i int) string { return map[int]string{0: "grace: we know"}[i] },
}

// What is written follows the specification's own rules, as far as they can be
// told without its schema: what must be there, where indexes lead, what is
// unique.
func TestWriteFollowsTheSpecification(t *testing.T) {
	var b bytes.Buffer
	if err := sarif.Write(&b, written); err != nil {
		t.Fatal(err)
	}
	var log map[string]any
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	get := func(v any, path ...any) any {
		t.Helper()
		for _, p := range path {
			switch p := p.(type) {
			case string:
				v = v.(map[string]any)[p]
			case int:
				v = v.([]any)[p]
			}
			if v == nil {
				t.Fatalf("nothing at %v in\n%s", path, b.Bytes())
			}
		}
		return v
	}
	if log["version"] != "2.1.0" || len(get(log, "runs").([]any)) != 2 {
		t.Fatalf("%s", b.Bytes())
	}
	for path, want := range map[string]any{
		"tool.driver.name": "Tidelock", "tool.driver.version": "1.2.3", "automationDetails.id": "tidelock/live/shop/", "columnKind": "utf16CodeUnits",
	} {
		var steps []any
		for _, s := range strings.Split(path, ".") {
			steps = append(steps, s)
		}
		if got := get(get(log, "runs", 0), steps...); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	for r, run := range get(log, "runs").([]any) {
		rules := get(run, "tool", "driver", "rules").([]any)
		seen := map[any]bool{}
		for _, rule := range rules {
			if id := get(rule, "id"); seen[id] {
				t.Errorf("the rule %v stands there twice", id)
			} else {
				seen[id] = true
			}
			get(rule, "shortDescription", "text")
		}
		for _, res := range get(run, "results").([]any) {
			if i := int(get(res, "ruleIndex").(float64)); get(rules, i, "id") != get(res, "ruleId") {
				t.Errorf("run %d: the index of %v leads to another rule", r, res)
			}
			get(res, "message", "text")
			get(res, "partialFingerprints", "tidelock/v1")
			if _, ok := res.(map[string]any)["suppressions"].([]any); !ok {
				t.Error("suppressions is a list or left out everywhere")
			}
			base := ""
			if l, ok := res.(map[string]any)["locations"]; ok {
				if p, ok := get(l, 0).(map[string]any)["physicalLocation"]; ok {
					base = get(p, "artifactLocation", "uriBaseId").(string)
					get(run, "originalUriBaseIds", base)
				}
			}
		}
	}
	first := get(log, "runs", 0, "results", 0)
	for _, c := range []struct {
		want any
		path []any
	}{
		{"live/a%20b/50%25.tf", []any{"locations", 0, "physicalLocation", "artifactLocation", "uri"}},
		{3.0, []any{"locations", 0, "physicalLocation", "region", "startLine"}},
		{`aws_security_group.a["x"]`, []any{"locations", 0, "logicalLocations", 0, "fullyQualifiedName"}},
		{"error", []any{"level"}},
		{"external", []any{"suppressions", 0, "kind"}},
		{"grace: we know", []any{"suppressions", 0, "justification"}},
	} {
		if got := get(first, c.path...); got != c.want {
			t.Errorf("%v is %v, want %v", c.path, got, c.want)
		}
	}
	rule := get(log, "runs", 0, "tool", "driver", "rules", 0)
	if diff := cmp.Diff([]any{"cis_aws_3.0/5.2", "cis_aws_3.0/5.3", "soc2/CC6.6"}, get(rule, "properties", "tags")); diff != "" || get(rule, "help", "text") != "Mend so" || get(rule, "properties", "security-severity") != "9.5" {
		t.Error(diff, rule)
	}
	if uri := get(log, "runs", 1, "results", 0, "locations", 0, "physicalLocation", "artifactLocation", "uri"); uri != "./x:y.tf" {
		t.Errorf("a path with a colon is %v", uri)
	}
	if strings.Contains(b.String(), "javascript") {
		t.Error("a link that runs a script is told on")
	}
	if ok := get(log, "runs", 0, "invocations", 0).(map[string]any)["executionSuccessful"]; ok != false {
		t.Error("what could not be judged is a success")
	}
	if n := get(log, "runs", 0, "invocations", 0, "toolExecutionNotifications").([]any); len(n) != 2 {
		t.Errorf("%v", n)
	}
}

// What Write writes Read understands.
func TestWriteAndRead(t *testing.T) {
	r := written
	r.Problems, r.Verdict = nil, policy.Fail
	var b bytes.Buffer
	if err := sarif.Write(&b, r); err != nil {
		t.Fatal(err)
	}
	log, err := sarif.Read(&b)
	if err != nil || len(log.Trouble) > 0 {
		t.Fatal(log.Trouble, err)
	}
	var got []string
	for _, r := range log.Results {
		got = append(got, r.Tool+" "+r.Rule+" "+string(r.Severity)+" "+string(r.Level)+" "+r.Path)
	}
	want := []string{"tidelock security.aws.public_ingress critical error ", "tidelock cost.budget low error ", "trivy trivy.AVD-1 high warning x:y.tf"}
	if diff := cmp.Diff(want, got); diff != "" { // the accepted one is told as suppressed, and so is none
		t.Error(diff)
	}
}

func TestWriteNothing(t *testing.T) {
	var b bytes.Buffer
	if err := sarif.Write(&b, sarif.Report{Report: policy.Report{Verdict: policy.Pass}}); err != nil {
		t.Fatal(err)
	}
	log, err := sarif.Read(&b)
	if err != nil || len(log.Results)+len(log.Trouble) != 0 {
		t.Error(log, err)
	}
}
