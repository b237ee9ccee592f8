package policy_test

import (
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/policy"
)

// What is read of rules before they are compiled is what the compiler makes of
// them: their names and annotations, and what they need of a plan.
func TestRulesCompiledLateAreWhatWasRead(t *testing.T) {
	rules, wrong, err := policy.LateUnits()
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range wrong {
		t.Error(w)
	}
	if rules < 150 {
		t.Errorf("only %d rules are compiled late", rules)
	}
}

// A cloud's rules are asked wherever the plan holds something of that cloud's,
// and count as asked where it does not.
func TestCloudsRulesAreAskedWhereTheyConcern(t *testing.T) {
	e := engine(t, policy.Options{}, nil)
	for kind, want := range map[string]bool{"aws_security_group_rule": true, "terraform_data": false} {
		after := `{"type":"ingress","protocol":"tcp","from_port":22,"to_port":22,"cidr_blocks":["0.0.0.0/0"]}`
		r := judge(t, e, policy.Input{Plan: plan(t, change(kind+".x", `["create"]`, after))})
		found := false
		for _, f := range r.Findings {
			found = found || f.Rule == "security.aws.public_ingress"
		}
		if found != want || r.Rules != len(e.Rules()) {
			t.Errorf("%s: found %t; %d of %d rules asked", kind, found, r.Rules, len(e.Rules()))
		}
	}
	// Each cloud's rules are about types that make it concerned.
	for _, r := range e.Rules() {
		cloud, about := strings.CutPrefix(r.ID, "security.")
		if !about {
			continue
		}
		begins := map[string][]string{"aws": {`"aws_`}, "azure": {`"azurerm_`, `"azuread_`}, "google": {`"google_`}}[strings.Split(cloud, ".")[0]]
		if begins == nil {
			t.Errorf("%s is of no cloud that is known", r.ID)
			continue
		}
		named := false
		for _, b := range begins {
			named = named || strings.Contains(r.Bad.HCL, b)
		}
		if !named {
			t.Errorf("%s: its bad example has no resource of %s", r.ID, begins)
		}
	}
}
