package tidelock.security.aws.queue_encryption_test

import data.tidelock.fixture
import data.tidelock.security.aws.queue_encryption

found(changes) := result if {
	result := queue_encryption.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_plain if {
	messages([fixture.create("aws_sqs_queue", {"sqs_managed_sse_enabled": false})]) == {"The queue is not encrypted: sqs_managed_sse_enabled is false."}
	messages([fixture.create("aws_sns_topic", {})]) == {"The topic has no KMS key."}
}

test_encrypted if {
	count(found([
		fixture.create("aws_sqs_queue", {}),
		fixture.create("aws_sqs_queue", {"sqs_managed_sse_enabled": false, "kms_master_key_id": "alias/a"}),
		fixture.with_unknown(fixture.create("aws_sns_topic", {}), {"kms_master_key_id": true}),
	])) == 0
}
