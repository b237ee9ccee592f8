package tidelock.security.google.iam_authoritative_test

import data.tidelock.fixture
import data.tidelock.security.google.iam_authoritative

found(changes) := result if {
	result := iam_authoritative.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_whole_policies_are_found if {
	messages([fixture.create("google_organization_iam_policy", {})]) == {"On apply, this replaces every grant on the organization."}
}

test_single_grants_pass if {
	count(found([fixture.create("google_project_iam_member", {}), fixture.create("google_storage_bucket_iam_policy", {})])) == 0
}
