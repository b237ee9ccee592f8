package tidelock.security.aws.s3_logging_test

import data.tidelock.fixture
import data.tidelock.security.aws.s3_logging

found(changes) := result if {
	result := s3_logging.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

bucket := fixture.create("aws_s3_bucket", {"bucket": "data"})

test_no_log if {
	messages([bucket]) == {"Who reads and writes the bucket is logged nowhere."}
}

test_logged if {
	count(found([bucket, fixture.create("aws_s3_bucket_logging", {"bucket": "data", "target_bucket": "logs"})])) == 0
	count(found([fixture.create("aws_s3_bucket", {"logging": [{"target_bucket": "logs"}]})])) == 0
	count(found([bucket, fixture.create("aws_s3_bucket_logging", {"bucket": "other", "target_bucket": "data"})])) == 0
}
