package tidelock.security.aws.s3_tls_only_test

import data.tidelock.fixture
import data.tidelock.security.aws.s3_tls_only

found(changes) := result if {
	result := s3_tls_only.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

bucket := fixture.create("aws_s3_bucket", {"bucket": "data"})

policy(effect, condition) := fixture.create("aws_s3_bucket_policy", {"bucket": "data", "policy": json.marshal({"Statement": [{"Effect": effect, "Principal": {"AWS": "*"}, "Action": "s3:*", "Resource": "*", "Condition": condition}]})})

test_without_a_policy if {
	messages([bucket]) == {"Requests over plain HTTP are not denied."}
}

test_other_policies if {
	count(found([bucket, policy("Allow", {"Bool": {"aws:SecureTransport": "false"}})])) == 1
	count(found([bucket, policy("Deny", {"Bool": {"aws:SecureTransport": "true"}})])) == 1
	count(found([bucket, policy("Deny", {})])) == 1
}

test_tls_only if {
	count(found([bucket, policy("Deny", {"Bool": {"aws:SecureTransport": "false"}})])) == 0
	count(found([bucket, policy("Deny", {"Bool": {"aws:SecureTransport": false}})])) == 0
	count(found([bucket, policy("Deny", {"NumericLessThan": {"s3:TlsVersion": "1.2"}})])) == 0
	count(found([fixture.create("aws_s3_bucket", policy("Deny", {"Bool": {"aws:SecureTransport": "false"}}).change.after)])) == 0
}

test_an_unknown_policy_passes if {
	unknown := fixture.with_unknown(fixture.create("aws_s3_bucket_policy", {"bucket": "data"}), {"policy": true})
	count(found([bucket, unknown])) == 0
}
