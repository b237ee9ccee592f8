package tidelock.security.aws.vpc_flow_logs_test

import data.tidelock.fixture
import data.tidelock.security.aws.vpc_flow_logs

found(changes) := result if {
	result := vpc_flow_logs.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_without if {
	messages([fixture.create("aws_vpc", {"id": "vpc-1"})]) == {"No flow log belongs to this network."}
	count(found([fixture.update("aws_vpc", {"id": "vpc-1"}), fixture.create("aws_flow_log", {"vpc_id": "vpc-2"})])) == 1
}

test_with if {
	count(found([fixture.update("aws_vpc", {"id": "vpc-1"}), fixture.create("aws_flow_log", {"vpc_id": "vpc-1"})])) == 0
}
