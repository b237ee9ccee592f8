package tidelock.security.azure.disk_public_network_test

import data.tidelock.fixture
import data.tidelock.security.azure.disk_public_network

found(changes) := result if {
	result := disk_public_network.deny with input as fixture.input_of(changes)
}

test_open_disks_are_found if {
	count(found([fixture.create("azurerm_managed_disk", {})])) == 1
	count(found([fixture.create("azurerm_snapshot", {"network_access_policy": "AllowAll", "public_network_access_enabled": true})])) == 1
}

test_closed_disks_pass if {
	count(found([
		fixture.create("azurerm_managed_disk", {"network_access_policy": "DenyAll"}),
		fixture.create("azurerm_managed_disk", {"network_access_policy": "AllowAll", "public_network_access_enabled": false}),
	])) == 0
}
