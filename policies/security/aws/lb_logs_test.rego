package tidelock.security.aws.lb_logs_test

import data.tidelock.fixture
import data.tidelock.security.aws.lb_logs

found(changes) := result if {
	result := lb_logs.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_without if {
	messages([fixture.create("aws_lb", {}), fixture.create("aws_elb", {})]) == {"Requests are logged nowhere."}
	count(found([fixture.create("aws_lb", {"access_logs": [{"enabled": false}]})])) == 1
}

test_with if {
	count(found([
		fixture.create("aws_lb", {"access_logs": [{"enabled": true}]}),
		fixture.create("aws_lb", {"load_balancer_type": "gateway"}),
		fixture.create("aws_elb", {"access_logs": [{"bucket": "a"}]}),
	])) == 0
}
