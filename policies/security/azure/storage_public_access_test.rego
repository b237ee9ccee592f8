package tidelock.security.azure.storage_public_access_test

import data.tidelock.fixture
import data.tidelock.security.azure.storage_public_access

found(changes) := result if {
	result := storage_public_access.deny with input as fixture.input_of(changes)
}

account(after) := fixture.create("azurerm_storage_account", after)

test_accounts_that_allow_it_are_found if {
	count(found([account({"allow_nested_items_to_be_public": true})])) == 1
	count(found([account({"allow_blob_public_access": true})])) == 1
}

test_others_pass if {
	count(found([account({"allow_nested_items_to_be_public": false}), account({})])) == 0
}
