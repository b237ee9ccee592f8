package tidelock.security.azure.vm_password_test

import data.tidelock.fixture
import data.tidelock.security.azure.vm_password

found(changes) := result if {
	result := vm_password.deny with input as fixture.input_of(changes)
}

test_passwords_are_found if {
	count(found([fixture.create("azurerm_linux_virtual_machine", {"disable_password_authentication": false})])) == 1
	count(found([fixture.create("azurerm_linux_virtual_machine_scale_set", {"disable_password_authentication": false})])) == 1
	count(found([fixture.create("azurerm_virtual_machine", {"os_profile_linux_config": [{"disable_password_authentication": false}]})])) == 1
	count(found([fixture.create("azurerm_orchestrated_virtual_machine_scale_set", {"os_profile": [{"linux_configuration": [{"disable_password_authentication": false}]}]})])) == 1
}

test_others_pass if {
	count(found([
		fixture.create("azurerm_linux_virtual_machine", {"disable_password_authentication": true}),
		fixture.create("azurerm_linux_virtual_machine", {}),
		fixture.create("azurerm_virtual_machine", {"os_profile_linux_config": []}),
	])) == 0
}
