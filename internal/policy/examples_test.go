package policy_test

import (
	"testing"

	"github.com/tidelock/tidelock/internal/policy"
)

// TestExamples holds every rule to its own documentation: the bad example is
// found by the rule, at its level, and the good one by none of its kind.
func TestExamples(t *testing.T) {
	e := engine(t, policy.Options{}, nil)
	for _, r := range e.Rules() {
		t.Run(r.ID, func(t *testing.T) {
			if r.Bad == nil || r.Good == nil {
				t.Fatal("the rule lacks an example, or one has a field that examples have not")
			}
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
	report := judge(t, e, policy.Input{
		Plan: planOf(t, x), Pull: &policy.Pull{Labels: x.Labels},
		Project:   policy.Project{Environment: x.Environment},
		Cost:      x.Cost,
		Overrides: policy.Overrides{Settings: x.Settings},
	})
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
