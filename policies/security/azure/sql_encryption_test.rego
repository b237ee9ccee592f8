package tidelock.security.azure.sql_encryption_test

import data.tidelock.fixture
import data.tidelock.security.azure.sql_encryption

found(changes) := result if {
	result := sql_encryption.deny with input as fixture.input_of(changes)
}

database(after) := fixture.create("azurerm_mssql_database", after)

test_unencrypted_databases_are_found if {
	count(found([database({"transparent_data_encryption_enabled": false})])) == 1
	count(found([database({"transparent_data_encryption_enabled": false, "sku_name": "GP_S_Gen5_1"})])) == 1
}

test_others_pass if {
	count(found([
		database({"transparent_data_encryption_enabled": true}),
		database({}),
		database({"transparent_data_encryption_enabled": false, "sku_name": "DW100c"}),
	])) == 0
}
