package tidelock.security.aws.s3_public_access_block_test

import data.tidelock.fixture
import data.tidelock.security.aws.s3_public_access_block

found(changes) := result if {
	result := s3_public_access_block.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

bucket := fixture.create("aws_s3_bucket", {"bucket": "data"})

all_on := {"block_public_acls": true, "block_public_policy": true, "ignore_public_acls": true, "restrict_public_buckets": true}

block(fields) := fixture.create("aws_s3_bucket_public_access_block", object.union(object.union({"bucket": "data"}, all_on), fields))

test_no_block if {
	messages([bucket]) == {"No public access block belongs to this bucket."}
	count(found([bucket, block({"bucket": "elsewhere"})])) == 1
}

test_half_a_block if {
	messages([bucket, block({"ignore_public_acls": false, "restrict_public_buckets": null})]) == {"Public access stays possible: ignore_public_acls, restrict_public_buckets should be true."}
}

test_blocked if {
	count(found([bucket, block({})])) == 0
	count(found([bucket, fixture.noop("aws_s3_bucket_public_access_block", object.union({"bucket": "data"}, all_on))])) == 0
	count(found([fixture.noop("aws_s3_bucket", {"bucket": "data"})])) == 0
	count(found([bucket, fixture.with_unknown(block({"block_public_acls": null}), {"block_public_acls": true})])) == 0
}

test_the_whole_account if {
	count(found([bucket, fixture.create("aws_s3_account_public_access_block", all_on)])) == 0
	count(found([bucket, fixture.create("aws_s3_account_public_access_block", {"block_public_acls": true})])) == 2
}
