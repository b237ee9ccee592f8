package tidelock.security.aws.ssm_plain_parameter_test

import data.tidelock.fixture
import data.tidelock.security.aws.ssm_plain_parameter

found(changes) := result if {
	result := ssm_plain_parameter.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

parameter(name, type) := fixture.create("aws_ssm_parameter", {"name": name, "type": type})

test_plain if {
	messages([parameter("/shop/db/password", "String")]) == {"/shop/db/password is stored as plain text: type is String."}
	count(found([parameter("api_key", "StringList")])) == 1
}

test_others_pass if {
	count(found([parameter("/shop/db/password", "SecureString"), parameter("/shop/db/password-length", "String"), parameter("/shop/db/host", "String")])) == 0
}
