package tidelock.security.google.subnet_flow_logs_test

import data.tidelock.fixture
import data.tidelock.security.google.subnet_flow_logs

found(changes) := result if {
	result := subnet_flow_logs.deny with input as fixture.input_of(changes)
}

subnet(fields) := fixture.create("google_compute_subnetwork", fields)

test_no_logs_are_found if {
	count(found([subnet({"log_config": []})])) == 1
	count(found([subnet({"purpose": "PRIVATE"})])) == 1
}

test_logs_and_subnets_of_proxies_pass if {
	count(found([
		subnet({"log_config": [{"flow_sampling": 0.5}]}),
		subnet({"purpose": "REGIONAL_MANAGED_PROXY"}),
	])) == 0
}
