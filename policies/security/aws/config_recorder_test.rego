package tidelock.security.aws.config_recorder_test

import data.tidelock.fixture
import data.tidelock.security.aws.config_recorder

found(changes) := result if {
	result := config_recorder.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_off if {
	messages([fixture.create("aws_config_configuration_recorder_status", {"is_enabled": false})]) == {"The recorder is stopped."}
	messages([fixture.create("aws_config_configuration_recorder", {"recording_group": [{"all_supported": false, "resource_types": ["AWS::EC2::Instance"]}]})]) == {"Not every type of resource is recorded: all_supported is false."}
}

test_on if {
	count(found([
		fixture.create("aws_config_configuration_recorder_status", {"is_enabled": true}),
		fixture.create("aws_config_configuration_recorder", {}),
		fixture.create("aws_config_configuration_recorder", {"recording_group": [{"all_supported": false, "exclusion_by_resource_types": [{"resource_types": ["a"]}]}]}),
	])) == 0
}
