package parts

import (
	"strings"
	"testing"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// TestPolicyOptionsReachTheRules checks that the configuration's words are
// those of the bundled rules, by asking them about a bucket with one tag.
func TestPolicyOptionsReachTheRules(t *testing.T) {
	const bucket = `{"format_version":"1.2","terraform_version":"1.11.4","planned_values":{"root_module":{}},
		"resource_changes":[{"address":"aws_s3_bucket.a","mode":"managed","type":"aws_s3_bucket","name":"a",
		"provider_name":"registry.terraform.io/hashicorp/aws",
		"change":{"actions":["create"],"before":null,"after":{"bucket":"a","tags":{"Team":"a"}},"after_unknown":{}}}],
		"configuration":{"root_module":{}}}`
	plan, err := tfplan.ParsePlan(strings.NewReader(bucket))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		set  func(c *config.Policy)
		want policy.Verdict
	}{
		{"the defaults", func(*config.Policy) {}, policy.Warn},
		{"the tag that is there", func(c *config.Policy) { c.RequiredTags = []string{"team"} }, policy.Pass},
		{"one that is not", func(c *config.Policy) { c.RequiredTags = []string{"team", "cost"} }, policy.Warn},
		{"none", func(c *config.Policy) { c.RequiredTags = nil }, policy.Pass},
		{"mandatory", func(c *config.Policy) { c.Levels = map[string]string{"tagging": "mandatory"} }, policy.Fail},
		{"off", func(c *config.Policy) { c.Levels = map[string]string{"tagging.required": "off"} }, policy.Pass},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := config.Default()
			c.Policy.Levels = map[string]string{}
			tc.set(&c.Policy)
			c.Policy.Levels["security"] = "off" // which has much to say of a bare bucket
			engine, err := policy.New(bundledOptions(c))
			if err != nil {
				t.Fatal(err)
			}
			report, err := engine.Judge(t.Context(), policy.Input{Plan: plan})
			if err != nil || report.Verdict != tc.want {
				t.Errorf("verdict %s, want %s; %v %+v", report.Verdict, tc.want, err, report.Findings)
			}
		})
	}
}
