package tidelock.security.aws.api_logs_test

import data.tidelock.fixture
import data.tidelock.security.aws.api_logs

found(changes) := result if {
	result := api_logs.deny with input as fixture.input_of(changes)
}

messages(changes) := {f.msg | some f in found(changes)}

test_without if {
	messages([fixture.create("aws_api_gateway_stage", {}), fixture.create("aws_apigatewayv2_stage", {"access_log_settings": []})]) == {"Calls are logged nowhere."}
}

test_with if {
	count(found([fixture.create("aws_apigatewayv2_stage", {"access_log_settings": [{"format": "a"}]})])) == 0
}
