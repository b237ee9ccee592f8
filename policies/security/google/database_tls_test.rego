package tidelock.security.google.database_tls_test

import data.tidelock.fixture
import data.tidelock.security.google.database_tls

found(changes) := result if {
	result := database_tls.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

instance(ip) := fixture.create("google_sql_database_instance", {"settings": [{"ip_configuration": ip}]})

test_plain_connections_are_found if {
	messages([instance([{"ssl_mode": "ALLOW_UNENCRYPTED_AND_ENCRYPTED"}])]) == {"Connections need no TLS: ssl_mode is ALLOW_UNENCRYPTED_AND_ENCRYPTED."}
	count(found([instance([])])) == 1
	count(found([instance([{"require_ssl": false}])])) == 1
	messages([fixture.create("google_redis_instance", {"transit_encryption_mode": "DISABLED"})]) == {"Connections need no TLS: transit_encryption_mode is DISABLED."}
	count(found([fixture.create("google_redis_cluster", {})])) == 1
	count(found([fixture.create("google_alloydb_instance", {"client_connection_config": [{"ssl_config": [{"ssl_mode": "ALLOW_UNENCRYPTED_AND_ENCRYPTED"}]}]})])) == 1
}

test_encrypted_connections_pass if {
	count(found([
		instance([{"ssl_mode": "ENCRYPTED_ONLY"}]),
		instance([{"ssl_mode": "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"}]),
		instance([{"require_ssl": true}]),
		fixture.create("google_sql_database_instance", {"clone": [{}]}),
		fixture.create("google_redis_instance", {"transit_encryption_mode": "SERVER_AUTHENTICATION"}),
		fixture.create("google_alloydb_instance", {}),
	])) == 0
}
