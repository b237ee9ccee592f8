package tidelock.security.aws.s3_public_acl_test

import data.tidelock.fixture
import data.tidelock.security.aws.s3_public_acl

found(changes) := result if {
	result := s3_public_acl.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

everyone := "http://acs.amazonaws.com/groups/global/AllUsers"

test_canned_acls if {
	every acl in ["public-read", "public-read-write", "authenticated-read"] {
		messages([fixture.create("aws_s3_bucket_acl", {"acl": acl})]) == {sprintf("The ACL %s lets everyone in.", [acl])}
	}
	count(found([fixture.create("aws_s3_object", {"acl": "public-read"})])) == 1
	count(found([fixture.update("aws_s3_bucket", {"acl": "public-read"})])) == 1
}

test_grants if {
	separate := fixture.create("aws_s3_bucket_acl", {"access_control_policy": [{"grant": [{"permission": "READ", "grantee": [{"type": "Group", "uri": everyone}]}]}]})
	messages([separate]) == {"The group AllUsers is granted READ."}
	inline := fixture.create("aws_s3_bucket", {"grant": [{"permissions": ["READ", "WRITE"], "uri": "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"}]})
	messages([inline]) == {"The group AuthenticatedUsers is granted READ, WRITE."}
}

test_others_pass if {
	count(found([
		fixture.create("aws_s3_bucket_acl", {"acl": "private"}),
		fixture.create("aws_s3_bucket_acl", {"acl": "log-delivery-write"}),
		fixture.create("aws_s3_bucket", {"acl": null}),
		fixture.noop("aws_s3_bucket_acl", {"acl": "public-read"}),
		fixture.create("aws_s3_bucket_acl", {"access_control_policy": [{"grant": [{"permission": "WRITE", "grantee": [{"uri": "http://acs.amazonaws.com/groups/s3/LogDelivery"}]}, {"permission": "READ", "grantee": [{"id": "abc"}]}]}]}),
	])) == 0
}
