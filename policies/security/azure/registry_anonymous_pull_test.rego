package tidelock.security.azure.registry_anonymous_pull_test

import data.tidelock.fixture
import data.tidelock.security.azure.registry_anonymous_pull

found(changes) := result if {
	result := registry_anonymous_pull.deny with input as fixture.input_of(changes)
}

registry(after) := fixture.create("azurerm_container_registry", after)

test_anonymous_pull_is_denied if {
	count(found([registry({"anonymous_pull_enabled": true})])) == 1
}

test_others_pass if {
	count(found([registry({"anonymous_pull_enabled": false}), registry({})])) == 0
}
