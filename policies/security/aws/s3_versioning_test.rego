package tidelock.security.aws.s3_versioning_test

import data.tidelock.fixture
import data.tidelock.security.aws.s3_versioning

found(changes) := result if {
	result := s3_versioning.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

bucket := fixture.create("aws_s3_bucket", {"bucket": "data"})

versioning(status) := fixture.create("aws_s3_bucket_versioning", {"bucket": "data", "versioning_configuration": [{"status": status}]})

test_no_versions if {
	messages([bucket]) == {"The bucket keeps no versions of its objects."}
	messages([bucket, versioning("Suspended")]) == {"Versions are not kept: status is Suspended."}
	count(found([fixture.create("aws_s3_bucket", {"versioning": [{"enabled": false}]})])) == 1
}

test_versions if {
	count(found([bucket, versioning("Enabled")])) == 0
	count(found([fixture.create("aws_s3_bucket", {"versioning": [{"enabled": true}]})])) == 0
	count(found([bucket, fixture.create("aws_s3_bucket_logging", {"bucket": "other", "target_bucket": "data"})])) == 0
}
