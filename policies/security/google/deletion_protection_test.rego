package tidelock.security.google.deletion_protection_test

import data.tidelock.fixture
import data.tidelock.security.google.deletion_protection

found(changes) := result if {
	result := deletion_protection.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_a_plain_no_is_found if {
	messages([fixture.create("google_sql_database_instance", {"deletion_protection": false})]) == {"This google_sql_database_instance may be deleted at once: deletion_protection is false."}
	messages([fixture.create("google_bigtable_table", {"deletion_protection": "UNPROTECTED"})]) == {"This google_bigtable_table may be deleted at once: deletion_protection is UNPROTECTED."}
	count(found([fixture.create("google_firestore_database", {"delete_protection_state": "DELETE_PROTECTION_DISABLED"})])) == 1
}

test_protected_and_silent_pass if {
	count(found([
		fixture.create("google_sql_database_instance", {"deletion_protection": true}),
		fixture.create("google_sql_database_instance", {"deletion_protection": null}),
		fixture.create("google_bigtable_table", {"deletion_protection": "PROTECTED"}),
		fixture.create("google_spanner_database", {}),
		fixture.remove("google_sql_database_instance", {"deletion_protection": false}),
	])) == 0
}
