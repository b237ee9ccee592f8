package tidelock.security.google.compute_public_ip_test

import data.tidelock.fixture
import data.tidelock.security.google.compute_public_ip

found(changes) := result if {
	result := compute_public_ip.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

machine(nic) := fixture.create("google_compute_instance_template", {"network_interface": [nic]})

test_external_addresses_are_found if {
	messages([machine({"access_config": [{"network_tier": "PREMIUM"}]})]) == {"A network_interface has an external address: it has a block access_config."}
	messages([machine({"access_config": [], "ipv6_access_config": [{"network_tier": "PREMIUM"}]})]) == {"A network_interface has an external address: it has a block ipv6_access_config."}
}

test_private_addresses_pass if {
	count(found([machine({"access_config": []}), machine({"subnetwork": "main"}), fixture.create("google_compute_instance", {})])) == 0
}
