package tidelock.security.google.gke_node_service_account_test

import data.tidelock.fixture
import data.tidelock.security.google.gke_node_service_account

found(changes) := result if {
	result := gke_node_service_account.deny with input as fixture.input_of(changes)
}

pool(config) := fixture.create("google_container_node_pool", {"node_config": config})

test_default_account_is_found if {
	count(found([pool([])])) == 1
	count(found([pool([{"service_account": "default"}])])) == 1
	count(found([fixture.create("google_container_cluster", {})])) == 1
}

test_own_account_passes if {
	count(found([
		pool([{"service_account": "nodes@acme.iam.gserviceaccount.com"}]),
		fixture.with_unknown(pool([{}]), {"node_config": [{"service_account": true}]}),
		fixture.create("google_container_cluster", {"remove_default_node_pool": true}),
		fixture.create("google_container_cluster", {"enable_autopilot": true}),
	])) == 0
}
