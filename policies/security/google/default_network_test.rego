package tidelock.security.google.default_network_test

import data.tidelock.fixture
import data.tidelock.security.google.default_network

found(changes) := result if {
	result := default_network.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_automatic_networks_are_found if {
	messages([fixture.create("google_project", {})]) == {"Google lays out this network: auto_create_network is true, which is its default."}
	messages([fixture.create("google_compute_network", {"auto_create_subnetworks": true})]) == {"Google lays out this network: auto_create_subnetworks is true, which is its default."}
}

test_own_networks_pass if {
	count(found([fixture.create("google_project", {"auto_create_network": false}), fixture.create("google_compute_network", {"auto_create_subnetworks": false})])) == 0
}
