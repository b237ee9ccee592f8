package planner

import "testing"

func TestRepeatable(t *testing.T) {
	for name, tc := range map[string]struct {
		p    Project
		want bool
	}{
		"plain":               {Project{}, true},
		"a hook after":        {Project{Hooks: []Hook{{When: AfterPlan}, {When: AfterApply}, {When: BeforeApply}}}, true},
		"a generator":         {Project{Hooks: []Hook{{When: BeforeInit}}}, false},
		"of applies":          {Project{Hooks: []Hook{{When: BeforeInit, Phase: PhaseApply}}}, true},
		"environment":         {Project{Hooks: []Hook{{When: BeforePlan, Env: "A"}}}, false},
		"behind init":         {Project{Hooks: []Hook{{When: AfterInit}}}, false},
		"a secret":            {Project{Secrets: Secrets{Both: map[string]string{"A": "a"}}}, false},
		"a secret of plans":   {Project{Secrets: Secrets{Plan: map[string]string{"A": "a"}}}, false},
		"a secret of applies": {Project{Secrets: Secrets{Apply: map[string]string{"A": "a"}}}, true},
		"Terragrunt":          {Project{Kind: KindTerragrunt}, false},
	} {
		if got := tc.p.Repeatable(); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
