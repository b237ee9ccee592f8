package tidelock.security.azure.storage_shared_key_test

import data.tidelock.fixture
import data.tidelock.security.azure.storage_shared_key

found(changes) := result if {
	result := storage_shared_key.deny with input as fixture.input_of(changes)
}

account(after) := fixture.create("azurerm_storage_account", after)

test_keys_are_found if {
	count(found([account({"shared_access_key_enabled": true})])) == 1
	count(found([account({})])) == 1
}

test_accounts_without_keys_pass if {
	count(found([account({"shared_access_key_enabled": false})])) == 0
}
