package tidelock.security.azure.cosmos_keys_test

import data.tidelock.fixture
import data.tidelock.security.azure.cosmos_keys

found(changes) := result if {
	result := cosmos_keys.deny with input as fixture.input_of(changes)
}

account(after) := fixture.create("azurerm_cosmosdb_account", after)

test_keys_are_found if {
	count(found([account({})])) == 1
	count(found([account({"local_authentication_disabled": false})])) == 1
	count(found([account({"local_authentication_enabled": true})])) == 1
	count(found([fixture.with_unknown(account({}), {"local_authentication_enabled": true, "local_authentication_disabled": true})])) == 1
}

test_others_pass if {
	count(found([
		account({"local_authentication_enabled": false}),
		fixture.with_unknown(account({"local_authentication_disabled": true}), {"local_authentication_enabled": true}),
		account({"kind": "MongoDB"}),
		account({"capabilities": [{"name": "EnableTable"}]}),
	])) == 0
}
