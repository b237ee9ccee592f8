package tidelock.security.aws.database_logs_test

import data.tidelock.fixture
import data.tidelock.security.aws.database_logs

found(changes) := result if {
	result := database_logs.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_no_logs if {
	messages([fixture.create("aws_db_instance", {}), fixture.create("aws_rds_cluster", {"enabled_cloudwatch_logs_exports": []})]) == {"No log goes to CloudWatch."}
	messages([fixture.create("aws_redshift_cluster", {"cluster_identifier": "dw"})]) == {"Who connects and what they ask is logged nowhere."}
}

test_logged if {
	count(found([fixture.create("aws_db_instance", {"enabled_cloudwatch_logs_exports": ["audit"]})])) == 0
	count(found([fixture.create("aws_redshift_cluster", {"cluster_identifier": "dw"}), fixture.create("aws_redshift_logging", {"cluster_identifier": "dw"})])) == 0
	count(found([fixture.create("aws_redshift_cluster", {"logging": [{"enable": true}]})])) == 0
}
