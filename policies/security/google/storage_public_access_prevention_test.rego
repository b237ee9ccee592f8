package tidelock.security.google.storage_public_access_prevention_test

import data.tidelock.fixture
import data.tidelock.security.google.storage_public_access_prevention

found(changes) := result if {
	result := storage_public_access_prevention.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

bucket(fields) := fixture.create("google_storage_bucket", fields)

test_inherited_is_found if {
	messages([bucket({"public_access_prevention": "inherited"})]) == {"public_access_prevention is inherited."}
	messages([bucket({"public_access_prevention": null})]) == {"public_access_prevention is inherited."}
}

test_enforced_passes if {
	count(found([bucket({"public_access_prevention": "enforced"})])) == 0
}
