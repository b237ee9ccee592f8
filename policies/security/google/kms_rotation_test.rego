package tidelock.security.google.kms_rotation_test

import data.tidelock.fixture
import data.tidelock.security.google.kms_rotation

found(changes) := result if {
	result := kms_rotation.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

key(fields) := fixture.create("google_kms_crypto_key", fields)

test_no_and_slow_rotation_are_found if {
	messages([key({})]) == {"This key is never changed: it has no rotation_period."}
	messages([key({"rotation_period": "31536000s"})]) == {"This key is changed too seldom: rotation_period is 31536000s, more than 90 days."}
}

test_rotation_and_keys_that_cannot_pass if {
	count(found([
		key({"rotation_period": "7776000s"}),
		key({"rotation_period": "86400.5s"}),
		key({"purpose": "ASYMMETRIC_SIGN"}),
		key({"import_only": true}),
		key({"version_template": [{"algorithm": "EXTERNAL_SYMMETRIC_ENCRYPTION", "protection_level": "EXTERNAL_VPC"}]}),
	])) == 0
}
