package tidelock.security.google.compute_serial_port_test

import data.tidelock.fixture
import data.tidelock.security.google.compute_serial_port

found(changes) := result if {
	result := compute_serial_port.deny with input as fixture.input_of(changes)
}

test_serial_port_is_found if {
	count(found([fixture.create("google_compute_instance", {"metadata": {"serial-port-enable": "true"}})])) == 1
	count(found([fixture.create("google_compute_instance", {"metadata": {"serial-port-enable": "1"}})])) == 1
	count(found([fixture.create("google_compute_project_metadata", {"metadata": {"serial-port-enable": "TRUE"}})])) == 1
	count(found([fixture.create("google_compute_project_metadata_item", {"key": "serial-port-enable", "value": "TRUE"})])) == 1
}

test_closed_port_passes if {
	count(found([
		fixture.create("google_compute_instance", {"metadata": {"serial-port-enable": "FALSE"}}),
		fixture.create("google_compute_instance", {"metadata": {"a": "true"}}),
		fixture.create("google_compute_instance", {"metadata": null}),
		fixture.create("google_compute_project_metadata_item", {"key": "a", "value": "TRUE"}),
	])) == 0
}
