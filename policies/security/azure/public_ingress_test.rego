package tidelock.security.azure.public_ingress_test

import data.tidelock.fixture
import data.tidelock.security.azure.public_ingress

found(changes) := result if {
	result := public_ingress.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

fields := {
	"name": "in",
	"direction": "Inbound",
	"access": "Allow",
	"protocol": "Tcp",
	"source_address_prefix": "*",
	"source_address_prefixes": [],
	"destination_port_range": "3389",
	"destination_port_ranges": [],
}

rule(other) := fixture.create("azurerm_network_security_rule", object.union(fields, other))

group(other) := fixture.create("azurerm_network_security_group", {"security_rule": [object.union(fields, other)]})

test_every_word_for_the_internet_is_denied if {
	every source in ["*", "Internet", "internet", "Any", "0.0.0.0/0", "::/0", "0.0.0.0"] {
		count(found([rule({"source_address_prefix": source})])) == 1
		count(found([group({"source_address_prefix": source})])) == 1
	}
}

test_message if {
	messages([rule({})]) == {"* may reach tcp port 3389."}
	messages([group({})]) == {"* may reach tcp port 3389 (rule in)."}
	messages([rule({"destination_port_range": "*"})]) == {"* may reach every port."}
}

test_sources_in_a_list_are_denied if {
	count(found([rule({"source_address_prefix": null, "source_address_prefixes": ["10.0.0.0/8", "0.0.0.0/0"]})])) == 1
}

test_ports_in_a_list_are_denied if {
	count(found([rule({"destination_port_range": null, "destination_port_ranges": ["443", "22"]})])) == 1
	count(found([rule({"destination_port_range": null, "destination_port_ranges": ["80-443"]})])) == 1
}

test_web_ports_pass if {
	count(found([
		rule({"destination_port_range": "443"}),
		rule({"destination_port_range": "443-443"}),
		rule({"destination_port_range": null, "destination_port_ranges": ["80", "443"]}),
		group({"destination_port_range": "80"}),
	])) == 0
}

test_named_sources_pass if {
	count(found([
		rule({"source_address_prefix": "VirtualNetwork"}),
		rule({"source_address_prefix": "AzureLoadBalancer"}),
		rule({"source_address_prefix": "10.1.0.0/16"}),
		rule({"source_address_prefix": null, "source_address_prefixes": ["198.51.100.0/24"]}),
	])) == 0
}

test_outbound_and_deny_pass if {
	count(found([
		rule({"direction": "Outbound"}),
		rule({"access": "Deny"}),
		rule({"access": "deny"}),
		group({"direction": "outbound"}),
	])) == 0
}

test_what_goes_or_stays_passes if {
	count(found([
		fixture.remove("azurerm_network_security_rule", fields),
		fixture.noop("azurerm_network_security_rule", fields),
	])) == 0
	count(found([fixture.replace("azurerm_network_security_rule", fields)])) == 1
}

test_unknown_direction_or_access_counts_as_the_worse if {
	rc := fixture.create("azurerm_network_security_rule", object.remove(fields, ["direction", "access"]))
	count(found([fixture.with_unknown(rc, {"direction": true, "access": true})])) == 1
}

test_unknown_source_is_a_warning if {
	rc := fixture.create("azurerm_network_security_rule", object.remove(fields, ["source_address_prefix"]))
	some f in found([fixture.with_unknown(rc, {"source_address_prefix": true})])
	f.level == "advisory"
	inline := fixture.create("azurerm_network_security_group", {"security_rule": [object.remove(fields, ["source_address_prefix"])]})
	some g in found([fixture.with_unknown(inline, {"security_rule": [{"source_address_prefix": true}]})])
	g.level == "advisory"
}

test_unknown_port_counts_as_closed if {
	rc := fixture.create("azurerm_network_security_rule", object.remove(fields, ["destination_port_range"]))
	messages([fixture.with_unknown(rc, {"destination_port_range": true})]) == {"* may reach a port that is not known yet."}
	listed := fixture.create("azurerm_network_security_rule", object.union(fields, {"destination_port_range": null, "destination_port_ranges": ["443", null]}))
	count(found([fixture.with_unknown(listed, {"destination_port_ranges": [false, true]})])) == 1
}

test_group_whose_rules_stand_elsewhere_passes if {
	count(found([fixture.with_unknown(fixture.create("azurerm_network_security_group", {"name": "a"}), {"security_rule": true})])) == 0
}
