package tidelock.security.azure.app_cors_test

import data.tidelock.fixture
import data.tidelock.security.azure.app_cors

found(changes) := result if {
	result := app_cors.deny with input as fixture.input_of(changes)
}

app(origins) := fixture.create("azurerm_linux_function_app", {"site_config": [{"cors": [{"allowed_origins": origins}]}]})

test_every_site_is_found if {
	count(found([app(["https://shop.example.com", "*"])])) == 1
}

test_others_pass if {
	count(found([app(["https://shop.example.com"]), app(null), fixture.create("azurerm_linux_function_app", {})])) == 0
}
