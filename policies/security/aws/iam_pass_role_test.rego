package tidelock.security.aws.iam_pass_role_test

import data.tidelock.fixture
import data.tidelock.security.aws.iam_pass_role

found(changes) := result if {
	result := iam_pass_role.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

policy(statement) := fixture.create("aws_iam_policy", {"policy": json.marshal({"Statement": [object.union({"Effect": "Allow", "Resource": "*"}, statement)]})})

test_any_role if {
	messages([policy({"Action": ["iam:PassRole", "ec2:RunInstances"]})]) == {"A statement allows iam:PassRole for *."}
	messages([policy({"Action": "iam:*", "Resource": "arn:aws:iam::111122223333:role/*"})]) == {"A statement allows iam:PassRole for arn:aws:iam::111122223333:role/*."}
}

test_others_pass if {
	count(found([
		policy({"Action": "iam:PassRole", "Resource": "arn:aws:iam::111122223333:role/web-*"}),
		policy({"Action": "iam:PassRole", "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}}),
		policy({"Action": "iam:Get*"}),
		policy({"Action": "*"}),
	])) == 0
}
