package tidelock.security.aws.log_retention_test

import data.tidelock.fixture
import data.tidelock.security.aws.log_retention

found(changes) := result if {
	result := log_retention.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

group(after) := fixture.create("aws_cloudwatch_log_group", after)

test_wrong if {
	messages([group({})]) == {"The logs are kept for ever: retention_in_days is not set."}
	messages([group({"retention_in_days": 7})]) == {"The logs are kept for 7 days; fewer than 90 are too few."}
}

test_right if {
	count(found([group({"retention_in_days": 90}), group({"log_group_class": "DELIVERY"})])) == 0
}
