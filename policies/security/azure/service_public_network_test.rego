package tidelock.security.azure.service_public_network_test

import data.tidelock.fixture
import data.tidelock.security.azure.service_public_network

found(changes) := result if {
	result := service_public_network.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_open_services_are_found if {
	messages([fixture.create("azurerm_synapse_workspace", {})]) == {"Every network may reach the service: public_network_access_enabled is not off."}
	messages([fixture.create("azurerm_app_configuration", {"public_network_access": "Enabled"})]) == {"Every network may reach the service: public_network_access is not off."}
	count(found([fixture.create("azurerm_servicebus_namespace", {"sku": "Premium"})])) == 1
	count(found([fixture.create("azurerm_eventhub_namespace", {"sku": "Standard"})])) == 1
	count(found([fixture.create("azurerm_search_service", {"allowed_ips": []})])) == 1
}

test_closed_services_pass if {
	count(found([
		fixture.create("azurerm_databricks_workspace", {"public_network_access_enabled": false}),
		fixture.create("azurerm_managed_redis", {"public_network_access": "Disabled"}),
		fixture.create("azurerm_servicebus_namespace", {"sku": "Standard"}),
		fixture.create("azurerm_eventhub_namespace", {"sku": "Basic"}),
	])) == 0
}

test_limited_services_pass if {
	count(found([
		fixture.create("azurerm_cognitive_account", {"network_acls": [{"default_action": "Deny"}]}),
		fixture.create("azurerm_search_service", {"allowed_ips": ["198.51.100.0/24"]}),
		fixture.with_unknown(fixture.create("azurerm_search_service", {}), {"allowed_ips": true}),
	])) == 0
}

# An IoT hub that says nothing about it is open; the plan calls that unknown.
test_left_out_is_open if {
	count(found([fixture.with_unknown(fixture.create("azurerm_iothub", {}), {"public_network_access_enabled": true})])) == 1
}
