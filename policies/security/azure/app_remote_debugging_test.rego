package tidelock.security.azure.app_remote_debugging_test

import data.tidelock.fixture
import data.tidelock.security.azure.app_remote_debugging

found(changes) := result if {
	result := app_remote_debugging.deny with input as fixture.input_of(changes)
}

app(config) := fixture.create("azurerm_windows_web_app", {"site_config": [config]})

test_debugging_is_found if {
	count(found([app({"remote_debugging_enabled": true})])) == 1
}

test_others_pass if {
	count(found([app({"remote_debugging_enabled": false}), app({})])) == 0
}
