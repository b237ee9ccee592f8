package tidelock.security.google.load_balancer_logs_test

import data.tidelock.fixture
import data.tidelock.security.google.load_balancer_logs

found(changes) := result if {
	result := load_balancer_logs.deny with input as fixture.input_of(changes)
}

backend(fields) := fixture.create("google_compute_backend_service", fields)

test_no_logs_are_found if {
	count(found([backend({})])) == 1
	count(found([backend({"protocol": "HTTPS", "load_balancing_scheme": "EXTERNAL_MANAGED", "log_config": [{"enable": false}]})])) == 1
}

test_logs_and_inner_services_pass if {
	count(found([
		backend({"log_config": [{"enable": true}]}),
		backend({"load_balancing_scheme": "INTERNAL_SELF_MANAGED"}),
		backend({"protocol": "TCP"}),
		fixture.create("google_compute_region_backend_service", {}),
	])) == 0
}
