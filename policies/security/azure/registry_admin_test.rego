package tidelock.security.azure.registry_admin_test

import data.tidelock.fixture
import data.tidelock.security.azure.registry_admin

found(changes) := result if {
	result := registry_admin.deny with input as fixture.input_of(changes)
}

registry(after) := fixture.create("azurerm_container_registry", after)

test_the_admin_user_is_found if {
	count(found([registry({"admin_enabled": true})])) == 1
}

test_others_pass if {
	count(found([registry({"admin_enabled": false}), registry({})])) == 0
}
