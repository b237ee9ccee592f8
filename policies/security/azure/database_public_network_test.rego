package tidelock.security.azure.database_public_network_test

import data.tidelock.fixture
import data.tidelock.security.azure.database_public_network

found(changes) := result if {
	result := database_public_network.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_public_servers_are_found if {
	every type in {"azurerm_mssql_server", "azurerm_postgresql_flexible_server", "azurerm_postgresql_server", "azurerm_mysql_server", "azurerm_mariadb_server"} {
		messages([fixture.create(type, {})]) == {"The server has a public address: public_network_access_enabled is not off."}
		count(found([fixture.create(type, {"public_network_access_enabled": true})])) == 1
		count(found([fixture.create(type, {"public_network_access_enabled": false})])) == 0
	}
}

test_mysql_flexible_server if {
	left_out := fixture.with_unknown(fixture.create("azurerm_mysql_flexible_server", {}), {"public_network_access": true})
	messages([left_out]) == {"The server has a public address: public_network_access is not off."}
	count(found([fixture.create("azurerm_mysql_flexible_server", {"public_network_access": "Disabled"})])) == 0
}

test_servers_in_a_subnet_pass if {
	count(found([
		fixture.create("azurerm_postgresql_flexible_server", {"public_network_access_enabled": true, "delegated_subnet_id": "/subnets/a"}),
		fixture.with_unknown(fixture.create("azurerm_mysql_flexible_server", {}), {"delegated_subnet_id": true, "public_network_access": true}),
	])) == 0
}

test_sql_server_on_a_machine if {
	count(found([fixture.create("azurerm_mssql_virtual_machine", {"sql_connectivity_type": "PUBLIC"})])) == 1
	count(found([fixture.create("azurerm_mssql_virtual_machine", {})])) == 0
}

test_managed_instance if {
	count(found([fixture.create("azurerm_mssql_managed_instance", {"public_data_endpoint_enabled": true})])) == 1
	count(found([fixture.create("azurerm_mssql_managed_instance", {"public_data_endpoint_enabled": false})])) == 0
}
