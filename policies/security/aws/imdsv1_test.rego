package tidelock.security.aws.imdsv1_test

import data.tidelock.fixture
import data.tidelock.security.aws.imdsv1

found(changes) := result if {
	result := imdsv1.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

instance(after) := fixture.create("aws_instance", after)

test_without_a_token if {
	messages([instance({})]) == {"The metadata service answers without a token: http_tokens is not \"required\"."}
	count(found([fixture.create("aws_launch_template", {"metadata_options": [{"http_tokens": "optional"}]})])) == 1
	count(found([fixture.with_unknown(instance({}), {"metadata_options": true})])) == 1
	messages([fixture.create("aws_ec2_instance_metadata_defaults", {"http_tokens": "optional"})]) == {"Instances of this account need no token by default."}
}

test_others_pass if {
	count(found([
		instance({"metadata_options": [{"http_tokens": "required"}]}),
		instance({"metadata_options": [{"http_endpoint": "disabled", "http_tokens": "optional"}]}),
		instance({"launch_template": [{"name": "web"}]}),
	])) == 0
	count(found([instance({}), fixture.noop("aws_ec2_instance_metadata_defaults", {"http_tokens": "required"})])) == 0
}
