package tidelock.security.google.subnet_private_access_test

import data.tidelock.fixture
import data.tidelock.security.google.subnet_private_access

found(changes) := result if {
	result := subnet_private_access.deny with input as fixture.input_of(changes)
}

subnet(fields) := fixture.create("google_compute_subnetwork", fields)

test_no_private_access_is_found if {
	count(found([subnet({"private_ip_google_access": false})])) == 1
	count(found([subnet({})])) == 1
}

test_private_access_and_subnets_of_proxies_pass if {
	count(found([
		subnet({"private_ip_google_access": true}),
		subnet({"purpose": "PRIVATE_SERVICE_CONNECT", "private_ip_google_access": false}),
	])) == 0
}
