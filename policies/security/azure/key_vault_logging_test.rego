package tidelock.security.azure.key_vault_logging_test

import data.tidelock.fixture
import data.tidelock.security.azure.key_vault_logging

found(changes) := result if {
	result := key_vault_logging.deny with input as fixture.input_of(changes)
}

vault := fixture.create("azurerm_key_vault", {"id": "/vaults/a"})

setting(id) := fixture.noop("azurerm_monitor_diagnostic_setting", {"target_resource_id": id})

test_vaults_without_logs_are_found if {
	count(found([vault])) == 1
	count(found([vault, setting("/vaults/b")])) == 1
}

test_vaults_with_logs_pass if {
	count(found([vault, setting("/vaults/a")])) == 0
}
