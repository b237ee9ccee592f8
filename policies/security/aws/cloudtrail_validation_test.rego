package tidelock.security.aws.cloudtrail_validation_test

import data.tidelock.fixture
import data.tidelock.security.aws.cloudtrail_validation

found(changes) := result if {
	result := cloudtrail_validation.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_unsigned if {
	messages([fixture.create("aws_cloudtrail", {})]) == {"Log files are not signed: enable_log_file_validation is not true."}
}

test_signed if {
	count(found([fixture.create("aws_cloudtrail", {"enable_log_file_validation": true})])) == 0
}
