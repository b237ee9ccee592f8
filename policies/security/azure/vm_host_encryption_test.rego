package tidelock.security.azure.vm_host_encryption_test

import data.tidelock.fixture
import data.tidelock.security.azure.vm_host_encryption

found(changes) := result if {
	result := vm_host_encryption.deny with input as fixture.input_of(changes)
}

machine(after) := fixture.create("azurerm_windows_virtual_machine", after)

pool(after) := fixture.create("azurerm_kubernetes_cluster_node_pool", after)

cluster(pool) := fixture.create("azurerm_kubernetes_cluster", {"default_node_pool": [pool]})

test_machines_without_it_are_found if {
	count(found([machine({})])) == 1
	count(found([machine({"encryption_at_host_enabled": false, "os_disk": [{"security_encryption_type": "VMGuestStateOnly"}]})])) == 1
	count(found([fixture.create("azurerm_linux_virtual_machine_scale_set", {})])) == 1
}

test_nodes_without_it_are_found if {
	count(found([pool({})])) == 1
	count(found([cluster({})])) == 1
	count(found([cluster({"enable_host_encryption": false})])) == 1
}

test_others_pass if {
	count(found([
		machine({"encryption_at_host_enabled": true}),
		machine({"os_disk": [{"security_encryption_type": "DiskWithVMGuestState"}]}),
		pool({"host_encryption_enabled": true}),
		pool({"enable_host_encryption": true}),
		cluster({"host_encryption_enabled": true}),
	])) == 0
}
