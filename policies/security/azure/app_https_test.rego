package tidelock.security.azure.app_https_test

import data.tidelock.fixture
import data.tidelock.security.azure.app_https

found(changes) := result if {
	result := app_https.deny with input as fixture.input_of(changes)
}

test_plain_http_is_found if {
	every type in {"azurerm_linux_web_app", "azurerm_windows_function_app_slot", "azurerm_logic_app_standard", "azurerm_app_service"} {
		count(found([fixture.create(type, {})])) == 1
		count(found([fixture.create(type, {"https_only": false})])) == 1
		count(found([fixture.create(type, {"https_only": true})])) == 0
	}
}

# Some versions of the provider fill it in, with false.
test_left_out_is_plain_http if {
	count(found([fixture.with_unknown(fixture.create("azurerm_windows_function_app", {}), {"https_only": true})])) == 1
}
