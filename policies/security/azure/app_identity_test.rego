package tidelock.security.azure.app_identity_test

import data.tidelock.fixture
import data.tidelock.security.azure.app_identity

found(changes) := result if {
	result := app_identity.deny with input as fixture.input_of(changes)
}

app(after) := fixture.create("azurerm_linux_web_app", after)

test_apps_without_identity_are_found if {
	count(found([app({})])) == 1
	count(found([app({"identity": []})])) == 1
}

test_others_pass if {
	count(found([app({"identity": [{"type": "SystemAssigned"}]}), fixture.with_unknown(app({}), {"identity": true})])) == 0
}
