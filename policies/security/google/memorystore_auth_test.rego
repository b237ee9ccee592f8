package tidelock.security.google.memorystore_auth_test

import data.tidelock.fixture
import data.tidelock.security.google.memorystore_auth

found(changes) := result if {
	result := memorystore_auth.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_open_stores_are_found if {
	messages([fixture.create("google_redis_instance", {})]) == {"Whoever reaches this store may use it: auth_enabled is not true."}
	messages([fixture.create("google_redis_cluster", {"authorization_mode": "AUTH_MODE_DISABLED"})]) == {"Whoever reaches this store may use it: authorization_mode is AUTH_MODE_DISABLED."}
	messages([fixture.create("google_memorystore_instance", {})]) == {"Whoever reaches this store may use it: authorization_mode is AUTH_DISABLED."}
}

test_authentication_passes if {
	count(found([
		fixture.create("google_redis_instance", {"auth_enabled": true}),
		fixture.create("google_redis_cluster", {"authorization_mode": "AUTH_MODE_IAM_AUTH"}),
		fixture.create("google_memorystore_instance", {"authorization_mode": "IAM_AUTH"}),
	])) == 0
}
