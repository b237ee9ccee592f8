package tidelock.security.azure.app_logs_test

import data.tidelock.fixture
import data.tidelock.security.azure.app_logs

found(changes) := result if {
	result := app_logs.deny with input as fixture.input_of(changes)
}

app(after) := fixture.create("azurerm_linux_web_app", after)

test_apps_without_logs_are_found if {
	count(found([app({})])) == 1
	count(found([app({"logs": [{"http_logs": []}]})])) == 1
}

test_apps_with_logs_pass if {
	count(found([app({"logs": [{"http_logs": [{"file_system": []}]}]})])) == 0
	count(found([app({"id": "/sites/a"}), fixture.create("azurerm_monitor_diagnostic_setting", {"target_resource_id": "/sites/a"})])) == 0
}

test_functions_pass if {
	count(found([fixture.create("azurerm_linux_function_app", {})])) == 0
}
