package tidelock.security.aws.kms_rotation_test

import data.tidelock.fixture
import data.tidelock.security.aws.kms_rotation

found(changes) := result if {
	result := kms_rotation.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

key(after) := fixture.create("aws_kms_key", after)

test_never if {
	messages([key({})]) == {"The key is never rotated."}
	count(found([key({"enable_key_rotation": false, "customer_master_key_spec": "SYMMETRIC_DEFAULT"})])) == 1
}

test_others_pass if {
	count(found([
		key({"enable_key_rotation": true}),
		key({"customer_master_key_spec": "RSA_2048"}),
		key({"key_usage": "GENERATE_VERIFY_MAC", "customer_master_key_spec": "HMAC_256"}),
		key({"custom_key_store_id": "cks-1"}),
	])) == 0
}
