package tidelock.security.azure.storage_cross_tenant_test

import data.tidelock.fixture
import data.tidelock.security.azure.storage_cross_tenant

found(changes) := result if {
	result := storage_cross_tenant.deny with input as fixture.input_of(changes)
}

account(after) := fixture.create("azurerm_storage_account", after)

test_replication_is_found if {
	count(found([account({"cross_tenant_replication_enabled": true})])) == 1
}

test_others_pass if {
	count(found([account({"cross_tenant_replication_enabled": false}), account({})])) == 0
}
