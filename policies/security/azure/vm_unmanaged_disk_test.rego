package tidelock.security.azure.vm_unmanaged_disk_test

import data.tidelock.fixture
import data.tidelock.security.azure.vm_unmanaged_disk

found(changes) := result if {
	result := vm_unmanaged_disk.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

machine(after) := fixture.create("azurerm_virtual_machine", after)

uri := "https://acme.blob.core.windows.net/vhds/os.vhd"

test_unmanaged_disks_are_found if {
	messages([machine({"storage_os_disk": [{"name": "os", "vhd_uri": uri}]})]) == {"The disk os is a file in a storage account: it has a vhd_uri."}
	messages([machine({"storage_data_disk": [{"name": "a"}, {"name": "b", "vhd_uri": uri}]})]) == {"The disk b is a file in a storage account: it has a vhd_uri."}
	count(found([fixture.with_unknown(machine({"storage_os_disk": [{"name": "os"}]}), {"storage_os_disk": [{"vhd_uri": true}]})])) == 1
}

test_managed_disks_pass if {
	count(found([machine({"storage_os_disk": [{"name": "os", "vhd_uri": "", "managed_disk_type": "Premium_LRS"}]})])) == 0
}
