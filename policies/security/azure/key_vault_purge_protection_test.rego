package tidelock.security.azure.key_vault_purge_protection_test

import data.tidelock.fixture
import data.tidelock.security.azure.key_vault_purge_protection

found(changes) := result if {
	result := key_vault_purge_protection.deny with input as fixture.input_of(changes)
}

vault(after) := fixture.create("azurerm_key_vault", after)

test_vaults_without_it_are_found if {
	count(found([vault({"purge_protection_enabled": false}), object.union(vault({}), {"address": "b"})])) == 2
	count(found([fixture.create("azurerm_key_vault_managed_hardware_security_module", {})])) == 1
}

test_vaults_with_it_pass if {
	count(found([vault({"purge_protection_enabled": true})])) == 0
}
