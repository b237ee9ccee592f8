package tidelock.security.aws.public_ingress_test

import data.tidelock.fixture
import data.tidelock.security.aws.public_ingress

messages(changes) := {f.msg | some f in found(changes)}

found(changes) := result if {
	result := public_ingress.deny with input as fixture.input_of(changes)
}

group(ingress) := fixture.create("aws_security_group", {"ingress": [ingress]})

rule(fields) := fixture.create("aws_security_group_rule", object.union({"type": "ingress", "protocol": "tcp", "from_port": 22, "to_port": 22}, fields))

single(fields) := fixture.create("aws_vpc_security_group_ingress_rule", object.union({"ip_protocol": "tcp", "from_port": 22, "to_port": 22}, fields))

test_ssh_from_everywhere_is_denied_in_all_three_forms if {
	messages([group({"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["0.0.0.0/0"], "ipv6_cidr_blocks": []})]) == {"0.0.0.0/0 may reach tcp port 22."}
	messages([rule({"cidr_blocks": ["0.0.0.0/0"]})]) == {"0.0.0.0/0 may reach tcp port 22."}
	messages([single({"cidr_ipv4": "0.0.0.0/0"})]) == {"0.0.0.0/0 may reach tcp port 22."}
}

test_ipv6_is_denied if {
	messages([group({"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": [], "ipv6_cidr_blocks": ["::/0"]})]) == {"::/0 may reach tcp port 22."}
	messages([rule({"cidr_blocks": null, "ipv6_cidr_blocks": ["::/0"]})]) == {"::/0 may reach tcp port 22."}
	messages([single({"cidr_ipv6": "::/0"})]) == {"::/0 may reach tcp port 22."}
}

test_default_group_is_judged if {
	rc := fixture.update("aws_default_security_group", {"ingress": [{"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}]})
	messages([rc]) == {"0.0.0.0/0 may reach every port."}
}

test_every_protocol_is_denied if {
	messages([single({"ip_protocol": "-1", "from_port": null, "to_port": null, "cidr_ipv4": "0.0.0.0/0"})]) == {"0.0.0.0/0 may reach every port."}
	messages([single({"ip_protocol": "icmp", "from_port": 80, "to_port": 80, "cidr_ipv4": "0.0.0.0/0"})]) == {"0.0.0.0/0 may reach protocol icmp."}
}

test_a_range_over_80_and_443_is_denied if {
	messages([rule({"from_port": 80, "to_port": 443, "cidr_blocks": ["0.0.0.0/0"]})]) == {"0.0.0.0/0 may reach tcp ports 80 to 443."}
}

test_two_halves_of_the_internet_are_denied if {
	count(found([rule({"cidr_blocks": ["0.0.0.0/1", "128.0.0.0/1"]})])) == 2
}

test_web_ports_pass if {
	count(found([
		rule({"from_port": 443, "to_port": 443, "cidr_blocks": ["0.0.0.0/0"], "ipv6_cidr_blocks": ["::/0"]}),
		single({"from_port": 80, "to_port": 80, "cidr_ipv4": "0.0.0.0/0"}),
		single({"ip_protocol": "udp", "from_port": 443, "to_port": 443, "cidr_ipv4": "0.0.0.0/0"}),
		group({"protocol": "6", "from_port": 443, "to_port": 443, "cidr_blocks": ["0.0.0.0/0"]}),
	])) == 0
}

test_named_sources_pass if {
	count(found([
		rule({"cidr_blocks": ["10.0.0.0/8", "198.51.100.0/24"]}),
		rule({"source_security_group_id": "sg-1", "cidr_blocks": null, "ipv6_cidr_blocks": null}),
		single({"referenced_security_group_id": "sg-1", "cidr_ipv4": null}),
		group({"protocol": "-1", "from_port": 0, "to_port": 0, "self": true, "cidr_blocks": [], "ipv6_cidr_blocks": []}),
	])) == 0
}

test_egress_passes if {
	count(found([
		rule({"type": "egress", "protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}),
		fixture.create("aws_security_group", {"egress": [{"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}]}),
	])) == 0
}

test_what_goes_or_stays_passes if {
	open := {"type": "ingress", "protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["0.0.0.0/0"]}
	count(found([
		fixture.remove("aws_security_group_rule", open),
		fixture.noop("aws_security_group_rule", open),
		object.union(fixture.create("aws_security_group_rule", open), {"mode": "data"}),
	])) == 0
	count(found([fixture.replace("aws_security_group_rule", open)])) == 1
	count(found([fixture.update("aws_security_group_rule", open)])) == 1
}

test_unknown_source_is_a_warning if {
	changes := [
		fixture.with_unknown(rule({}), {"cidr_blocks": true}),
		object.union(fixture.with_unknown(rule({"cidr_blocks": [null]}), {"cidr_blocks": [true]}), {"address": "b"}),
		fixture.with_unknown(single({}), {"cidr_ipv4": true}),
		fixture.with_unknown(group({"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": [null]}), {"ingress": [{"cidr_blocks": [true]}]}),
	]
	all := found(changes)
	count(all) == 4
	every f in all { f.level == "advisory" }
}

test_unknown_source_on_a_web_port_passes if {
	count(found([fixture.with_unknown(rule({"from_port": 443, "to_port": 443}), {"cidr_blocks": true})])) == 0
}

test_known_public_beside_unknown_source_is_denied if {
	all := found([fixture.with_unknown(rule({"cidr_blocks": ["0.0.0.0/0", null]}), {"cidr_blocks": [false, true]})])
	count([f | some f in all; not f.level]) == 1
}

test_unknown_port_counts_as_closed if {
	rc := fixture.create("aws_security_group_rule", {"type": "ingress", "protocol": "tcp", "to_port": 443, "cidr_blocks": ["0.0.0.0/0"]})
	messages([fixture.with_unknown(rc, {"from_port": true})]) == {"0.0.0.0/0 may reach tcp a port that is not known yet."}
}

test_unknown_protocol_counts_as_closed if {
	rc := fixture.create("aws_security_group_rule", {"type": "ingress", "from_port": 443, "to_port": 443, "cidr_blocks": ["0.0.0.0/0"]})
	messages([fixture.with_unknown(rc, {"protocol": true})]) == {"0.0.0.0/0 may reach a protocol that is not known yet."}
}

test_unknown_type_of_rule_counts_as_ingress if {
	rc := fixture.create("aws_security_group_rule", {"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["0.0.0.0/0"]})
	count(found([fixture.with_unknown(rc, {"type": true})])) == 1
}

test_group_whose_rules_stand_elsewhere_passes if {
	count(found([fixture.with_unknown(fixture.create("aws_security_group", {"name": "a"}), {"ingress": true})])) == 0
}

test_ports_by_setting if {
	given := fixture.input_of([rule({"cidr_blocks": ["0.0.0.0/0"]})])
	none := public_ingress.deny with input as fixture.with_settings(given, "security", {"public_ports": [22]})
	count(none) == 0
}
