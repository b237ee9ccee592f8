package policy_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/policy"
)

// TestRulesSeeWhatStandsBesideTheChanges: checks, deferred changes, drift and
// actions are in the input by Terraform's own names, and a message of theirs
// tells no secret either.
func TestRulesSeeWhatStandsBesideTheChanges(t *testing.T) {
	e := small(t, policy.Options{}, map[string]string{"p.rego": `package main
deny contains sprintf("%s fails: %s", [c.address.to_display, p.message]) if {
	some c in input.checks
	c.status == "fail"
	some i in c.instances
	some p in i.problems
}
deny contains sprintf("%s is deferred", [d.resource_change.address]) if some d in input.plan.deferred_changes
deny contains sprintf("%s has drifted", [d.address]) if some d in input.resource_drift
deny contains sprintf("%s is invoked", [a.address]) if some a in input.action_invocations
`})
	r := judge(t, e, policy.Input{Plan: parse(t, `{"format_version":"1.2",
		"resource_changes":[{"address":"a.b","type":"a","name":"b","mode":"managed","change":{"actions":["update"],"before":{"p":"canary-42"},"after":{"p":"canary-42"},"before_sensitive":{"p":true},"after_sensitive":{"p":true}}}],
		"deferred_changes":[{"reason":"absent_prereq","resource_change":{"address":"a.later","change":{"actions":["create"]}}}],
		"resource_drift":[{"address":"a.b","change":{"actions":["update"],"before":{"x":1},"after":{"x":2}}}],
		"action_invocations":[{"address":"action.a.notify"}],
		"checks":[{"address":{"kind":"check","to_display":"check.up"},"status":"fail","instances":[{"status":"fail","problems":[{"message":"no answer for canary-42"}]}]}]}`)})
	want := []string{
		"main.deny: a.b has drifted", "main.deny: a.later is deferred", "main.deny: action.a.notify is invoked", "main.deny: check.up fails: no answer for (redacted)",
	}
	got := messages(r)
	if strings.Contains(strings.Join(got, ""), "canary") {
		t.Error("a secret came through")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
