package tidelock.security.aws.cloudfront_guard_test

import data.tidelock.fixture
import data.tidelock.security.aws.cloudfront_guard

found(changes) := result if {
	result := cloudfront_guard.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_without if {
	messages([fixture.create("aws_cloudfront_distribution", {})]) == {"Requests are logged nowhere.", "No web application firewall stands before it: web_acl_id is empty."}
}

test_with if {
	count(found([
		fixture.with_unknown(fixture.create("aws_cloudfront_distribution", {"logging_config": [{"bucket": "a"}]}), {"web_acl_id": true}),
	])) == 0
	count(found([
		fixture.create("aws_cloudfront_distribution", {"arn": "arn:d", "web_acl_id": "w"}),
		fixture.create("aws_cloudwatch_log_delivery_source", {"resource_arn": "arn:d"}),
	])) == 0
}
