package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/redact"
)

// What a scanner found counts as what a rule found does: the verdict is of the
// whole, and what there is no room for is counted.
func TestAdd(t *testing.T) {
	project := policy.Project{Name: "shop", Dir: "live/shop", Workspace: "default"}
	r := policy.Report{Verdict: policy.Warn, Advisory: 510, Omitted: 20, Rules: 9, Policies: "p"}
	for i := range 490 {
		r.Findings = append(r.Findings, policy.Finding{Rule: "tagging.required", Severity: policy.Low, Level: policy.Advisory, Address: fmt.Sprintf("a.b[%03d]", i), Fingerprint: fmt.Sprint(i)})
	}
	var found []policy.Finding
	for i := range 30 {
		found = append(found, policy.Finding{Rule: "trivy.X", Source: "trivy", Severity: policy.High, Level: policy.Mandatory, File: "main.tf", Line: i + 1, Message: fmt.Sprintf("the canary-12e9\n\x1b[31mis at %d", i), Title: strings.Repeat("t", 1000)})
	}
	found = append(found, found[3], policy.Finding{Rule: "trivy.Y", Source: "trivy", Level: policy.Hard, Message: "h"}, policy.Finding{Rule: "trivy.Z", Source: "trivy", Level: policy.Off, Message: "o"})
	r.Add(redact.NewMasker("canary-12e9"), project, found, nil)
	if r.Verdict != policy.Fail || r.Mandatory != 31 || r.Hard != 1 || r.Advisory != 510 || len(r.Findings) != 500 || r.Omitted != 41 || r.Rules != 9 || r.Policies != "p" {
		t.Errorf("%s: %d mandatory, %d hard, %d advisory, %d listed, %d omitted", r.Verdict, r.Mandatory, r.Hard, r.Advisory, len(r.Findings), r.Omitted)
	}
	if r.Findings[0].Level != policy.Hard || r.Findings[1].Rule != "trivy.X" || r.Findings[31].Rule != "tagging.required" {
		t.Errorf("the worst do not come first: %+v", r.Findings[:3])
	}
	prints := map[string]bool{}
	for _, f := range r.Findings[:31] {
		if f.Fingerprint == "" || prints[f.Fingerprint] || strings.Contains(f.Message, "canary") || strings.ContainsAny(f.Message, "\n\x1b") || len(f.Title) > 310 {
			t.Errorf("%+v", f)
		}
		prints[f.Fingerprint] = true
	}
	// A line that moved is no other finding; another project is.
	moved := policy.Report{Verdict: policy.Pass}
	f := found[0]
	f.Line += 40
	moved.Add(redact.NewMasker("canary-12e9"), project, []policy.Finding{f}, nil)
	project.Workspace = "other"
	moved.Add(redact.NewMasker("canary-12e9"), project, []policy.Finding{f}, nil)
	if moved.Verdict != policy.Fail || prints[moved.Findings[0].Fingerprint] == prints[moved.Findings[1].Fingerprint] {
		t.Errorf("%+v", moved)
	}
	for _, c := range []struct {
		before  policy.Verdict
		problem bool
		want    policy.Verdict
	}{{policy.Pass, true, policy.Error}, {policy.Error, false, policy.Error}, {policy.Pass, false, policy.Pass}, {"", false, ""}} {
		r := policy.Report{Verdict: c.before}
		var problems []policy.Problem
		if c.problem {
			problems = []policy.Problem{{Message: "it left no file"}}
		}
		if r.Add(nil, project, nil, problems); r.Verdict != c.want {
			t.Errorf("%q becomes %q, want %q", c.before, r.Verdict, c.want)
		}
	}
}
