package tidelock.security.aws.open_egress_test

import data.tidelock.fixture
import data.tidelock.security.aws.open_egress

found(changes) := result if {
	result := open_egress.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_everything if {
	messages([fixture.create("aws_vpc_security_group_egress_rule", {"ip_protocol": "-1", "cidr_ipv4": "0.0.0.0/0", "cidr_ipv6": null})]) == {"Its machines may reach 0.0.0.0/0 on every port."}
	messages([fixture.create("aws_security_group", {"egress": [{"protocol": "tcp", "from_port": 0, "to_port": 65535, "ipv6_cidr_blocks": ["::/0"]}]})]) == {"Its machines may reach ::/0 on every port."}
	count(found([fixture.create("aws_security_group_rule", {"type": "egress", "protocol": "all", "cidr_blocks": ["0.0.0.0/0"]})])) == 1
}

test_others_pass if {
	count(found([
		fixture.create("aws_vpc_security_group_egress_rule", {"ip_protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_ipv4": "0.0.0.0/0"}),
		fixture.create("aws_security_group_rule", {"type": "ingress", "protocol": "-1", "cidr_blocks": ["0.0.0.0/0"]}),
		fixture.create("aws_security_group", {"egress": [{"protocol": "-1", "cidr_blocks": ["10.0.0.0/8"]}]}),
	])) == 0
}
