package tidelock.security.aws.lb_headers_test

import data.tidelock.fixture
import data.tidelock.security.aws.lb_headers

found(changes) := result if {
	result := lb_headers.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_off if {
	messages([fixture.create("aws_lb", {"desync_mitigation_mode": "monitor"})]) == {
		"Invalid headers are passed on: drop_invalid_header_fields is not true.",
		"Requests that may be smuggled are let through: desync_mitigation_mode is monitor.",
	}
}

test_others_pass if {
	count(found([fixture.create("aws_lb", {"drop_invalid_header_fields": true}), fixture.create("aws_lb", {"load_balancer_type": "network"})])) == 0
}
