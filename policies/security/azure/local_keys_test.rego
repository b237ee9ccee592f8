package tidelock.security.azure.local_keys_test

import data.tidelock.fixture
import data.tidelock.security.azure.local_keys

found(changes) := result if {
	result := local_keys.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_keys_are_found if {
	messages([fixture.create("azurerm_eventgrid_topic", {"local_auth_enabled": true})]) == {"Shared keys are accepted: local_auth_enabled is true."}
	messages([fixture.create("azurerm_search_service", {"local_authentication_enabled": true})]) == {"Shared keys are accepted: local_authentication_enabled is true."}
	count(found([fixture.create("azurerm_redis_cache", {"access_keys_authentication_enabled": true})])) == 1
	count(found([fixture.create("azurerm_managed_redis", {"default_database": [{"access_keys_authentication_enabled": true}]})])) == 1
}

test_others_pass if {
	count(found([
		fixture.create("azurerm_eventhub_namespace", {"local_authentication_enabled": false}),
		fixture.create("azurerm_app_configuration", {}),
		fixture.create("azurerm_managed_redis", {"default_database": [{}]}),
	])) == 0
}
