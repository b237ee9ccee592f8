package tidelock.security.azure.storage_infrastructure_encryption_test

import data.tidelock.fixture
import data.tidelock.security.azure.storage_infrastructure_encryption

found(changes) := result if {
	result := storage_infrastructure_encryption.deny with input as fixture.input_of(changes)
}

test_new_accounts_without_it_are_found if {
	count(found([fixture.create("azurerm_storage_account", {"infrastructure_encryption_enabled": false})])) == 1
	count(found([fixture.replace("azurerm_storage_account", {})])) == 1
}

test_others_pass if {
	count(found([
		fixture.create("azurerm_storage_account", {"infrastructure_encryption_enabled": true}),
		fixture.update("azurerm_storage_account", {"infrastructure_encryption_enabled": false}),
	])) == 0
}
