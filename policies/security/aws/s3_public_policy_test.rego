package tidelock.security.aws.s3_public_policy_test

import data.tidelock.fixture
import data.tidelock.security.aws.s3_public_policy

found(changes) := result if {
	result := s3_public_policy.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

policy(fields) := fixture.create("aws_s3_bucket_policy", {"policy": json.marshal({"Statement": [object.union({"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}, fields)]})})

test_everyone_is_found_in_each_form if {
	every principal in ["*", {"AWS": "*"}, {"AWS": ["arn:aws:iam::111122223333:root", "*"]}] {
		messages([policy({"Principal": principal})]) == {"Statement Read lets everyone in: s3:getobject."}
	}
	messages([policy({"NotPrincipal": {"AWS": "arn:aws:iam::111122223333:root"}})]) == {"Statement Read lets everyone in: s3:getobject."}
	statement := {"Effect": "Allow", "Principal": "*", "NotAction": "s3:Put*", "Resource": "*"}
	messages([fixture.create("aws_s3_bucket", {"policy": json.marshal({"Statement": statement})})]) == {"A statement lets everyone in: all but s3:put*."}
}

test_others_pass if {
	count(found([
		policy({"Principal": {"AWS": "arn:aws:iam::111122223333:root"}}),
		policy({"Principal": {"Service": "cloudfront.amazonaws.com"}}),
		policy({"Principal": "*", "Effect": "Deny"}),
		policy({"Principal": "*", "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}}),
		fixture.with_unknown(fixture.create("aws_s3_bucket_policy", {}), {"policy": true}),
	])) == 0
}
