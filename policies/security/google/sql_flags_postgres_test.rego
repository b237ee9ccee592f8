package tidelock.security.google.sql_flags_postgres_test

import data.tidelock.fixture
import data.tidelock.security.google.sql_flags_postgres

found(changes) := result if {
	result := sql_flags_postgres.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

fine := [
	{"name": "log_connections", "value": "on"},
	{"name": "log_disconnections", "value": "on"},
	{"name": "log_statement", "value": "ddl"},
	{"name": "cloudsql.enable_pgaudit", "value": "on"},
]

instance(flags) := fixture.create("google_sql_database_instance", {"database_version": "POSTGRES_16", "settings": [{"database_flags": flags}]})

test_flags_that_are_left_out_are_found if {
	messages([instance([])]) == {
		"The flag log_connections is off; it should be on.",
		"The flag log_disconnections is off; it should be on.",
		"The flag log_statement is none; it should be ddl.",
		"The flag cloudsql.enable_pgaudit is off; it should be on.",
	}
}

test_wrong_flags_are_found if {
	messages([instance(array.concat(fine, [{"name": "log_min_duration_statement", "value": "500"}]))]) == {"The flag log_min_duration_statement is 500; it should be -1."}
	messages([instance(array.concat(fine, [{"name": "log_error_verbosity", "value": "verbose"}]))]) == {"The flag log_error_verbosity is verbose; it should be default."}
}

test_right_flags_and_other_databases_pass if {
	count(found([
		instance(fine),
		fixture.create("google_sql_database_instance", {"database_version": "MYSQL_8_0", "settings": [{"database_flags": []}]}),
		fixture.create("google_sql_database_instance", {"database_version": "POSTGRES_16", "settings": []}),
	])) == 0
}
