package tidelock.security.google.sql_flags_sqlserver_test

import data.tidelock.fixture
import data.tidelock.security.google.sql_flags_sqlserver

found(changes) := result if {
	result := sql_flags_sqlserver.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

instance(flags) := fixture.create("google_sql_database_instance", {"database_version": "SQLSERVER_2022_STANDARD", "settings": [{"database_flags": flags}]})

fine := [{"name": "remote access", "value": "off"}, {"name": "3625", "value": "on"}]

test_flags_are_found if {
	messages([instance([])]) == {"The flag \"remote access\" is on; it should be off.", "The flag \"3625\" is off; it should be on."}
	messages([instance(array.concat(fine, [{"name": "external scripts enabled", "value": "on"}]))]) == {"The flag \"external scripts enabled\" is on; it should be off."}
}

test_right_flags_and_other_databases_pass if {
	count(found([
		instance(fine),
		fixture.create("google_sql_database_instance", {"database_version": "POSTGRES_16", "settings": [{}]}),
	])) == 0
}
