package tidelock.security.aws.iam_administrator_test

import data.tidelock.fixture
import data.tidelock.security.aws.iam_administrator

found(changes) := result if {
	result := iam_administrator.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

policy(statement) := fixture.create("aws_iam_policy", {"policy": json.marshal({"Statement": [object.union({"Effect": "Allow", "Resource": "*"}, statement)]})})

test_everything if {
	messages([policy({"Action": "*"})]) == {"A statement allows every action on every resource."}
	messages([policy({"Sid": "All", "Action": ["*:*"]})]) == {"Statement All allows every action on every resource."}
	inline := fixture.create("aws_iam_role", {"inline_policy": [{"policy": json.marshal({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})}]})
	count(found([inline])) == 1
}

test_under_conditions_it_is_a_warning if {
	some f in found([policy({"Action": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}})])
	f.level == "advisory"
}

test_others_pass if {
	count(found([
		policy({"Action": "s3:*"}),
		policy({"Action": "*", "Resource": "arn:aws:s3:::a"}),
		policy({"Action": "*", "Effect": "Deny"}),
	])) == 0
}
