package tidelock.security.aws.iam_password_policy_test

import data.tidelock.fixture
import data.tidelock.security.aws.iam_password_policy

found(changes) := result if {
	result := iam_password_policy.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

policy(after) := fixture.create("aws_iam_account_password_policy", after)

test_weak if {
	messages([policy({"minimum_password_length": 8, "password_reuse_prevention": 5})]) == {
		"Passwords of 8 characters are allowed; fewer than 14 are too few.",
		"A password may be used again after 5 others; 24 are kept at best.",
	}
	count(found([policy({})])) == 2
	count(found([fixture.with_unknown(policy({"minimum_password_length": 14}), {"password_reuse_prevention": true})])) == 1
}

test_strong if {
	count(found([policy({"minimum_password_length": 14, "password_reuse_prevention": 24})])) == 0
}
