package main

import (
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/policies"
)

// policySets returns what judges each project.
func (c Config) policySets() (*policyset.Sets, error) {
	return policyset.New(policyset.Options{Overrides: policyOptions(c).Overrides, Owners: policy.Owners{Who: c.Policy.Owners}})
}

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
		for _, pack := range policies.Packs() {
			o.Levels[pack] = policy.Off
		}
	}
	return policy.Options{Overrides: o}
}
