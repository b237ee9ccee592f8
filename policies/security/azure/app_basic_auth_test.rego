package tidelock.security.azure.app_basic_auth_test

import data.tidelock.fixture
import data.tidelock.security.azure.app_basic_auth

found(changes) := result if {
	result := app_basic_auth.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

app(after) := fixture.create("azurerm_linux_web_app", after)

test_passwords_are_found if {
	messages([app({"ftp_publish_basic_authentication_enabled": true})]) == {"Deployments with the publishing password are taken: ftp_publish_basic_authentication_enabled is not false."}
	count(found([app({"ftp_publish_basic_authentication_enabled": true, "webdeploy_publish_basic_authentication_enabled": true})])) == 2
}

test_others_pass if {
	count(found([
		app({"ftp_publish_basic_authentication_enabled": false, "webdeploy_publish_basic_authentication_enabled": false}),
		fixture.create("azurerm_app_service", {}),
	])) == 0
}
