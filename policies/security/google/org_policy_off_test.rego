package tidelock.security.google.org_policy_off_test

import data.tidelock.fixture
import data.tidelock.security.google.org_policy_off

found(changes) := result if {
	result := org_policy_off.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

policy(rule) := fixture.create("google_org_policy_policy", {"name": "projects/a/policies/p", "spec": [{"rules": [rule]}]})

old(fields) := fixture.create("google_folder_organization_policy", object.union({"constraint": "c"}, fields))

test_lifted_constraints_are_found if {
	messages([policy({"enforce": "FALSE"})]) == {"projects/a/policies/p is lifted: enforce is FALSE."}
	messages([policy({"enforce": null, "allow_all": "TRUE"})]) == {"projects/a/policies/p is lifted: allow_all is TRUE."}
	messages([old({"boolean_policy": [{"enforced": false}]})]) == {"c is lifted: enforced is false."}
	messages([old({"list_policy": [{"allow": [{"all": true}]}]})]) == {"c is lifted: all is true."}
}

test_constraints_that_hold_pass if {
	count(found([
		policy({"enforce": "TRUE"}),
		policy({"deny_all": "TRUE"}),
		old({"boolean_policy": [{"enforced": true}]}),
		old({"list_policy": [{"allow": [{"values": ["a"]}]}]}),
	])) == 0
}
