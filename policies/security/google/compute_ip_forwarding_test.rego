package tidelock.security.google.compute_ip_forwarding_test

import data.tidelock.fixture
import data.tidelock.security.google.compute_ip_forwarding

found(changes) := result if {
	result := compute_ip_forwarding.deny with input as fixture.input_of(changes)
}

test_forwarding_is_found if {
	count(found([fixture.create("google_compute_instance", {"can_ip_forward": true}), fixture.create("google_compute_region_instance_template", {"can_ip_forward": true})])) == 2
	count(found([fixture.create("google_compute_instance_template", {"can_ip_forward": true})])) == 1
}

test_no_forwarding_passes if {
	count(found([fixture.create("google_compute_instance", {"can_ip_forward": false}), fixture.create("google_compute_instance", {})])) == 0
}
