package tidelock.security.google.gke_workload_identity_test

import data.tidelock.fixture
import data.tidelock.security.google.gke_workload_identity

found(changes) := result if {
	result := gke_workload_identity.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

cluster(fields) := fixture.create("google_container_cluster", fields)

mode(is) := fixture.create("google_container_node_pool", {"node_config": [{"workload_metadata_config": [{"mode": is}]}]})

test_nodes_rights_are_found if {
	count(found([cluster({})])) == 1
	messages([mode("GCE_METADATA")]) == {"Pods here have the rights of their node: workload_metadata_config.mode is GCE_METADATA."}
}

test_workload_identity_passes if {
	count(found([
		cluster({"workload_identity_config": [{"workload_pool": "acme.svc.id.goog"}]}),
		cluster({"enable_autopilot": true}),
		mode("GKE_METADATA"),
		fixture.create("google_container_node_pool", {}),
	])) == 0
}

test_pool_that_is_made_in_the_plan_passes if {
	count(found([fixture.with_unknown(cluster({"workload_identity_config": [{}]}), {"workload_identity_config": [{"workload_pool": true}]})])) == 0
}
