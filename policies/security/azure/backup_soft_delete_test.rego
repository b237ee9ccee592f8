package tidelock.security.azure.backup_soft_delete_test

import data.tidelock.fixture
import data.tidelock.security.azure.backup_soft_delete

found(changes) := result if {
	result := backup_soft_delete.deny with input as fixture.input_of(changes)
}

test_vaults_without_it_are_found if {
	count(found([fixture.create("azurerm_data_protection_backup_vault", {"soft_delete": "Off"})])) == 1
	count(found([fixture.create("azurerm_recovery_services_vault", {"soft_delete_enabled": false})])) == 1
}

test_others_pass if {
	count(found([
		fixture.create("azurerm_data_protection_backup_vault", {"soft_delete": "AlwaysOn"}),
		fixture.create("azurerm_data_protection_backup_vault", {}),
		fixture.create("azurerm_recovery_services_vault", {}),
	])) == 0
}
