package tidelock.security.aws.iam_escalation_test

import data.tidelock.fixture
import data.tidelock.security.aws.iam_escalation

found(changes) := result if {
	result := iam_escalation.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

policy(statement) := fixture.create("aws_iam_policy", {"policy": json.marshal({"Statement": [object.union({"Effect": "Allow", "Resource": "*"}, statement)]})})

test_one_action_is_enough if {
	messages([policy({"Action": ["iam:AttachRolePolicy", "s3:*"]})]) == {"A statement allows iam:attachrolepolicy on every resource: iam:AttachRolePolicy."}
	messages([policy({"Action": "iam:Put*"})]) == {"A statement allows iam:put* on every resource: iam:PutGroupPolicy, iam:PutRolePolicy, iam:PutUserPolicy."}
}

test_others_pass if {
	count(found([
		policy({"Action": "iam:Get*"}),
		policy({"Action": "iam:AttachRolePolicy", "Resource": "arn:aws:iam::111122223333:role/app-*"}),
		policy({"Action": "iam:AttachRolePolicy", "Condition": {"StringEquals": {"iam:PermissionsBoundary": "b"}}}),
		policy({"Action": "*"}),
	])) == 0
}
