package tidelock.security.aws.lb_tls_policy_test

import data.tidelock.fixture
import data.tidelock.security.aws.lb_tls_policy

found(changes) := result if {
	result := lb_tls_policy.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

listener(policy) := fixture.create("aws_lb_listener", {"protocol": "HTTPS", "ssl_policy": policy})

test_old if {
	messages([listener("ELBSecurityPolicy-TLS-1-1-2017-01")]) == {"TLS 1.0 or 1.1 is accepted: ssl_policy is ELBSecurityPolicy-TLS-1-1-2017-01."}
	count(found([listener(null)])) == 1
	count(found([listener("ELBSecurityPolicy-TLS13-1-0-2021-06"), listener("ELBSecurityPolicy-FS-2018-06")])) == 2
}

test_new if {
	count(found([
		listener("ELBSecurityPolicy-TLS13-1-2-2021-06"),
		listener("ELBSecurityPolicy-TLS13-1-3-2021-06"),
		listener("ELBSecurityPolicy-TLS-1-2-Ext-2018-06"),
		listener("ELBSecurityPolicy-FS-1-2-Res-2020-10"),
		fixture.create("aws_lb_listener", {"protocol": "TCP"}),
	])) == 0
}
