package tidelock.security.google.dns_logs_test

import data.tidelock.fixture
import data.tidelock.security.google.dns_logs

found(changes) := result if {
	result := dns_logs.deny with input as fixture.input_of(changes)
}

test_no_logs_are_found if {
	count(found([fixture.create("google_dns_policy", {})])) == 1
	count(found([fixture.create("google_dns_policy", {"enable_logging": false})])) == 1
}

test_logs_pass if {
	count(found([fixture.create("google_dns_policy", {"enable_logging": true})])) == 0
}
