package tidelock.security.azure.storage_soft_delete_test

import data.tidelock.fixture
import data.tidelock.security.azure.storage_soft_delete

found(changes) := result if {
	result := storage_soft_delete.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

account(after) := fixture.create("azurerm_storage_account", after)

both := {"delete_retention_policy": [{"days": 7}], "container_delete_retention_policy": [{"days": 7}]}

test_accounts_without_soft_delete_are_found if {
	count(found([account({})])) == 2
	count(found([fixture.with_unknown(account({}), {"blob_properties": true})])) == 2
	messages([account({"blob_properties": [object.union(both, {"delete_retention_policy": []})]})]) == {"Deleted blobs can't be brought back: there is no delete_retention_policy."}
	messages([account({"blob_properties": [object.union(both, {"container_delete_retention_policy": []})]})]) == {"Deleted containers can't be brought back: there is no container_delete_retention_policy."}
}

test_accounts_with_it_pass if {
	count(found([account({"blob_properties": [both]})])) == 0
}

test_accounts_without_blobs_pass if {
	count(found([account({"account_kind": "FileStorage"})])) == 0
}
