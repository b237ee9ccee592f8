package main

import "github.com/tidelock/tidelock/internal/policy"

// policyOptions says how the bundled policies are to judge. policy.New refuses
// what names no rule.
func policyOptions(c Config) policy.Options {
	o := policy.Overrides{
		Levels:   map[string]policy.Level{},
		Settings: policy.Settings{"tagging": {"required": append([]string{}, c.Policy.RequiredTags...)}},
	}
	for rule, level := range c.Policy.Levels {
		o.Levels[rule] = policy.Level(level)
	}
	if c.Policy.Disabled {
		for _, pack := range []string{"destruction", "security", "tagging"} {
			o.Levels[pack] = policy.Off
		}
	}
	return policy.Options{Overrides: o}
}
