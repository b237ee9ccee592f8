package tidelock.security.azure.automation_variable_test

import data.tidelock.fixture
import data.tidelock.security.azure.automation_variable

found(changes) := result if {
	result := automation_variable.deny with input as fixture.input_of(changes)
}

test_plain_variables_are_found if {
	count(found([fixture.create("azurerm_automation_variable_string", {})])) == 1
	count(found([fixture.create("azurerm_automation_variable_int", {"encrypted": false})])) == 1
}

test_encrypted_ones_pass if {
	count(found([fixture.create("azurerm_automation_variable_string", {"encrypted": true})])) == 0
}
