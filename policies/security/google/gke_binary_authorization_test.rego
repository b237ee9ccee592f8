package tidelock.security.google.gke_binary_authorization_test

import data.tidelock.fixture
import data.tidelock.security.google.gke_binary_authorization

found(changes) := result if {
	result := gke_binary_authorization.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

cluster(fields) := fixture.create("google_container_cluster", fields)

test_no_authorization_is_found if {
	messages([cluster({})]) == {"Any image may run here: binary_authorization.evaluation_mode is DISABLED."}
	count(found([cluster({"binary_authorization": [{"evaluation_mode": "DISABLED"}]})])) == 1
}

test_authorization_passes if {
	count(found([
		cluster({"binary_authorization": [{"evaluation_mode": "PROJECT_SINGLETON_POLICY_ENFORCE"}]}),
		cluster({"binary_authorization": [{"enabled": true}]}),
	])) == 0
}
