package tidelock.security.aws.iam_trust_anyone_test

import data.tidelock.fixture
import data.tidelock.security.aws.iam_trust_anyone

found(changes) := result if {
	result := iam_trust_anyone.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

role(fields) := fixture.create("aws_iam_role", {"assume_role_policy": json.marshal({"Statement": [object.union({"Effect": "Allow", "Action": "sts:AssumeRole"}, fields)]})})

test_anyone if {
	messages([role({"Principal": {"AWS": "*"}})]) == {"A statement lets every AWS account take the role."}
	count(found([role({"Sid": "a", "Principal": "*", "Condition": {"StringEquals": {"sts:ExternalId": "x"}}})])) == 1
}

test_others_pass if {
	count(found([
		role({"Principal": {"Service": "ec2.amazonaws.com"}}),
		role({"Principal": {"AWS": "arn:aws:iam::111122223333:root"}}),
		role({"Principal": {"AWS": "*"}, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}),
	])) == 0
}
