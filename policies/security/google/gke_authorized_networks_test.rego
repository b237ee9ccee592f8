package tidelock.security.google.gke_authorized_networks_test

import data.tidelock.fixture
import data.tidelock.security.google.gke_authorized_networks

found(changes) := result if {
	result := gke_authorized_networks.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

cluster(fields) := fixture.create("google_container_cluster", fields)

networks(range) := [{"cidr_blocks": [{"cidr_block": range}]}]

test_everyone_is_denied if {
	messages([cluster({"master_authorized_networks_config": networks("0.0.0.0/0")})]) == {"0.0.0.0/0 may reach this cluster's API."}
}

test_no_networks_are_a_warning if {
	some f in found([cluster({})])
	f.level == "advisory"
	f.msg == "Every address may reach this cluster's API: it has no master_authorized_networks_config."
}

test_named_networks_and_private_endpoints_pass if {
	count(found([
		cluster({"master_authorized_networks_config": networks("198.51.100.0/24")}),
		cluster({"master_authorized_networks_config": [{"cidr_blocks": []}]}),
		cluster({"private_cluster_config": [{"enable_private_endpoint": true}]}),
		cluster({"control_plane_endpoints_config": [{"ip_endpoints_config": [{"enabled": false}]}]}),
	])) == 0
}
