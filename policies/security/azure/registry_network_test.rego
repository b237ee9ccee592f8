package tidelock.security.azure.registry_network_test

import data.tidelock.fixture
import data.tidelock.security.azure.registry_network

found(changes) := result if {
	result := registry_network.deny with input as fixture.input_of(changes)
}

registry(after) := fixture.create("azurerm_container_registry", object.union({"sku": "Premium"}, after))

test_open_registries_are_found if {
	count(found([registry({})])) == 1
	count(found([registry({"network_rule_set": [{"default_action": "Allow"}]})])) == 1
	count(found([fixture.with_unknown(registry({}), {"network_rule_set": true})])) == 1
}

test_others_pass if {
	count(found([
		registry({"public_network_access_enabled": false}),
		registry({"network_rule_set": [{"default_action": "Deny"}]}),
		registry({"sku": "Standard"}),
	])) == 0
}
