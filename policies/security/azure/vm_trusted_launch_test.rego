package tidelock.security.azure.vm_trusted_launch_test

import data.tidelock.fixture
import data.tidelock.security.azure.vm_trusted_launch

found(changes) := result if {
	result := vm_trusted_launch.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

machine(after) := fixture.create("azurerm_windows_virtual_machine", after)

test_machines_without_it_are_found if {
	messages([machine({})]) == {"Trusted launch is not whole: without secure_boot_enabled and vtpm_enabled."}
	messages([machine({"secure_boot_enabled": true, "vtpm_enabled": false})]) == {"Trusted launch is not whole: without vtpm_enabled."}
	count(found([fixture.create("azurerm_linux_virtual_machine_scale_set", {})])) == 1
}

test_others_pass if {
	count(found([
		machine({"secure_boot_enabled": true, "vtpm_enabled": true}),
		fixture.update("azurerm_linux_virtual_machine", {"secure_boot_enabled": false, "vtpm_enabled": false}),
	])) == 0
}
