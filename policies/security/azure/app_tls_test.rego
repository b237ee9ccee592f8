package tidelock.security.azure.app_tls_test

import data.tidelock.fixture
import data.tidelock.security.azure.app_tls

found(changes) := result if {
	result := app_tls.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

app(type, config) := fixture.create(type, {"site_config": [config]})

test_old_versions_are_found if {
	messages([app("azurerm_linux_web_app", {"minimum_tls_version": "1.0"})]) == {`Old TLS is accepted: site_config.minimum_tls_version is "1.0".`}
	messages([app("azurerm_windows_function_app", {"scm_minimum_tls_version": "1.1"})]) == {`Old TLS is accepted: site_config.scm_minimum_tls_version is "1.1".`}
	count(found([app("azurerm_app_service", {"min_tls_version": "1.1"})])) == 1
}

test_others_pass if {
	count(found([
		app("azurerm_linux_web_app", {"minimum_tls_version": "1.2", "scm_minimum_tls_version": "1.3"}),
		app("azurerm_linux_web_app", {}),
		fixture.create("azurerm_linux_web_app", {}),
	])) == 0
}
