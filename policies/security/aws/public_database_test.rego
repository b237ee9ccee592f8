package tidelock.security.aws.public_database_test

import data.tidelock.fixture
import data.tidelock.security.aws.public_database

found(changes) := result if {
	result := public_database.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_public if {
	every type in ["aws_db_instance", "aws_rds_cluster_instance", "aws_redshift_cluster", "aws_mq_broker"] {
		messages([fixture.create(type, {"publicly_accessible": true})]) == {"It is reachable from the internet: publicly_accessible is true."}
	}
	msk := fixture.create("aws_msk_cluster", {"broker_node_group_info": [{"connectivity_info": [{"public_access": [{"type": "SERVICE_PROVIDED_EIPS"}]}]}]})
	messages([msk]) == {"Its brokers are reachable from the internet: public_access is SERVICE_PROVIDED_EIPS."}
}

test_others_pass if {
	count(found([
		fixture.create("aws_db_instance", {"publicly_accessible": false}),
		fixture.create("aws_db_instance", {}),
		fixture.with_unknown(fixture.create("aws_rds_cluster_instance", {}), {"publicly_accessible": true}),
		fixture.create("aws_msk_cluster", {}),
	])) == 0
}
