package tidelock.security.aws.database_encryption_test

import data.tidelock.fixture
import data.tidelock.security.aws.database_encryption

found(changes) := result if {
	result := database_encryption.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_each_store if {
	every type in ["aws_db_instance", "aws_rds_cluster", "aws_docdb_cluster", "aws_neptune_cluster"] {
		messages([fixture.create(type, {})]) == {"The storage is not encrypted: storage_encrypted is not true."}
	}
	count(found([fixture.create("aws_dax_cluster", {"server_side_encryption": [{"enabled": false}]})])) == 1
	messages([fixture.create("aws_redshift_cluster", {"encrypted": "false"})]) == {"The storage is not encrypted: encrypted is not true."}
	count(found([fixture.with_unknown(fixture.create("aws_rds_cluster", {}), {"storage_encrypted": true})])) == 1
	count(found([fixture.create("aws_db_instance", {"snapshot_identifier": "s", "storage_encrypted": false})])) == 1
}

test_encrypted_ones_pass if {
	count(found([
		fixture.create("aws_db_instance", {"storage_encrypted": true}),
		fixture.create("aws_db_instance", {"replicate_source_db": "orders"}),
		fixture.create("aws_rds_cluster", {"engine_mode": "serverless"}),
		fixture.create("aws_dax_cluster", {"server_side_encryption": [{"enabled": true}]}),
		fixture.create("aws_redshift_cluster", {}),
	])) == 0
}
