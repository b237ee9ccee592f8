package tidelock.security.google.database_public_ip_test

import data.tidelock.fixture
import data.tidelock.security.google.database_public_ip

found(changes) := result if {
	result := database_public_ip.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

instance(ip) := fixture.create("google_sql_database_instance", {"settings": [{"ip_configuration": ip}]})

test_public_addresses_are_found if {
	count(found([instance([{"ipv4_enabled": true}])])) == 1
	count(found([instance([{}])])) == 1
	count(found([instance([])])) == 1
	messages([fixture.create("google_alloydb_instance", {"network_config": [{"enable_public_ip": true}]})]) == {"This database has a public address: enable_public_ip is true."}
}

test_private_addresses_and_copies_pass if {
	count(found([
		instance([{"ipv4_enabled": false, "private_network": "n"}]),
		fixture.create("google_sql_database_instance", {"clone": [{}], "settings": []}),
		fixture.create("google_alloydb_instance", {"network_config": []}),
	])) == 0
}
