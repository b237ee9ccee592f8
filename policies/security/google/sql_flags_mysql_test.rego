package tidelock.security.google.sql_flags_mysql_test

import data.tidelock.fixture
import data.tidelock.security.google.sql_flags_mysql

found(changes) := result if {
	result := sql_flags_mysql.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

instance(flags) := fixture.create("google_sql_database_instance", {"database_version": "MYSQL_8_0", "settings": [{"database_flags": flags}]})

test_flags_are_found if {
	messages([instance([{"name": "local_infile", "value": "on"}])]) == {"The flag local_infile is on; it should be off.", "The flag skip_show_database is off; it should be on."}
	count(found([instance(null)])) == 2
}

test_right_flags_and_other_databases_pass if {
	count(found([
		instance([{"name": "local_infile", "value": "off"}, {"name": "skip_show_database", "value": "ON"}]),
		fixture.create("google_sql_database_instance", {"database_version": "POSTGRES_16", "settings": [{}]}),
	])) == 0
}

test_flag_that_is_not_known_yet_passes if {
	rc := fixture.with_unknown(instance([{"name": "local_infile"}, {"name": "skip_show_database", "value": "on"}]), {"settings": [{"database_flags": [{"value": true}, {}]}]})
	count(found([rc])) == 0
}
