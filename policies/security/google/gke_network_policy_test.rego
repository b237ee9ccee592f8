package tidelock.security.google.gke_network_policy_test

import data.tidelock.fixture
import data.tidelock.security.google.gke_network_policy

found(changes) := result if {
	result := gke_network_policy.deny with input as fixture.input_of(changes)
}

cluster(fields) := fixture.create("google_container_cluster", fields)

test_no_policies_are_found if {
	count(found([cluster({})])) == 1
	count(found([cluster({"datapath_provider": "LEGACY_DATAPATH", "network_policy": [{"enabled": false}]})])) == 1
}

test_policies_and_autopilot_pass if {
	count(found([
		cluster({"datapath_provider": "ADVANCED_DATAPATH"}),
		cluster({"network_policy": [{"enabled": true}]}),
		cluster({"enable_autopilot": true}),
	])) == 0
}
