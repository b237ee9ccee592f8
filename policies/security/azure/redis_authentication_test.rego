package tidelock.security.azure.redis_authentication_test

import data.tidelock.fixture
import data.tidelock.security.azure.redis_authentication

found(changes) := result if {
	result := redis_authentication.deny with input as fixture.input_of(changes)
}

cache(configuration) := fixture.create("azurerm_redis_cache", {"redis_configuration": configuration})

test_open_caches_are_denied if {
	count(found([cache([{"authentication_enabled": false}])])) == 1
	count(found([cache([{"enable_authentication": false}])])) == 1
}

test_others_pass if {
	count(found([cache([{"authentication_enabled": true}]), cache([]), fixture.with_unknown(cache(null), {"redis_configuration": true})])) == 0
}
