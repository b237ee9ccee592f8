package tidelock.security.google.gke_shielded_nodes_test

import data.tidelock.fixture
import data.tidelock.security.google.gke_shielded_nodes

found(changes) := result if {
	result := gke_shielded_nodes.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

pool(config) := fixture.create("google_container_node_pool", {"node_config": [{"shielded_instance_config": config}]})

test_unshielded_is_found if {
	messages([fixture.create("google_container_cluster", {"enable_shielded_nodes": false, "remove_default_node_pool": true})]) == {"This cluster's nodes prove nothing to it: enable_shielded_nodes is false."}
	messages([pool([])]) == {"These nodes are not wholly shielded: enable_secure_boot is not true."}
	messages([pool([{"enable_secure_boot": true, "enable_integrity_monitoring": false}])]) == {"These nodes are not wholly shielded: enable_integrity_monitoring is not true."}
}

test_shielded_passes if {
	count(found([
		pool([{"enable_secure_boot": true, "enable_integrity_monitoring": true}]),
		fixture.create("google_container_cluster", {"enable_shielded_nodes": true, "remove_default_node_pool": true}),
		fixture.create("google_container_cluster", {"enable_autopilot": true}),
	])) == 0
}
