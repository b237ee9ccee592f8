package tidelock.security.aws.public_address_test

import data.tidelock.fixture
import data.tidelock.security.aws.public_address

found(changes) := result if {
	result := public_address.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_each_form if {
	messages([fixture.create("aws_instance", {"associate_public_ip_address": true})]) == {"It gets a public IP address."}
	count(found([fixture.create("aws_launch_template", {"network_interfaces": [{"associate_public_ip_address": "true"}]})])) == 1
	count(found([fixture.create("aws_ecs_service", {"network_configuration": [{"assign_public_ip": true}]})])) == 1
	messages([fixture.create("aws_subnet", {"map_public_ip_on_launch": true})]) == {"Whatever starts in this subnet gets a public IP address."}
}

test_others_pass if {
	count(found([
		fixture.create("aws_instance", {}),
		fixture.with_unknown(fixture.create("aws_instance", {}), {"associate_public_ip_address": true}),
		fixture.create("aws_launch_template", {"network_interfaces": [{"associate_public_ip_address": "false"}]}),
		fixture.create("aws_ecs_service", {"network_configuration": [{"assign_public_ip": false}]}),
		fixture.create("aws_subnet", {"map_public_ip_on_launch": false}),
	])) == 0
}
