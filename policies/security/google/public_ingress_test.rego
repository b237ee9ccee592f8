package tidelock.security.google.public_ingress_test

import data.tidelock.fixture
import data.tidelock.security.google.public_ingress

found(changes) := result if {
	result := public_ingress.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

fields := {
	"direction": "INGRESS",
	"disabled": false,
	"source_ranges": ["0.0.0.0/0"],
	"source_tags": null,
	"allow": [{"protocol": "tcp", "ports": ["22"]}],
}

firewall(other) := fixture.create("google_compute_firewall", object.union(fields, other))

test_ssh_from_everywhere_is_denied if {
	messages([firewall({})]) == {"0.0.0.0/0 may reach tcp port 22."}
	messages([firewall({"source_ranges": ["::/0"]})]) == {"::/0 may reach tcp port 22."}
}

test_only_true_disables if {
	count(found([firewall({"disabled": null})])) == 1
	count(found([fixture.create("google_compute_firewall", object.remove(fields, ["disabled"]))])) == 1
}

test_no_ports_means_every_port if {
	messages([firewall({"allow": [{"protocol": "tcp", "ports": []}]})]) == {"0.0.0.0/0 may reach every tcp port."}
	messages([firewall({"allow": [{"protocol": "all", "ports": null}]})]) == {"0.0.0.0/0 may reach every port."}
	messages([firewall({"allow": [{"protocol": "icmp", "ports": []}]})]) == {"0.0.0.0/0 may reach protocol icmp."}
}

test_each_allow_block_counts if {
	count(found([firewall({"allow": [{"protocol": "tcp", "ports": ["443"]}, {"protocol": "tcp", "ports": ["8000-9000"]}]})])) == 1
}

test_source_tags_do_not_narrow_a_range if {
	count(found([firewall({"source_tags": ["bastion"]})])) == 1
}

test_web_ports_pass if {
	count(found([
		firewall({"allow": [{"protocol": "tcp", "ports": ["80", "443"]}]}),
		firewall({"allow": [{"protocol": "udp", "ports": ["443"]}]}),
	])) == 0
}

test_named_sources_pass if {
	count(found([
		firewall({"source_ranges": ["35.235.240.0/20", "10.0.0.0/8"]}),
		firewall({"source_ranges": null, "source_tags": ["bastion"]}),
	])) == 0
}

test_egress_deny_and_disabled_pass if {
	count(found([
		firewall({"direction": "EGRESS"}),
		firewall({"disabled": true}),
		fixture.create("google_compute_firewall", object.union(object.remove(fields, ["allow"]), {"deny": [{"protocol": "all"}]})),
	])) == 0
}

test_direction_is_ingress_unless_said if {
	rc := fixture.create("google_compute_firewall", object.remove(fields, ["direction"]))
	count(found([fixture.with_unknown(rc, {"direction": true})])) == 1
}

test_what_goes_or_stays_passes if {
	count(found([
		fixture.remove("google_compute_firewall", fields),
		fixture.noop("google_compute_firewall", fields),
	])) == 0
	count(found([fixture.replace("google_compute_firewall", fields)])) == 1
}

test_unknown_source_is_a_warning if {
	rc := fixture.create("google_compute_firewall", object.remove(fields, ["source_ranges"]))
	some f in found([fixture.with_unknown(rc, {"source_ranges": true})])
	f.level == "advisory"
}

test_computed_source_beside_tags_passes if {
	rc := fixture.create("google_compute_firewall", object.union(object.remove(fields, ["source_ranges"]), {"source_tags": ["bastion"]}))
	count(found([fixture.with_unknown(rc, {"source_ranges": true})])) == 0
}

test_unknown_port_counts_as_closed if {
	count(found([firewall({"allow": [{"protocol": "tcp", "ports": ["443", null]}]})])) == 1
}

test_ports_by_setting if {
	none := public_ingress.deny with input as fixture.with_settings(fixture.input_of([firewall({})]), "security", {"public_ports": [22]})
	count(none) == 0
}

rule(other, match) := fixture.create("google_compute_network_firewall_policy_rule", object.union(
	{"direction": "INGRESS", "action": "allow", "disabled": false},
	object.union(other, {"match": [object.union({"src_ip_ranges": ["0.0.0.0/0"], "layer4_configs": [{"ip_protocol": "tcp", "ports": ["22"]}]}, match)]}),
))

test_rules_of_policies_are_denied if {
	messages([rule({}, {})]) == {"0.0.0.0/0 may reach tcp port 22."}
	messages([rule({}, {"layer4_configs": [{"ip_protocol": "all"}]})]) == {"0.0.0.0/0 may reach every port."}
}

test_rules_of_policies_that_pass if {
	count(found([
		rule({"action": "deny"}, {}),
		rule({"direction": "EGRESS"}, {}),
		rule({"disabled": true}, {}),
		rule({}, {"src_ip_ranges": ["10.0.0.0/8"]}),
		rule({}, {"layer4_configs": [{"ip_protocol": "tcp", "ports": ["443"]}]}),
	])) == 0
}

test_unknown_source_of_a_policy_is_a_warning if {
	some f in found([fixture.with_unknown(rule({}, {"src_ip_ranges": null}), {"match": [{"src_ip_ranges": true}]})])
	f.level == "advisory"
}
