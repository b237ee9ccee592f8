package tidelock.security.aws.iam_wildcard_test

import data.tidelock.fixture
import data.tidelock.security.aws.iam_wildcard

found(changes) := result if {
	result := iam_wildcard.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

policy(statement) := fixture.create("aws_iam_policy", {"policy": json.marshal({"Statement": [object.union({"Effect": "Allow", "Resource": "*"}, statement)]})})

test_services if {
	messages([policy({"Action": ["S3:*", "ec2:Describe*", "kms:*"]})]) == {"A statement allows kms:*, s3:* on every resource."}
}

test_not_action if {
	messages([fixture.create("aws_iam_policy", {"policy": json.marshal({"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}})})]) == {"A statement allows everything but iam:*."}
}

test_others_pass if {
	count(found([
		policy({"Action": "s3:Get*"}),
		policy({"Action": "s3:*", "Resource": "arn:aws:s3:::a"}),
		policy({"Action": "s3:*", "Effect": "Deny"}),
		policy({"Action": "s3:*", "Condition": {"StringEquals": {"aws:ResourceTag/team": "a"}}}),
	])) == 0
}
