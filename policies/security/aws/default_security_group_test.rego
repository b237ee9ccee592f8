package tidelock.security.aws.default_security_group_test

import data.tidelock.fixture
import data.tidelock.security.aws.default_security_group

found(changes) := result if {
	result := default_security_group.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_rules if {
	messages([fixture.create("aws_default_security_group", {"ingress": [{"self": true}], "egress": [{}, {}]})]) == {
		"The default group has 1 rules of ingress; it should have none.",
		"The default group has 2 rules of egress; it should have none.",
	}
}

test_none if {
	count(found([fixture.create("aws_default_security_group", {"ingress": []})])) == 0
}
