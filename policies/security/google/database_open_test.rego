package tidelock.security.google.database_open_test

import data.tidelock.fixture
import data.tidelock.security.google.database_open

found(changes) := result if {
	result := database_open.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

instance(networks) := fixture.create("google_sql_database_instance", {"settings": [{"ip_configuration": [{"ipv4_enabled": true, "authorized_networks": networks}]}]})

alloydb(range) := fixture.create("google_alloydb_instance", {"network_config": [{"enable_public_ip": true, "authorized_external_networks": [{"cidr_range": range}]}]})

test_everyone_is_denied if {
	messages([instance([{"value": "10.0.0.0/8"}, {"value": "0.0.0.0/0"}])]) == {"0.0.0.0/0 may connect to this database."}
	messages([instance([{"value": "0.0.0.0/1"}, {"value": "128.0.0.0/1"}])]) == {"0.0.0.0/1 may connect to this database.", "128.0.0.0/1 may connect to this database."}
	messages([alloydb("0.0.0.0/0")]) == {"0.0.0.0/0 may connect to this database."}
}

test_named_addresses_pass if {
	count(found([instance([{"value": "198.51.100.7/32"}]), instance([]), alloydb("198.51.100.0/24")])) == 0
}

test_without_a_public_address_nothing_is_open if {
	count(found([fixture.create("google_sql_database_instance", {"settings": [{"ip_configuration": [{"ipv4_enabled": false, "authorized_networks": [{"value": "0.0.0.0/0"}]}]}]})])) == 0
}
