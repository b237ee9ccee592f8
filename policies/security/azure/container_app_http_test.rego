package tidelock.security.azure.container_app_http_test

import data.tidelock.fixture
import data.tidelock.security.azure.container_app_http

found(changes) := result if {
	result := container_app_http.deny with input as fixture.input_of(changes)
}

app(ingress) := fixture.create("azurerm_container_app", {"ingress": [ingress]})

test_plain_http_is_found if {
	count(found([app({"external_enabled": true, "allow_insecure_connections": true})])) == 1
}

test_others_pass if {
	count(found([
		app({"external_enabled": true}),
		app({"external_enabled": false, "allow_insecure_connections": true}),
		fixture.create("azurerm_container_app", {}),
	])) == 0
}
