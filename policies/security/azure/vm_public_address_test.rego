package tidelock.security.azure.vm_public_address_test

import data.tidelock.fixture
import data.tidelock.security.azure.vm_public_address

found(changes) := result if {
	result := vm_public_address.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

nic(configuration) := fixture.create("azurerm_network_interface", {"ip_configuration": [configuration]})

set(configuration) := fixture.create("azurerm_linux_virtual_machine_scale_set", {"network_interface": [{"ip_configuration": [configuration]}]})

test_public_addresses_are_found if {
	messages([nic({"name": "main", "public_ip_address_id": "/publicIPAddresses/a"})]) == {"The machine gets a public address (ip_configuration main)."}
	count(found([fixture.with_unknown(nic({"name": "main"}), {"ip_configuration": [{"public_ip_address_id": true}]})])) == 1
	count(found([set({"public_ip_address": [{"name": "a"}]})])) == 1
}

test_nodes_with_public_addresses_are_found if {
	count(found([fixture.create("azurerm_kubernetes_cluster_node_pool", {"node_public_ip_enabled": true})])) == 1
	count(found([fixture.create("azurerm_kubernetes_cluster", {"default_node_pool": [{"enable_node_public_ip": true}]})])) == 1
}

test_private_ones_pass if {
	count(found([
		nic({"name": "main", "public_ip_address_id": null}),
		set({"public_ip_address": []}),
		fixture.create("azurerm_kubernetes_cluster_node_pool", {"node_public_ip_enabled": false}),
		fixture.create("azurerm_kubernetes_cluster", {"default_node_pool": [{"name": "system"}]}),
	])) == 0
}
