package tidelock.security.aws.default_vpc_test

import data.tidelock.fixture
import data.tidelock.security.aws.default_vpc

found(changes) := result if {
	result := default_vpc.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_used if {
	messages([fixture.create("aws_default_vpc", {}), fixture.create("aws_default_subnet", {})]) == {"The default network of the account is used."}
}

test_one_that_is_to_go_passes if {
	count(found([fixture.create("aws_default_vpc", {"force_destroy": true}), fixture.create("aws_vpc", {})])) == 0
}
