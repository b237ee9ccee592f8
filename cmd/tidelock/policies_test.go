package main

import (
	"slices"
	"testing"

	"github.com/tidelock/tidelock/internal/policy"
)

// TestPolicyOptionsReachTheRules checks that the configuration's words are
// those of the bundled rules.
func TestPolicyOptionsReachTheRules(t *testing.T) {
	for _, tags := range [][]string{{"team"}, {}, nil} {
		c := defaultConfig()
		c.Policy.RequiredTags = tags
		c.Policy.Levels = map[string]string{"tagging.required": "mandatory", "security": "advisory"}
		engine, err := policy.New(policyOptions(c))
		if err != nil {
			t.Fatalf("required tags %v: %v", tags, err)
		}
		got, _ := engine.Settings()["tagging"]["required"].([]any)
		if len(got) != len(tags) || len(tags) > 0 && !slices.Contains(got, any("team")) {
			t.Errorf("required tags %v arrive as %v", tags, engine.Settings()["tagging"]["required"])
		}
	}
}
