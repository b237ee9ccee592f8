package tidelock.security.aws.log_encryption_test

import data.tidelock.fixture
import data.tidelock.security.aws.log_encryption

found(changes) := result if {
	result := log_encryption.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_without if {
	messages([fixture.create("aws_cloudwatch_log_group", {})]) == {"The logs are not encrypted with a KMS key."}
}

test_with if {
	count(found([fixture.with_unknown(fixture.create("aws_cloudwatch_log_group", {}), {"kms_key_id": true})])) == 0
}
