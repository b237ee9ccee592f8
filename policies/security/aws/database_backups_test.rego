package tidelock.security.aws.database_backups_test

import data.tidelock.fixture
import data.tidelock.security.aws.database_backups

found(changes) := result if {
	result := database_backups.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_none_or_few if {
	messages([fixture.create("aws_db_instance", {})]) == {"Backups are kept for 0 days; fewer than 7 are too few."}
	messages([fixture.create("aws_rds_cluster", {})]) == {"Backups are kept for 1 days; fewer than 7 are too few."}
	messages([fixture.create("aws_docdb_cluster", {"backup_retention_period": 5})]) == {"Backups are kept for 5 days; fewer than 7 are too few."}
	messages([fixture.create("aws_dynamodb_table", {})]) == {"The table can't be restored to a point in time."}
	messages([fixture.create("aws_elasticache_replication_group", {"snapshot_retention_limit": 0})]) == {"No snapshots are kept."}
}

test_others_pass if {
	count(found([
		fixture.create("aws_db_instance", {"backup_retention_period": 7}),
		fixture.create("aws_db_instance", {"replicate_source_db": "orders"}),
		fixture.create("aws_dynamodb_table", {"point_in_time_recovery": [{"enabled": true}]}),
		fixture.create("aws_elasticache_replication_group", {"snapshot_retention_limit": 3}),
	])) == 0
}
