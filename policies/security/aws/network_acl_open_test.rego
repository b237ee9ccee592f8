package tidelock.security.aws.network_acl_open_test

import data.tidelock.fixture
import data.tidelock.security.aws.network_acl_open

found(changes) := result if {
	result := network_acl_open.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

rule(fields) := fixture.create("aws_network_acl_rule", object.union({"rule_action": "allow", "protocol": "tcp", "from_port": 0, "to_port": 65535}, fields))

test_open if {
	messages([rule({"cidr_block": "0.0.0.0/0"})]) == {"0.0.0.0/0 may reach port 22.", "0.0.0.0/0 may reach port 3389."}
	messages([rule({"ipv6_cidr_block": "::/0", "from_port": 22, "to_port": 22})]) == {"::/0 may reach port 22."}
	count(found([fixture.create("aws_network_acl", {"ingress": [{"action": "allow", "protocol": "-1", "cidr_block": "0.0.0.0/0"}]})])) == 2
}

test_others_pass if {
	count(found([
		rule({"cidr_block": "0.0.0.0/0", "from_port": 443, "to_port": 443}),
		rule({"cidr_block": "0.0.0.0/0", "protocol": "udp"}),
		rule({"cidr_block": "10.0.0.0/8"}),
		rule({"cidr_block": "0.0.0.0/0", "egress": true}),
		rule({"cidr_block": "0.0.0.0/0", "rule_action": "deny"}),
	])) == 0
}
