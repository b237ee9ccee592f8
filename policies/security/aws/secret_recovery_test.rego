package tidelock.security.aws.secret_recovery_test

import data.tidelock.fixture
import data.tidelock.security.aws.secret_recovery

found(changes) := result if {
	result := secret_recovery.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_short if {
	messages([fixture.create("aws_secretsmanager_secret", {"recovery_window_in_days": 0})]) == {"Deleted, the secret is gone at once: recovery_window_in_days is 0."}
	messages([fixture.create("aws_kms_key", {"deletion_window_in_days": 7})]) == {"Deleted, the key is gone after 7 days."}
}

test_long if {
	count(found([fixture.create("aws_secretsmanager_secret", {}), fixture.create("aws_kms_key", {}), fixture.create("aws_kms_key", {"deletion_window_in_days": 30})])) == 0
}
