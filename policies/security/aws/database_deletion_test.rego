package tidelock.security.aws.database_deletion_test

import data.tidelock.fixture
import data.tidelock.security.aws.database_deletion

found(changes) := result if {
	result := database_deletion.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_unprotected if {
	messages([fixture.create("aws_db_instance", {"skip_final_snapshot": true})]) == {
		"One call deletes it: deletion_protection is not true.",
		"Deleted, it leaves no snapshot: skip_final_snapshot is true.",
	}
	messages([fixture.create("aws_dynamodb_table", {})]) == {"One call deletes it: deletion_protection_enabled is not true."}
	count(found([fixture.create("aws_redshift_cluster", {"skip_final_snapshot": true})])) == 1
}

test_protected if {
	count(found([
		fixture.create("aws_rds_cluster", {"deletion_protection": true, "skip_final_snapshot": false}),
		fixture.create("aws_db_instance", {"deletion_protection": true, "replicate_source_db": "a", "skip_final_snapshot": true}),
		fixture.create("aws_dynamodb_table", {"deletion_protection_enabled": true}),
	])) == 0
}
