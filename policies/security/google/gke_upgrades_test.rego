package tidelock.security.google.gke_upgrades_test

import data.tidelock.fixture
import data.tidelock.security.google.gke_upgrades

found(changes) := result if {
	result := gke_upgrades.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

cluster(channel) := fixture.create("google_container_cluster", {"release_channel": [{"channel": channel}]})

pool(fields) := fixture.create("google_container_node_pool", {"management": [fields]})

test_no_upgrades_are_found if {
	count(found([cluster("UNSPECIFIED")])) == 1
	messages([pool({"auto_upgrade": false, "auto_repair": false})]) == {"These nodes are not kept in order: auto_upgrade is false.", "These nodes are not kept in order: auto_repair is false."}
}

test_upgrades_pass if {
	count(found([
		cluster("STABLE"),
		fixture.create("google_container_cluster", {}),
		pool({"auto_upgrade": true, "auto_repair": true}),
	])) == 0
}
