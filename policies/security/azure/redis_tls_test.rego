package tidelock.security.azure.redis_tls_test

import data.tidelock.fixture
import data.tidelock.security.azure.redis_tls

found(changes) := result if {
	result := redis_tls.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

cache(after) := fixture.create("azurerm_redis_cache", after)

test_clear_text_is_found if {
	count(found([cache({"non_ssl_port_enabled": true})])) == 1
	count(found([cache({"enable_non_ssl_port": true})])) == 1
	count(found([fixture.create("azurerm_managed_redis", {"default_database": [{"client_protocol": "Plaintext"}]})])) == 1
	count(found([fixture.create("azurerm_redis_enterprise_database", {"client_protocol": "Plaintext"})])) == 1
}

test_old_tls_is_found if {
	messages([cache({"minimum_tls_version": "1.0"})]) == {`Old TLS is accepted: minimum_tls_version is "1.0".`}
}

test_others_pass if {
	count(found([
		cache({"non_ssl_port_enabled": false, "minimum_tls_version": "1.2"}),
		cache({}),
		fixture.create("azurerm_managed_redis", {"default_database": [{"client_protocol": "Encrypted"}]}),
	])) == 0
}
