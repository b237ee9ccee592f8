package policy_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// TestExamples holds every rule to its own documentation: the bad example is
// found by the rule, at its level, and the good one by none of its kind.
func TestExamples(t *testing.T) {
	e := engine(t, policy.Options{}, nil)
	for _, r := range e.Rules() {
		t.Run(r.ID, func(t *testing.T) {
			if n := found(t, e, r, *r.Bad); n == 0 {
				t.Error("the bad example passes")
			}
			if n := found(t, e, r, *r.Good); n != 0 {
				t.Error("the good example is denied")
			}
		})
	}
}

func found(t *testing.T, e *policy.Engine, r policy.Rule, x policy.Example) (n int) {
	t.Helper()
	report := judge(t, e, policy.Input{Plan: planOf(t, x), Pull: &policy.Pull{Labels: x.Labels}})
	if len(report.Problems) > 0 {
		t.Fatal(report.Problems)
	}
	for _, f := range report.Findings {
		if f.Rule == r.ID && f.Level == r.Level {
			n++
		}
	}
	return n
}

// planOf makes the plan that Terraform would for an example's resources, as far
// as their literal arguments go.
func planOf(t *testing.T, x policy.Example) *tfplan.Plan {
	t.Helper()
	file, diags := hclsyntax.ParseConfig([]byte(x.HCL), "example.tf", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	actions, ok := map[string]string{"": `["create"]`, "create": `["create"]`, "update": `["update"]`, "replace": `["delete","create"]`, "delete": `["delete"]`}[x.Action]
	if !ok {
		t.Fatalf("unknown action %q", x.Action)
	}
	var changes []string
	for _, b := range file.Body.(*hclsyntax.Body).Blocks {
		if b.Type != "resource" {
			t.Fatalf("the example has a %s block", b.Type)
		}
		after, err := json.Marshal(values(t, b.Body))
		if err != nil {
			t.Fatal(err)
		}
		if x.Action == "delete" {
			after = []byte("null")
		}
		for i := range max(x.Count, 1) {
			changes = append(changes, change(fmt.Sprintf("%s.%s[%d]", b.Labels[0], b.Labels[1], i), actions, string(after)))
		}
	}
	if len(changes) == 0 {
		t.Fatal("the example has no resource")
	}
	return plan(t, changes...)
}

func values(t *testing.T, body *hclsyntax.Body) map[string]any {
	t.Helper()
	out := map[string]any{}
	for name, a := range body.Attributes {
		v, diags := a.Expr.Value(nil)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		raw, err := ctyjson.Marshal(v, cty.DynamicPseudoType)
		if err != nil {
			t.Fatal(err)
		}
		var typed struct{ Value json.RawMessage }
		if err := json.Unmarshal(raw, &typed); err != nil {
			t.Fatal(err)
		}
		out[name] = typed.Value
	}
	for _, b := range body.Blocks {
		list, _ := out[b.Type].([]any)
		out[b.Type] = append(list, values(t, b.Body))
	}
	return out
}
