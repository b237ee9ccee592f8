package tidelock.security.aws.public_policy_test

import data.tidelock.fixture
import data.tidelock.security.aws.public_policy

found(changes) := result if {
	result := public_policy.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

policy(type, argument, fields) := fixture.create(type, {argument: json.marshal({"Statement": [object.union({"Effect": "Allow", "Principal": "*", "Action": "a:B", "Resource": "*"}, fields)]})})

test_every_carrier if {
	every type, argument in public_policy.carriers {
		messages([policy(type, argument, {})]) == {"A statement lets everyone in: a:b."}
	}
}

test_not_action_and_sid if {
	statement := {"Sid": "Open", "Effect": "Allow", "Principal": {"AWS": "*"}, "NotAction": "kms:Delete*", "Resource": "*"}
	messages([fixture.create("aws_kms_key", {"policy": json.marshal({"Statement": [statement]})})]) == {"Statement Open lets everyone in: all but kms:delete*."}
}

test_others_pass if {
	count(found([
		policy("aws_kms_key", "policy", {"Principal": {"AWS": "arn:aws:iam::111122223333:root"}}),
		policy("aws_kms_key", "policy", {"Condition": {"StringEquals": {"kms:CallerAccount": "111122223333"}}}),
		policy("aws_sns_topic", "policy", {"Condition": {"StringEquals": {"AWS:SourceOwner": "111122223333"}}}),
		policy("aws_sqs_queue", "policy", {"Effect": "Deny"}),
		fixture.create("aws_sqs_queue", {"policy": null}),
	])) == 0
}
