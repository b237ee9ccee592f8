package tidelock.security.aws.lb_http_test

import data.tidelock.fixture
import data.tidelock.security.aws.lb_http

found(changes) := result if {
	result := lb_http.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

listener(actions) := fixture.create("aws_lb_listener", {"protocol": "HTTP", "default_action": actions})

test_plain if {
	messages([listener([{"type": "forward"}])]) == {"Plain HTTP is served: the action of the listener is forward."}
	count(found([listener([{"type": "redirect", "redirect": [{"protocol": "#{protocol}"}]}])])) == 1
	messages([fixture.create("aws_elb", {"listener": [{"lb_protocol": "HTTP", "lb_port": 80}]})]) == {"Plain HTTP is served on port 80."}
}

test_others_pass if {
	count(found([
		listener([{"type": "redirect", "redirect": [{"protocol": "HTTPS"}]}]),
		listener([{"type": "fixed-response"}]),
		fixture.create("aws_lb_listener", {"protocol": "HTTPS", "default_action": [{"type": "forward"}]}),
		fixture.create("aws_elb", {"listener": [{"lb_protocol": "https", "lb_port": 443}]}),
	])) == 0
}
