package tidelock.security.google.gke_private_nodes_test

import data.tidelock.fixture
import data.tidelock.security.google.gke_private_nodes

found(changes) := result if {
	result := gke_private_nodes.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

cluster(fields) := fixture.create("google_container_cluster", fields)

pool(private) := fixture.create("google_container_node_pool", {"network_config": [{"enable_private_nodes": private}]})

test_public_nodes_are_found if {
	count(found([cluster({})])) == 1
	count(found([cluster({"private_cluster_config": [{"enable_private_nodes": false}]})])) == 1
	messages([pool(false)]) == {"This pool's nodes have external addresses: enable_private_nodes is false."}
}

test_private_nodes_pass if {
	count(found([
		cluster({"private_cluster_config": [{"enable_private_nodes": true}]}),
		pool(true),
		fixture.create("google_container_node_pool", {}),
	])) == 0
}
