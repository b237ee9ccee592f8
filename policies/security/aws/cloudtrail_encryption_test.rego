package tidelock.security.aws.cloudtrail_encryption_test

import data.tidelock.fixture
import data.tidelock.security.aws.cloudtrail_encryption

found(changes) := result if {
	result := cloudtrail_encryption.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_without if {
	messages([fixture.create("aws_cloudtrail", {"kms_key_id": null})]) == {"The log files are not encrypted with a KMS key."}
}

test_with if {
	count(found([fixture.create("aws_cloudtrail", {"kms_key_id": "arn"}), fixture.with_unknown(fixture.create("aws_cloudtrail", {}), {"kms_key_id": true})])) == 0
}
