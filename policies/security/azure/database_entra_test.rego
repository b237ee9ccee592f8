package tidelock.security.azure.database_entra_test

import data.tidelock.fixture
import data.tidelock.security.azure.database_entra

found(changes) := result if {
	result := database_entra.deny with input as fixture.input_of(changes)
}

sql(after) := fixture.create("azurerm_mssql_server", after)

postgres(after) := fixture.create("azurerm_postgresql_flexible_server", after)

test_servers_without_entra_are_found if {
	count(found([sql({})])) == 1
	count(found([sql({"azuread_administrator": []})])) == 1
	count(found([postgres({"authentication": [{"active_directory_auth_enabled": false}]})])) == 1
	count(found([fixture.with_unknown(postgres({}), {"authentication": true})])) == 1
}

test_servers_with_it_pass if {
	count(found([
		sql({"azuread_administrator": [{"login_username": "admins"}]}),
		fixture.with_unknown(sql({}), {"azuread_administrator": true}),
		postgres({"authentication": [{"active_directory_auth_enabled": true}]}),
		postgres({"create_mode": "Replica"}),
	])) == 0
}
