package tidelock.security.azure.database_geo_backup_test

import data.tidelock.fixture
import data.tidelock.security.azure.database_geo_backup

found(changes) := result if {
	result := database_geo_backup.deny with input as fixture.input_of(changes)
}

test_servers_without_it_are_found if {
	count(found([fixture.create("azurerm_postgresql_flexible_server", {})])) == 1
	count(found([fixture.create("azurerm_mysql_flexible_server", {"geo_redundant_backup_enabled": false})])) == 1
}

test_others_pass if {
	count(found([
		fixture.create("azurerm_mysql_flexible_server", {"geo_redundant_backup_enabled": true}),
		fixture.create("azurerm_mysql_flexible_server", {"create_mode": "Replica"}),
		fixture.update("azurerm_mysql_flexible_server", {"geo_redundant_backup_enabled": false}),
	])) == 0
}
