package tidelock.security.aws.s3_encryption_test

import data.tidelock.fixture
import data.tidelock.security.aws.s3_encryption

found(changes) := result if {
	result := s3_encryption.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

bucket := fixture.create("aws_s3_bucket", {"bucket": "data"})

rules(algorithm) := [{"apply_server_side_encryption_by_default": [{"sse_algorithm": algorithm}]}]

test_without_a_key if {
	messages([bucket]) == {"The bucket is encrypted with keys of S3, not with a KMS key."}
	count(found([bucket, fixture.create("aws_s3_bucket_server_side_encryption_configuration", {"bucket": "data", "rule": rules("AES256")})])) == 1
}

test_with_a_key if {
	count(found([bucket, fixture.create("aws_s3_bucket_server_side_encryption_configuration", {"bucket": "data", "rule": rules("aws:kms")})])) == 0
	count(found([fixture.create("aws_s3_bucket", {"bucket": "data", "server_side_encryption_configuration": [{"rule": rules("aws:kms")}]})])) == 0
}

test_buckets_of_logs_pass if {
	count(found([bucket, fixture.create("aws_s3_bucket_logging", {"bucket": "other", "target_bucket": "data"})])) == 0
	count(found([bucket, fixture.create("aws_s3_bucket_acl", {"bucket": "data", "acl": "log-delivery-write"})])) == 0
}
